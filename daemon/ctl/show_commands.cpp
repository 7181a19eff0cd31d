// `status` and `message`: one question, one answer laid out.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "daemon/ctl/commands.h"
#include "daemon/ctl/connection.h"
#include "daemon/ctl/event_shown.h"
#include "daemon/ctl/json_line.h"
#include "daemon/ctl/shown.h"
#include "daemon/ctl/status.h"

namespace stentor::ctl {
namespace {

using Side = Columns::Side;

Columns carrier_table(const Status& status) {
  Columns table({Side::left, Side::left, Side::right, Side::right, Side::right, Side::right,
                 Side::right, Side::right, Side::right, Side::right, Side::right, Side::right,
                 Side::right, Side::left});
  table.add({"carrier", "state", "binds", "in flight", "waiting", "oldest", "segments sent",
             "receipts due", "delivered", "failed", "throttled", "unmatched", "last error"});
  for (const CarrierStatus& each : status.carriers) {
    table.add({printable(each.name), printable(each.state),
               fmt::format("{}/{}", each.bound, each.binds), grouped(each.in_flight),
               grouped(each.waiting), seconds_shown(each.oldest_seconds),
               grouped(each.segments_sent), grouped(each.outstanding), grouped(each.delivered),
               grouped(each.failed), grouped(each.throttled), grouped(each.unmatched_receipts),
               printable(each.last_error)});
  }
  return table;
}

void print_status(const Status& status, std::ostream& out) {
  out << fmt::format("stentord {}, up {}, {} clients, memory {}\n", printable(status.version),
                     seconds_shown(status.uptime_seconds), grouped(status.clients),
                     octets_shown(status.memory_octets));
  Columns counts({Side::left, Side::right});
  const std::array<std::pair<std::string_view, std::int64_t>, 11> rows{{
      {"accepted", status.accepted},
      {"duplicates", status.duplicates},
      {"sent", status.sent},
      {"delivered", status.delivered},
      {"failed", status.failed},
      {"expired", status.expired},
      {"cancelled", status.cancelled},
      {"unknown", status.unknown},
      {"sent, no receipt due", status.sent_final},
      {"live", status.live},
      {"waiting", status.waiting},
  }};
  for (const auto& [name, count] : rows) counts.add({std::string(name), grouped(count)});
  print(counts, out);
  out << fmt::format("journal: {} commits, {} written, {} in {} files on disk, {} free\n",
                     grouped(status.commits), octets_shown(status.journal_octets),
                     octets_shown(status.journal_octets_on_disk), grouped(status.journal_files),
                     octets_shown(status.free_octets));
  print(carrier_table(status), out);
}

// Fields in the daemon's order; what is a list of steps goes below, a line each.
void print_message(const JsonValue& message, std::ostream& out) {
  const auto* fields = message.as_object();
  if (fields == nullptr) return;
  Columns columns({Side::left, Side::left});
  for (const auto& [key, value] : *fields) {
    const bool is_list = value.as_array() != nullptr && !value.as_array()->empty() &&
                         value.as_array()->front().as_object() != nullptr;
    if (key == "status" || is_list) continue;
    columns.add({printable(key), printable(value.shown())});
  }
  print(columns, out);

  for (const auto& [key, value] : *fields) {
    const auto* steps = value.as_array();
    if (steps == nullptr || key == "messages") continue;
    for (const JsonValue& step : *steps) {
      const auto* step_fields = step.as_object();
      if (step_fields == nullptr) continue;
      std::string line = printable(step.text("time", "-"));
      for (const auto& [name, field] : *step_fields) {
        if (name == "time") continue;
        // What happened needs no name before it; the rest does.
        const bool bare = name == "what" || name == "type";
        line += bare ? fmt::format("  {:<13}", printable(field.shown()))
                     : fmt::format("  {}={}", printable(name), printable(field.shown()));
      }
      line.erase(line.find_last_not_of(' ') + 1);
      out << line << '\n';
    }
  }
}

}  // namespace

result<Exit> status(const Target& target, const Surroundings& around) {
  auto connection = Connection::open(target.socket, target.patience);
  if (!connection) return std::unexpected(std::move(connection.error()));
  if (auto written = connection->write("{\"op\":\"status\"}\n"); !written) {
    return std::unexpected(std::move(written.error()));
  }
  const auto line = connection->read_reply();
  if (!line) return std::unexpected(line.error());
  const auto reply = JsonValue::parse(*line);
  if (target.json) *around.out << *line << '\n';
  if (!reply || reply->text("status") != "ok") {
    return failed(Exit::refused,
                  fmt::format("status: {}", error_shown(reply ? *reply : JsonValue())));
  }
  if (!target.json) print_status(status_from(*reply), *around.out);
  return Exit::ok;
}

result<Exit> message(const Target& target, const MessageOptions& options,
                     const Surroundings& around) {
  auto connection = Connection::open(target.socket, target.patience);
  if (!connection) return std::unexpected(std::move(connection.error()));
  const std::string request = JsonLine()
                                  .add("op", "message")
                                  .add_given("id", options.id)
                                  .add_given("ref", options.ref)
                                  .add_given("to", options.to)
                                  .add_given("carrier_id", options.carrier_id)
                                  .line();
  if (auto written = connection->write(request); !written) {
    return std::unexpected(std::move(written.error()));
  }
  // One answer, or a line for each message found and then the one with a status.
  for (bool first = true;; first = false) {
    const auto line = connection->read_reply();
    if (!line) return std::unexpected(line.error());
    const auto reply = JsonValue::parse(*line);
    if (!reply) return failed(Exit::unreachable, "an answer that is not JSON: not stentord?");
    if (target.json) *around.out << *line << '\n';
    const std::string status = reply->text("status");
    if (!status.empty() && status != "ok") {
      return failed(Exit::refused, fmt::format("message: {}", error_shown(*reply)));
    }
    const bool is_end_of_lines = reply->flag("done");
    if (!target.json && !is_end_of_lines) {
      const JsonValue::Array& several = reply->array("messages");
      if (several.empty()) {
        if (!first) *around.out << '\n';
        print_message(*reply, *around.out);
      }
      for (std::size_t i = 0; const JsonValue& each : several) {
        if (i++ > 0) *around.out << '\n';
        print_message(each, *around.out);
      }
    }
    if (!status.empty()) return Exit::ok;
  }
}

}  // namespace stentor::ctl
