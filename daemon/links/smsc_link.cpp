#include "daemon/links/smsc_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "daemon/as_result.h"
#include "daemon/log.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Once both sides have said all: what is still in the buffers may leave.
constexpr auto kLastWriteWithin = 2s;
// A peer that asks and never reads our answers: with so many unread we do not read it either.
constexpr std::size_t kUnreadAnswersMax = 256u << 10;
constexpr auto kHoldBackStep = 2ms;  // a disk that is behind takes some of these for a commit
constexpr auto kUnreadStep = 10ms;   // a peer that does read takes 256 KiB in less
// Where a new bind did not make work go that may go, the next one soon after would not either, and
// carriers count binds.
constexpr auto kRestFromWork = 10min;
// Buffers a burst has grown beyond this are given back when the link is idle.
constexpr std::size_t kIdleOutboxOctets = 4096;

// Or of the account, by a number of the carrier's own: the configuration says which class it is.
// It adds to the standard's four: what else it calls them is meant for a submit_sm.
bool is_refusal_of_credentials(protocol::CommandStatus status, const CarrierConfig& carrier) {
  constexpr std::uint32_t kInvalidSystemType = 0x53;
  const auto value = static_cast<std::uint32_t>(status);
  const auto own = std::ranges::find(carrier.status, value, &StatusOverlay::command_status);
  if (own != carrier.status.end() && own->is == StatusClass::bind) return true;
  return status == protocol::CommandStatus::bind_failed ||
         status == protocol::CommandStatus::invalid_password ||
         status == protocol::CommandStatus::invalid_system_id || value == kInvalidSystemType;
}

std::string describe(protocol::CommandStatus status) {
  const auto name = protocol::name_of(status);
  return fmt::format("{:#010x}{}{}", static_cast<std::uint32_t>(status), name.empty() ? "" : " ",
                     name);
}

protocol::SessionConfig session_config(const CarrierConfig& carrier, protocol::BindType type) {
  protocol::SessionConfig config;
  config.bind = type;
  config.system_id = carrier.system_id;
  config.password = carrier.password;
  config.system_type = carrier.system_type;
  config.address_range = carrier.address_range;
  config.address_numbering = {.ton = carrier.address_numbering.ton,
                              .npi = carrier.address_numbering.npi};
  config.interface_version = carrier.interface_version;
  config.limits.window = carrier.window;
  config.limits.bind_within = carrier.bind_timeout;
  config.limits.enquire_after = carrier.enquire_link;
  config.limits.response_within = carrier.response_timeout;
  config.limits.inactive_for = carrier.inactivity;
  return config;
}

}  // namespace

std::string_view name_of(LinkState state) noexcept {
  switch (state) {
    case LinkState::down: return "down";
    case LinkState::connecting: return "connecting";
    case LinkState::binding: return "binding";
    case LinkState::bound: return "bound";
    case LinkState::unbinding: return "unbinding";
    case LinkState::stopped: return "stopped";
  }
  return "down";
}

SmscLink::SmscLink(asio::io_context& context, const CarrierConfig& carrier, std::uint16_t number,
                   protocol::BindType type, LinkOwner& owner, CarrierLinks& shared,
                   std::uint64_t seed)
    : context_(context),
      carrier_(carrier),
      number_(number),
      type_(type),
      owner_(owner),
      shared_(shared),
      reconnect_(seed, carrier.credentials_retry),
      stream_(context, shared.inbox),
      notes_(fmt::format("carrier {} bind {}", carrier.name, number)),
      dialer_(context, carrier, shared.tls, stream_, number == 0,
              [this](std::string trouble) { notes_.add(std::move(trouble), true); }),
      alarm_(context),
      patience_(context),
      progress_(carrier.response_timeout),
      hosts_(carrier.hosts.size()) {}

SmscLink::~SmscLink() = default;

void SmscLink::start() {
  asio::co_spawn(context_, run(), asio::detached);
}

void SmscLink::drain() {
  stopping_ = true;
  if (session_ && state_ == LinkState::bound) {
    enter(LinkState::unbinding);
    session_->unbind(Clock::now());
    flush();
    arm_alarm();
  } else {
    stop();
  }
}

void SmscLink::stop() {
  stopping_ = true;
  offered_.reset();
  patience_.cancel();
  dialer_.give_up();
}

