#include "daemon/config/section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "daemon/config/units.h"
#include "daemon/config/unsupported.h"

namespace stentor::daemon::config_file {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Letters put in, left out, replaced, or swapped with their neighbour: the slips of a typist.
std::size_t edits_between(std::string_view left, std::string_view right) {
  std::vector<std::size_t> before_last(right.size() + 1);
  std::vector<std::size_t> last(right.size() + 1);
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), 0U);
  for (std::size_t i = 0; i < left.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i + 1;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t replaced = last[j] + (left[i] == right[j] ? 0 : 1);
      row[j + 1] = std::min({replaced, last[j + 1] + 1, row[j] + 1});
      if (i > 0 && j > 0 && left[i] == right[j - 1] && left[i - 1] == right[j]) {
        row[j + 1] = std::min(row[j + 1], before_last[j - 1] + 1);
      }
    }
  }
  return row.back();
}

}  // namespace

void Mistakes::add(std::uint32_t line, std::string key, std::string what) {
  const auto behind = std::ranges::upper_bound(found_, line, {}, &ConfigMistake::line);
  found_.insert(behind,
                {.file = file_, .line = line, .key = std::move(key), .what = std::move(what)});
}

bool Mistakes::has(std::string_view key) const {
  return std::ranges::any_of(found_, [&](const ConfigMistake& mistake) {
    if (!mistake.key.starts_with(key)) return false;
    return mistake.key.size() == key.size() || mistake.key[key.size()] == '[' ||
           mistake.key[key.size()] == '.';
  });
}

std::vector<ConfigMistake> Mistakes::take() {
  return std::move(found_);
}

std::optional<std::string> nearest(std::string_view typed, std::span<const std::string> known) {
  // One slip in a short word, one in three letters of a long one: further off is another word.
  const std::size_t edits_max = std::max<std::size_t>(1, typed.size() / 3);
  // Editing costs the product of both lengths; no key of ours is longer.
  constexpr std::size_t kTypedOctetsMax = 64;
  if (typed.size() > kTypedOctetsMax) return std::nullopt;

  const std::string* best = nullptr;
  std::size_t best_edits = edits_max + 1;
  for (const std::string& word : known) {
    const std::size_t edits = edits_between(typed, word);
    if (edits < best_edits) {
      best = &word;
      best_edits = edits;
    }
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

Section::Section(const Table& table, std::uint32_t line, std::string kind, std::string path,
                 Mistakes& mistakes)
    : table_(&table),
      line_(line),
      kind_(std::move(kind)),
      path_(std::move(path)),
      mistakes_(&mistakes) {}

const Entry* Section::entry(std::string_view key) const {
  const auto found = std::ranges::find(*table_, key, &Entry::key);
  return found == table_->end() ? nullptr : &*found;
}

std::uint32_t Section::line_of(std::string_view key) const {
  const Entry* found = entry(key);
  return found == nullptr ? line_ : found->line;
}

std::string Section::path_of(std::string_view key) const {
  if (path_.empty()) return std::string(key);
  if (key.empty()) return path_;
  return fmt::format("{}.{}", path_, key);
}

void Section::mistake(std::string_view key, std::string what) {
  mistakes_->add(line_of(key), path_of(key), std::move(what));
}

bool Section::has_mistake(std::string_view key) const {
  return mistakes_->has(path_of(key));
}

void Section::mistake_at(std::uint32_t line, std::string_view below, std::string what) {
  mistakes_->add(line, path_of(below), std::move(what));
}

void Section::wrong_kind(std::string_view key, std::string_view wanted, const Value& value) {
  mistake(key, fmt::format("must be {}, not {}", wanted, kind_of(value)));
}

const Value* Section::find(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
  const Entry* found = entry(key);
  return found == nullptr ? nullptr : &found->value;
}

void Section::text(std::string_view key, std::string& into, std::size_t octets_max) {
  const Value* value = find(key);
  if (value == nullptr) return;
  const auto* text = std::get_if<std::string>(&value->is);
  if (text == nullptr) return wrong_kind(key, "a text", *value);
  // Each of these ends up in a C string: a PDU's field, a path, a name.
  if (text->contains('\0')) return mistake(key, "must not contain a NUL");
  if (text->size() > octets_max) {
    return mistake(key, fmt::format("is {} octets long; at most {}", text->size(), octets_max));
  }
  into = *text;
}

void Section::flag(std::string_view key, bool& into) {
  const Value* value = find(key);
  if (value == nullptr) return;
  const auto* flag = std::get_if<bool>(&value->is);
  if (flag == nullptr) return wrong_kind(key, "true or false", *value);
  into = *flag;
}

void Section::texts(std::string_view key, std::vector<std::string>& into) {
  const Value* value = find(key);
  if (value == nullptr) return;
  const auto* array = std::get_if<Array>(&value->is);
  if (array == nullptr) return wrong_kind(key, "an array of texts", *value);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const Value& element = (*array)[i];
    const auto* text = std::get_if<std::string>(&element.is);
    if (text == nullptr) {
      mistake_at(element.line, fmt::format("{}[{}]", key, i),
                 fmt::format("must be a text, not {}", kind_of(element)));
    } else if (text->contains('\0')) {
      mistake_at(element.line, fmt::format("{}[{}]", key, i), "must not contain a NUL");
    } else {
      texts.push_back(*text);
    }
  }
  into = std::move(texts);
}

std::optional<std::int64_t> Section::whole(std::string_view key, std::int64_t least,
                                           std::int64_t most) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto* number = std::get_if<std::int64_t>(&value->is);
  if (number == nullptr) {
    wrong_kind(key, "a number", *value);
    return std::nullopt;
  }
  if (*number < least || *number > most) {
    mistake(key, fmt::format("is {}; must be {} to {}", *number, least, most));
    return std::nullopt;
  }
  return *number;
}

