#include "daemon/ctl/outcome_watch.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#include "daemon/ctl/event_shown.h"
#include "daemon/ctl/json_line.h"

namespace stentor::ctl {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// So many may wait at once under one user; each name costs the daemon a place in its journal.
constexpr int kNamesMax = 64;

// What passed by is acknowledged now and then, so that the next to use the name need not read it.
constexpr int kEventsPerAck = 1000;

}  // namespace

std::optional<OutcomeWatch::Name> OutcomeWatch::Name::take() {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::nullopt;
  for (int number = 0; number < kNamesMax; ++number) {
    std::string text = fmt::format("stentorctl-wait-{}", number);
    const std::string taken = fmt::format("{}-of-uid-{}", text, ::geteuid());
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path + 1, taken.data(), taken.size());  // abstract: gone when we are
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + taken.size());
    if (::bind(fd, std::bit_cast<const sockaddr*>(&at), size) == 0)
      return Name(std::move(text), fd);
  }
  ::close(fd);
  return std::nullopt;
}

OutcomeWatch::Name::~Name() {
  if (fd_ >= 0) ::close(fd_);
}

result<OutcomeWatch> OutcomeWatch::subscribe(const std::string& socket, milliseconds patience,
                                             bool sent_is_final) {
  auto connection = Connection::open(socket, patience);
  if (!connection) return std::unexpected(std::move(connection.error()));

  auto name = Name::take();
  if (!name) {
    return failed(Exit::refused, fmt::format("cannot wait: {} others wait already", kNamesMax));
  }
  const std::array<std::string, 6> types{"sent",    "delivered", "failed",
                                         "expired", "cancelled", "unknown"};
  const std::string request =
      JsonLine().add("op", "events").add("consumer", name->text).add("types", types).line();
  if (auto written = connection->write(request); !written) {
    return std::unexpected(std::move(written.error()));
  }
  const auto line = connection->read_reply();
  if (!line) return std::unexpected(line.error());
  const auto reply = JsonValue::parse(*line);
  if (!reply || reply->text("status") != "ok") {
    return failed(Exit::refused,
                  fmt::format("cannot wait: {}", error_shown(reply ? *reply : JsonValue())));
  }
  return OutcomeWatch(*std::move(connection), *std::move(name), sent_is_final);
}

result<void> OutcomeWatch::acknowledge(const std::string& cursor) {
  if (cursor.empty()) return {};
  return connection_.write(JsonLine().add("op", "ack").add("cursor", cursor).line());
}

result<void> OutcomeWatch::wait(std::optional<milliseconds> within, const OnOutcome& on_outcome) {
  const auto deadline = steady_clock::now() + within.value_or(milliseconds(0));
  std::string cursor;
  for (int passed = 1; !expected_.empty(); ++passed) {
    if (passed % kEventsPerAck == 0) {
      if (auto written = acknowledge(cursor); !written) return written;
    }
    std::optional<milliseconds> patience;
    if (within) {
      // Zero would mean for ever.
      patience = std::max(milliseconds(1),
                          std::chrono::ceil<milliseconds>(deadline - steady_clock::now()));
    }
    auto read = connection_.read_line(patience);
    if (within && steady_clock::now() >= deadline) {
      return failed(Exit::refused,
                    fmt::format("{} of the messages had no final event within {:g} s",
                                expected_.size(), std::chrono::duration<double>(*within).count()));
    }
    if (!read) return std::unexpected(std::move(read.error()));
    const std::optional<std::string>& line = *read;
    if (!line) {
      return failed(Exit::unreachable, "stentord closed the event stream; the messages are safe");
    }
    const auto event = JsonValue::parse(*line);
    if (!event) continue;
    if (event->find("cursor") != nullptr) cursor = event->text("cursor");
    const std::string type = event->text("type");
    if (!is_final(type) && !(sent_is_final_ && type == "sent")) continue;
    if (expected_.erase(event->text("id")) != 0) on_outcome(*line, *event);
  }
  return acknowledge(cursor);
}

}  // namespace stentor::ctl
