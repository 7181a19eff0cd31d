#include "bench/load/status_probe.h"

#include <simdjson.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "bench/load/unix_socket.h"

namespace stentor::load {
namespace {

using std::chrono::steady_clock;

constexpr timeval kAnswerWithin{.tv_sec = 10, .tv_usec = 0};

std::uint64_t number_at(const simdjson::dom::object& object, const char* pointer) {
  std::uint64_t value = 0;
  return object.at_pointer(pointer).get(value) == simdjson::SUCCESS ? value : 0;
}

DaemonStatus status_of(const std::string& line) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(line).get(object) != simdjson::SUCCESS ||
      object["live"].error() != simdjson::SUCCESS) {
    throw std::runtime_error("status: not an answer that can be read: " + line.substr(0, 200));
  }
  DaemonStatus status{.accepted = number_at(object, "/accepted"),
                      .sent = number_at(object, "/sent"),
                      .delivered = number_at(object, "/delivered"),
                      .live = number_at(object, "/live"),
                      .commits = number_at(object, "/journal/commits"),
                      .journal_octets = number_at(object, "/journal/octets")};
  for (const char* const verdict :
       {"/delivered", "/sent_final", "/failed", "/expired", "/cancelled", "/unknown"}) {
    status.finished += number_at(object, verdict);
  }
  simdjson::dom::array carriers;
  if (object["carriers"].get(carriers) == simdjson::SUCCESS) {
    for (const simdjson::dom::element carrier : carriers) {
      std::uint64_t bound = 0;
      if (carrier["bound"].get(bound) == simdjson::SUCCESS) status.bound += bound;
    }
  }
  return status;
}

}  // namespace

StatusProbe::StatusProbe(const std::string& socket) : socket_(connect_to(socket)) {
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &kAnswerWithin, sizeof kAnswerWithin);
}

StatusProbe::~StatusProbe() {
  ::close(socket_);
}

DaemonStatus StatusProbe::ask() {
  constexpr std::string_view kRequest = "{\"op\":\"status\"}\n";
  if (::send(socket_, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(kRequest.size())) {
    throw std::system_error(errno, std::generic_category(), "status");
  }
  for (;;) {
    if (const std::size_t end = pending_.find('\n'); end != std::string::npos) {
      const std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return status_of(line);
    }
    std::array<char, 16384> octets;
    const ssize_t count = ::recv(socket_, octets.data(), octets.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw std::runtime_error("status: the daemon does not answer");
    pending_.append(octets.data(), static_cast<std::size_t>(count));
  }
}

DaemonFollower::DaemonFollower(const std::string& socket, std::chrono::milliseconds every)
    : probe_(socket), every_(every) {
  sight_.status = probe_.ask();
  sight_.sent_changed = sight_.finished_changed = second_began_ = steady_clock::now();
  finished_then_ = sight_.status.finished;
  thread_ = std::jthread([this](const std::stop_token& stop) { follow(stop); });
}

DaemonFollower::~DaemonFollower() = default;

DaemonFollower::Sight DaemonFollower::sight() {
  const std::scoped_lock guard(lock_);
  return sight_;
}

bool DaemonFollower::wait_until_finished(std::uint64_t accepted, std::chrono::seconds patience) {
  std::unique_lock guard(lock_);
  const auto is_finished = [&] {
    return sight_.status.accepted >= accepted && sight_.status.live == 0;
  };
  auto moved = steady_clock::now();
  std::uint64_t seen = 0;
  while (!is_finished()) {
    changed_.wait_for(guard, every_);
    if (!sight_.failure.empty()) return false;
    const DaemonStatus& status = sight_.status;
    const std::uint64_t progress = status.accepted + status.sent + status.finished;
    if (progress != seen) {
      seen = progress;
      moved = steady_clock::now();
    }
    if (steady_clock::now() - moved > patience) return false;
  }
  return true;
}

void DaemonFollower::note_second(std::uint64_t finished, TimePoint now) {
  const std::chrono::duration<double> passed = now - second_began_;
  if (passed < std::chrono::seconds(1)) return;
  const double rate = static_cast<double>(finished - finished_then_) / passed.count();
  sight_.finished_at_most = std::max(sight_.finished_at_most, rate);
  second_began_ = now;
  finished_then_ = finished;
}

void DaemonFollower::follow(const std::stop_token& stop) {
  std::unique_lock guard(lock_);
  while (!stop.stop_requested()) {
    guard.unlock();
    DaemonStatus status;
    std::string failure;
    try {
      status = probe_.ask();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    const auto now = steady_clock::now();
    guard.lock();
    if (!failure.empty()) {
      sight_.failure = failure;
      changed_.notify_all();
      return;
    }
    if (status.sent != sight_.status.sent) sight_.sent_changed = now;
    if (status.finished != sight_.status.finished) sight_.finished_changed = now;
    note_second(status.finished, now);
    sight_.status = status;
    changed_.notify_all();
    changed_.wait_for(guard, stop, every_, [] { return false; });
  }
}

}  // namespace stentor::load
