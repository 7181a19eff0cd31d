// Receipts on their way between a link and the tracker: parsed, tracked, answered when durable.
#include <random>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/failpoints/failpoint.h"
#include "daemon/log.h"

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kUnreadTold = 10;

protocol::MessageIdRule rule_of(MessageIds ids) noexcept {
  switch (ids) {
    case MessageIds::automatic: return protocol::MessageIdRule::automatic;
    case MessageIds::hex: return protocol::MessageIdRule::hex;
    case MessageIds::decimal: return protocol::MessageIdRule::decimal;
    case MessageIds::verbatim: return protocol::MessageIdRule::verbatim;
  }
  return protocol::MessageIdRule::automatic;
}

Outstanding::Key secret_of(std::uint64_t seed) {
  Outstanding::Key key{};
  std::mt19937_64 random(seed);
  for (std::uint8_t& octet : key) octet = static_cast<std::uint8_t>(random());
  return key;
}

}  // namespace

TrackerSetup tracker_setup_of(const CarrierConfig& config, std::uint64_t seed) {
  return {.carrier = config.name,
          .rule = rule_of(config.message_id),
          .codes = OutcomeCodes(config.errors),
          .secret = secret_of(seed),
          .by_reference = config.wire.user_message_reference != TlvUse::never &&
                          config.wire.match_by_reference};
}

void CarrierDelivery::track(const Sending& sent, std::uint16_t part, std::string_view message_id) {
  tracker_.on_taken({.message_id = message_id,
                     .of = following(sent, State::none),
                     .expires = sent.accepted.expires,
                     .part = static_cast<std::uint8_t>(part + 1),
                     .parts = sent.subject.parts,
                     .response_ms = sent.response_ms,
                     .subject = &sent.subject},
                    moment_now());
}

void CarrierDelivery::on_deliver(SmscLink& link, std::uint32_t sequence_number,
                                 const protocol::DeliverSm& deliver) {
  failpoint(Failpoint::receipt_read);
  if (!protocol::is_receipt(deliver.esm_class)) {
    replies_.take(deliver, steady_now());
    return answer_when_durable(link, sequence_number);
  }
  const auto& pattern = config_.wire.receipt_pattern;
  auto receipt =
      pattern ? protocol::parse_receipt(deliver, *pattern) : protocol::parse_receipt(deliver);
  if (!receipt) {
    // Refusing it would make some carriers send it for ever and hold back all others.
    if (++stats_.receipts_unparsed == 1) {
      log::warn("carrier {}: a receipt names no message id in any known way", config_.name);
    }
    track_receipt(protocol::nameless_receipt(deliver));  // an orphan
    return answer_when_durable(link, sequence_number);
  }
  receipt->state = state_by(config_.wire.receipt_states, *receipt);
  end_doubt_by_receipt(*receipt, deliver.source.digits);
  track_receipt(*receipt);
  failpoint(Failpoint::receipt_recorded);
  answer_when_durable(link, sequence_number);
}

void CarrierDelivery::track_receipt(const protocol::Receipt& receipt) {
  const std::uint64_t unread = stats_.receipts_unread;
  tracker_.on_receipt(receipt, moment_now());
  // A broken disk says so for each of its messages.
  if (stats_.receipts_unread == unread || stats_.receipts_unread > kUnreadTold) return;
  log::error(
      "carrier {}: a receipt's message cannot be read; the receipt is kept as an orphan and tried "
      "again each minute",
      config_.name);
}

void CarrierDelivery::answer_when_durable(SmscLink& link, std::uint32_t sequence_number) {
  lines_[link.number()]->delivers.push_back(
      {.batch = outcomes_.batch(), .sequence_number = sequence_number, .epoch = link.epoch()});
  schedule_pump();
}

}  // namespace stentor::daemon
