// A campaign as the journal knows it: what was set, and what became of its messages.
//
// A client's messages without a campaign are kept in the same way, under an empty name: both
// compete for their turn, and both have a number of their own, so that two never share one.
//
// Units    Milliseconds of Unix time; counts are messages.
// Owns     Its texts.
// Errors   A payload that does not decode answers nullopt.
// Threads  Plain values.
// Spec     docs/architecture.md, "Campaigns"
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "daemon/records/fields.h"
#include "daemon/records/records.h"
#include "queue/locator.h"
#include "queue/ticket.h"

namespace stentor::daemon {

struct Campaign {
  queue::Flow flow = 0;  ///< its number, never given to another while a message of it is live
  std::string client;
  std::string name;  ///< empty: the client's messages without a campaign
  std::uint64_t created_ms = 0;
  std::uint64_t changed_ms = 0;  ///< the latest set, pause, resume or cancel
  bool is_paused = false;
  std::uint16_t weight = 1;
  queue::Locator cancelled_before;  ///< what was accepted before this place and waited: cancelled
  std::uint32_t rate = 0;           ///< messages a second, over all carriers; 0: no limit
  std::string moved_to;             ///< the carrier of the latest move; empty: none
  queue::Locator moved_before;      ///< what was accepted before this place and waited: moved
};

/// What became of its messages. Kept with the ledger's exactness: every record that moves the one
/// moves the other in the same batch.
struct CampaignCounts {
  Ledger ledger;                   ///< sequence_next is not used
  std::uint64_t final_unsent = 0;  ///< final without ever having been `sent`

  [[nodiscard]] std::uint64_t live() const noexcept { return ledger.accepted - ledger.finals(); }
  /// Not sent yet and not final: in a lane, on a timer, held, or under way.
  [[nodiscard]] std::uint64_t waiting() const noexcept {
    return ledger.accepted - ledger.sent - final_unsent;
  }
  /// Sent, and a receipt may still come.
  [[nodiscard]] std::uint64_t awaiting_receipt() const noexcept { return live() - waiting(); }
  /// `state` none: accepted.
  void count(State state, bool was_sent, std::uint64_t messages) noexcept;
};

/// Which messages an order is about: those to come, or those too that wait when it is given, told
/// by the place of the record that gives it.
enum class OrderReach : std::uint8_t { later, cancels, moves };

/// Kind `campaign`: both. Kind `campaign_set`: the campaign, and whether it was cancelled or moved
/// by this very record, whose own place is then `cancelled_before` or `moved_before`.
void encode(const Campaign& campaign, const CampaignCounts& counts, FieldWriter& out);
void encode(const Campaign& campaign, OrderReach reach, FieldWriter& out);

struct CampaignTotals {
  Campaign campaign;
  CampaignCounts counts;
};
[[nodiscard]] std::optional<CampaignTotals> decode_campaign(std::span<const std::uint8_t> payload);

struct CampaignSet {
  Campaign campaign;
  OrderReach reach = OrderReach::later;
};
/// `at`: where its record lies.
/// As it stands after `set`: what was cancelled or moved before stays so.
[[nodiscard]] Campaign campaign_after(const Campaign& before, const CampaignSet& set,
                                      queue::Locator at);
[[nodiscard]] std::optional<CampaignSet> decode_campaign_set(std::span<const std::uint8_t> payload);

/// Kind `campaign_forgotten`.
void encode_forgotten(queue::Flow flow, FieldWriter& out);
[[nodiscard]] std::optional<queue::Flow> decode_forgotten(std::span<const std::uint8_t> payload);

}  // namespace stentor::daemon
