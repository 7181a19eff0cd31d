// The outcome codes that stentor concludes itself: no carrier said them.
//
// What a carrier's status, receipt or network said is mapped elsewhere (tracking/outcome_codes.h,
// protocol/command_status.h). Programs upstream decide by these words: they never change.
//
// Owns     Nothing: literals.
// Spec     docs/protocol.md, "Outcome codes"
#pragma once

#include <array>
#include <string_view>

namespace stentor::daemon::own_outcome {

// Why a message is uncertain.
inline constexpr std::string_view kCrash = "crash";
inline constexpr std::string_view kLinkLost = "link_lost";
inline constexpr std::string_view kTimeout = "timeout";    // on a link that stands
inline constexpr std::string_view kShutdown = "shutdown";  // ours came before the answer
inline constexpr std::string_view kAmbiguousStatus = "ambiguous_status";
inline constexpr std::string_view kUnknownAcceptance = "unknown_acceptance";

// How one ended.
inline constexpr std::string_view kCancelled = "cancelled";  // by somebody, here or at the carrier
inline constexpr std::string_view kExpired = "expired";      // while it waited
inline constexpr std::string_view kOptedOut = "opted_out";   // while it waited
inline constexpr std::string_view kNotEncodable = "not_encodable";
inline constexpr std::string_view kNoMessageId = "no_message_id";
inline constexpr std::string_view kNoReceipt = "no_receipt";
// What a later receipt says against an earlier one: the code of a `conflict` alone.
inline constexpr std::string_view kDelivered = "delivered";
// Two receipts under two ids: the carrier took it twice. Likewise.
inline constexpr std::string_view kConfirmedDuplicate = "confirmed_duplicate";

inline constexpr std::array kAll{kCrash,           kLinkLost,          kTimeout,     kShutdown,
                                 kAmbiguousStatus, kUnknownAcceptance, kCancelled,   kExpired,
                                 kOptedOut,        kNotEncodable,      kNoMessageId, kNoReceipt,
                                 kDelivered,       kConfirmedDuplicate};

}  // namespace stentor::daemon::own_outcome
