// What an audit finds wrong: which rule is broken, by which message, where, and in words.
//
// Owns     Its texts; never a number or a text of a message.
// Threads  Plain values.
// Spec     docs/journal.md, "Audit"
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "queue/locator.h"

namespace stentor::daemon {

enum class AuditRule : std::uint8_t {
  totals,               ///< a file begins with other totals than the records before it make
  lost,                 ///< accepted, not final, and its record is in no file
  accepted_twice,       ///< two messages share a sequence
  never_accepted,       ///< a record names a message whose accepted record is missing
  misplaced,            ///< a record says that it was accepted elsewhere
  final_twice,          ///< a final state after a final state, and no correction
  corrected_wrongly,    ///< corrects what was not `unknown`
  sent_after_final,     ///< about to be sent, or `sent`, when it was final already
  sent_without_intent,  ///< the carrier answered what no durable intent allowed to be written
  sent_twice,           ///< told as `sent` a second time
  never_told_sent,      ///< final by the carrier's report, and `sent` was never told
  parts,                ///< its parts do not add up
  checkpoint_lacks,     ///< live, and the checkpoint does not have it
  checkpoint_keeps,     ///< in the checkpoint as live, and it is not
  undecodable           ///< a record of a known kind that cannot be read
};
inline constexpr std::size_t kAuditRules = 15;
/// The word for scripts: "final_twice".
[[nodiscard]] std::string_view name_of(AuditRule rule) noexcept;

struct Finding {
  AuditRule rule = AuditRule::totals;
  std::uint64_t sequence = 0;  ///< 0: no single message
  std::string id;              ///< empty: not known
  std::string client;
  std::string ref;
  queue::Locator at;  ///< of the record that shows it
  std::string what;
};

}  // namespace stentor::daemon
