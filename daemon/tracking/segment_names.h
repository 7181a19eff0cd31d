// The second name of outstanding segments: the user_message_reference that each of them carried,
// together with the numbers it went between.
//
// Some carriers give it back in receipts whose id is another than submit_sm_resp said, or none at
// all. It has 16 bits and comes again every 8,192 messages, so that alone it names nothing: here it
// stands beside the handset and the sender, and a name that two messages share names neither.
//
// Units    `now` and `came` are seconds of Unix time.
// Owns     At most kEntriesMax names, of the segments taken last; the oldest goes first.
// Errors   An unknown or ambiguous name is an ordinary "no" (nullopt).
// Threads  One thread.
// Spec     SMPP 3.4 section 5.3.2.17 (user_message_reference); docs/carriers.md, "Message ids"
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/tracking/outstanding_segment.h"
#include "protocol/message_id.h"
#include "protocol/receipt.h"
#include "queue/locator.h"

namespace stentor::daemon {

/// What a message and its receipt have in common of an address: of a number the last seven digits,
/// else the first 20 octets; without +.
[[nodiscard]] std::string_view comparable(std::string_view address) noexcept;
/// True when a receipt's source speaks of the number `to`: both have seven digits, and the last
/// seven are the same. Fewer would fit too many.
[[nodiscard]] bool is_same_number(std::string_view source, std::string_view to) noexcept;
/// Whether what a receipt calls its addresses cannot be the number `to`: one of them has seven
/// digits or more, and neither ends as it does. Some carriers swap the two, some leave them out.
[[nodiscard]] bool is_other_number(std::string_view source, std::string_view destination,
                                   std::string_view to) noexcept;

/// A keyed hash of a reference and two numbers.
struct SegmentName {
  std::uint64_t bits = 0;
  /// Something no carrier can write as an id, where both are looked up in one place.
  [[nodiscard]] protocol::CanonicalId as_id() const noexcept;
};

/// What has a name.
struct NamedSegment {
  SegmentKey key;  ///< its place among the outstanding ones, unless its id was given again
  queue::Locator message;
  std::uint8_t part = 1;
};

class SegmentNames {
 public:
  using Key = std::array<std::uint8_t, 16>;

  // At 1,000 segments a second three minutes, at 10 a second five hours: a receipt that is later
  // than that has its id alone. 13 MiB, taken at once: a growing table would stop the shard.
  static constexpr std::size_t kEntriesMax = 200'000;
  /// A carrier that has sent so many receipts without a reference gives none back: nothing is
  /// remembered for it until it does.
  static constexpr std::uint32_t kReceiptsWithout = 10'000;

  SegmentNames(Key secret, bool is_wanted) : secret_(secret), is_wanted_(is_wanted) {}

  /// How long a receipt may be ahead of its response: as long as a response may take by default. A
  /// stranger's that was kept for days would meet a message of ours by chance.
  static constexpr std::uint64_t kAheadSeconds = 60;

  /// Numbers are compared by their last seven digits: carriers write them in national form, with
  /// prefixes, with and without +. Other senders by their letters, whatever their case.
  [[nodiscard]] SegmentName name_of(std::uint16_t reference, std::string_view handset,
                                    std::string_view sender) const;
  /// Of what a receipt says; nothing when it says no reference, or none is wanted.
  [[nodiscard]] std::optional<SegmentName> name_of(const protocol::Receipt& receipt) const;

  void put(SegmentName name, const SegmentKey& key, queue::Locator message, std::uint8_t part,
           std::uint64_t now);
  /// The segment that a receipt of this name, which came at `came`, speaks of: it may await no
  /// receipt any more.
  [[nodiscard]] std::optional<NamedSegment> find(SegmentName name, std::uint64_t came) const;

  /// Each receipt, matched or not: whether this carrier gives references back.
  void note(const protocol::Receipt& receipt);
  [[nodiscard]] bool is_used() const noexcept { return is_wanted_ && !is_unused_; }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  // As long as receipts are kept for what they may match: a name that was another message's within
  // that time may be meant for that one.
  static constexpr std::uint64_t kSharedSeconds = std::uint64_t{72} * 3600;

  struct Entry {
    SegmentKey key;
    queue::Locator message;
    std::uint32_t since = 0;      // seconds of Unix time
    std::uint32_t puts : 23 = 0;  // how often it stands in order_
    std::uint32_t is_shared : 1 = 0;
    std::uint32_t part : 8 = 0;
  };
  void make_room();

  Key secret_;
  bool is_wanted_;
  bool is_unused_ = false;
  std::uint32_t without_ = 0;
  boost::unordered_flat_map<std::uint64_t, Entry> entries_;
  std::vector<std::uint64_t> order_;  // a ring of kEntriesMax once full
  std::size_t oldest_ = 0;
};

}  // namespace stentor::daemon