void SmscLink::rebind(std::string_view why) {
  notes_.add(std::string(why), true);
  closing_ = true;
  stream_.close();
}

// Called from within the session's own callbacks, where it cannot be told: the reader tells it.
void SmscLink::unbind_and_return(std::string_view why) {
  if (state_ != LinkState::bound) return;  // on its way already
  notes_.add(std::string(why), true);
  closing_ = true;
  unbind_due_ = true;
  enter(LinkState::unbinding);
}

std::size_t SmscLink::in_flight() const noexcept {
  return session_ ? session_->in_flight() : 0;
}

LinkStats SmscLink::stats() const noexcept {
  LinkStats all = stats_;
  if (session_) {
    const protocol::SessionStats& now = session_->stats();
    all.pdus_in += now.pdus_in;
    all.pdus_out += now.pdus_out;
    all.malformed += now.malformed + now.unknown_commands;
    all.unexpected_responses += now.unexpected_responses;
    all.alerts += now.alerts;
  }
  return all;
}

void SmscLink::enter(LinkState state) {
  if (state_ == state) return;
  state_ = state;
  state_since_ms_ = wall_clock_ms();
}

std::string SmscLink::host() const {
  if (!peer_.empty()) return peer_;
  const HostPort& host = carrier_.hosts[hosts_.index()];
  return fmt::format("{}:{}", host.host, host.port);
}

asio::awaitable<void> SmscLink::run() {
  while (!stopping_) {
    if (only_waits() && !offered_) {
      co_await wait_for_offer();
      continue;
    }
    co_await wait_for_turn();
    if (stopping_) break;
    enter(LinkState::connecting);
    bool is_connected = false;  // g++ 12 mistakes an await inside of a condition
    if (offered_) {
      is_connected = adopt_offered();
    } else {
      is_connected = co_await connect();
    }
    if (is_connected) co_await converse();
    if (stopping_) break;
    enter(LinkState::down);
    if (!offered_ && !only_waits()) co_await pause();
  }
  enter(LinkState::stopped);
  owner_.on_link_activity();
}

// An account that is refused is not tried by each of its binds in turn: that gets it locked.
asio::awaitable<void> SmscLink::wait_for_turn() {
  const auto must_rest = [this] {
    return !offered_ && !was_let_in_ && shared_.account_rests_until > Clock::now();
  };
  while (!stopping_) {
    const bool rests = must_rest();
    const bool is_for_offer = offered_.has_value();
    AttemptLimiter& limiter = is_for_offer ? shared_.outbinds : shared_.attempts;
    const auto at = rests ? shared_.account_rests_until : limiter.reserve(Clock::now());
    if (at > Clock::now()) {
      patience_.expires_at(at);
      (void)co_await patience_.async_wait(kAsResult);
    }
    if (offered_.has_value() != is_for_offer) continue;  // offered meanwhile: it has its own turn
    if (!rests && !must_rest()) co_return;  // another bind may have been refused meanwhile
  }
}

bool SmscLink::offer(WireStream::Socket& socket) {
  if (type_ == protocol::BindType::transmitter || stopping_ || session_ || offered_) return false;
  offered_.emplace(std::move(socket));
  // Whatever it waits for before a session is given up for this.
  patience_.cancel();
  dialer_.give_up();
  return true;
}

bool SmscLink::only_waits() const noexcept {
  return type_ != protocol::BindType::transmitter && carrier_.outbind && !carrier_.outbind->connect;
}

asio::awaitable<void> SmscLink::wait_for_offer() {
  patience_.expires_at(TimePoint::max());
  (void)co_await patience_.async_wait(kAsResult);
}

bool SmscLink::adopt_offered() {
  auto offered = std::exchange(offered_, std::nullopt);
  if (!offered) return false;
  WireStream::Socket& socket = *offered;
  boost::system::error_code gone;
  const tcp::endpoint from = socket.remote_endpoint(gone);
  if (gone) {
    notes_.add(fmt::format("outbind: {}", gone.message()), true);
    return false;
  }
  if (!dialer_.take(std::move(socket), from)) return false;
  peer_ = fmt::format("{}:{}", from.address().to_string(), from.port());
  return true;
}

