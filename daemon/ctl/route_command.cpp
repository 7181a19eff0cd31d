// `route`: which way a message would go, each carrier with its reason.
#include <fmt/format.h>

#include <ostream>

#include "daemon/ctl/commands.h"
#include "daemon/ctl/connection.h"
#include "daemon/ctl/event_shown.h"
#include "daemon/ctl/json_line.h"
#include "daemon/ctl/shown.h"

namespace stentor::ctl {
namespace {

using Side = Columns::Side;

// "79161234567 1/1", and what was rewritten.
std::string address_shown(const JsonValue& address) {
  if (address.as_object() == nullptr) return "-";
  std::string shown = fmt::format("{} {}/{}", printable(address.text("address")),
                                  address.number("ton"), address.number("npi"));
  const std::string rewritten = address.text("rewritten");
  if (!rewritten.empty()) shown += fmt::format(" ({}… rewritten)", printable(rewritten));
  return shown;
}

void print_route(const JsonValue& reply, std::ostream& out) {
  const auto number = reply.number("route");
  out << fmt::format(
      "{} goes to {}: {}{}\n", printable(reply.text("to")), printable(reply.text("carrier")),
      number > 0 ? fmt::format("route {}, ", number) : std::string(), printable(reply.text("why")));
  Columns table(
      {Side::left, Side::left, Side::right, Side::left, Side::left, Side::left, Side::left});
  table.add({"", "carrier", "weight", "health", "destination", "source", "reason"});
  for (const JsonValue& each : reply.array("candidates")) {
    table.add({each.flag("chosen") ? "*" : "", printable(each.text("carrier")),
               each.find("weight") == nullptr ? "-" : grouped(each.number("weight")),
               printable(each.text("health")), address_shown(each.object("destination")),
               address_shown(each.object("source")), printable(each.text("reason"))});
  }
  print(table, out);
}

}  // namespace

result<Exit> route(const Target& target, const RouteOptions& options, const Surroundings& around) {
  auto connection = Connection::open(target.socket, target.patience);
  if (!connection) return std::unexpected(std::move(connection.error()));
  JsonLine request;
  request.add("op", "route")
      .add("to", options.to)
      .add_given("from", options.from)
      .add_given("campaign", options.campaign)
      .add_given("carrier", options.carrier);
  if (options.is_short) request.add("kind", "short");
  if (auto written = connection->write(request.line()); !written) {
    return std::unexpected(std::move(written.error()));
  }
  const auto line = connection->read_reply();
  if (!line) return std::unexpected(line.error());
  const auto reply = JsonValue::parse(*line);
  if (target.json) *around.out << *line << '\n';
  if (!reply || reply->text("status") != "ok") {
    return failed(Exit::refused,
                  fmt::format("route: {}", error_shown(reply ? *reply : JsonValue())));
  }
  if (!target.json) print_route(*reply, *around.out);
  return Exit::ok;
}

}  // namespace stentor::ctl
