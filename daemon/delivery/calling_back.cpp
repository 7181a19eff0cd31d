// Messages that the carrier has taken and that are called back by cancel_sm.
#include "daemon/delivery/addresses.h"
#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/delivery/subject_here.h"
#include "daemon/records/cancel_records.h"

namespace stentor::daemon {

void CarrierDelivery::cancel_at_carrier(CancelOrder order, CarrierCancels::Done done) {
  const bool has_bind = !stopped_ && std::ranges::any_of(lines_, [](const auto& line) {
    return line->link->may_send();
  });
  cancels_.take(std::move(order), has_bind, steady_now(), std::move(done));
  schedule_pump();
}

// cancel_sm names the message by its id and the addresses it had (SMPP 3.4 section 4.9.1).
std::optional<CarrierCancels::Addresses> CarrierDelivery::addresses_of(queue::Locator at) {
  const auto record = services_.reader.read(at);
  const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject) return std::nullopt;
  return CarrierCancels::Addresses{
      .source = source_on_wire(subject->from, config_),
      .destination = destination_on_wire(subject->to, accepted->to_short_code, config_)};
}

void CarrierDelivery::ask_to_cancel(TimePoint now) {
  for (const auto& line : lines_) {
    if (!cancels_.is_waiting()) return;
    if (line->link->may_send()) cancels_.ask(line->link->session(), line->link->number(), now);
  }
}

void CarrierDelivery::on_cancel_resp(SmscLink& /*link*/, std::uint64_t cookie,
                                     protocol::CommandStatus status) {
  cancels_.on_answer(cookie, status, steady_now());
  schedule_pump();
}

// History tells each answer; where the segment is cancelled, the tracker has the rest.
void CarrierDelivery::on_cancel_answer(const CarrierCancels::Answer& answer) {
  if (const auto accepted = records_.read(answer.at)) {
    const SubjectHere here(accepted->subject, config_.name);
    CancelAnswered record;
    record.of = {.accepted = answer.at,
                 .subject = here.octets(),
                 .time_ms = wall_ms(),
                 .state = State::none,
                 .possible_duplicate = false};
    record.part = answer.part;
    record.is_answered = answer.status.has_value();
    record.command_status =
        static_cast<std::uint32_t>(answer.status.value_or(protocol::CommandStatus::ok));
    record.message_id = answer.message_id;
    record.by = answer.client;
    outcomes_.write(record);
  }
  if (answer.status == protocol::CommandStatus::ok) {
    (void)tracker_.on_cancelled(answer.message_id, answer.at, moment_now());  // or a receipt came
  }
}

}  // namespace stentor::daemon
