// The states and stable words for what became of a message, out of what a carrier's receipt says.
//
// A carrier's own tables go first, in all that a receipt has; then what the GSM network said, then
// the state.
//
// Units    Words of the vocabulary in docs/protocol.md, "Outcome codes".
// Owns     The carrier's table; words it answers are the table's own or literals.
// Errors   None: what nobody knows has the word of its state.
// Threads  Read-only once made.
// Spec     SMPP 3.4 section 5.3.2.31 (network_error_code), 3GPP TS 29.002 (MAP errors)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/receipt.h"

namespace stentor::daemon {

/// What a carrier means by a `stat` (as written) or by the message_state TLV ("message_state:8").
using OwnStates = std::vector<std::pair<std::string, protocol::MessageState>>;

/// What the receipt says by the carrier's own table, else as it was read. The TLV is believed
/// before the text, unless it knows nothing.
[[nodiscard]] protocol::MessageState state_by(const OwnStates& own,
                                              const protocol::Receipt& receipt);

/// What a carrier's `err` (as written, or `type:code` of the TLV) means; or "stat:WORD" of the
/// text, or "message_state:8", a state however it was told.
using ErrorWords = std::vector<std::pair<std::string, std::string>>;

class OutcomeCodes {
 public:
  OutcomeCodes() = default;
  explicit OutcomeCodes(ErrorWords words) : words_(std::move(words)) {}

  /// Empty for delivered: there is nothing to explain.
  [[nodiscard]] std::string_view of(const protocol::Receipt& receipt) const;

 private:
  [[nodiscard]] std::string_view own_word(const protocol::Receipt& receipt) const;
  ErrorWords words_;  // a few: searched in order
};

/// The carrier's own words, as an event's detail says them: each is cut at 32 octets.
[[nodiscard]] std::string words_of(std::string_view stat, std::string_view err);

/// The word of a state alone; empty for delivered.
[[nodiscard]] std::string_view word_of(protocol::MessageState state) noexcept;

}  // namespace stentor::daemon
