#include "bench/smsc/server.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <span>

#include "bench/smsc/session.h"

namespace stentor::smsc {
namespace {

using std::chrono::milliseconds;

// One read takes what a megabit burst left in the socket: some 2,000 submit_sm.
constexpr std::size_t kInboxOctets = 256 << 10;
// More connections than this is a client that forgets to close; a rehearsal with 500 carriers of
// two binds each fits.
constexpr std::size_t kConnectionsMax = 4096;
constexpr milliseconds kFlushEvery{100};  // a judge that follows the capture waits no longer
constexpr nanoseconds kGrainMax{1'000'000};
constexpr nanoseconds kGrainMin{20'000};

Now read_clocks() {
  timespec wall{};
  ::clock_gettime(CLOCK_REALTIME, &wall);
  return {.steady = std::chrono::steady_clock::now(),
          .wall_nanoseconds = std::int64_t{wall.tv_sec} * 1'000'000'000 + wall.tv_nsec};
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int listen_on(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.empty() ? nullptr : host.c_str(),
                                      std::to_string(port).c_str(), &hints, &found);
      error != 0) {
    throw std::system_error(EINVAL, std::generic_category(), host + ": " + ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);
  const int socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (socket < 0 || ::bind(socket, found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(socket, SOMAXCONN) != 0) {
    const int error = errno;
    ::close(socket);
    throw std::system_error(error, std::generic_category(),
                            "listen on " + host + ":" + std::to_string(port));
  }
  return socket;
}

// Due times are kept to an eighth of the latency asked for, a millisecond at most: a timer for
// each response would cost more than the response.
nanoseconds grain_of(const Settings& settings) {
  const nanoseconds latency = settings.latency.base + settings.latency.jitter;
  return latency.count() == 0 ? kGrainMax : std::clamp(latency / 8, kGrainMin, kGrainMax);
}

}  // namespace

class Server::Connection {
 public:
  Connection(int socket, const ServerIdentity* identity, Smsc& smsc, std::uint32_t number,
             const Now& now)
      : socket_(socket), transport_(socket, identity), session_(smsc, number, now) {}
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] int socket() const noexcept { return socket_; }
  [[nodiscard]] Transport& transport() noexcept { return transport_; }
  [[nodiscard]] Session& session() noexcept { return session_; }

  std::vector<std::uint8_t> leftover;  ///< the front of a PDU, or what waits while we do not read
  std::uint32_t watched = EPOLLIN;
  bool is_gone = false;

 private:
  int socket_;
  Transport transport_;
  Session session_;
};

Server::Server(const Settings& settings, Capture* capture)
    : settings_(settings),
      capture_(capture),
      smsc_(settings, capture, read_clocks()),
      identity_(settings.tls.certificate.empty() ? nullptr
                                                 : std::make_unique<ServerIdentity>(settings.tls)),
      inbox_(std::make_unique<std::uint8_t[]>(2 * kInboxOctets)),
      started_(std::chrono::steady_clock::now()),
      next_stats_(started_ + settings.stats_every),
      next_flush_(started_ + kFlushEvery),
      has_session_timers_(
          settings.latency.base.count() != 0 || settings.latency.jitter.count() != 0 ||
          settings.disconnect_after.time.count() != 0 || settings.silent_after.time.count() != 0 ||
          settings.stall_after.time.count() != 0 || settings.enquire_link.count() != 0 ||
          settings.trickle.count() != 0),
      grain_(grain_of(settings)) {
  listener_ = listen_on(settings.host, settings.port);
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  sigset_t stop;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTERM);
  ::sigaddset(&stop, SIGINT);
  signals_ = ::signalfd(-1, &stop, SFD_NONBLOCK | SFD_CLOEXEC);
  if (epoll_ < 0 || signals_ < 0) fail("epoll");
  for (int* const file : {&listener_, &signals_}) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = file}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, *file, &event) != 0) fail("epoll_ctl");
  }
}

Server::~Server() {
  connections_.clear();
  for (const int file : {listener_, signals_, epoll_}) ::close(file);
}

std::string Server::address() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  ::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, host.data(), host.size(), port.data(),
                port.size(), NI_NUMERICHOST | NI_NUMERICSERV);
  const bool is_v6 = address.ss_family == AF_INET6;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", host.data(), is_v6 ? "]" : "", port.data());
}

std::error_code Server::run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const nanoseconds wait = pause(std::chrono::steady_clock::now());
    const timespec timeout{.tv_sec = wait.count() / 1'000'000'000,
                           .tv_nsec = wait.count() % 1'000'000'000};
    const int count = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()),
                                     wait == nanoseconds::max() ? nullptr : &timeout, nullptr);
    if (count < 0 && errno != EINTR) return {errno, std::generic_category()};

    const Now now = read_clocks();
    bool is_stopped = false;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.ptr == &signals_) {
        is_stopped = true;
      } else if (event.data.ptr == &listener_) {
        accept_all(now);
      } else {  // connections go at the end of a pass only, so this one is still there
        serve(*static_cast<Connection*>(event.data.ptr), event.events, now);
      }
    }
    finish_pass(now);
    if (capture_ != nullptr && capture_->failure()) return capture_->failure();
    if (is_stopped) break;
  }
  const Now now = read_clocks();
  for (const auto& connection : connections_) connection->session().on_closed(now);
  connections_.clear();
  if (capture_ == nullptr) return {};
  capture_->flush();
  return capture_->failure();
}

void Server::accept_all(const Now& now) {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) return;
    if (connections_.size() == kConnectionsMax) {
      ::close(socket);
      continue;
    }
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    connections_.push_back(
        std::make_unique<Connection>(socket, identity_.get(), smsc_, next_number_++, now));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = connections_.back().get()}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) connections_.pop_back();
  }
}

