#include "daemon/ctl/top_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/ctl/json_line.h"
#include "daemon/ctl/shown.h"

namespace stentor::ctl {
namespace {

using Side = Columns::Side;

void append(std::vector<std::string>& page, std::vector<std::string> lines) {
  for (std::string& line : lines) page.push_back(std::move(line));
}

// The carrier of the same name in the sample before; a new one is compared with itself.
CarrierStatus same_in(const Status& before, const CarrierStatus& carrier) {
  const auto found = std::ranges::find(before.carriers, carrier.name, &CarrierStatus::name);
  return found == before.carriers.end() ? carrier : *found;
}

std::string of(std::int64_t part, std::int64_t whole) {
  return fmt::format("{}/{}", grouped(part), grouped(whole));
}

// "20/s of 50/s" while throttling holds it down.
std::string limit(const CarrierStatus& carrier) {
  const bool held_down = carrier.rate_current != 0 && carrier.rate_current != carrier.rate;
  if (carrier.rate == 0) return held_down ? grouped(carrier.rate_current) + "/s" : "none";
  if (!held_down) return grouped(carrier.rate) + "/s";
  return fmt::format("{}/s of {}/s", grouped(carrier.rate_current), grouped(carrier.rate));
}

std::vector<std::string> totals(const Sample& before, const Sample& now) {
  const std::chrono::duration<double> between = now.at - before.at;
  Columns columns({Side::left, Side::right, Side::right});
  const auto row = [&](std::string_view name, std::int64_t was, std::int64_t is) {
    columns.add({std::string(name), grouped(is), rate_shown(per_second(was, is, between))});
  };
  const Status& was = before.status;
  const Status& is = now.status;
  row("accepted", was.accepted, is.accepted);
  row("sent", was.sent, is.sent);
  row("delivered", was.delivered, is.delivered);
  row("failed", was.failed, is.failed);
  const auto rarer = [&](std::string_view name, std::int64_t earlier, std::int64_t later) {
    if (later != 0) row(name, earlier, later);
  };
  rarer("expired", was.expired, is.expired);
  rarer("cancelled", was.cancelled, is.cancelled);
  rarer("unknown", was.unknown, is.unknown);
  rarer("sent, no receipt due", was.sent_final, is.sent_final);
  row("commits", was.commits, is.commits);
  return columns.lines();
}

std::vector<std::string> carriers(const Sample& before, const Sample& now) {
  const std::chrono::duration<double> between = now.at - before.at;
  Columns columns({Side::left, Side::left, Side::right, Side::right, Side::right, Side::left,
                   Side::right, Side::right, Side::right, Side::right, Side::right, Side::right,
                   Side::right, Side::right});
  // What matters most stands first: a terminal of 80 columns cuts the rest.
  columns.add({"carrier", "state", "binds", "in flight", "limit", "held by", "waiting", "oldest",
               "sent", "delivered", "throttled", "urgent", "normal", "bulk"});
  for (const CarrierStatus& is : now.status.carriers) {
    const CarrierStatus was = same_in(before.status, is);
    columns.add({printable(is.name), printable(is.state), of(is.bound, is.binds),
                 of(is.in_flight, is.window * is.bound), limit(is), printable(is.limited_by),
                 grouped(is.waiting), seconds_shown(is.oldest_seconds),
                 rate_shown(per_second(was.segments_sent, is.segments_sent, between)),
                 rate_shown(per_second(was.delivered, is.delivered, between)),
                 grouped(is.throttled), grouped(is.waiting_urgent), grouped(is.waiting_normal),
                 grouped(is.waiting_bulk)});
  }
  return columns.lines();
}

}  // namespace

double per_second(std::int64_t before, std::int64_t now, std::chrono::duration<double> between) {
  if (now <= before || between.count() <= 0) return 0;
  return static_cast<double>(now - before) / between.count();
}

std::vector<std::string> top_screen(const Sample& before, const Sample& now) {
  const Status& is = now.status;
  std::vector<std::string> page;
  page.push_back(fmt::format("stentord {}   up {}   clients {}   memory {}", printable(is.version),
                             seconds_shown(is.uptime_seconds), grouped(is.clients),
                             octets_shown(is.memory_octets)));
  page.push_back(fmt::format("live {}   waiting {}   oldest {}   journal {} in {} files",
                             grouped(is.live), grouped(is.waiting),
                             seconds_shown(is.oldest_seconds()),
                             octets_shown(is.journal_octets_on_disk), grouped(is.journal_files)));
  page.emplace_back();
  append(page, totals(before, now));
  page.emplace_back();
  append(page, carriers(before, now));
  for (const CarrierStatus& carrier : is.carriers) {
    // Of a limit of senders or prefixes the table has the word, here is which one.
    if (carrier.limited_by != "limit" || carrier.limit.empty()) continue;
    page.push_back(
        fmt::format("{}: limited by {}", printable(carrier.name), printable(carrier.limit)));
  }
  for (const CarrierStatus& carrier : is.carriers) {
    if (carrier.last_error.empty()) continue;
    page.push_back(fmt::format("{}: {}", printable(carrier.name), printable(carrier.last_error)));
  }
  return page;
}

std::string top_line(const Sample& before, const Sample& now) {
  const std::chrono::duration<double> between = now.at - before.at;
  const Status& was = before.status;
  const Status& is = now.status;
  std::string line =
      fmt::format("accepted {}  sent {}  delivered {}  failed {}  waiting {}  oldest {}  memory {}",
                  rate_shown(per_second(was.accepted, is.accepted, between)),
                  rate_shown(per_second(was.sent, is.sent, between)),
                  rate_shown(per_second(was.delivered, is.delivered, between)),
                  rate_shown(per_second(was.failed, is.failed, between)), grouped(is.waiting),
                  seconds_shown(is.oldest_seconds()), octets_shown(is.memory_octets));
  for (const CarrierStatus& carrier : is.carriers) {
    line += fmt::format("  {} {} {} in flight {}", printable(carrier.name),
                        printable(carrier.state), of(carrier.bound, carrier.binds),
                        of(carrier.in_flight, carrier.window * carrier.bound));
  }
  return line;
}

std::string top_json(const Sample& before, const Sample& now) {
  const std::chrono::duration<double> between = now.at - before.at;
  const Status& was = before.status;
  const Status& is = now.status;
  std::string carriers = "[";
  for (const CarrierStatus& carrier : is.carriers) {
    const CarrierStatus earlier = same_in(was, carrier);
    JsonLine each;
    each.add("name", carrier.name)
        .add("state", carrier.state)
        .add("binds", carrier.binds)
        .add("bound", carrier.bound)
        .add("window", carrier.window)
        .add("in_flight", carrier.in_flight)
        .add("waiting", carrier.waiting)
        .add("oldest_seconds", carrier.oldest_seconds)
        .add("segments_per_second",
             per_second(earlier.segments_sent, carrier.segments_sent, between))
        .add("delivered_per_second", per_second(earlier.delivered, carrier.delivered, between))
        .add("throttled", carrier.throttled)
        .add("rate", carrier.rate)
        .add("rate_current", carrier.rate_current)
        .add("limited_by", carrier.limited_by)
        .add_given("limit", carrier.limit);
    if (carriers.size() > 1) carriers.push_back(',');
    carriers.append(each.object());
  }
  carriers.push_back(']');
  JsonLine line;
  line.add("accepted_per_second", per_second(was.accepted, is.accepted, between))
      .add("sent_per_second", per_second(was.sent, is.sent, between))
      .add("delivered_per_second", per_second(was.delivered, is.delivered, between))
      .add("failed_per_second", per_second(was.failed, is.failed, between))
      .add("commits_per_second", per_second(was.commits, is.commits, between))
      .add("accepted", is.accepted)
      .add("sent", is.sent)
      .add("delivered", is.delivered)
      .add("failed", is.failed)
      .add("live", is.live)
      .add("waiting", is.waiting)
      .add("oldest_seconds", is.oldest_seconds())
      .add("memory_octets", is.memory_octets)
      .add_json("carriers", carriers);
  return line.object();
}

}  // namespace stentor::ctl
