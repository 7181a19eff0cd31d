#include "daemon/ctl/outcome_watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "daemon/ctl/event_shown.h"
#include "daemon/ctl/json_line.h"

namespace stentor::ctl {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

result<OutcomeWatch> OutcomeWatch::subscribe(const std::string& socket, milliseconds patience,
                                             bool sent_is_final) {
  auto connection = Connection::open(socket, patience);
  if (!connection) return std::unexpected(std::move(connection.error()));

  // A name of its own: two of us at once must not take the stream from one another.
  const std::string consumer = fmt::format("stentorctl-wait-{}-{}", ::getpid(),
                                           steady_clock::now().time_since_epoch().count());
  const std::array<std::string, 6> types{"sent",    "delivered", "failed",
                                         "expired", "cancelled", "unknown"};
  const std::string request =
      JsonLine().add("op", "events").add("consumer", consumer).add("types", types).line();
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
  return OutcomeWatch(*std::move(connection), sent_is_final);
}

result<void> OutcomeWatch::wait(std::optional<milliseconds> within, const OnOutcome& on_outcome) {
  const auto deadline = steady_clock::now() + within.value_or(milliseconds(0));
  while (!expected_.empty()) {
    std::optional<milliseconds> patience;
    if (within) {
      // Zero would mean for ever.
      patience = std::max(milliseconds(1),
                          std::chrono::ceil<milliseconds>(deadline - steady_clock::now()));
    }
    auto line = connection_.read_line(patience);
    if (within && steady_clock::now() >= deadline) {
      return failed(Exit::refused,
                    fmt::format("{} of the messages had no final event within {:g} s",
                                expected_.size(), std::chrono::duration<double>(*within).count()));
    }
    if (!line) return std::unexpected(std::move(line.error()));
    if (!*line) {
      return failed(Exit::unreachable, "stentord closed the event stream; the messages are safe");
    }
    const auto event = JsonValue::parse(**line);
    if (!event) continue;
    const std::string type = event->text("type");
    if (!is_final(type) && !(sent_is_final_ && type == "sent")) continue;
    if (expected_.erase(event->text("id")) != 0) on_outcome(**line, *event);
  }
  return {};
}

}  // namespace stentor::ctl
