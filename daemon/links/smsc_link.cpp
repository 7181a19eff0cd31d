#include "daemon/links/smsc_link.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kAsResult = asio::as_tuple(asio::use_awaitable);  // errors arrive as values

// Some 1,500 responses or 300 receipts: one read serves many, and two binds a carrier with 500
// carriers idle stay within 64 MiB.
constexpr std::size_t kInboxOctets = 64u << 10;
constexpr auto kConnectWithin = 10s;
// Data that a dead host never acknowledges: noticed in this time (reliability.md P10).
constexpr unsigned kUserTimeoutMs = 20'000;
// Once both sides have said all: what is still in the buffers may leave.
constexpr auto kLastWriteWithin = 2s;

bool is_refusal_of_credentials(protocol::CommandStatus status) {
  constexpr std::uint32_t kInvalidSystemType = 0x53;
  const auto value = static_cast<std::uint32_t>(status);
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
  config.interface_version = carrier.interface_version;
  config.limits.window = carrier.window;
  config.limits.bind_within = carrier.bind_timeout;
  config.limits.enquire_after = carrier.enquire_link;
  config.limits.response_within = carrier.response_timeout;
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
                   protocol::BindType type, LinkOwner& owner, AttemptLimiter& attempts,
                   std::uint64_t seed)
    : context_(context),
      carrier_(carrier),
      number_(number),
      type_(type),
      owner_(owner),
      attempts_(attempts),
      reconnect_(seed),
      socket_(context),
      alarm_(context),
      patience_(context) {}

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
  patience_.cancel();
  close_socket();
}

void SmscLink::rebind(std::string_view why) {
  note(std::string(why), true);
  close_socket();
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
  }
  return all;
}

void SmscLink::note(std::string error, bool is_warning) {
  last_error_ = std::move(error);
  if (errors_.size() == kErrorsKept) errors_.pop_front();
  errors_.push_back({wall_clock_ms(), last_error_});
  const auto level = is_warning ? spdlog::level::warn : spdlog::level::info;
  spdlog::log(level, "carrier {} bind {}: {}", carrier_.name, number_, last_error_);
}

void SmscLink::enter(LinkState state) {
  if (state_ == state) return;
  state_ = state;
  state_since_ms_ = wall_clock_ms();
}

std::string SmscLink::host() const {
  const HostPort& host = carrier_.hosts[host_];
  return fmt::format("{}:{}", host.host, host.port);
}

asio::awaitable<void> SmscLink::run() {
  while (!stopping_) {
    const auto at = attempts_.reserve(Clock::now());
    if (at > Clock::now()) {
      patience_.expires_at(at);
      (void)co_await patience_.async_wait(kAsResult);
      if (stopping_) break;
    }
    enter(LinkState::connecting);
    if (co_await connect()) co_await converse();
    if (stopping_) break;
    enter(LinkState::down);
    co_await pause();
  }
  enter(LinkState::stopped);
  owner_.on_link_activity();
}

asio::awaitable<bool> SmscLink::connect() {
  const HostPort& host = carrier_.hosts[host_];
  tcp::resolver resolver(context_);
  const auto [unresolved, endpoints] =
      co_await resolver.async_resolve(host.host, std::to_string(host.port), kAsResult);
  if (unresolved) {
    note(fmt::format("{}:{}: {}", host.host, host.port, unresolved.message()), true);
    host_ = (host_ + 1) % carrier_.hosts.size();
    co_return false;
  }
  for (const auto& entry : endpoints) {
    if (stopping_) co_return false;
    socket_ = tcp::socket(context_);
    // The timer closes the socket, which ends the attempt: nothing is raced.
    patience_.expires_after(kConnectWithin);
    patience_.async_wait([this](const boost::system::error_code& stopped) {
      if (!stopped && state_ == LinkState::connecting) close_socket();
    });
    const auto [error] = co_await socket_.async_connect(entry.endpoint(), kAsResult);
    patience_.cancel();
    if (!error && socket_.is_open()) {
      boost::system::error_code ignored;  // helpful, not vital
      socket_.set_option(tcp::no_delay(true), ignored);
      socket_.set_option(asio::socket_base::keep_alive(true), ignored);
      ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs,
                   sizeof kUserTimeoutMs);
      co_return !stopping_;
    }
    note(fmt::format(
             "{}:{}: {}", host.host, host.port,
             error == asio::error::operation_aborted ? "no answer in 10 s" : error.message()),
         true);
  }
  host_ = (host_ + 1) % carrier_.hosts.size();
  co_return false;
}