void Section::duration(std::string_view key, milliseconds& into, milliseconds least,
                       milliseconds most) {
  const Value* value = find(key);
  if (value == nullptr) return;
  const auto* text = std::get_if<std::string>(&value->is);
  const auto duration = text == nullptr ? std::nullopt : parse_duration(*text);
  if (!duration) {
    return mistake(key, "must be a time: a whole number and ms, s, m or h, such as \"30s\"");
  }
  if (*duration < least || *duration > most) {
    return mistake(key, fmt::format("is {}; must be {} to {}", write_duration(*duration),
                                    write_duration(least), write_duration(most)));
  }
  into = *duration;
}

void Section::duration(std::string_view key, seconds& into, seconds least, seconds most) {
  milliseconds exact = into;
  duration(key, exact, least, most);
  const auto rounded = duration_cast<seconds>(exact);
  if (rounded != exact) return mistake(key, "must be whole seconds");
  into = rounded;
}

void Section::size(std::string_view key, std::uint64_t& into, std::uint64_t least,
                   std::uint64_t most) {
  const Value* value = find(key);
  if (value == nullptr) return;
  const auto* text = std::get_if<std::string>(&value->is);
  const auto octets = text == nullptr ? std::nullopt : parse_size(*text);
  if (!octets) {
    return mistake(key, "must be a size: a whole number and KiB, MiB or GiB, such as \"512MiB\"");
  }
  if (*octets < least || *octets > most) {
    return mistake(key, fmt::format("is {}; must be {} to {}", write_size(*octets),
                                    write_size(least), write_size(most)));
  }
  into = *octets;
}

std::optional<std::size_t> Section::one_of(std::string_view key,
                                           std::span<const std::string> words) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto* text = std::get_if<std::string>(&value->is);
  if (text == nullptr) {
    wrong_kind(key, fmt::format("one of {}", fmt::join(words, ", ")), *value);
    return std::nullopt;
  }
  const auto found = std::ranges::find(words, *text);
  if (found == words.end()) {
    mistake(key, fmt::format("is \"{}\"; must be one of {}", *text, fmt::join(words, ", ")));
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - words.begin());
}

std::optional<Section> Section::table(std::string_view key, std::string kind) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto* table = std::get_if<Table>(&value->is);
  if (table == nullptr) {
    wrong_kind(key, "a table", *value);
    return std::nullopt;
  }
  return Section(*table, line_of(key), std::move(kind), path_of(key), *mistakes_);
}

Section Section::below(const Table& table, std::uint32_t line, std::string kind,
                       std::string_view below) const {
  return {table, line, std::move(kind), path_of(below), *mistakes_};
}

std::vector<Section> Section::tables(std::string_view key) {
  std::vector<Section> sections;
  const Value* value = find(key);
  if (value == nullptr) return sections;
  const auto* array = std::get_if<Array>(&value->is);
  if (array == nullptr) {
    mistake(key, fmt::format("must be written [[{}]], one for each", key));
    return sections;
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    const Value& element = (*array)[i];
    std::string path = path_of(fmt::format("{}[{}]", key, i));
    if (const auto* table = std::get_if<Table>(&element.is)) {
      sections.emplace_back(*table, element.line, std::string(key), std::move(path), *mistakes_);
    } else {
      mistakes_->add(element.line, std::move(path),
                     fmt::format("must be a table, not {}", kind_of(element)));
    }
  }
  return sections;
}

void Section::finish() {
  for (const Entry& entry : *table_) {
    if (const Unsupported* missing = find_unsupported(kind_, entry.key)) {
      // A value that is wrong in itself has had its word already.
      if (!has_mistake(entry.key) && !asks_for_nothing(*missing, entry.value)) {
        mistake(entry.key, fmt::format("not supported yet: {}", missing->what));
      }
      continue;
    }
    if (std::ranges::find(known_, entry.key) != known_.end()) continue;
    const auto meant = nearest(entry.key, known_);
    mistake(entry.key,
            meant ? fmt::format("unknown key; did you mean {}?", *meant) : "unknown key");
  }
}

}  // namespace stentor::daemon::config_file