asio::awaitable<bool> SmscLink::connect() {
  const HostPort& host = carrier_.hosts[hosts_.index()];
  const bool is_connected = co_await dialer_.dial(host, shared_.attempts);
  if (!is_connected && !dialer_.was_given_up()) hosts_.on_failed();
  co_return is_connected;
}

// One connection from its bind to its end.
asio::awaitable<void> SmscLink::converse() {
  ++epoch_;
  ++stats_.connects;
  written_ = 0;
  never_transmitted_ = 0;
  answers_ = 0;
  was_bound_ = false;
  was_dead_ = false;
  unbind_due_ = false;
  closes_when_written_ = false;
  session_ = std::make_unique<protocol::Session>(session_config(carrier_, type_), *this);
  enter(LinkState::binding);
  if (shared_.trace) shared_.trace->on_connection(number_);
  progress_.begin(Clock::now());
  session_->on_connected(Clock::now());
  flush();
  arm_alarm();

  const auto why = co_await read_to_the_end();
  alarm_.cancel();
  alarm_at_ = {};
  if (session_->ended() && stream_.is_open()) {
    // What the session said last (unbind_resp, generic_nack) may still leave.
    flush();
    patience_.expires_after(kLastWriteWithin);  // it closes the socket, which ends what waits on it
    patience_.async_wait([this](const boost::system::error_code& stopped) {
      if (!stopped) stream_.close();
    });
    while (writing_) co_await finish_writing();
    co_await stream_.say_goodbye();
    patience_.cancel();
  }
  stream_.close();
  // Only now is it known how much the kernel took of the last write, and so what is in doubt.
  while (writing_) co_await finish_writing();
  session_->on_disconnected();
  tell_ending(why);
  settle_connection();
}

asio::awaitable<boost::system::error_code> SmscLink::read_to_the_end() {
  boost::system::error_code why;
  while (!session_->ended()) {
    if (session_->outgoing_octets() > kUnreadAnswersMax || !owner_.may_read(*this)) {
      co_await hold_back();
    }
    const auto octets = co_await stream_.read(why);
    if (why) {
      never_transmitted_ = stream_.never_transmitted();
      break;
    }
    if (shared_.trace) shared_.trace->on_read(number_, octets, session_->is_between_pdus());
    session_->on_octets(octets, Clock::now());
    if (std::exchange(unbind_due_, false)) session_->unbind(Clock::now());
    flush();
    arm_alarm();
    owner_.on_link_activity();
  }
  co_return why;
}

// Reads nothing until there is room again; what the peer says meanwhile waits in the kernel, and
// its time to answer does not run. Its time to read what we answered does.
asio::awaitable<void> SmscLink::hold_back() {
  session_->on_reading(false, Clock::now());
  progress_.on_reading(owner_.may_read(*this), Clock::now());
  arm_alarm();  // of the peer's own doing we have enough one day
  while (stream_.is_open() && !session_->ended()) {
    const bool may_read = owner_.may_read(*this);
    progress_.on_reading(may_read, Clock::now());
    if (may_read && session_->outgoing_octets() <= kUnreadAnswersMax) break;
    if (may_read) arm_alarm();  // by now it may be the peer who is behind, and no longer the disk
    patience_.expires_after(may_read ? kUnreadStep : kHoldBackStep);
    (void)co_await patience_.async_wait(kAsResult);
  }
  session_->on_reading(true, Clock::now());
  progress_.on_reading(true, Clock::now());
  arm_alarm();  // nothing was waited for meanwhile
}

// The end of the write cancels the timer.
asio::awaitable<void> SmscLink::finish_writing() {
  asio::steady_timer written(context_, Clock::time_point::max());
  written_signal_ = &written;
  (void)co_await written.async_wait(kAsResult);
  written_signal_ = nullptr;
}