// One connection from its bind to its end.
asio::awaitable<void> SmscLink::converse() {
  ++epoch_;
  ++stats_.connects;
  written_ = 0;
  closing_ = false;
  credentials_refused_ = false;
  was_bound_ = false;
  session_ = std::make_unique<protocol::Session>(session_config(carrier_, type_), *this);
  enter(LinkState::binding);
  session_->on_connected(Clock::now());
  flush();
  arm_alarm();
  if (inbox_.empty()) inbox_.resize(kInboxOctets);

  boost::system::error_code why;
  while (!session_->ended()) {
    const auto [error, count] = co_await socket_.async_read_some(asio::buffer(inbox_), kAsResult);
    if (error) {
      why = error;
      break;
    }
    session_->on_octets(std::span(inbox_).first(count), Clock::now());
    flush();
    arm_alarm();
    owner_.on_link_activity();
  }
  alarm_.cancel();
  alarm_at_ = {};
  // What the session said last (unbind_resp, generic_nack) may still leave.
  if (session_->ended() && (writing_ || session_->has_outgoing())) {
    flush();
    patience_.expires_after(kLastWriteWithin);
    while (writing_ && socket_.is_open()) {
      const auto [stopped] = co_await patience_.async_wait(kAsResult);
      if (!stopped) break;  // flush()'s end cancels the timer; running out means: enough
    }
  }
  close_socket();
  session_->on_disconnected();

  if (const auto ending = session_->ended()) {
    switch (*ending) {
      case protocol::Ending::unbound: note("unbound", false); break;
      case protocol::Ending::peer_unbound: note("the carrier unbound", true); break;
      case protocol::Ending::bind_refused:
        credentials_refused_ = is_refusal_of_credentials(session_->bind_status());
        note(fmt::format("bind refused: {}", describe(session_->bind_status())), true);
        break;
      case protocol::Ending::bind_timeout: note("no answer to bind", true); break;
      case protocol::Ending::silent: note("the carrier fell silent", true); break;
      case protocol::Ending::broken_framing: note("octets that are not SMPP", true); break;
    }
    if (state_ == LinkState::binding) host_ = (host_ + 1) % carrier_.hosts.size();
  } else if (!stopping_) {
    note(fmt::format("connection lost: {}", why.message()), true);
  }
  if (was_bound_) host_ = 0;  // the next time the preferred host comes first again
  ++stats_.losses;
  const auto unanswered = session_->take_unanswered();
  const protocol::SessionStats& last = session_->stats();
  stats_.pdus_in += last.pdus_in;
  stats_.pdus_out += last.pdus_out;
  stats_.malformed += last.malformed + last.unknown_commands;
  stats_.unexpected_responses += last.unexpected_responses;
  session_.reset();
  enter(LinkState::down);
  owner_.on_link_lost(*this, unanswered);
}

asio::awaitable<void> SmscLink::pause() {
  const auto wait = reconnect_.pause(Clock::now(), credentials_refused_);
  patience_.expires_after(wait);
  (void)co_await patience_.async_wait(kAsResult);
}

void SmscLink::flush() {
  if (writing_ || !session_ || !socket_.is_open() || !session_->has_outgoing()) return;
  outbox_.clear();
  session_->swap_outgoing(outbox_);
  writing_ = true;
  asio::async_write(
      socket_, asio::buffer(outbox_),
      [this, epoch = epoch_](const boost::system::error_code& error, std::size_t octets) {
        writing_ = false;
        if (epoch != epoch_ || !session_) return;
        written_ += octets;
        session_->on_written(written_);
        if (error) return close_socket();
        if (session_->ended()) patience_.cancel();
        flush();
      });
}

void SmscLink::arm_alarm() {
  if (!session_) return;
  const auto at = session_->deadline();
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
  session_->on_time(Clock::now());
  flush();
  if (session_->ended()) return close_socket();
  arm_alarm();
}

// Ends whatever waits on the socket; converse() goes on from there.
void SmscLink::close_socket() {
  boost::system::error_code ignored;  // it is going either way
  socket_.close(ignored);
}

void SmscLink::on_bound() {
  enter(LinkState::bound);
  was_bound_ = true;
  reconnect_.on_bound(Clock::now());
  spdlog::info("carrier {} bind {}: bound", carrier_.name, number_);
  last_error_.clear();
  owner_.on_link_bound(*this);
}

void SmscLink::on_submit_resp(std::uint64_t cookie, protocol::CommandStatus status,
                              std::string_view message_id) {
  owner_.on_submit_resp(*this, cookie, status, message_id);
}

void SmscLink::on_deliver(std::uint32_t sequence_number, const protocol::DeliverSm& deliver) {
  owner_.on_deliver(*this, sequence_number, deliver);
}

}  // namespace stentor::daemon
