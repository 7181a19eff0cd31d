// `carrier`: the binds of carriers, looked at, suspended and resumed; what waits, cancelled.
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "daemon/ctl/commands.h"
#include "daemon/ctl/connection.h"
#include "daemon/ctl/event_shown.h"
#include "daemon/ctl/json_line.h"
#include "daemon/ctl/shown.h"

namespace stentor::ctl {
namespace {

using Side = Columns::Side;

std::vector<std::string> list_heading() {
  return {"carrier", "state", "binds", "in flight", "waiting", "oldest", "rate", "last error"};
}

// "400", "280 of 400", "any": what throttling has left of the configured rate.
std::string rate_of(const JsonValue& carrier) {
  const auto configured = carrier.number("rate");
  const auto current = carrier.number("rate_current");
  if (current == configured) return configured == 0 ? "any" : grouped(configured);
  return fmt::format("{} of {}", grouped(current), configured == 0 ? "any" : grouped(configured));
}

std::vector<std::string> list_row(const JsonValue& carrier) {
  return {printable(carrier.text("name")),
          printable(carrier.text("state")),
          fmt::format("{}/{}", carrier.number("bound"), carrier.number("binds")),
          grouped(carrier.number("in_flight")),
          grouped(carrier.number("waiting")),
          seconds_shown(carrier.fraction("oldest_seconds")),
          rate_of(carrier),
          printable(carrier.text("last_error"))};
}

// "2026-…Z  bind 0  out  submit_sm  sequence=5 …"
void print_pdu(const JsonValue& pdu, std::ostream& out) {
  const auto* fields = pdu.as_object();
  if (fields == nullptr) return;
  // An outbind comes before there is a bind.
  const bool has_bind =
      std::ranges::any_of(*fields, [](const auto& field) { return field.first == "bind"; });
  const std::string bind = has_bind ? grouped(pdu.number("bind")) : "-";
  std::string line = fmt::format("{}  bind {}  {:<3}  {}", printable(pdu.text("time")), bind,
                                 printable(pdu.text("way")), printable(pdu.text("command")));
  for (const auto& [key, value] : *fields) {
    if (key == "time" || key == "bind" || key == "way" || key == "command") continue;
    line += fmt::format("  {}={}", printable(key), printable(value.shown()));
  }
  out << line << '\n';
}

void print_shown(const JsonValue& carrier, std::ostream& out) {
  print(members_shown(carrier), out);
  Columns binds({Side::right, Side::left, Side::left, Side::left, Side::left, Side::right,
                 Side::right, Side::right});
  binds.add({"bind", "type", "state", "since", "host", "in flight", "connects", "losses"});
  for (const JsonValue& bind : carrier.array("bind_list")) {
    binds.add({grouped(bind.number("bind")), printable(bind.text("type")),
               printable(bind.text("state")), printable(bind.text("since", "-")),
               printable(bind.text("host")), grouped(bind.number("in_flight")),
               grouped(bind.number("connects")), grouped(bind.number("losses"))});
  }
  out << '\n';
  print(binds, out);
  for (const JsonValue& bind : carrier.array("bind_list")) {
    for (const JsonValue& error : bind.array("last_errors")) {
      out << fmt::format("{}  bind {}  {}\n", printable(error.text("time")), bind.number("bind"),
                         printable(error.text("what")));
    }
  }
}

void print_orphans(const JsonValue& carrier, std::ostream& out) {
  if (!carrier.text("until").empty()) {
    out << fmt::format(
        "{} tried again, {} matched; ids are read as \"{}\" until the next start: to keep that, "
        "set "
        "message_id in the configuration\n",
        grouped(carrier.number("tried")), grouped(carrier.number("matched")),
        printable(carrier.text("message_id")));
  }
  out << fmt::format("{}: {} receipts without a segment\n{}\n", printable(carrier.text("name")),
                     grouped(carrier.number("kept")), printable(carrier.text("evidence")));
  if (const auto unread = carrier.number("unread"); unread > 0) {
    out << fmt::format("{} of them wait until their message's record can be read\n",
                       grouped(unread));
  }
  const std::string suggested = carrier.text("suggested");
  if (!suggested.empty() && suggested != carrier.text("message_id")) {
    out << fmt::format("ids are read as message_id = \"{}\"; try \"{}\"\n",
                       printable(carrier.text("message_id")), printable(suggested));
  }
  const auto& orphans = carrier.array("orphans");
  if (orphans.empty()) return;
  Columns columns({Side::left, Side::left, Side::left, Side::left});
  columns.add({"time", "carrier's id", "stat", "err"});
  for (const JsonValue& orphan : orphans) {
    columns.add({printable(orphan.text("time", "-")), printable(orphan.text("carrier_id")),
                 printable(orphan.text("stat", orphan.text("state"))),
                 printable(orphan.text("err", "-"))});
  }
  out << '\n';
  print(columns, out);
}

void print_doubts(const JsonValue& carrier, std::ostream& out) {
  out << fmt::format("{}: {} messages in doubt\n", printable(carrier.text("name")),
                     grouped(carrier.number("in_doubt")));
  const auto& doubts = carrier.array("doubts");
  if (doubts.empty()) return;
  Columns columns({Side::left, Side::left, Side::left, Side::left, Side::left, Side::left});
  columns.add({"id", "client", "to", "since", "until", "then"});
  for (const JsonValue& doubt : doubts) {
    columns.add({printable(doubt.text("id")), printable(doubt.text("client")),
                 printable(doubt.text("to")), printable(doubt.text("since")),
                 printable(doubt.text("until", "-")), printable(doubt.text("then"))});
  }
  out << '\n';
  print(columns, out);
}

}  // namespace

result<Exit> carrier(const Target& target, const CarrierOptions& options,
                     const Surroundings& around) {
  const bool is_trace = options.action == "trace";
  auto patience = target.patience;
  // The answer comes when the time is over.
  if (is_trace && patience.count() != 0) patience += std::chrono::seconds(options.seconds);
  auto connection = Connection::open(target.socket, patience);
  if (!connection) return std::unexpected(std::move(connection.error()));
  JsonLine request;
  request.add("op", "carrier").add("action", options.action).add_given("name", options.name);
  if (options.action == "orphans") request.add_given("message_id", options.rematch);
  if (is_trace) {
    request.add("seconds", options.seconds).add("lines", options.lines);
    if (options.clear) request.add_json("clear", "true");
  }
  if (auto written = connection->write(request.line()); !written) {
    return std::unexpected(std::move(written.error()));
  }
  Columns list({Side::left, Side::left, Side::right, Side::right, Side::right, Side::right,
                Side::right, Side::left});
  list.add(list_heading());
  // Lines without a status, then one with it.
  while (true) {
    const auto line = connection->read_reply();
    if (!line) return std::unexpected(line.error());
    const auto reply = JsonValue::parse(*line);
    if (!reply) return failed(Exit::unreachable, "an answer that is not JSON: not stentord?");
    if (target.json) *around.out << *line << '\n';
    const std::string status = reply->text("status");
    if (!status.empty() && status != "ok") {
      return failed(Exit::refused, fmt::format("carrier: {}", error_shown(*reply)));
    }
    if (status.empty()) {
      if (!is_trace) {
        list.add(list_row(*reply));
      } else if (!target.json) {
        print_pdu(*reply, *around.out);
      }
      continue;
    }
    if (!target.json) {
      if (is_trace) return Exit::ok;
      if (reply->flag("done")) {
        print(list, *around.out);
      } else if (options.action == "orphans") {
        print_orphans(*reply, *around.out);
      } else if (options.action == "doubts") {
        print_doubts(*reply, *around.out);
      } else if (options.action == "show") {
        print_shown(*reply, *around.out);
      } else if (options.action == "cancel") {
        *around.out << fmt::format(
            "{}: {} messages are cancelled; {} are under way\n", printable(reply->text("name")),
            grouped(reply->number("cancelling")), grouped(reply->number("under_way")));
      } else {
        *around.out << fmt::format("{} is {}; {} messages wait\n", printable(reply->text("name")),
                                   reply->flag("suspended") ? "suspended" : "at work",
                                   grouped(reply->number("waiting")));
      }
    }
    return Exit::ok;
  }
}

}  // namespace stentor::ctl
