#include <fmt/format.h>

#include <ostream>

#include "daemon/ctl/commands.h"
#include "daemon/ctl/connection.h"
#include "daemon/ctl/event_shown.h"
#include "daemon/ctl/json_line.h"

namespace stentor::ctl {
namespace {

std::string request_of(const EventsOptions& options) {
  JsonLine line;
  line.add("op", "events").add("consumer", options.consumer).add_given("from", options.from);
  line.add_given("campaign", options.campaign);
  if (!options.types.empty()) line.add("types", options.types);
  return line.line();
}

// Acknowledges in batches: when nothing more has come, or after so many events.
class Acknowledger {
 public:
  static constexpr int kEventsMax = 1000;

  Acknowledger(Connection& connection, std::ostream& out, bool wanted)
      : connection_(&connection), out_(&out), wanted_(wanted) {}

  result<void> printed(std::string cursor, bool more_has_come) {
    if (!cursor.empty()) cursor_ = std::move(cursor);
    if (more_has_come && ++events_ < kEventsMax) return {};
    return acknowledge();
  }

  result<void> acknowledge() {
    events_ = 0;
    // What did not reach its reader is not acknowledged: the next run gets it again.
    out_->flush();
    if (!*out_) return failed(Exit::refused, "cannot write the events out; nothing is lost");
    if (!wanted_ || cursor_.empty()) return {};
    auto written = connection_->write(JsonLine().add("op", "ack").add("cursor", cursor_).line());
    cursor_.clear();
    return written;
  }

 private:
  Connection* connection_;
  std::ostream* out_;
  bool wanted_;
  std::string cursor_;
  int events_ = 0;
};

}  // namespace

result<Exit> events(const Target& target, const EventsOptions& options,
                    const Surroundings& around) {
  auto connection = Connection::open(target.socket, target.patience);
  if (!connection) return std::unexpected(std::move(connection.error()));
  if (auto written = connection->write(request_of(options)); !written) {
    return std::unexpected(std::move(written.error()));
  }
  const auto opening = connection->read_reply();
  if (!opening) return std::unexpected(opening.error());
  const auto opened = JsonValue::parse(*opening);
  if (!opened || opened->text("status") != "ok") {
    return failed(Exit::refused,
                  fmt::format("events: {}", error_shown(opened ? *opened : JsonValue())));
  }

  Acknowledger acknowledger(*connection, *around.out, options.acknowledge);
  for (std::uint64_t count = 0; options.count == 0 || count < options.count;) {
    const auto read = connection->read_line();
    if (!read) return std::unexpected(read.error());
    const std::optional<std::string>& line = *read;
    if (!line) return failed(Exit::unreachable, "stentord closed the event stream");
    const auto event = JsonValue::parse(*line);
    if (!event) continue;

    const std::string type = event->text("type");
    if (type == "idle") continue;  // a sign of life every 30 s, which the patience waits for
    if (type == "replaced") {
      return failed(Exit::refused,
                    fmt::format("another connection reads as consumer {} now", options.consumer));
    }
    if (event->find("error") != nullptr) {
      return failed(Exit::refused, fmt::format("events: {}", error_shown(*event)));
    }
    *around.out << (target.json ? *line : event_shown(*event)) << '\n';
    ++count;
    const bool is_last = count == options.count;
    if (auto done = acknowledger.printed(event->text("cursor"), connection->has_line() && !is_last);
        !done) {
      return std::unexpected(std::move(done.error()));
    }
  }
  return Exit::ok;
}

}  // namespace stentor::ctl
