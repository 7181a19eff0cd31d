// What a session does about each PDU from its peer. See session_body.h.
#include <cassert>

#include "protocol/decoder.h"
#include "protocol/receipt.h"
#include "protocol/session_body.h"

namespace stentor::protocol {
namespace {

// data_sm that the daemon has not answered yet. Far more than a commit's worth; a peer that sends
// more at once is told to wait. (A deliver_sm is not remembered at all.)
constexpr std::size_t kDataUnansweredMax = 16384;

// What we answer to a delivery that cannot be read.
[[nodiscard]] CommandStatus status_of(std::error_code error) noexcept {
  if (error == CodecError::too_many_tlvs) return CommandStatus::invalid_optional_part;
  return CommandStatus::invalid_message_length;
}

}  // namespace

void Session::Body::receive(std::span<const std::uint8_t> octets, TimePoint now) {
  if (state == State::ended || state == State::idle || octets.empty()) return;
  watch.on_heard(now);
  const std::uint64_t pdus_before = stats.pdus_in;
  const auto fed =
      stream_.feed(octets, [&](std::span<const std::uint8_t> pdu) { return on_pdu(pdu, now); });
  if (!fed && state != State::ended) {
    // No number can be believed any more, so the nack has none (section 4.3.1).
    send_bare(CommandId::generic_nack, CommandStatus::invalid_command_length, 0);
    end(Ending::broken_framing);
  }
  watch.on_frame(!stream_.is_between_pdus(), stats.pdus_in != pdus_before, now);
}

bool Session::Body::on_pdu(std::span<const std::uint8_t> pdu, TimePoint now) {
  ++stats.pdus_in;
  const Header header = decode_header(pdu);
  if (header.command_id == CommandId::submit_sm_resp) [[likely]] {
    active_at_ = now;
    on_submit_resp(header, pdu, RequestKind::submit_sm);
  } else {
    dispatch(header, pdu, now);
  }
  if (state != State::bound) go_on_leaving(now);
  return state != State::ended;
}

void Session::Body::dispatch(const Header& header, std::span<const std::uint8_t> pdu,
                             TimePoint now) {
  switch (header.command_id) {
    case CommandId::submit_sm_resp: on_submit_resp(header, pdu, RequestKind::submit_sm); return;
    case CommandId::data_sm_resp:
      active_at_ = now;
      on_submit_resp(header, pdu, RequestKind::data_sm);
      return;
    case CommandId::deliver_sm:
    case CommandId::data_sm:
      active_at_ = now;
      on_deliver(header, pdu);
      return;
    case CommandId::enquire_link:
      // At any time, bound or not: a peer that asks is owed an answer.
      send_bare(CommandId::enquire_link_resp, CommandStatus::ok, header.sequence_number);
      return;
    case CommandId::enquire_link_resp: on_enquire_link_resp(header); return;
    case CommandId::bind_transmitter_resp:
    case CommandId::bind_receiver_resp:
    case CommandId::bind_transceiver_resp: on_bind_resp(header, pdu, now); return;
    case CommandId::generic_nack: on_generic_nack(header); return;
    case CommandId::unbind: on_peer_unbind(header, now); return;
    case CommandId::unbind_resp:
      if (state == State::unbinding && header.sequence_number == unbind_sequence_number_) {
        end(farewell_);
      } else {
        ++stats.unexpected_responses;
      }
      return;
    case CommandId::query_sm_resp:
      active_at_ = now;
      on_query_resp(header, pdu);
      return;
    case CommandId::cancel_sm_resp:
      active_at_ = now;
      on_cancel_resp(header);
      return;
    // Neither of these two has a response (sections 4.12.1 and 4.1.7).
    case CommandId::alert_notification: on_alert(pdu); return;
    case CommandId::outbind: return;  // too late: we have connected ourselves
    case CommandId::deliver_sm_resp:
    case CommandId::replace_sm_resp:
    case CommandId::submit_multi_resp: ++stats.unexpected_responses; return;
    case CommandId::bind_receiver:
    case CommandId::bind_transmitter:
    case CommandId::bind_transceiver:
    case CommandId::query_sm:
    case CommandId::submit_sm:
    case CommandId::replace_sm:
    case CommandId::cancel_sm:
    case CommandId::submit_multi: break;  // a server's requests; we are none
  }
  refuse(header);
}

// A command that we do not know, or do not serve. A response is never answered: two peers would
// nack each other for ever.
void Session::Body::refuse(const Header& header) {
  if ((static_cast<std::uint32_t>(header.command_id) & kResponseBit) != 0) {
    ++stats.unexpected_responses;
    return;
  }
  ++stats.unknown_commands;
  send_bare(CommandId::generic_nack, CommandStatus::invalid_command_id, header.sequence_number);
}

void Session::Body::on_bind_resp(const Header& header, std::span<const std::uint8_t> pdu,
                                 TimePoint now) {
  const bool is_ours =
      (config.bind == BindType::transmitter &&
       header.command_id == CommandId::bind_transmitter_resp) ||
      (config.bind == BindType::receiver && header.command_id == CommandId::bind_receiver_resp) ||
      (config.bind == BindType::transceiver &&
       header.command_id == CommandId::bind_transceiver_resp);
  if (state != State::binding || !is_ours || header.sequence_number != bind_sequence_number_) {
    ++stats.unexpected_responses;
    return;
  }
  bind_sequence_number_ = 0;
  bind_status = header.command_status;
  if (bind_status != CommandStatus::ok) {
    end(Ending::bind_refused);
    return;
  }
  if (const auto response = decode_bind_resp(pdu)) {
    peer_interface_version = response->interface_version;
  } else {
    ++stats.malformed;  // the status is in the header; a body out of order harms nobody
  }
  state = State::bound;
  state_until_ = TimePoint::max();
  active_at_ = now;
  handler_.on_bound();
}

void Session::Body::on_submit_resp(const Header& header, std::span<const std::uint8_t> pdu,
                                   RequestKind kind) {
  const auto request = settle(header.sequence_number, kind);
  if (!request) return;
  // The outcome is the header's, whatever follows: some send a body with a refusal, some none
  // with an acceptance.
  const auto message_id = decode_submit_resp(pdu);
  if (!message_id) ++stats.malformed;
  handler_.on_submit_resp(request->cookie, header.command_status,
                          message_id ? *message_id : std::string_view());
}

void Session::Body::on_query_resp(const Header& header, std::span<const std::uint8_t> pdu) {
  const auto request = settle(header.sequence_number, RequestKind::query_sm);
  if (!request) return;
  const auto response = decode_query_resp(pdu);
  if (response) {
    handler_.on_query_resp(request->cookie, header.command_status, *response);
    return;
  }
  ++stats.malformed;
  const bool is_ok = header.command_status == CommandStatus::ok;
  report(*request, is_ok ? CommandStatus::unknown_error : header.command_status);
}

void Session::Body::on_cancel_resp(const Header& header) {
  const auto request = settle(header.sequence_number, RequestKind::cancel_sm);
  if (request) report(*request, header.command_status);
}

void Session::Body::on_enquire_link_resp(const Header& header) {
  if (enquire_sequence_number_ == 0 || header.sequence_number != enquire_sequence_number_) {
    ++stats.unexpected_responses;
    return;
  }
  enquire_sequence_number_ = 0;
  if (watch.on_answered(oldest_submit()) == PeerWatch::Step::give_up) end(Ending::unanswered);
}

void Session::Body::on_generic_nack(const Header& header) {
  const std::uint32_t sequence_number = header.sequence_number;
  if (sequence_number == 0) {
    // The peer lost the framing of what we send; a nack in return would only feed it more.
    end(Ending::broken_framing);
    return;
  }
  // A nack is a refusal even when its sender forgot to say why.
  const CommandStatus status = header.command_status == CommandStatus::ok
                                   ? CommandStatus::unknown_error
                                   : header.command_status;
  if (state == State::binding && sequence_number == bind_sequence_number_) {
    bind_status = status;
    end(Ending::bind_refused);
  } else if (state == State::unbinding && sequence_number == unbind_sequence_number_) {
    end(farewell_);
  } else if (sequence_number == enquire_sequence_number_) {
    on_enquire_link_resp(header);  // who refuses to answer is alive
  } else if (const PendingRequest* waiting = pending_.find(sequence_number)) {
    const PendingRequest request = *waiting;
    forget(request);
    report(request, status);
  } else {
    ++stats.unexpected_responses;
  }
}

void Session::Body::on_peer_unbind(const Header& header, TimePoint now) {
  if (state == State::bound || state == State::draining) {
    // Nothing new goes out. What the peer had accepted it may still say before it closes, and what
    // it delivered is answered first.
    state = State::leaving;
    state_until_ = now + config.limits.unbind_within;
    deliveries_awaited_ = deliveries_unanswered_;
    peer_unbind_ = header.sequence_number;
    return;  // go_on_leaving() is next
  }
  send_bare(CommandId::unbind_resp, CommandStatus::ok, header.sequence_number);
  switch (state) {
    case State::unbinding: end(Ending::unbound); break;
    case State::binding: end(Ending::peer_unbound); break;
    case State::bound:
    case State::draining:  // they leave first, above
    case State::leaving: break;
    case State::idle:
    case State::ended: assert(false && "nothing is received then"); break;
  }
}

void Session::Body::on_alert(std::span<const std::uint8_t> pdu) {
  const auto alert = decode_alert_notification(pdu);
  if (!alert) {
    ++stats.malformed;
    return;
  }
  ++stats.alerts;
  handler_.on_alert(*alert);
}

void Session::Body::refuse_delivery(const Header& header, CommandStatus status) {
  const bool is_data = header.command_id == CommandId::data_sm;
  is_data ? append_data_resp(outgoing, header.sequence_number, status)
          : append_deliver_resp(outgoing, header.sequence_number, status);
  ++stats.pdus_out;
}

void Session::Body::on_deliver(const Header& header, std::span<const std::uint8_t> pdu) {
  if (state == State::binding) {
    refuse_delivery(header, CommandStatus::invalid_bind_status);
    return;
  }
  const bool is_data = header.command_id == CommandId::data_sm;
  const auto deliver = is_data ? decode_data_sm(pdu, TextBounds::lenient)
                               : decode_short_message(pdu, TextBounds::lenient);
  if (!deliver) {
    ++stats.malformed;
    refuse_delivery(header, status_of(deliver.error()));
    return;
  }
  // A receipt is read by its fields and its ASCII text, so its coding is nobody's concern.
  if (!is_receipt(deliver->esm_class) && !check_user_data(*deliver)) {
    ++stats.malformed;
    refuse_delivery(header, CommandStatus::invalid_message_length);
    return;
  }
  if (is_data) {
    if (data_unanswered_.size() == kDataUnansweredMax) {
      refuse_delivery(header, CommandStatus::message_queue_full);
      return;
    }
    data_unanswered_.push_back(header.sequence_number);
  }
  ++deliveries_unanswered_;
  handler_.on_deliver(header.sequence_number, *deliver);
}

}  // namespace stentor::protocol
