// Learns from the receipts that matched how a carrier writes, in receipts, the ids that it gave.
//
// What was learnt decides only which spelling is tried first: a receipt that fits another one still
// matches, and says that the carrier has changed its mind.
//
// Units    Matches.
// Owns     Its counts.
// Errors   None.
// Threads  One thread.
// Spec     docs/carriers.md, "Message ids".
#pragma once

#include <cstdint>
#include <optional>

#include "protocol/message_id.h"

namespace stentor::protocol {

class MessageIdLearner {
 public:
  /// So many matches in a row by one rule make it the carrier's. One may be chance: short decimal
  /// ids are hexadecimal ones too, and may name another message. Eight in a row are not.
  static constexpr std::uint32_t kMatchesMin = 8;

  /// Candidate `which` of `spellings` matched. True when that changed what is learnt: a rule was
  /// learnt, or the one learnt was contradicted and is forgotten.
  bool on_match(const Spellings& spellings, std::uint8_t which) noexcept;

  [[nodiscard]] std::optional<MessageIdRule> learnt() const noexcept { return learnt_; }

  /// The spelling of the rule that was learnt first, the others behind it in their order.
  [[nodiscard]] Spellings in_order(Spellings spellings) const noexcept;

 private:
  std::optional<MessageIdRule> learnt_;
  MessageIdRule candidate_ = MessageIdRule::verbatim;
  std::uint32_t matches_ = 0;
};

/// "auto", "verbatim", "decimal", "hex".
[[nodiscard]] std::string_view name_of(MessageIdRule rule) noexcept;

}  // namespace stentor::protocol
