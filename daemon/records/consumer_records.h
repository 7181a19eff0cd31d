// What the journal keeps of a consumer that asks for the events of one campaign: beside its own
// record, since most ask for all.
//
// Units    Events, by type: the client's own first, then everybody's.
// Owns     Decoded records view the payload they were decoded from.
// Errors   A payload that does not decode answers nullopt, as in records.h.
// Threads  Pure functions.
// Spec     docs/protocol.md, "gap"
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "daemon/records/fields.h"

namespace stentor::daemon {

/// On disk and of one space with RecordKind: never renumber, never reuse.
inline constexpr std::uint8_t kConsumerCampaignRecord = 70;

/// Payload: client, name, campaign, campaign counted as texts; the place up to which it is counted
/// (u64); 24 counts as varints.
struct ConsumerCampaign {
  std::string_view client;
  std::string_view name;
  std::string_view campaign{};         ///< it last asked for; empty: for all
  std::string_view missed_campaign{};  ///< of which retention took what is counted here
  std::uint64_t missed_to = 0;         ///< as in its own record: else the counts are of before
  std::array<std::uint64_t, 24> missed{};
};
void encode(const ConsumerCampaign& consumer, FieldWriter& out);
[[nodiscard]] std::optional<ConsumerCampaign> decode_consumer_campaign(
    std::span<const std::uint8_t> payload);

}  // namespace stentor::daemon
