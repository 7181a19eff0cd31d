#include "protocol/session.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "protocol/control_pdu.h"
#include "protocol/field_limits.h"
#include "protocol/session_body.h"

namespace stentor::protocol {
namespace {

// Which credential of ours an SMSC would refuse, were it sent: too long for its field.
[[nodiscard]] CommandStatus unfit_credential(const SessionConfig& config) noexcept {
  if (!fits(config.system_id, kSystemIdMax)) return CommandStatus::invalid_system_id;
  if (!fits(config.password, kPasswordMax)) return CommandStatus::invalid_password;
  if (!fits(config.system_type, kSystemTypeMax)) return CommandStatus::invalid_system_type;
  return CommandStatus::bind_failed;  // address_range
}

}  // namespace

Session::Body::Body(SessionConfig config_given, SessionHandler& handler)
    : config(std::move(config_given)),
      watch(config.limits.enquire_after, config.limits.response_within),
      handler_(handler),
      stream_(config.limits.pdu_octets),
      pending_(config.limits.window),
      next_sequence_number_(config.first_sequence_number) {
  assert(config.limits.window > 0 && "a session that may not send needs no window of zero");
  assert(next_sequence_number_ >= 1 && next_sequence_number_ <= kSequenceNumberMax &&
         "section 3.2");
}

void Session::Body::connect(TimePoint now) {
  assert(state == State::idle && "a session lives on one connection");
  const Bind bind{.type = config.bind,
                  .system_id = config.system_id,
                  .password = config.password,
                  .system_type = config.system_type,
                  .interface_version = config.interface_version,
                  .numbering = config.address_numbering,
                  .address_range = config.address_range};
  bind_sequence_number_ = next_sequence_number();
  if (!pack_bind(outgoing, bind_sequence_number_, bind)) {
    bind_status = unfit_credential(config);
    end(Ending::bind_refused);
    return;
  }
  ++stats.pdus_out;
  state = State::binding;
  state_until_ = now + config.limits.bind_within;
}

std::uint32_t Session::Body::next_sequence_number() noexcept {
  const std::uint32_t number = next_sequence_number_;
  next_sequence_number_ = number == kSequenceNumberMax ? 1 : number + 1;
  return number;
}

std::size_t Session::Body::window_free() const noexcept {
  return state == State::bound && config.bind != BindType::receiver ? pending_.free() : 0;
}

void Session::Body::send_bare(CommandId command_id, CommandStatus status,
                              std::uint32_t sequence_number) {
  append_bare(outgoing, command_id, status, sequence_number);
  ++stats.pdus_out;
}

void Session::Body::enquire(TimePoint now) {
  enquire_sequence_number_ = next_sequence_number();
  send_bare(CommandId::enquire_link, CommandStatus::ok, enquire_sequence_number_);
  watch.on_asked(now);
}

PeerWatch::Oldest Session::Body::oldest_submit() const noexcept {
  PeerWatch::Oldest oldest;
  if (submits_waiting == 0) return oldest;
  pending_.for_each([&](const PendingRequest& request) {
    if (is_submit(request.kind) && (!oldest || request.sent_at < *oldest)) oldest = request.sent_at;
  });
  return oldest;
}

TimePoint Session::Body::deadline() const noexcept {
  switch (state) {
    case State::idle:
    case State::ended: return TimePoint::max();
    case State::binding:
    case State::unbinding: return state_until_;
    case State::leaving: return may_go_on_leaving() ? active_at_ : state_until_;
    case State::bound:
    case State::draining: break;
  }
  if (may_go_on_leaving()) return active_at_;
  TimePoint earliest = std::min({state_until_, watch.deadline(submit_since_), inactive_at()});
  if (aside_since_) earliest = std::min(earliest, *aside_since_ + config.limits.response_within);
  return earliest;
}

void Session::Body::on_time(TimePoint now) {
  switch (state) {
    case State::idle:
    case State::ended: return;
    case State::binding:
      if (now >= state_until_) end(Ending::bind_timeout);
      return;
    case State::unbinding:
      if (now >= state_until_) end(farewell_);
      return;
    case State::leaving: go_on_leaving(now); return;
    case State::bound:
    case State::draining: break;
  }
  if (now < deadline()) return;
  expire_asides(now);
  submit_since_ = oldest_submit();
  switch (watch.on_time(now, submit_since_)) {
    case PeerWatch::Step::none: break;
    case PeerWatch::Step::enquire: enquire(now); break;
    case PeerWatch::Step::give_up: end(Ending::silent); return;
  }
  if (now >= inactive_at()) {
    farewell_ = Ending::inactive;
    unbind(now);
  }
  go_on_leaving(now);
}

// An enquire_link keeps the connection, not the session: some SMSCs answer it for a session that
// they have forgotten, and only a new bind finds that out.
TimePoint Session::Body::inactive_at() const noexcept {
  const bool may_leave = state == State::bound && pending_.size() == 0 &&
                         deliveries_unanswered_ == 0 && watch.is_reading();
  if (!may_leave || config.limits.inactive_for.count() == 0) return TimePoint::max();
  return active_at_ + config.limits.inactive_for;
}

void Session::Body::unbind(TimePoint now) {
  if (state == State::idle || state == State::binding) end(Ending::unbound);
  if (state != State::bound) return;
  state = State::draining;
  state_until_ = now + config.limits.response_within;
  deliveries_awaited_ = deliveries_unanswered_;
  go_on_leaving(now);
}

// Takes the next step of a farewell, ours or the peer's, when nothing is waited for any more: what
// was delivered and is not answered would be delivered again.
void Session::Body::go_on_leaving(TimePoint now) {
  const bool is_overdue = now >= state_until_;
  if (!is_overdue && !may_go_on_leaving()) return;
  if (state == State::draining) return send_unbind(now);
  if (state != State::leaving) return;
  if (peer_unbind_) send_bare(CommandId::unbind_resp, CommandStatus::ok, *peer_unbind_);
  peer_unbind_.reset();
  if (submits_waiting == 0 || is_overdue) end(Ending::peer_unbound);
}

// By an answer of ours: the time for the step has come then, and deadline() says so.
bool Session::Body::may_go_on_leaving() const noexcept {
  if (deliveries_awaited_ > 0) return false;
  if (state == State::draining) return pending_.size() == 0;
  return state == State::leaving && (peer_unbind_ || submits_waiting == 0);
}

void Session::Body::send_unbind(TimePoint now) {
  unbind_sequence_number_ = next_sequence_number();
  if (!pack_unbind(outgoing, unbind_sequence_number_)) {
    assert(false && "an unbind has no field that could be too long");
  }
  ++stats.pdus_out;
  state = State::unbinding;
  state_until_ = now + config.limits.unbind_within;
}

void Session::Body::on_disconnected() noexcept {
  if (state == State::unbinding) end(farewell_);
  if (state == State::leaving) end(Ending::peer_unbound);
}

void Session::Body::end(Ending why) noexcept {
  if (state == State::ended) return;
  state = State::ended;
  ending = why;
}

void Session::Body::forget(const PendingRequest& request) {
  pending_.remove(request.sequence_number);
  if (is_submit(request.kind) && --submits_waiting == 0) submit_since_.reset();
  if (pending_.size() == submits_waiting) aside_since_.reset();
}

std::optional<PendingRequest> Session::Body::settle(std::uint32_t sequence_number,
                                                    RequestKind kind) {
  const PendingRequest* waiting = pending_.find(sequence_number);
  if (waiting == nullptr || waiting->kind != kind) {
    ++stats.unexpected_responses;
    return std::nullopt;
  }
  const PendingRequest request = *waiting;
  forget(request);
  return request;
}

// Tells the handler of a request that was answered without a body of its own kind.
void Session::Body::report(const PendingRequest& request, CommandStatus status) {
  switch (request.kind) {
    case RequestKind::submit_sm:
    case RequestKind::data_sm: handler_.on_submit_resp(request.cookie, status, {}); break;
    case RequestKind::query_sm: handler_.on_query_resp(request.cookie, status, {}); break;
    case RequestKind::cancel_sm: handler_.on_cancel_resp(request.cookie, status); break;
  }
}

// Many an SMSC passes over requests that it does not know. A question without an answer is no
// reason to drop a bind that works, so it fails by itself.
void Session::Body::expire_asides(TimePoint now) {
  if (!aside_since_ || now < *aside_since_ + config.limits.response_within) return;
  std::vector<PendingRequest> overdue;
  PeerWatch::Oldest oldest;
  pending_.for_each([&](const PendingRequest& request) {
    if (is_submit(request.kind)) return;
    if (now >= request.sent_at + config.limits.response_within) {
      overdue.push_back(request);
    } else if (!oldest || request.sent_at < *oldest) {
      oldest = request.sent_at;
    }
  });
  for (const PendingRequest& request : overdue) forget(request);
  aside_since_ = oldest;
  for (const PendingRequest& request : overdue) report(request, CommandStatus::unknown_error);
}

// What was not read may have been a message.
void Session::Body::on_reading(bool is_reading, TimePoint now) {
  watch.on_reading(is_reading, now);
  active_at_ = std::max(active_at_, now);
}

void Session::Body::answer(std::uint32_t sequence_number, CommandStatus status) {
  if (state == State::ended || state == State::idle) return;  // the SMSC will send it again
  if (deliveries_unanswered_ > 0) --deliveries_unanswered_;
  if (deliveries_awaited_ > 0) --deliveries_awaited_;
  const auto data = std::find(data_unanswered_.begin(), data_unanswered_.end(), sequence_number);
  if (data == data_unanswered_.end()) {
    append_deliver_resp(outgoing, sequence_number, status);
  } else {
    data_unanswered_.erase(data);
    append_data_resp(outgoing, sequence_number, status);
  }
  ++stats.pdus_out;
}

std::vector<Session::Unanswered> Session::Body::take_unanswered() {
  std::vector<PendingRequest> waiting;
  waiting.reserve(submits_waiting);
  pending_.for_each([&](const PendingRequest& request) {
    if (is_submit(request.kind)) waiting.push_back(request);
  });
  std::ranges::sort(waiting, {}, &PendingRequest::end_octet);
  std::vector<Unanswered> unanswered;
  unanswered.reserve(waiting.size());
  for (const PendingRequest& request : waiting) {
    const bool is_whole = request.end_octet <= written_octets;
    unanswered.push_back({.cookie = request.cookie,
                          .sequence_number = request.sequence_number,
                          .certainty = is_whole ? Certainty::in_doubt : Certainty::unsent});
  }
  pending_.clear();
  submits_waiting = 0;
  submit_since_.reset();
  aside_since_.reset();
  return unanswered;
}

Session::Session(SessionConfig config, SessionHandler& handler)
    : body_(std::make_unique<Body>(std::move(config), handler)) {}
Session::~Session() = default;

void Session::on_connected(TimePoint now) {
  body_->connect(now);
}
void Session::on_octets(std::span<const std::uint8_t> octets, TimePoint now) {
  body_->receive(octets, now);
}
void Session::on_time(TimePoint now) {
  body_->on_time(now);
}
TimePoint Session::deadline() const noexcept {
  return body_->deadline();
}
void Session::on_reading(bool is_reading, TimePoint now) {
  body_->on_reading(is_reading, now);
}
void Session::on_disconnected() noexcept {
  body_->on_disconnected();
}

bool Session::is_bound() const noexcept {
  return body_->state == Body::State::bound;
}
std::size_t Session::in_flight() const noexcept {
  return body_->submits_waiting;
}
std::size_t Session::window_free() const noexcept {
  return body_->window_free();
}

result<std::optional<std::uint32_t>> Session::submit(const SubmitSm& submit, std::uint64_t cookie,
                                                     TimePoint now) {
  return body_->request(RequestKind::submit_sm, cookie, now,
                        [&](Octets& out, std::uint32_t sequence_number) {
                          return append_submit_sm(out, sequence_number, submit);
                        });
}

result<std::optional<std::uint32_t>> Session::submit_data(const ShortMessage& message,
                                                          std::uint64_t cookie, TimePoint now) {
  return body_->request(RequestKind::data_sm, cookie, now,
                        [&](Octets& out, std::uint32_t sequence_number) {
                          return append_data_sm(out, sequence_number, message);
                        });
}

result<std::optional<std::uint32_t>> Session::query(const QuerySm& query, std::uint64_t cookie,
                                                    TimePoint now) {
  return body_->request(RequestKind::query_sm, cookie, now,
                        [&](Octets& out, std::uint32_t sequence_number) {
                          return pack_query_sm(out, sequence_number, query);
                        });
}

result<std::optional<std::uint32_t>> Session::cancel(const CancelSm& cancel, std::uint64_t cookie,
                                                     TimePoint now) {
  return body_->request(RequestKind::cancel_sm, cookie, now,
                        [&](Octets& out, std::uint32_t sequence_number) {
                          return pack_cancel_sm(out, sequence_number, cancel);
                        });
}

void Session::answer(std::uint32_t sequence_number, CommandStatus status) {
  body_->answer(sequence_number, status);
}
void Session::unbind(TimePoint now) {
  body_->unbind(now);
}

void Session::swap_outgoing(std::vector<std::uint8_t>& empty) noexcept {
  empty.clear();
  body_->taken_octets += body_->outgoing.size();
  body_->outgoing.swap(empty);
}
bool Session::has_outgoing() const noexcept {
  return !body_->outgoing.empty();
}
std::size_t Session::outgoing_octets() const noexcept {
  return body_->outgoing.size();
}
void Session::on_written(std::uint64_t octets_total) noexcept {
  assert(octets_total >= body_->written_octets && octets_total <= body_->taken_octets &&
         "only what was taken can be written");
  body_->written_octets = octets_total;
}

std::optional<Ending> Session::ended() const noexcept {
  return body_->ending;
}
CommandStatus Session::bind_status() const noexcept {
  return body_->bind_status;
}
std::uint8_t Session::peer_interface_version() const noexcept {
  return body_->peer_interface_version;
}
bool Session::is_between_pdus() const noexcept {
  return body_->is_between_pdus();
}

void Session::on_never_transmitted(std::uint64_t octets) noexcept {
  body_->written_octets -= std::min(octets, body_->written_octets);
}

std::vector<Session::Unanswered> Session::take_unanswered() {
  return body_->take_unanswered();
}
const SessionStats& Session::stats() const noexcept {
  return body_->stats;
}

}  // namespace stentor::protocol