void SmscLink::tell_ending(const boost::system::error_code& why) {
  if (const auto ending = session_->ended()) {
    const auto response_seconds = carrier_.response_timeout / 1s;
    switch (*ending) {
      case protocol::Ending::unbound:
        if (!closing_) notes_.add("unbound", false);  // else it was said why
        break;
      case protocol::Ending::inactive:
        notes_.add(
            fmt::format("no message passed for {} s: it binds anew", carrier_.inactivity / 1s),
            false);
        break;
      case protocol::Ending::peer_unbound: notes_.add("the carrier unbound", true); break;
      case protocol::Ending::bind_refused:
        refused_ = is_refusal_of_credentials(session_->bind_status(), carrier_);
        was_let_in_ = false;
        notes_.add(fmt::format("bind refused: {}", describe(session_->bind_status())), true);
        break;
      case protocol::Ending::bind_timeout: notes_.add("no answer to bind", true); break;
      case protocol::Ending::silent:
        was_dead_ = true;
        notes_.add(session_->is_between_pdus()
                       ? "the carrier fell silent"
                       : fmt::format("a PDU that began was not whole after {} s", response_seconds),
                   true);
        if (was_bound_ && session_->in_flight() > 0) owner_.on_link_stuck(*this);
        break;
      case protocol::Ending::unanswered:
        was_dead_ = true;
        ++stats_.stuck;
        notes_.add(fmt::format("stuck: bound, {} answers due, and it answers enquire_link alone "
                               "for {} s",
                               session_->in_flight(), response_seconds),
                   true);
        owner_.on_link_stuck(*this);
        break;
      case protocol::Ending::broken_framing: notes_.add("octets that are not SMPP", true); break;
    }
  } else if (!stopping_ && !closing_) {
    if (why == asio::error::timed_out) was_dead_ = true;  // the kernel's own net, wire_stream.cpp
    notes_.add(fmt::format("connection lost: {}", why.message()), true);
  }
  closing_ = false;
}

LinkLoss SmscLink::loss() const {
  const auto ending = session_->ended();
  if (was_dead_ || ending == protocol::Ending::silent || ending == protocol::Ending::unanswered) {
    return LinkLoss::timed_out;
  }
  return stopping_ ? LinkLoss::stopped : LinkLoss::lost;
}

void SmscLink::settle_connection() {
  const LinkLoss loss = this->loss();
  const bool was_left_well = session_->ended() == protocol::Ending::inactive;
  if (was_left_well) reconnect_.on_left_well();
  if (peer_.empty()) {
    if (was_left_well) {
      hosts_.on_left_well();
    } else {
      hosts_.on_lost(Clock::now(), was_dead_);
    }
  }
  peer_.clear();
  ++stats_.losses;
  if (never_transmitted_ > 0) session_->on_never_transmitted(never_transmitted_);
  const auto unanswered = session_->take_unanswered();
  const protocol::SessionStats& last = session_->stats();
  stats_.pdus_in += last.pdus_in;
  stats_.pdus_out += last.pdus_out;
  stats_.malformed += last.malformed + last.unknown_commands;
  stats_.unexpected_responses += last.unexpected_responses;
  stats_.alerts += last.alerts;
  session_.reset();
  outbox_ = {};
  enter(LinkState::down);
  owner_.on_link_lost(*this, loss, unanswered);
}

asio::awaitable<void> SmscLink::pause() {
  const auto wait = reconnect_.pause(Clock::now(), refused_);
  if (refused_) {
    shared_.account_rests_until = std::max(shared_.account_rests_until, Clock::now() + wait);
  }
  patience_.expires_after(wait);
  (void)co_await patience_.async_wait(kAsResult);
}

void SmscLink::flush() {
  if (writing_ || !session_ || !stream_.is_open() || !session_->has_outgoing()) return;
  outbox_.clear();
  session_->swap_outgoing(outbox_);
  if (shared_.trace) shared_.trace->on_written(number_, outbox_);
  writing_ = true;
  stream_.write(outbox_, [this](const boost::system::error_code& error, std::size_t octets) {
    writing_ = false;
    written_ += octets;
    session_->on_written(written_);
    if (error) {
      if (never_transmitted_ == 0) never_transmitted_ = stream_.never_transmitted();
      stream_.close();
    } else {
      flush();
      if (closes_when_written_ && !writing_) stream_.close();
    }
    if (!writing_ && written_signal_ != nullptr) written_signal_->cancel();
  });
  arm_alarm();  // a submit may be due sooner than what was waited for
}

void SmscLink::arm_alarm() {
  if (!session_ || session_->ended()) return;
  observe_progress(Clock::now());
  // Before it is bound, and while it ends, the session's own time is all: nothing would be done
  // about the other, and a deadline that has passed would be set again and again.
  const auto still = state_ == LinkState::bound ? progress_.deadline() : TimePoint::max();
  const auto at = std::min(session_->deadline(), still);
  // A deadline only moves on as a rule: the timer that runs is left to find that out by itself.
  if (at == TimePoint::max() || (alarm_at_ != TimePoint{} && alarm_at_ <= at)) return;
  alarm_at_ = at;
  alarm_.expires_at(at);
  alarm_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) on_alarm();
  });
}

