// One table of the configuration, read key by key; what nobody asked for is a mistake.
//
// Owns     Nothing: the document and the list of mistakes must outlive it.
// Errors   Every reader writes its complaint into Mistakes, leaves the target as it was (its
//          default) and goes on, so that one run names all mistakes.
// Threads  One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/config/document.h"

namespace stentor::daemon::config_file {

/// What was found wrong so far.
class Mistakes {
 public:
  explicit Mistakes(std::string file) : file_(std::move(file)) {}

  void add(std::uint32_t line, std::string key, std::string what);
  /// About the key itself or something inside its value.
  [[nodiscard]] bool has(std::string_view key) const;
  /// Hands them out in the order of the lines.
  [[nodiscard]] std::vector<ConfigMistake> take();
  [[nodiscard]] bool empty() const { return found_.empty(); }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  std::string file_;
  std::vector<ConfigMistake> found_;  ///< by line, and on one line as they were found
};

/// The known spelling of a mistyped word, if one is near enough to be meant.
[[nodiscard]] std::optional<std::string> nearest(std::string_view typed,
                                                 std::span<const std::string> known);

class Section {
 public:
  template <class Enum>
  using Choices = std::span<const std::pair<std::string_view, Enum>>;

  /// `kind` is the section's name in the table of what is not built yet; `path` the dotted key it
  /// stands under, empty for the top.
  Section(const Table& table, std::uint32_t line, std::string kind, std::string path,
          Mistakes& mistakes);

  /// The value, or nullptr when the key is left out. Marks the key as known.
  const Value* find(std::string_view key);

  void text(std::string_view key, std::string& into, std::size_t octets_max);
  void flag(std::string_view key, bool& into);
  void texts(std::string_view key, std::vector<std::string>& into);
  void duration(std::string_view key, std::chrono::milliseconds& into,
                std::chrono::milliseconds least, std::chrono::milliseconds most);
  /// Refuses a fraction of a second.
  void duration(std::string_view key, std::chrono::seconds& into, std::chrono::seconds least,
                std::chrono::seconds most);
  void size(std::string_view key, std::uint64_t& into, std::uint64_t least, std::uint64_t most);

  template <class Number>
  void number(std::string_view key, Number& into, std::int64_t least, std::int64_t most) {
    static_assert(std::numeric_limits<Number>::digits <= 64);
    if (const auto found = whole(key, least, most)) into = static_cast<Number>(*found);
  }

  template <class Enum, std::size_t Count>
  void choice(std::string_view key, Enum& into,
              const std::pair<std::string_view, Enum> (&choices)[Count]) {
    std::vector<std::string> words;
    for (const auto& [word, meaning] : choices) words.emplace_back(word);
    if (const auto index = one_of(key, words)) into = choices[*index].second;
  }

  /// The table under `key`, or nullopt when it is left out or no table.
  std::optional<Section> table(std::string_view key, std::string kind);
  /// A table found inside a value of this section, `below` its path from here.
  [[nodiscard]] Section below(const Table& table, std::uint32_t line, std::string kind,
                              std::string_view below) const;
  /// The tables of [[key]], in order; empty when left out.
  std::vector<Section> tables(std::string_view key);

  /// A complaint about a key (its line) or, with an empty key, about the section.
  void mistake(std::string_view key, std::string what);
  /// One about something inside the value of a key: an element of an array, a nested key.
  void mistake_at(std::uint32_t line, std::string_view below, std::string what);

  /// True when something was said about the key, or inside its value, already.
  [[nodiscard]] bool has_mistake(std::string_view key) const;

  /// Call last: names the keys nobody asked for and those whose function is not built yet.
  void finish();

  [[nodiscard]] std::uint32_t line_of(std::string_view key) const;
  [[nodiscard]] std::string path_of(std::string_view key) const;

 private:
  [[nodiscard]] const Entry* entry(std::string_view key) const;
  std::optional<std::int64_t> whole(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<std::size_t> one_of(std::string_view key, std::span<const std::string> words);
  void wrong_kind(std::string_view key, std::string_view wanted, const Value& value);

  const Table* table_;
  std::uint32_t line_;
  std::string kind_;
  std::string path_;
  Mistakes* mistakes_;
  std::vector<std::string> known_;
};

}  // namespace stentor::daemon::config_file
