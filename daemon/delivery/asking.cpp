// What we ask the carrier of our own accord, and what we learn of its ways: query_sm for segments
// whose receipts do not come, and how it writes ids.
#include <spdlog/spdlog.h>

#include "daemon/delivery/addresses.h"
#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {

// query_sm names the message by its id and the sender it had (SMPP 3.4 section 4.8.1).
std::optional<CarrierQueries::Sender> CarrierDelivery::sender_of(queue::Locator at) {
  const auto record = services_.reader.read(at);
  const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject) return std::nullopt;
  WireAddress source = source_on_wire(subject->from, config_);
  return CarrierQueries::Sender{.digits = std::move(source.digits), .numbering = source.numbering};
}

void CarrierDelivery::await_receipt(const OutstandingSegment& segment, std::string_view message_id,
                                    std::uint64_t until) {
  queries_.on_taken(segment.at, segment.part, message_id, until, wall_clock_ms() / 1000,
                    std::chrono::steady_clock::now());
}

void CarrierDelivery::ask_about_receipts(TimePoint now) {
  if (!queries_.is_on()) return;
  for (const auto& line : lines_) {
    if (line->link->may_send()) queries_.ask(line->link->session(), line->link->number(), now);
  }
}

void CarrierDelivery::on_query_resp(SmscLink& /*link*/, std::uint64_t cookie,
                                    protocol::CommandStatus status,
                                    const protocol::QueryResp& response) {
  const auto receipt =
      queries_.on_answer(cookie, status, response, std::chrono::steady_clock::now());
  if (!receipt) return;
  // The id is the one that submit_sm_resp gave: no other spelling is meant.
  const protocol::CanonicalId id(receipt->message_id);
  const OutstandingSegment* const found = outstanding_.find(id.text());
  if (found == nullptr) return;  // its receipt was faster
  apply_to({.segment = *found, .id = std::string(id.text())}, *receipt);
  schedule_pump();
}

protocol::Spellings CarrierDelivery::spellings_of(std::string_view message_id) const noexcept {
  const protocol::Spellings spellings = protocol::spellings_of(message_id, message_id_rule());
  return config_.message_id == MessageIds::automatic ? learner_.in_order(spellings) : spellings;
}

void CarrierDelivery::learn_from(const protocol::Spellings& spellings, std::uint8_t which) {
  if (config_.message_id != MessageIds::automatic) return;
  if (!learner_.on_match(spellings, which)) return;
  if (const auto rule = learner_.learnt()) {
    spdlog::info("carrier {}: its receipts write message ids by the rule \"{}\"", config_.name,
                 protocol::name_of(*rule));
  } else {
    spdlog::warn(
        "carrier {}: a receipt contradicts the rule learnt for message ids; every rule is "
        "tried again",
        config_.name);
  }
}

std::string_view CarrierDelivery::message_id_rule_shown() const noexcept {
  const auto learnt = learner_.learnt();
  return protocol::name_of(learnt ? *learnt : message_id_rule());
}

}  // namespace stentor::daemon
