// `callbacks`: how the posting of events fares, and what was given up.
#include <fmt/format.h>

#include <ostream>

#include "daemon/ctl/commands.h"
#include "daemon/ctl/connection.h"
#include "daemon/ctl/json_value.h"
#include "daemon/ctl/shown.h"

namespace stentor::ctl {
namespace {

using Side = Columns::Side;

}  // namespace

result<Exit> callbacks(const Target& target, const Surroundings& around) {
  auto connection = Connection::open(target.socket, target.patience);
  if (!connection) return std::unexpected(connection.error());
  if (auto sent = connection->write("{\"op\":\"callbacks\"}\n"); !sent) {
    return std::unexpected(sent.error());
  }
  const auto answer = connection->read_reply();
  if (!answer) return std::unexpected(answer.error());
  const auto reply = JsonValue::parse(*answer);
  if (!reply) return failed(Exit::unreachable, "the daemon's answer is not JSON");
  if (target.json) *around.out << *answer << '\n';
  if (reply->text("status") != "ok") {
    const JsonValue& error = reply->object("error");
    return failed(Exit::refused, fmt::format("{}: {}", printable(error.text("code")),
                                             printable(error.text("detail"))));
  }
  if (target.json) return Exit::ok;
  Columns table({Side::left, Side::left, Side::right, Side::right, Side::right, Side::right,
                 Side::right, Side::left});
  table.add(
      {"client", "target", "posted", "waiting", "failures", "given up", "unread", "last error"});
  for (const JsonValue& each : reply->array("targets")) {
    table.add({printable(each.text("client")), printable(each.text("target")),
               grouped(each.number("posted")), grouped(each.number("waiting")),
               grouped(each.number("failed_requests")), grouped(each.number("dead")),
               grouped(each.number("unread")), printable(each.text("last_error"))});
  }
  print(table, *around.out);
  for (const JsonValue& each : reply->array("dead")) {
    *around.out << fmt::format("{} given up: {} {} {}: {}\n", each.text("time"),
                               printable(each.text("client")), printable(each.text("target")),
                               each.text("cursor"), printable(each.text("reason")));
  }
  return Exit::ok;
}

}  // namespace stentor::ctl
