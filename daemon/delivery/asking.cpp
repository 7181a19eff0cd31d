// What we ask the carrier of our own accord, and what we learn of its ways: query_sm for segments
// whose receipts do not come, and how it writes ids.
#include "daemon/delivery/addresses.h"
#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/log.h"

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

void CarrierDelivery::on_awaited(queue::Locator at, std::uint8_t part, std::string_view message_id,
                                 std::uint64_t until) {
  queries_.on_taken(at, part, message_id, until, wall_seconds(), steady_now());
}

void CarrierDelivery::on_settled(queue::Locator at, std::uint8_t part) {
  queries_.on_settled(at, part);
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
  const auto receipt = queries_.on_answer(cookie, status, response, steady_now());
  if (!receipt) return;
  if (!tracker_.on_query_answer(*receipt, moment_now())) return;  // its receipt was faster
  schedule_pump();
}

void CarrierDelivery::on_rule(std::optional<protocol::MessageIdRule> learnt) {
  if (learnt) {
    log::info("carrier {}: its receipts write message ids by the rule \"{}\"", config_.name,
              protocol::name_of(*learnt));
  } else {
    log::warn(
        "carrier {}: a receipt contradicts the rule learnt for message ids; every rule is "
        "tried again",
        config_.name);
  }
}

}  // namespace stentor::daemon
