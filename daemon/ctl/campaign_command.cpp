// `campaign`: what a batch of messages stands at, and orders for what waits of it.
#include <fmt/format.h>

#include <ostream>

#include "daemon/ctl/commands.h"
#include "daemon/ctl/connection.h"
#include "daemon/ctl/event_shown.h"
#include "daemon/ctl/json_line.h"
#include "daemon/ctl/json_value.h"
#include "daemon/ctl/shown.h"

namespace stentor::ctl {
namespace {

using Side = Columns::Side;

Columns campaign_table() {
  Columns table({Side::left, Side::left, Side::left, Side::right, Side::right, Side::right,
                 Side::right, Side::right, Side::right, Side::right, Side::right});
  table.add({"campaign", "client", "state", "accepted", "waiting", "sent", "delivered", "failed",
             "expired", "cancelled", "rate"});
  return table;
}

void add_row(const JsonValue& campaign, Columns& table) {
  table.add({printable(campaign.text("name")), printable(campaign.text("client")),
             printable(campaign.text("state")), grouped(campaign.number("accepted")),
             grouped(campaign.number("waiting")), grouped(campaign.number("sent")),
             grouped(campaign.number("delivered")), grouped(campaign.number("failed")),
             grouped(campaign.number("expired")), grouped(campaign.number("cancelled")),
             fmt::format("{:.1f}", campaign.fraction("rate"))});
}

// A line as it came when it is one of many: what failed, for a report.
void print_line(const JsonValue& line, std::ostream& out) {
  const auto* fields = line.as_object();
  if (fields == nullptr) return;
  std::string text;
  for (const auto& [key, value] : *fields) {
    if (!text.empty()) text += "  ";
    text += fmt::format("{}={}", printable(key), printable(value.shown()));
  }
  out << text << '\n';
}

void print_campaign(const JsonValue& campaign, std::ostream& out) {
  print(members_shown(campaign), out);
  for (const JsonValue& carrier : campaign.array("carriers")) print_line(carrier, out);
}

}  // namespace

result<Exit> campaign(const Target& target, const CampaignOptions& options,
                      const Surroundings& around) {
  auto connection = Connection::open(target.socket, target.patience);
  if (!connection) return std::unexpected(std::move(connection.error()));
  JsonLine request;
  request.add("op", "campaign").add("action", options.action).add_given("name", options.name);
  request.add_given("client", options.client).add_given("carrier", options.carrier);
  if (options.weight) request.add("weight", *options.weight);
  if (options.rate) request.add("rate", *options.rate);
  if (auto written = connection->write(request.line()); !written) {
    return std::unexpected(std::move(written.error()));
  }
  Columns table = campaign_table();
  while (true) {
    const auto line = options.action == "wait" ? connection->read_line(std::chrono::milliseconds(0))
                                               : connection->read_line();
    if (!line) return std::unexpected(line.error());
    if (!*line) return failed(Exit::unreachable, "the daemon closed the connection");
    const auto reply = JsonValue::parse(**line);
    if (!reply) return failed(Exit::unreachable, "an answer that is not JSON: not stentord?");
    if (target.json) *around.out << **line << '\n';
    const std::string status = reply->text("status");
    if (!status.empty() && status != "ok") {
      return failed(Exit::refused, fmt::format("campaign: {}", error_shown(*reply)));
    }
    if (target.json) {
      if (status.empty()) continue;
      return Exit::ok;
    }
    if (status.empty()) {
      if (options.action == "list") {
        add_row(*reply, table);
      } else {
        print_line(*reply, *around.out);
      }
      continue;
    }
    if (options.action == "list") print(table, *around.out);
    if (!reply->flag("done")) print_campaign(*reply, *around.out);
    return Exit::ok;
  }
}

}  // namespace stentor::ctl
