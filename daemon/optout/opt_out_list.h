// Who wants no more messages, from one sender or from all: millions of numbers, looked up for
// every message that is admitted.
//
// In 1024 pieces, so that no growth of a table stalls admission and a copy is taken piece by piece.
//
// Units    Numbers and senders in kept form (ingress/number.h); times in seconds of Unix time.
// Owns     24 octets a number; the names of senders and clients once each.
// Errors   A number that is none (an alphanumeric sender) cannot opt out: an ordinary no.
// Threads  The ingress thread; before it starts whoever restores. No lock: who else asks it keeps
//          the ingress thread from changing it meanwhile (opt_outs.h).
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/records/opt_out_records.h"

namespace stentor::daemon {

/// One number that is out, written out.
struct OptedOut {
  std::string number;
  std::string sender;  ///< empty: of all
  std::string client;
  std::uint32_t since = 0;
  OptOutBy by = OptOutBy::reply;
};

class OptOutList {
 public:
  static constexpr std::size_t kPieces = 1024;
  /// Senders people opted out of, and clients: a few bytes each, and more than anybody sends from.
  /// A request beyond this is refused (has_room_for()); a handset's STOP cannot be, and is taken
  /// for "all", which errs on the side of sending nothing.
  static constexpr std::size_t kNamesMax = 65'535;

  /// True when it changed something; false when it was so before, or is no number.
  bool add(const OptedOut& entry);
  /// Takes out what was for this sender and what was for all; where `client` is said, what was for
  /// all only if it is that client's.
  bool remove(std::string_view number, std::string_view sender,
              std::optional<std::string_view> client = std::nullopt);
  /// The sender is known, or may be remembered.
  [[nodiscard]] bool has_room_for(std::string_view sender) const {
    return senders_.find(sender).has_value() || senders_.names.size() <= kNamesMax;
  }
  /// Whose entry it is; nothing when there is none.
  [[nodiscard]] std::optional<std::string_view> client_of(std::string_view number,
                                                          std::string_view sender) const;
  /// How many numbers of the change were news.
  std::size_t apply(const OptOutChange& change);

  [[nodiscard]] bool is_out(std::string_view number, std::string_view sender) const;
  /// What stands for a number, whoever's messages it is out of; nothing where it is none. Any
  /// thread.
  [[nodiscard]] static std::optional<std::uint64_t> hash_of(std::string_view number) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  void for_each(std::size_t piece, const std::function<void(const OptedOut&)>& see) const;

 private:
  struct Key {
    std::uint64_t number = 0;
    std::uint32_t sender = 0;  ///< index of its name; 0: all
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    [[nodiscard]] std::size_t operator()(const Key& key) const noexcept;
  };
  struct Value {
    std::uint32_t since = 0;
    std::uint16_t client = 0;
    OptOutBy by = OptOutBy::reply;
  };
  using Piece = boost::unordered_flat_map<Key, Value, Hash>;

  /// Names by number, 0 the empty one.
  struct Names {
    [[nodiscard]] std::uint32_t number_of(std::string_view name);
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view name) const;
    std::vector<std::string> names{""};
    boost::unordered_flat_map<std::string, std::uint32_t> numbers{{"", 0}};
  };

  [[nodiscard]] Piece& piece_of(const Key& key);
  [[nodiscard]] bool has(std::uint64_t number, std::uint32_t sender) const;

  std::array<Piece, kPieces> pieces_;
  std::size_t size_ = 0;
  Names senders_;
  Names clients_;
};

}  // namespace stentor::daemon
