#include <fmt/format.h>
#include <poll.h>

#include <optional>
#include <ostream>

#include "daemon/ctl/commands.h"
#include "daemon/ctl/connection.h"
#include "daemon/ctl/event_shown.h"
#include "daemon/ctl/live_screen.h"
#include "daemon/ctl/top_screen.h"

namespace stentor::ctl {
namespace {

result<Sample> ask(Connection& connection) {
  if (auto written = connection.write("{\"op\":\"status\"}\n"); !written) {
    return std::unexpected(std::move(written.error()));
  }
  const auto line = connection.read_reply();
  if (!line) return std::unexpected(line.error());
  const auto reply = JsonValue::parse(*line);
  if (!reply || reply->text("status") != "ok") {
    return failed(Exit::refused,
                  fmt::format("status: {}", error_shown(reply ? *reply : JsonValue())));
  }
  return Sample{.at = std::chrono::steady_clock::now(), .status = status_from(*reply)};
}

}  // namespace

result<Exit> top(const Target& target, const TopOptions& options, const Surroundings& around) {
  auto connection = Connection::open(target.socket, target.patience);
  if (!connection) return std::unexpected(std::move(connection.error()));
  auto before = ask(*connection);
  if (!before) return std::unexpected(std::move(before.error()));

  // One picture is for reading afterwards: it goes where the prompt is, not on another screen.
  const bool is_live = around.on_terminal && !target.json && options.count != 1;
  std::optional<LiveScreen> screen;
  if (is_live) {
    screen.emplace();
    screen->draw(top_screen(*before, *before));
  }
  for (std::uint64_t count = 0; options.count == 0 || count < options.count; ++count) {
    if (is_live) {
      if (!LiveScreen::rest(options.interval)) return Exit::ok;
    } else {
      ::poll(nullptr, 0, static_cast<int>(options.interval.count()));
    }
    auto now = ask(*connection);
    if (!now) return std::unexpected(std::move(now.error()));
    if (is_live) {
      screen->draw(top_screen(*before, *now));
    } else if (target.json) {
      *around.out << top_json(*before, *now) << '\n';
    } else if (options.count == 1) {
      for (const std::string& line : top_screen(*before, *now)) *around.out << line << '\n';
    } else {
      *around.out << top_line(*before, *now) << '\n';
    }
    around.out->flush();                // a picture is of now
    if (!*around.out) return Exit::ok;  // nobody reads any more
    before = std::move(now);
  }
  return Exit::ok;
}

}  // namespace stentor::ctl
