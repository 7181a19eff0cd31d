// Receipts that came before anyone knew the id they name: held back, bounded, matched on arrival.
//
// Units    The steady clock, unless a name ends in `_ms`.
// Owns     Copies of what the receipts said.
// Errors   A full table lets its oldest entry go; it is counted by the caller as unmatched.
//          Receipts that name no id have a share of their own, and push out no others.
// Threads  One thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/tracking/outstanding_segment.h"
#include "protocol/receipt.h"

namespace stentor::daemon {

/// A receipt that outlives its PDU.
struct KeptReceipt {
  std::string message_id;
  protocol::MessageState state = protocol::MessageState::unknown;
  bool is_intermediate = false;
  std::string stat;
  std::string err;
  std::optional<std::uint32_t> network_error_code;
  std::string done_date;
  std::string submit_date;
  std::string sub;
  std::string dlvrd;
  std::optional<std::uint16_t> user_message_reference;
  std::string source;
  std::string destination;
  std::uint64_t came_ms = 0;  ///< Unix time
  std::chrono::steady_clock::time_point came;
  /// What it says may have been told already: it is listed, and matched no more.
  bool is_listed_only = false;

  [[nodiscard]] static KeptReceipt of(const protocol::Receipt& receipt, std::uint64_t came_ms,
                                      std::chrono::steady_clock::time_point came);
  [[nodiscard]] protocol::Receipt view() const;
};

class EarlyReceipts {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// A carrier answers its own submit_sm within seconds or not at all: a window of 1,000 and as
  /// many parts again, ten times over.
  static constexpr std::size_t kEntriesMax = 20'000;
  /// What carriers send is some hundred octets; a TLV may hold 64 KiB. 800 octets for each of as
  /// many as may be.
  static constexpr std::size_t kOctetsMax = 16u << 20;
  /// What names no id can match by the reference it gives back alone, and only for a minute: one
  /// window of 1,000 and as many parts again. Beyond that they show an operator what comes.
  static constexpr std::size_t kUnnamedMax = 2'000;
  static constexpr std::size_t kUnnamedOctetsMax = 1600u << 10;  ///< 800 for each, as above
  /// Three days, as long as the journal is kept by default: a carrier's id rule may be found out
  /// wrong and corrected, and what matched nothing before is then matched.
  static constexpr std::chrono::hours kPatience = kUnmatchedKept;

  /// Keeps the receipt under each spelling it may be asked by. Returns how many entries had to go.
  [[nodiscard]] std::size_t put(const protocol::Receipt& receipt,
                                const std::vector<std::string>& spellings, TimePoint came,
                                std::uint64_t came_ms = 0);
  /// With no spellings it is listed only.
  [[nodiscard]] std::size_t put(KeptReceipt kept, const std::vector<std::string>& spellings);
  /// The receipts kept for this canonical submit id, oldest first, that came at `since` or later;
  /// they are taken out.
  [[nodiscard]] std::vector<KeptReceipt> take(std::string_view id,
                                              TimePoint since = TimePoint::min());
  /// Lets those go that are kept for this id and `is_over` says so of.
  void forget(std::string_view id, const std::function<bool(const KeptReceipt&)>& is_over);
  /// All of them, oldest first.
  [[nodiscard]] std::deque<KeptReceipt> take_all();
  /// Lets go what has waited too long; returns how many.
  [[nodiscard]] std::size_t expire(TimePoint now);

  /// Shows up to `max` of them, the newest first.
  void newest(std::size_t max, const std::function<void(const KeptReceipt&)>& sink) const;

  [[nodiscard]] bool is_empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t size() const noexcept {
    return shares_[kNamed].entries.size() + shares_[kUnnamed].entries.size();
  }

 private:
  // Ordered, and each entry knows its places: a carrier may name one id in all its receipts, and
  // letting one go must not cost a look at the others.
  using Index = std::multimap<std::string, std::uint64_t, std::less<>>;
  struct Entry {
    KeptReceipt receipt;
    std::vector<Index::iterator> places;
    std::size_t octets = 0;
  };
  using Entries = std::map<std::uint64_t, Entry>;  // by number: the oldest first
  struct Share {
    Entries entries;
    std::size_t octets = 0;
  };
  static constexpr std::size_t kNamed = 0;
  static constexpr std::size_t kUnnamed = 1;

  // A number grows with time, and its lowest bit says whose it is.
  [[nodiscard]] Share& share_of(std::uint64_t number) noexcept { return shares_[number & 1]; }
  void drop(Share& share, Entries::iterator entry);

  std::array<Share, 2> shares_;
  Index by_id_;
  std::uint64_t next_ = 0;
};

}  // namespace stentor::daemon