void Server::serve(Connection& connection, std::uint32_t events, const Now& now) {
  if ((events & EPOLLOUT) != 0) write_to(connection);
  if ((events & EPOLLIN) != 0) read_from(connection, now);
  // Both directions are shut, or the peer reset: what may still be unread is nobody's.
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) connection.is_gone = true;
}

void Server::read_from(Connection& connection, const Now& now) {
  std::vector<std::uint8_t>& leftover = connection.leftover;
  // What is left over in this size holds whole PDUs, which come first (finish_pass).
  if (!connection.session().wants_octets() || leftover.size() > protocol::kPduOctetsMax) return;
  std::copy(leftover.begin(), leftover.end(), inbox_.get());
  const auto received =
      connection.transport().receive({inbox_.get() + leftover.size(), kInboxOctets});
  note_transport(connection, now);
  connection.is_gone = received.gone;
  if (received.octets == 0) return;
  smsc_.totals().octets_in += received.octets;
  const std::span octets(inbox_.get(), leftover.size() + received.octets);
  const std::size_t taken = connection.session().on_octets(octets, now);
  leftover.assign(octets.begin() + static_cast<std::ptrdiff_t>(taken), octets.end());
}

// What fell due, then one write for each connection that has something to say.
void Server::finish_pass(const Now& now) {
  if (has_session_timers_) {
    for (const auto& connection : connections_) {
      if (connection->session().deadline() <= now.steady) connection->session().on_time(now);
    }
  }
  smsc_.deliver_due(now);
  for (const auto& connection : connections_) {
    if (!connection->is_gone && !connection->session().outgoing().empty()) write_to(*connection);
    // The client reads again: what it sent meanwhile comes before what it sends now.
    if (!connection->leftover.empty() && connection->leftover.size() >= 16 &&
        connection->session().wants_octets()) {
      const std::size_t taken = connection->session().on_octets(connection->leftover, now);
      connection->leftover.erase(connection->leftover.begin(),
                                 connection->leftover.begin() + static_cast<std::ptrdiff_t>(taken));
    }
    if (connection->transport().has_more()) read_from(*connection, now);
    const Parting parting = connection->session().parting();
    if (parting != Parting::stay && connection->session().outgoing().empty()) {
      if (parting == Parting::reset) {
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(connection->socket(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      } else if (!settings_.cut_mid_pdu) {
        connection->transport().close_politely();
      }
      connection->is_gone = true;
    }
    if (connection->is_gone) {
      connection->session().on_closed(now);
    } else {
      watch(*connection);
    }
  }
  std::erase_if(connections_, [](const auto& connection) { return connection->is_gone; });
  if (capture_ != nullptr && now.steady >= next_flush_) {
    capture_->flush();
    next_flush_ = now.steady + kFlushEvery;
  }
  if (settings_.stats_every.count() != 0 && now.steady >= next_stats_) print_stats(now);
}

void Server::write_to(Connection& connection) {
  const auto outgoing = connection.session().outgoing();
  if (outgoing.empty()) return;
  const auto sent = connection.transport().send(outgoing);
  if (sent.octets > 0) connection.session().on_written(sent.octets);
  if (sent.gone) connection.is_gone = true;
}

void Server::note_transport(Connection& connection, const Now& now) {
  if (capture_ == nullptr) return;
  const std::string note = connection.transport().take_note();
  if (!note.empty()) capture_->on_connection(now, connection.session().number(), "tls", note);
}

void Server::watch(Connection& connection) {
  const std::uint32_t wanted =
      (connection.session().wants_octets() ? std::uint32_t{EPOLLIN} : 0u) |
      (connection.session().outgoing().empty() ? 0u : std::uint32_t{EPOLLOUT});
  if (wanted == connection.watched) return;
  connection.watched = wanted;
  epoll_event event{.events = wanted, .data = {.ptr = &connection}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket(), &event);
}

nanoseconds Server::pause(TimePoint now) {
  TimePoint until = smsc_.deadline();
  if (has_session_timers_) {
    for (const auto& connection : connections_) {
      until = std::min(until, connection->session().deadline());
    }
  }
  // Ones that are almost due wait for each other.
  if (until != TimePoint::max()) until = std::max(until, now + grain_);
  if (settings_.stats_every.count() != 0) until = std::min(until, next_stats_);
  if (capture_ != nullptr && !connections_.empty()) until = std::min(until, next_flush_);
  if (until == TimePoint::max()) return nanoseconds::max();
  return std::max(nanoseconds(0), nanoseconds(until - now));
}

Levels Server::levels() const {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started_;
  return {.connected = connections_.size(),
          .receipts_waiting = smsc_.waiting(),
          .seconds = passed.count(),
          .cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)};
}

void Server::print_stats(const Now& now) {
  const Totals& totals = smsc_.totals();
  const Levels level = levels();
  if (settings_.json) {
    fmt::print("{}\n", to_json("stats", totals, level));
  } else {
    const double seconds =
        std::chrono::duration<double>(now.steady - next_stats_ + settings_.stats_every).count();
    const auto rate = [&](std::uint64_t Totals::* count) {
      return static_cast<double>(totals.*count - last_totals_.*count) / seconds;
    };
    fmt::print(
        "{:9.1f} s  binds {}  submit_sm {} ({:.0f}/s)  accepted {}  receipts {} "
        "({:.0f}/s)  acknowledged {}  waiting {}\n",
        level.seconds, level.connected, totals.submit_sm, rate(&Totals::submit_sm), totals.accepted,
        totals.receipts, rate(&Totals::receipts), totals.receipts_acknowledged,
        level.receipts_waiting);
  }
  std::fflush(stdout);
  last_totals_ = totals;
  next_stats_ = now.steady + settings_.stats_every;
}

}  // namespace stentor::smsc
