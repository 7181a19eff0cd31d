#include "bench/load/event_consumer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "bench/load/unix_socket.h"

namespace stentor::load {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kInboxOctets = 256 << 10;

// The string value behind `name`, which is given with its quotes and colon.
std::string_view value_of(std::string_view line, std::string_view name) {
  const void* const at = ::memmem(line.data(), line.size(), name.data(), name.size());
  if (at == nullptr) return {};
  const auto begin = static_cast<std::size_t>(static_cast<const char*>(at) - line.data());
  const std::string_view value = line.substr(begin + name.size());
  return value.substr(0, value.find('"'));
}

}  // namespace

EventConsumer::EventConsumer(const std::string& socket, std::string_view name, From from)
    : socket_(connect_to(socket)) {
  const std::string request = R"({"op":"events","consumer":")" + std::string(name) +
                              (from == From::oldest ? R"(","from":"oldest)" : "") + "\"}\n";
  std::array<char, 4096> octets;
  const bool is_sent = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) ==
                       static_cast<ssize_t>(request.size());
  const ssize_t count = is_sent ? ::recv(socket_, octets.data(), octets.size(), 0) : 0;
  const std::string_view answer(octets.data(), static_cast<std::size_t>(count > 0 ? count : 0));
  if (value_of(answer, R"("status":")") != "ok") {
    ::close(socket_);
    throw std::runtime_error("events: " + std::string(answer));
  }
  pending_ = answer.substr(answer.find('\n') + 1);
  thread_ = std::jthread([this] { read_all(); });
}

EventConsumer::~EventConsumer() {
  ::shutdown(socket_, SHUT_RDWR);
  thread_.join();
  ::close(socket_);
}

EventConsumer::Sight EventConsumer::sight() {
  const std::scoped_lock guard(lock_);
  return sight_;
}

bool EventConsumer::wait_for_finals(std::uint64_t finals, std::chrono::seconds patience) {
  std::uint64_t seen = 0;
  auto moved = steady_clock::now();
  for (;;) {
    const Sight now = sight();
    if (now.finals >= finals) return true;
    if (now.events != seen) {
      seen = now.events;
      moved = steady_clock::now();
    }
    if (now.has_ended || steady_clock::now() - moved > patience) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void EventConsumer::read_all() {
  std::string inbox(kInboxOctets, '\0');
  while (take_lines()) {
    const ssize_t count = ::recv(socket_, inbox.data(), inbox.size(), 0);
    if (count <= 0) break;
    pending_.append(inbox.data(), static_cast<std::size_t>(count));
  }
  const std::scoped_lock guard(lock_);
  sight_.has_ended = true;
}

// Counts the whole lines that are there and acknowledges the last: once for all that one read
// brought. False when the daemon is gone.
bool EventConsumer::take_lines() {
  Sight counted;
  std::size_t begin = 0;
  for (std::size_t end; (end = pending_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    on_line(std::string_view(pending_).substr(begin, end - begin), counted);
  }
  pending_.erase(0, begin);
  if (counted.events == 0) return true;
  {
    const std::scoped_lock guard(lock_);
    sight_.events += counted.events;
    sight_.delivered += counted.delivered;
    sight_.finals += counted.finals;
    if (counted.finals != 0) sight_.last_final = steady_clock::now();
  }
  if (cursor_.empty()) return true;
  const std::string ack = R"({"op":"ack","cursor":")" + cursor_ + "\"}\n";
  return ::send(socket_, ack.data(), ack.size(), MSG_NOSIGNAL) >= 0;
}

void EventConsumer::on_line(std::string_view line, Sight& counted) {
  const std::string_view type = value_of(line, R"("type":")");
  if (type.empty() || type == "idle") return;
  ++counted.events;
  if (type == "delivered") ++counted.delivered;
  if (type == "delivered" || type == "failed" || type == "expired" || type == "cancelled" ||
      type == "unknown") {
    ++counted.finals;
  }
  if (const std::string_view cursor = value_of(line, R"("cursor":")"); !cursor.empty()) {
    cursor_ = cursor;
  }
}

}  // namespace stentor::load
