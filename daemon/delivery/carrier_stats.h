// What one carrier's delivery counts, plainly, on its own thread.
//
// Units    Segments unless a name says messages; histograms in microseconds.
// Threads  One thread counts; others get copies made there.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/delivery/carrier_cancels.h"
#include "daemon/delivery/carrier_queries.h"
#include "daemon/inbound/reply_stats.h"
#include "daemon/links/carrier_switches.h"
#include "daemon/links/outbind_stats.h"
#include "daemon/links/smsc_link.h"
#include "daemon/metrics/histogram.h"
#include "daemon/tracking/tracking_stats.h"

namespace stentor::daemon {

struct StatusCount {
  std::uint32_t command_status = 0;
  std::uint64_t count = 0;
};

struct CarrierStats : TrackingStats {
  std::uint64_t submitted = 0;
  std::uint64_t segments_accepted = 0;
  std::uint64_t segments_gsm7 = 0;
  std::uint64_t segments_ucs2 = 0;
  std::uint64_t segments_other = 0;
  std::uint64_t throttled = 0;
  std::uint64_t suspected = 0;  ///< times that a bind was left since it answered 0x08 alone
  std::uint64_t retries_messages = 0;
  std::uint64_t retries_forgotten = 0;  ///< their counts begin anew: too many wait for a retry
  std::uint64_t order_passed = 0;       ///< went before an earlier one of their order key
  std::uint64_t messages_moved = 0;     ///< away, to another carrier of their route
  std::uint64_t messages_sent = 0;
  std::uint64_t uncertain_crash = 0;            ///< messages
  std::uint64_t uncertain_link_lost = 0;        ///< messages
  std::uint64_t uncertain_timeout = 0;          ///< messages
  std::uint64_t uncertain_shutdown = 0;         ///< messages
  std::uint64_t stuck = 0;                      ///< times that it was found to answer nothing
  std::uint64_t uncertain_status = 0;           ///< messages
  std::array<std::uint64_t, 8> doubts_ended{};  ///< messages, by DoubtEnd
  std::uint64_t possible_duplicates = 0;        ///< messages sent again in doubt
  std::vector<StatusCount> statuses;            ///< the first kStatusesMax that were met
  std::uint64_t statuses_other = 0;             ///< answers by any status that is not among them
  Histogram accept_to_submit;
  Histogram submit_response;

  /// Carriers invent statuses; a label for each of the first 32 is enough to see what goes on.
  static constexpr std::size_t kStatusesMax = 32;
  void count_status(std::uint32_t status);
};

struct LinkSnapshot {
  std::uint16_t number = 0;
  protocol::BindType type = protocol::BindType::transceiver;
  LinkState state = LinkState::down;
  std::uint64_t state_since_ms = 0;
  std::string host;  ///< that it is connected to, or tries
  std::size_t in_flight = 0;
  LinkStats stats;
  std::string last_error;         ///< empty while bound
  std::vector<LinkError> errors;  ///< the latest, oldest first
  bool credentials_refused = false;
  std::optional<std::int64_t> certificate_end;  ///< seconds of Unix time; under TLS
  std::uint8_t peer_version = 0;                ///< sc_interface_version of the bind; 0: not told
};

struct CarrierSnapshot {
  std::string name;
  bool is_stuck = false;           ///< can be bound to, and answers nothing
  bool addresses_refused = false;  ///< of late, for many messages: somebody has to look
  bool encoding_refused = false;   ///< likewise
  CarrierSwitch switched;
  std::uint32_t window = 0;
  std::uint32_t rate_configured = 0;
  std::uint32_t rate_current = 0;
  std::size_t waiting_urgent = 0;
  std::size_t waiting_normal = 0;
  std::size_t waiting_bulk = 0;
  std::size_t waiting_timers = 0;
  std::size_t waiting_held_back = 0;  ///< of those above: behind an earlier one of their order
  std::size_t waiting_limits = 0;     ///< of those above: parked by a limit of sender or prefix
  std::string_view limited_by;        ///< what holds it back: a Limiter's word
  std::string limit_named;            ///< the limit that holds most: "sender SHOP"; empty: none
  std::uint32_t response_ms = 0;      ///< how long answers take of late
  std::size_t waiting_held = 0;       ///< of those in lanes: paused
  std::size_t waiting_spilled = 0;    ///< of those in lanes: on disk
  std::uint64_t spill_failures = 0;
  std::size_t reserved = 0;
  std::size_t in_doubt = 0;  ///< messages held since nobody knows
  std::size_t outstanding = 0;
  std::size_t early_receipts = 0;
  std::string_view message_id_rule;  ///< as configured or learnt, else "auto"; a literal
  QueryStats queries;
  CancelStats cancels;
  std::optional<OutbindStats> outbinds{};        ///< nothing: it does not listen
  std::optional<std::uint32_t> oldest_since[3];  ///< by priority, seconds of Unix time
  CarrierStats stats;
  ReplyStats replies;
  std::vector<LinkSnapshot> links;
};

}  // namespace stentor::daemon
