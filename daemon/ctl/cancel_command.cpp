// `cancel`, `pause`, `resume` and `resolve`: one word on one message.
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

result<Exit> say(const Target& target, std::string_view what, const std::string& request,
                 const Surroundings& around) {
  auto connection = Connection::open(target.socket, target.patience);
  if (!connection) return std::unexpected(std::move(connection.error()));
  if (auto written = connection->write(request); !written) {
    return std::unexpected(std::move(written.error()));
  }
  const auto line = connection->read_reply();
  if (!line) return std::unexpected(line.error());
  const auto reply = JsonValue::parse(*line);
  if (target.json) *around.out << *line << '\n';
  if (!reply || reply->text("status") != "ok") {
    return failed(Exit::refused,
                  fmt::format("{}: {}", what, error_shown(reply ? *reply : JsonValue())));
  }
  if (!target.json) {
    // A pause and its end say nothing of the state.
    const std::string state = reply->text("state");
    const std::string_view pause = reply->flag("paused") ? "is paused" : "goes on";
    *around.out << printable(reply->text("id")) << ' '
                << (state.empty() ? std::string(pause) : fmt::format("is {}", printable(state)))
                << '\n';
  }
  return Exit::ok;
}

}  // namespace

result<Exit> cancel(const Target& target, const CancelOptions& options,
                    const Surroundings& around) {
  JsonLine request;
  request.add("op", "cancel").add_given("id", options.id).add_given("ref", options.ref);
  if (options.at_carrier) request.add_json("at_carrier", "true");
  return say(target, "cancel", request.line(), around);
}

result<Exit> pause(const Target& target, const PauseOptions& options, const Surroundings& around) {
  return say(target, options.op,
             JsonLine()
                 .add("op", options.op)
                 .add_given("id", options.id)
                 .add_given("ref", options.ref)
                 .line(),
             around);
}

result<Exit> resolve(const Target& target, const ResolveOptions& options,
                     const Surroundings& around) {
  return say(target, "resolve",
             JsonLine()
                 .add("op", "resolve")
                 .add_given("id", options.id)
                 .add_given("ref", options.ref)
                 .add("as", options.as)
                 .line(),
             around);
}

}  // namespace stentor::ctl