void SmscLink::on_alarm() {
  alarm_at_ = {};
  if (!session_) return;
  const auto now = Clock::now();
  session_->on_time(now);
  if (state_ == LinkState::bound && !session_->is_bound()) enter(LinkState::unbinding);
  flush();
  if (session_->ended()) return close_when_written();
  observe_progress(now);
  if (state_ == LinkState::bound && progress_.is_stuck(now)) leave_stuck(now);
  if (!stream_.is_open()) return;
  give_memory_back();
  arm_alarm();
}

// What the session said last may still leave, for a while.
void SmscLink::close_when_written() {
  if (!writing_ || closes_when_written_) return stream_.close();
  closes_when_written_ = true;
  alarm_.expires_after(kLastWriteWithin);
  alarm_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) on_alarm();
  });
}

void SmscLink::observe_progress(TimePoint now) {
  const std::size_t in_flight = session_->in_flight();
  const std::size_t outgoing = session_->outgoing_octets();
  const std::size_t being_written = writing_ ? outbox_.size() : 0;
  progress_.observe(
      now, {.answers = answers_,
            .in_flight = in_flight,
            .has_work = in_flight == 0 && state_ == LinkState::bound && owner_.has_work(*this),
            .written = written_,
            .queued = written_ + being_written + outgoing,
            .is_behind = outgoing > kUnreadAnswersMax});
}

void SmscLink::leave_stuck(TimePoint now) {
  const std::size_t due = session_->in_flight();
  const auto seconds = progress_.limit() / 1s;
  const bool is_unread = progress_.is_unread(now);
  if (due == 0 && !is_unread) {
    if (left_for_work_ && now - *left_for_work_ < kRestFromWork) return progress_.wait_again(now);
    left_for_work_ = now;
    ++stats_.stuck;
    // Nothing is owed by the carrier: what stands goes back and comes again.
    return rebind(
        fmt::format("stuck: bound, work waits that may go, and nothing moved for {} s", seconds));
  }
  ++stats_.stuck;
  was_dead_ = true;
  owner_.on_link_stuck(*this);
  rebind(
      is_unread
          ? fmt::format("stuck: bound, and what we answer has stayed unread for {} s", seconds)
          : fmt::format("stuck: bound, {} answers due, and nothing moved for {} s", due, seconds));
}

// A burst leaves large buffers behind; a thousand idle binds should not hold them.
void SmscLink::give_memory_back() {
  if (writing_ || session_->has_outgoing() || session_->in_flight() > 0) return;
  if (outbox_.capacity() <= kIdleOutboxOctets) return;
  std::vector<std::uint8_t> spent;
  session_->swap_outgoing(spent);
  outbox_ = {};
}

void SmscLink::on_bound() {
  enter(LinkState::bound);
  was_bound_ = true;
  refused_ = false;
  was_let_in_ = true;
  shared_.account_rests_until = {};
  reconnect_.on_bound(Clock::now());
  if (peer_.empty()) hosts_.on_bound(Clock::now());
  log::info("carrier {} bind {}: bound", carrier_.name, number_);
  notes_.clear_last();
  owner_.on_link_bound(*this);
}

void SmscLink::on_submit_resp(std::uint64_t cookie, protocol::CommandStatus status,
                              std::string_view message_id) {
  ++answers_;
  owner_.on_submit_resp(*this, cookie, status, message_id);
}

void SmscLink::on_query_resp(std::uint64_t cookie, protocol::CommandStatus status,
                             const protocol::QueryResp& response) {
  owner_.on_query_resp(*this, cookie, status, response);
}

void SmscLink::on_cancel_resp(std::uint64_t cookie, protocol::CommandStatus status) {
  owner_.on_cancel_resp(*this, cookie, status);
}

void SmscLink::on_deliver(std::uint32_t sequence_number, const protocol::DeliverSm& deliver) {
  owner_.on_deliver(*this, sequence_number, deliver);
}

}  // namespace stentor::daemon
