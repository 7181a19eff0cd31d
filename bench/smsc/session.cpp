#include "bench/smsc/session.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "bench/smsc/message_id_text.h"
#include "protocol/command_status.h"
#include "protocol/decoder.h"

namespace stentor::smsc {
namespace {

using protocol::CommandId;
using protocol::CommandStatus;

constexpr std::uint32_t kResponseBit = 0x80000000;  // section 5.1.2.1
constexpr std::uint8_t kVersionWithoutTransceiver = 0x33;
constexpr std::string_view kSystemId = "stentor-smsc";

// A receipt that is refused so often is given up, as carriers do in the end.
constexpr std::uint8_t kDeliveryAttemptsMax = 5;

CommandId response_to(CommandId request) noexcept {
  return static_cast<CommandId>(std::to_underlying(request) | kResponseBit);
}

std::string_view name_of(CommandId command_id) noexcept {
  if (command_id == CommandId::bind_transmitter) return "bind_transmitter";
  if (command_id == CommandId::bind_receiver) return "bind_receiver";
  if (command_id == CommandId::bind_transceiver) return "bind_transceiver";
  return command_id == CommandId::data_sm ? "data_sm" : "submit_sm";
}

bool is_submit_resp(std::span<const std::uint8_t> pdu) noexcept {
  const CommandId command_id = protocol::decode_header(pdu).command_id;
  return command_id == CommandId::submit_sm_resp || command_id == CommandId::data_sm_resp;
}

// Calls `each` for every whole PDU in octets of our own making, with where it ends.
template <class Each>
void for_each_pdu(std::span<const std::uint8_t> octets, Each&& each) {
  for (std::size_t at = 0; octets.size() - at >= protocol::kHeaderOctets;) {
    const auto size = protocol::front_pdu_octets(octets.subspan(at));
    if (!size || *size > octets.size() - at) return;  // cut, or spoilt on purpose
    each(octets.subspan(at, *size), at + *size);
    at += *size;
  }
}

}  // namespace

Session::Session(Smsc& smsc, std::uint32_t number, const Now& now)
    : smsc_(smsc), number_(number), opened_(now.steady), last_heard_(now.steady) {
  ++smsc_.totals().connections;
  note(now, "connect");
}

Session::~Session() {
  if (account_ != nullptr) account_->remove(*this);
}

std::size_t Session::on_octets(std::span<const std::uint8_t> octets, const Now& now) {
  last_heard_ = now.steady;
  was_asked_ = false;
  std::size_t taken = 0;
  while (wants_octets()) {
    const auto size = protocol::front_pdu_octets(octets.subspan(taken));
    if (!size) {
      on_broken_framing(now);
      break;
    }
    if (*size == 0 || *size > octets.size() - taken) return taken;
    on_pdu(octets.subspan(taken, *size), now);
    taken += *size;
  }
  // What a connection that has ended or plays dead still brings is nobody's.
  return parting_ != Parting::stay || is_stalled_ ? octets.size() : taken;
}

void Session::on_pdu(std::span<const std::uint8_t> pdu, const Now& now) {
  const protocol::Header header = protocol::decode_header(pdu);
  const std::uint32_t sequence_number = header.sequence_number;
  const CommandId command_id = header.command_id;
  if (command_id == CommandId::submit_sm || command_id == CommandId::data_sm) {
    return on_submit(header, pdu, now);
  }
  if (command_id == CommandId::deliver_sm_resp || command_id == CommandId::data_sm_resp ||
      command_id == CommandId::enquire_link_resp || command_id == CommandId::generic_nack) {
    return on_deliver_resp(header, now);
  }
  if (command_id == CommandId::unbind_resp) {
    if (state_ == State::unbinding) parting_ = Parting::close;
    return;
  }
  if (is_mute_) return;
  const bool is_transceiver_known =
      smsc_.settings().interface_version != kVersionWithoutTransceiver;
  if (command_id == CommandId::bind_transmitter || command_id == CommandId::bind_receiver ||
      (command_id == CommandId::bind_transceiver && is_transceiver_known)) {
    return on_bind(header, pdu, now);
  }
  if (command_id == CommandId::query_sm && smsc_.settings().query)
    return on_query(header, pdu, now);
  if (command_id == CommandId::cancel_sm && smsc_.settings().cancel) {
    return on_cancel(header, pdu, now);
  }
  if (command_id == CommandId::enquire_link) {
    ++smsc_.totals().enquire_links;
    protocol::append_bare(out_, CommandId::enquire_link_resp, CommandStatus::ok, sequence_number);
    return;
  }
  if (command_id == CommandId::unbind) {
    ++smsc_.totals().unbinds;
    note(now, "unbind");
    protocol::append_bare(out_, CommandId::unbind_resp, CommandStatus::ok, sequence_number);
    parting_ = Parting::close;
    return;
  }
  if ((std::to_underlying(command_id) & kResponseBit) != 0) {
    ++smsc_.totals().unexpected_responses;
    return;
  }
  ++smsc_.totals().unknown_commands;
  protocol::append_bare(out_, CommandId::generic_nack, CommandStatus::invalid_command_id,
                        sequence_number);
}

void Session::on_bind(const protocol::Header& header, std::span<const std::uint8_t> pdu,
                      const Now& now) {
  const auto bind = protocol::decode_bind(pdu);
  auto status = std::to_underlying(CommandStatus::invalid_command_length);
  Account* account = nullptr;
  if (!bind) {
    ++smsc_.totals().malformed;
  } else if (state_ != State::open) {
    status = std::to_underlying(CommandStatus::already_bound);
  } else {
    status = smsc_.judge_bind(*bind);
    account = status == 0 ? smsc_.account_of(bind->system_id) : nullptr;
    if (status == 0 && account == nullptr) {
      status = std::to_underlying(CommandStatus::bind_failed);
    }
  }
  if (Capture* const capture = smsc_.capture()) {
    capture->on_bind(now, number_, name_of(header.command_id), bind ? bind->system_id : "", status);
  }
  const std::size_t answer_begins = out_.size();
  const std::uint8_t version = smsc_.settings().interface_version;
  const protocol::BindResp response{
      .system_id = kSystemId,
      .interface_version = version == kVersionWithoutTransceiver ? std::uint8_t{0} : version};
  if (status == 0) {
    const auto appended = protocol::append_bind_resp(out_, header.sequence_number, bind->type,
                                                     CommandStatus::ok, response);
    assert(appended && "our own name fits");
    (void)appended;
    ++smsc_.totals().binds;
    state_ = State::bound;
    bind_type_ = bind->type;
    account_ = account;
    if (bind_type_ != protocol::BindType::transmitter) account_->add(*this);
  } else {
    protocol::append_bare(out_, response_to(header.command_id), static_cast<CommandStatus>(status),
                          header.sequence_number);
    ++smsc_.totals().binds_refused;
    if (state_ == State::open) parting_ = Parting::close;
  }
  if (!spoils_answer(answer_begins)) ++answers_;
}

void Session::on_query(const protocol::Header& header, std::span<const std::uint8_t> pdu,
                       const Now& now) {
  const auto query = protocol::decode_query_sm(pdu);
  auto status = std::to_underlying(CommandStatus::invalid_command_length);
  if (!query) {
    ++smsc_.totals().malformed;
  } else {
    ++smsc_.totals().queries;
    note(now, "query_sm", query->message_id);
    if (smsc_.settings().query->is_silent) return;
    status = smsc_.settings().query->status;
  }
  const std::uint8_t state = smsc_.settings().query->message_state;
  const auto appended = protocol::append_query_resp(
      out_, header.sequence_number, static_cast<CommandStatus>(status),
      {.message_id = query ? query->message_id : std::string_view(), .message_state = state});
  assert(appended && "the client's own id fits");
  (void)appended;
}

void Session::on_cancel(const protocol::Header& header, std::span<const std::uint8_t> pdu,
                        const Now& now) {
  const auto cancel = protocol::decode_cancel_sm(pdu);
  auto status = std::to_underlying(CommandStatus::invalid_command_length);
  if (!cancel) {
    ++smsc_.totals().malformed;
  } else {
    ++smsc_.totals().cancellations;
    note(now, "cancel_sm", cancel->message_id);
    status = *smsc_.settings().cancel;
  }
  protocol::append_bare(out_, CommandId::cancel_sm_resp, static_cast<CommandStatus>(status),
                        header.sequence_number);
}

void Session::on_submit(const protocol::Header& header, std::span<const std::uint8_t> pdu,
                        const Now& now) {
  Totals& totals = smsc_.totals();
  const Settings& settings = smsc_.settings();
  const bool is_data = header.command_id == CommandId::data_sm;
  auto decoded = is_data ? protocol::decode_data_sm(pdu) : protocol::decode_short_message(pdu);
  if (!decoded) {
    ++totals.malformed;
    if (!is_mute_) {
      protocol::append_bare(out_, response_to(header.command_id),
                            CommandStatus::invalid_command_length, header.sequence_number);
    }
    return;
  }
  const protocol::ShortMessage& message = *decoded;
  ++totals.submit_sm;
  ++submits_;
  ++unanswered_;
  totals.window_peak = std::max(totals.window_peak, unanswered_);

  HeldResponse response{.due = now.steady,
                        .sequence_number = header.sequence_number,
                        .status = judge(message, now),
                        .command_id = response_to(header.command_id)};
  if (response.status == 0) {
    ++totals.accepted;
    response.message_number = smsc_.next_message_number();
  } else {
    totals.count_refusal(response.status);
  }
  const bool leaves =
      settings.disconnect_after.submits != 0 && submits_ >= settings.disconnect_after.submits;
  const bool is_answered = !is_mute_ && !leaves;

  if (Capture* const capture = smsc_.capture()) {
    const IdText id = id_text(response.message_number, settings.id_styles.response);
    capture->on_submit(now, number_, name_of(header.command_id), header.sequence_number, message,
                       response.status, response.status == 0 ? id.view() : "", is_answered);
  }
  response.due += smsc_.draw_latency();
  if (response.status == 0 && account_ != nullptr) {
    Delivery delivery{.message_number = response.message_number,
                      .submitted = now.wall_seconds(),
                      .session = number_,
                      .source = KeptAddress(message.source),
                      .destination = KeptAddress(message.destination)};
    if (settings.echo_user_message_reference) {
      const protocol::Tlv tlv = message.tlvs.find(protocol::tag::kUserMessageReference);
      delivery.has_user_message_reference = tlv.value.size() == 2;
      if (delivery.has_user_message_reference) {
        delivery.user_message_reference =
            static_cast<std::uint16_t>(tlv.value[0] << 8 | tlv.value[1]);
      }
    }
    const bool is_early = settings.receipts_before_response;
    smsc_.schedule(*account_, delivery, message.registered_delivery,
                   is_early ? now.steady : response.due);
    if (is_early) account_->deliver_due(now);
  }
  if (is_answered) {
    if (response.due <= now.steady) {
      respond(response, now);
    } else {
      held_.push(response);
    }
  }
  if (settings.silent_after.submits != 0 && submits_ >= settings.silent_after.submits) {
    is_mute_ = true;
  }
  if (settings.stall_after.submits != 0 && submits_ >= settings.stall_after.submits) {
    is_stalled_ = true;
  }
  if (leaves) {
    if (settings.cut_mid_pdu && !is_mute_) respond(response, now);
    disconnect(now);
  }
}

// The command_status for a submit_sm: first what is the client's own fault.
std::uint32_t Session::judge(const protocol::ShortMessage& message, const Now& now) {
  const Settings& settings = smsc_.settings();
  if (state_ == State::open || bind_type_ == protocol::BindType::receiver) {
    return std::to_underlying(CommandStatus::invalid_bind_status);
  }
  // data_sm allows 64 octets; no carrier has such numbers, and a receipt could not repeat them.
  constexpr std::size_t kAddressOctetsMax = 20;
  const std::size_t digits = message.destination.digits.size();
  if (digits == 0 || digits > kAddressOctetsMax) {
    return std::to_underlying(CommandStatus::invalid_destination_address);
  }
  if (message.source.digits.size() > kAddressOctetsMax) {
    return std::to_underlying(CommandStatus::invalid_source_address);
  }
  if (settings.window != 0 && unanswered_ > settings.window) {
    ++smsc_.totals().window_violations;
    if (settings.window_status != 0) return settings.window_status;
  }
  return smsc_.judge_submit(now);
}

void Session::respond(const HeldResponse& response, const Now& now) {
  const std::size_t answer_begins = out_.size();
  if (response.status == 0) {
    const IdText id = id_text(response.message_number, smsc_.settings().id_styles.response);
    const auto appended =
        protocol::append_submit_resp(out_, response.sequence_number, CommandStatus::ok, id.view());
    assert(appended && "our own ids fit");
    (void)appended;
    if (response.command_id == CommandId::data_sm_resp) {
      out_[answer_begins + 6] = 0x01;  // data_sm_resp is 0x80000103, of one form with submit_sm's
      out_[answer_begins + 7] = 0x03;
    }
  } else {
    protocol::append_bare(out_, response.command_id, static_cast<CommandStatus>(response.status),
                          response.sequence_number);
  }
  if (spoils_answer(answer_begins)) {
    if (Capture* const capture = smsc_.capture()) {
      capture->on_unanswered(now, number_, response.sequence_number);
    }
    return;
  }
  ++answers_;
  ++responses_in_out_;
  ++smsc_.totals().answered;
}

// Once per connection, in place of the answer that begins there: then we play dead.
bool Session::spoils_answer(std::size_t answer_begins) {
  const Settings& settings = smsc_.settings();
  if (settings.garbage == Garbage::none || answers_ != settings.garbage_after || is_stalled_) {
    return false;
  }
  const auto answer = out_.begin() + static_cast<std::ptrdiff_t>(answer_begins);
  if (settings.garbage == Garbage::garbage) {
    out_.resize(answer_begins + 64);
    for (std::size_t i = 0; i < 64; ++i) {
      out_[answer_begins + i] = static_cast<std::uint8_t>(smsc_.draw_garbage() | 0x80);
    }
  } else if (settings.garbage == Garbage::half_pdu) {
    out_.resize(answer_begins + (out_.size() - answer_begins) / 2);
  } else {
    const bool is_long = settings.garbage == Garbage::length_2gb;
    const std::array<std::uint8_t, 4> length{static_cast<std::uint8_t>(is_long ? 0x7f : 0),
                                             static_cast<std::uint8_t>(is_long ? 0xff : 0),
                                             static_cast<std::uint8_t>(is_long ? 0xff : 0),
                                             static_cast<std::uint8_t>(is_long ? 0xff : 15)};
    std::copy(length.begin(), length.end(), answer);
  }
  is_stalled_ = true;
  is_final_ = true;
  return true;
}

void Session::on_deliver_resp(const protocol::Header& header, const Now& now) {
  Totals& totals = smsc_.totals();
  const std::uint32_t front = sequence_of(first_delivered_);
  const std::uint64_t index =
      (header.sequence_number + std::uint64_t{protocol::kSequenceNumberMax} - front) %
      protocol::kSequenceNumberMax;
  const bool is_known =
      header.sequence_number != 0 && index < delivered_.size() && !delivered_[index].is_answered;
  if (!is_known) {
    ++totals.unexpected_responses;
    return;
  }
  Delivery& delivery = delivered_[index];
  delivery.is_answered = true;
  const std::uint32_t status = std::to_underlying(header.command_status);
  const bool is_receipt =
      delivery.kind == DeliveryKind::receipt || delivery.kind == DeliveryKind::intermediate;
  if (delivery.kind == DeliveryKind::enquire) {
    // Its answer is all there is to it.
  } else if (status != 0) {
    ++totals.receipts_refused;
    if (delivery.attempt + 1 < kDeliveryAttemptsMax) {
      Delivery again = delivery;
      ++again.attempt;
      again.is_answered = false;
      again.due = now.steady + smsc_.settings().receipt_retry;
      smsc_.keep(*account_, again);
    } else {
      ++totals.receipts_purged;
    }
  } else if (is_receipt) {
    ++totals.receipts_acknowledged;
    if (delivery.outcome == Outcome::delivered && !delivery.is_duplicate) {
      ++totals.delivered_acknowledged;
    }
  } else {
    ++totals.replies_acknowledged;
  }
  if (Capture* const capture = smsc_.capture();
      capture != nullptr && delivery.kind != DeliveryKind::enquire) {
    const IdText id = id_text(delivery.message_number, smsc_.settings().id_styles.receipt);
    capture->on_deliver_resp(now, number_, header.sequence_number, delivery,
                             is_receipt ? id.view() : "", status);
  }
  while (!delivered_.empty() && delivered_.front().is_answered) {
    delivered_.pop();
    ++first_delivered_;
  }
}

void Session::deliver(const Delivery& delivery, const Now& now) {
  Totals& totals = smsc_.totals();
  const std::uint32_t sequence_number = sequence_of(first_delivered_ + delivered_.size());
  delivered_.push(delivery);
  if (delivery.kind == DeliveryKind::enquire) {
    protocol::append_bare(out_, CommandId::enquire_link, CommandStatus::ok, sequence_number);
    return;
  }
  if (delivery.attempt > 0) ++totals.receipts_repeated;
  IdText id;
  if (delivery.kind == DeliveryKind::reply) {
    ++totals.replies;
    smsc_.replies().append(out_, sequence_number, delivery);
  } else {
    ++totals.receipts;
    id = id_text(delivery.message_number, smsc_.settings().id_styles.receipt);
    smsc_.receipts().append(out_, sequence_number, delivery, id.view(), now);
  }
  if (Capture* const capture = smsc_.capture()) {
    capture->on_deliver(now, number_, sequence_number, delivery, id.view());
  }
  if (delivery.kind == DeliveryKind::receipt && !delivery.is_duplicate && smsc_.draw_duplicate()) {
    ++totals.receipts_duplicated;
    Delivery duplicate = delivery;
    duplicate.is_duplicate = true;
    smsc_.keep(*account_, duplicate);
  }
}

bool Session::has_room() const noexcept {
  return state_ != State::open && parting_ == Parting::stay && !is_mute_ && !is_stalled_ &&
         !is_final_ && delivered_.size() < smsc_.settings().receipt_window &&
         out_.size() - written_ < kUnsentOctetsMax;
}

void Session::on_time(const Now& now) {
  const Settings& settings = smsc_.settings();
  const auto has_passed = [&](const After& after) {
    return after.time.count() != 0 && now.steady - opened_ >= after.time;
  };
  if (settings.trickle.count() != 0 && now.steady >= next_trickle_) {
    next_trickle_ = now.steady + settings.trickle;
    trickled_ = 1;
  }
  if (has_passed(settings.silent_after)) is_mute_ = true;
  if (has_passed(settings.stall_after)) is_stalled_ = true;
  while (!held_.empty() && held_.front().due <= now.steady && !is_final_ && !is_stalled_ &&
         !is_mute_) {
    respond(held_.front(), now);
    held_.pop();
  }
  if (parting_ == Parting::stay && state_ == State::bound &&
      has_passed(settings.disconnect_after)) {
    disconnect(now);
  }
  const nanoseconds enquire = settings.enquire_link;
  if (enquire.count() != 0 && !was_asked_ && has_room() && now.steady - last_heard_ >= enquire) {
    was_asked_ = true;
    deliver({.kind = DeliveryKind::enquire}, now);
  }
}

TimePoint Session::deadline() const noexcept {
  const Settings& settings = smsc_.settings();
  TimePoint earliest = TimePoint::max();
  if (parting_ != Parting::stay || is_stalled_) return earliest;
  if (!held_.empty() && !is_mute_) earliest = held_.front().due;
  if (settings.trickle.count() != 0 && written_ < out_.size()) {
    earliest = std::min(earliest, next_trickle_);
  }
  const auto consider = [&](const After& after, bool is_done) {
    if (after.time.count() != 0 && !is_done) earliest = std::min(earliest, opened_ + after.time);
  };
  consider(settings.silent_after, is_mute_);
  consider(settings.stall_after, is_stalled_);
  consider(settings.disconnect_after, state_ != State::bound);
  if (settings.enquire_link.count() != 0 && !was_asked_ && has_room()) {
    earliest = std::min(earliest, last_heard_ + settings.enquire_link);
  }
  return earliest;
}

void Session::disconnect(const Now& now) {
  const Settings& settings = smsc_.settings();
  ++smsc_.totals().disconnects;
  if (settings.unbind) {
    note(now, "disconnect", "unbind");
    state_ = State::unbinding;
    // The far end of the numbers: deliveries begin at 1 and hardly ever come there.
    protocol::append_bare(out_, CommandId::unbind, CommandStatus::ok, protocol::kSequenceNumberMax);
    return;
  }
  note(now, "disconnect", settings.reset ? "reset" : "close");
  if (settings.cut_mid_pdu) {
    if (out_.empty()) {  // nothing to cut: a PDU is made for it
      protocol::append_bare(out_, CommandId::enquire_link, CommandStatus::ok,
                            protocol::kSequenceNumberMax);
    }
    std::size_t last_begins = 0;
    for_each_pdu(out_, [&](auto, std::size_t ends) {
      if (ends < out_.size()) last_begins = ends;
    });
    const std::size_t half = last_begins + (out_.size() - last_begins) / 2;
    out_.resize(std::max(half, written_));
  }
  is_final_ = true;
  parting_ = settings.reset ? Parting::reset : Parting::close;
}

void Session::on_broken_framing(const Now& now) {
  ++smsc_.totals().malformed;
  note(now, "broken_framing");
  if (!is_mute_) {
    protocol::append_bare(out_, CommandId::generic_nack, CommandStatus::invalid_command_length, 0);
  }
  is_final_ = true;
  parting_ = Parting::close;
}

void Session::on_closed(const Now& now) {
  note(now, "close");
  if (Capture* const capture = smsc_.capture()) {
    for_each_pdu(out_, [&](std::span<const std::uint8_t> pdu, std::size_t ends) {
      if (ends > written_ && is_submit_resp(pdu)) {
        capture->on_unanswered(now, number_, protocol::decode_header(pdu).sequence_number);
      }
    });
    for (; !held_.empty(); held_.pop()) {
      capture->on_unanswered(now, number_, held_.front().sequence_number);
    }
  }
  if (account_ == nullptr) return;
  account_->remove(*this);
  // Whatever the client has not answered it may not have seen: it comes again to its next bind.
  for (; !delivered_.empty(); delivered_.pop()) {
    Delivery again = delivered_.front();
    if (again.is_answered || again.kind == DeliveryKind::enquire) continue;
    again.due = now.steady;
    again.attempt = static_cast<std::uint8_t>(std::min(again.attempt + 1, 255));
    smsc_.keep(*account_, again);
  }
  account_ = nullptr;
}

std::span<const std::uint8_t> Session::outgoing() const noexcept {
  const auto rest = std::span(out_).subspan(written_);
  return smsc_.settings().trickle.count() == 0 ? rest
                                               : rest.first(std::min(rest.size(), trickled_));
}

void Session::on_written(std::size_t octets) {
  written_ += octets;
  trickled_ -= std::min(trickled_, octets);
  smsc_.totals().octets_out += octets;
  if (written_ == out_.size()) {
    out_.clear();
    written_ = 0;
    unanswered_ -= std::min(unanswered_, responses_in_out_);
    responses_in_out_ = 0;
    return;
  }
  std::size_t boundary = 0;
  std::uint64_t written_responses = 0;
  for_each_pdu(out_, [&](std::span<const std::uint8_t> pdu, std::size_t ends) {
    if (ends > written_) return;
    boundary = ends;
    if (is_submit_resp(pdu)) ++written_responses;
  });
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(boundary));
  written_ -= boundary;
  responses_in_out_ -= std::min(responses_in_out_, written_responses);
  unanswered_ -= std::min(unanswered_, written_responses);
}

bool Session::wants_octets() const noexcept {
  return parting_ == Parting::stay && !is_stalled_ && out_.size() - written_ < kUnsentOctetsMax;
}

void Session::note(const Now& now, std::string_view type, std::string_view detail) {
  if (Capture* const capture = smsc_.capture()) {
    capture->on_connection(now, number_, type, detail);
  }
}

// 1 to 0x7fffffff, round and round (section 3.2).
std::uint32_t Session::sequence_of(std::uint64_t count) const noexcept {
  return static_cast<std::uint32_t>(count % protocol::kSequenceNumberMax + 1);
}

}  // namespace stentor::smsc
