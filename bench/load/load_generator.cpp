#include "bench/load/load_generator.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <deque>
#include <memory>
#include <vector>

#include "bench/load/reply_scanner.h"
#include "bench/load/unix_socket.h"

namespace stentor::load {
namespace {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using std::chrono::nanoseconds;

constexpr std::size_t kOutboxOctets = 128 << 10;  // a write's worth; more only waits here
constexpr std::size_t kInboxOctets = 256 << 10;
constexpr nanoseconds kTick{250'000};               // how evenly a rate is kept
constexpr std::chrono::seconds kAnswersWithin{30};  // after the last request: else unanswered
constexpr std::uint64_t kRequestsPerWrite = 512;    // so that connections take turns

double thread_cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// So many requests that began at one time.
struct Run {
  TimePoint at;
  std::uint64_t count = 0;
};

// A queue of runs: requests leave in the order they came, a million of them cost a few entries.
class Runs {
 public:
  void push(TimePoint at, std::uint64_t count) {
    if (!runs_.empty() && runs_.back().at == at) {
      runs_.back().count += count;
    } else {
      runs_.push_back({at, count});
    }
    size_ += count;
  }
  // Calls `each` with the times of the first `count`, which leave.
  template <class Each>
  void pop(std::uint64_t count, Each&& each) {
    size_ -= count;
    while (count > 0) {
      Run& run = runs_.front();
      const std::uint64_t part = std::min(count, run.count);
      each(run.at, part);
      run.count -= part;
      count -= part;
      if (run.count == 0) runs_.pop_front();
    }
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

 private:
  std::deque<Run> runs_;
  std::uint64_t size_ = 0;
};

struct Connection {
  int socket = -1;
  bool is_broken = false;
  bool is_watched_for_writing = false;
  std::string outbox;
  std::size_t written = 0;
  Runs unanswered;
  ReplyScanner replies;
};

class Generator {
 public:
  explicit Generator(const LoadSettings& settings)
      : settings_(settings),
        lines_(settings.requests),
        inbox_(std::make_unique<char[]>(kInboxOctets)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    connections_.resize(settings.connections);
    for (Connection& connection : connections_) {
      connection.socket = connect_to(settings.socket);
      connection.outbox.reserve(kOutboxOctets + lines_.longest());
      epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event);
    }
  }
  ~Generator() {
    for (const Connection& connection : connections_) {
      if (connection.socket >= 0) ::close(connection.socket);
    }
    ::close(epoll_);
  }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  LoadResult run();

 private:
  [[nodiscard]] bool is_over(TimePoint now) const;
  [[nodiscard]] bool may_send(TimePoint now) const;
  void let_fall_due(TimePoint now);
  void send_from(Connection& connection, TimePoint now);
  void flush(Connection& connection);
  void read_from(Connection& connection);
  void give_up(Connection& connection);
  void show_progress(TimePoint now);

  LoadSettings settings_;
  RequestLines lines_;
  std::unique_ptr<char[]> inbox_;
  int epoll_;
  std::vector<Connection> connections_;
  LoadResult result_;
  Runs due_;  // with a rate: fallen due, not written yet
  std::uint64_t fallen_due_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t lost_ = 0;  ///< unanswered on connections that broke
  TimePoint last_request_;
  TimePoint next_progress_;
  std::uint64_t progress_answered_ = 0;
};

LoadResult Generator::run() {
  const double cpu_before = thread_cpu_seconds();
  result_.began = last_request_ = Clock::now();
  result_.ended = result_.began;
  next_progress_ = result_.began + std::chrono::seconds(1);
  std::array<epoll_event, 64> events;
  for (TimePoint now = result_.began; !is_over(now); now = Clock::now()) {
    if (settings_.rate > 0) let_fall_due(now);
    for (Connection& connection : connections_) send_from(connection, now);
    if (settings_.shows_progress && now >= next_progress_) show_progress(now);

    const bool is_paced = settings_.rate > 0 && may_send(now);
    const nanoseconds wait = is_paced ? kTick : nanoseconds(100'000'000);
    const timespec timeout{.tv_sec = 0, .tv_nsec = wait.count()};
    const int count =
        ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      Connection& connection = *static_cast<Connection*>(event.data.ptr);
      if ((event.events & ~std::uint32_t{EPOLLOUT}) != 0) read_from(connection);
      if ((event.events & EPOLLOUT) != 0) flush(connection);
    }
  }
  for (const Connection& connection : connections_) {
    result_.accepted += connection.replies.accepted();
    result_.duplicates += connection.replies.duplicates();
    for (const auto& [code, count] : connection.replies.rejected()) {
      result_.rejected[code] += count;
    }
  }
  result_.unanswered = result_.sent - answered_;
  result_.cpu_seconds = thread_cpu_seconds() - cpu_before;
  return std::move(result_);
}

bool Generator::may_send(TimePoint now) const {
  if (settings_.messages != 0 && result_.sent >= settings_.messages) return false;
  return settings_.duration.count() == 0 || now - result_.began < settings_.duration;
}

bool Generator::is_over(TimePoint now) const {
  const bool is_broken = std::all_of(connections_.begin(), connections_.end(),
                                     [](const Connection& one) { return one.is_broken; });
  if (is_broken) return true;
  if (may_send(now)) return false;
  return answered_ + lost_ == result_.sent || now - last_request_ > kAnswersWithin;
}

void Generator::let_fall_due(TimePoint now) {
  const double passed = std::chrono::duration<double>(now - result_.began).count();
  auto target = static_cast<std::uint64_t>(passed * settings_.rate) + 1;
  if (settings_.messages != 0) target = std::min(target, settings_.messages);
  if (target <= fallen_due_) return;
  due_.push(now, target - fallen_due_);
  fallen_due_ = target;
}

void Generator::send_from(Connection& connection, TimePoint now) {
  while (!connection.is_broken && connection.written == connection.outbox.size() && may_send(now)) {
    std::uint64_t count =
        settings_.window - std::min(settings_.window, connection.unanswered.size());
    count = std::min({count, kRequestsPerWrite, kOutboxOctets / lines_.longest() + 1});
    if (settings_.messages != 0) count = std::min(count, settings_.messages - result_.sent);
    if (settings_.rate > 0) count = std::min(count, due_.size());
    if (count == 0) return;

    connection.outbox.clear();
    connection.written = 0;
    lines_.append(connection.outbox, count);
    if (settings_.rate > 0) {
      due_.pop(count,
               [&](TimePoint at, std::uint64_t part) { connection.unanswered.push(at, part); });
    } else {
      connection.unanswered.push(Clock::now(), count);
    }
    result_.sent += count;
    last_request_ = now;
    flush(connection);
  }
}

void Generator::flush(Connection& connection) {
  while (connection.written < connection.outbox.size()) {
    const ssize_t count =
        ::send(connection.socket, connection.outbox.data() + connection.written,
               connection.outbox.size() - connection.written, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      connection.written += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      return give_up(connection);
    }
  }
  const bool wants_writing = connection.written < connection.outbox.size();
  if (wants_writing == connection.is_watched_for_writing) return;
  connection.is_watched_for_writing = wants_writing;
  epoll_event event{.events = EPOLLIN | (wants_writing ? std::uint32_t{EPOLLOUT} : 0u),
                    .data = {.ptr = &connection}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket, &event);
}

void Generator::give_up(Connection& connection) {
  if (connection.is_broken) return;
  connection.is_broken = true;
  lost_ += connection.unanswered.size();
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.socket, nullptr);
}

void Generator::read_from(Connection& connection) {
  const ssize_t count = ::recv(connection.socket, inbox_.get(), kInboxOctets, MSG_DONTWAIT);
  if (count <= 0) {
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    give_up(connection);
    return;
  }
  const TimePoint now = Clock::now();
  std::uint64_t replies =
      connection.replies.on_octets({inbox_.get(), static_cast<std::size_t>(count)});
  replies = std::min(replies, connection.unanswered.size());  // unasked-for lines count for nothing
  connection.unanswered.pop(
      replies, [&](TimePoint at, std::uint64_t part) { result_.latency.add(now - at, part); });
  answered_ += replies;
  result_.ended = now;
}

void Generator::show_progress(TimePoint now) {
  fmt::print(stderr, "{:6.1f} s  sent {}  answered {} ({}/s)\n",
             std::chrono::duration<double>(now - result_.began).count(), result_.sent, answered_,
             answered_ - progress_answered_);
  progress_answered_ = answered_;
  next_progress_ += std::chrono::seconds(1);
}

}  // namespace

LoadResult run_load(const LoadSettings& settings) {
  return Generator(settings).run();
}

}  // namespace stentor::load
