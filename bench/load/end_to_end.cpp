#include "bench/load/end_to_end.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <stdexcept>

#include "bench/load/event_consumer.h"
#include "bench/load/machine.h"
#include "bench/load/metrics_page.h"
#include "bench/load/stage.h"
#include "bench/load/status_probe.h"

namespace stentor::load {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFollowEvery{20};
constexpr std::chrono::seconds kPatience{30};  // nothing moved for so long: something is stuck

double per_second(std::uint64_t count, std::chrono::nanoseconds passed) {
  const double seconds = std::chrono::duration<double>(passed).count();
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double per_million(double seconds, std::uint64_t messages) {
  return messages == 0 ? 0 : seconds * 1e6 / static_cast<double>(messages);
}

std::chrono::nanoseconds as_time(double seconds) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

void add_load(Report& report, const EndToEndSettings& settings, const LoadResult& result) {
  report.count("messages", result.accepted);
  report.count("connections", settings.load.connections);
  report.count("requests unanswered per connection, at most", settings.load.window);
  report.number("rate asked for, 0 is as fast as answers come", settings.load.rate, "/s");
  report.text("refs", settings.load.requests.has_refs ? "yes" : "no");
  report.number("accepted/s", per_second(result.accepted, result.ended - result.began), "");
  report.latency("ack latency p50", result.latency.quantile(0.5));
  report.latency("ack latency p99", result.latency.quantile(0.99));
  report.latency("ack latency p99.9", result.latency.quantile(0.999));
  report.latency("ack latency max", result.latency.max());
  for (const auto& [code, count] : result.rejected) report.count("rejected " + code, count);
  if (result.unanswered != 0) report.count("unanswered", result.unanswered);
}

void add_memory(Report& report, ChildProcess& daemon) {
  const auto mebibytes = [&](const char* name) {
    return static_cast<double>(memory_of(daemon.id(), name)) / (1 << 20);
  };
  report.number("peak memory of stentord (VmHWM)", mebibytes("VmHWM"), "MiB");
  report.number("memory of stentord now (VmRSS)", mebibytes("VmRSS"), "MiB");
}

void add_commits(Report& report, const DaemonStatus& before, const DaemonStatus& after) {
  const std::uint64_t commits = after.commits - before.commits;
  report.count("commits", commits);
  const std::uint64_t accepted = after.accepted - before.accepted;
  if (commits != 0) {
    report.number("messages accepted per commit",
                  static_cast<double>(accepted) / static_cast<double>(commits), "");
  }
  if (accepted != 0) {
    report.number("journal octets per message",
                  static_cast<double>(after.journal_octets - before.journal_octets) /
                      static_cast<double>(accepted),
                  "");
  }
}

void add_accept_to_submit(Report& report, std::uint16_t metrics_port) {
  const auto page = http_get(metrics_port, "/metrics");
  if (!page) {
    report.note("accept-to-submit latency is missing: " + page.error());
    return;
  }
  const MetricsPage metrics(*page);
  for (const auto& [name, share] : {std::pair{"p50", 0.5}, std::pair{"p99", 0.99}}) {
    const auto value = metrics.quantile("stentor_accept_to_submit_seconds", share);
    if (value) report.latency(fmt::format("accept-to-submit latency {}", name), as_time(*value));
  }
}

struct Cpu {
  double daemon = 0;
  double generator = 0;
  double carrier = 0;
};

void add_cpu(Report& report, const Cpu& cpu, std::uint64_t messages) {
  report.number("CPU seconds of stentord per million messages", per_million(cpu.daemon, messages),
                "s");
  report.number("CPU seconds of all per million messages",
                per_million(cpu.daemon + cpu.generator + cpu.carrier, messages), "s");
}

void require_finished(DaemonFollower& follower, Stage& stage, std::uint64_t accepted) {
  if (follower.wait_until_finished(accepted, kPatience)) return;
  const auto sight = follower.sight();
  throw std::runtime_error(fmt::format(
      "stuck: {} accepted, {} sent, {} finished, {} live{}{}\n{}", sight.status.accepted,
      sight.status.sent, sight.status.finished, sight.status.live,
      sight.failure.empty() ? "" : "; ", sight.failure, stage.log_end()));
}

// Nothing else goes on meanwhile: what the stream itself can do.
void add_replay(Report& report, Stage& stage, std::uint64_t finals) {
  const double cpu_before = cpu_seconds_of(stage.daemon().id());
  const auto began = steady_clock::now();
  EventConsumer consumer(stage.socket(), "stentor-bench-replay", EventConsumer::From::oldest);
  const bool is_whole = consumer.wait_for_finals(finals, kPatience);
  const auto sight = consumer.sight();
  const double cpu = cpu_seconds_of(stage.daemon().id()) - cpu_before;
  report.count("events read from the oldest on", sight.events);
  report.number("events/s read from the oldest on",
                per_second(sight.events, sight.last_final - began), "");
  report.number("CPU seconds of stentord per million of them", per_million(cpu, sight.events), "s");
  if (!is_whole) report.count("final events missing of them", finals - sight.finals);
}

// Carrier up from the start: the way of every message, from the first write to the last verdict.
Report run_through(const EndToEndSettings& settings) {
  Stage stage(settings);
  stage.start_carrier();
  stage.start_daemon(true);
  LoadSettings load = settings.load;
  load.socket = stage.socket();
  const double cpu_before = cpu_seconds_of(stage.daemon().id());
  DaemonFollower follower(stage.socket(), kFollowEvery);
  const DaemonStatus before = follower.sight().status;

  const auto consumer = settings.reads_events
                            ? std::make_unique<EventConsumer>(stage.socket(), "stentor-bench")
                            : nullptr;

  const LoadResult result = run_load(load);
  require_finished(follower, stage, before.accepted + result.accepted);

  const auto sight = follower.sight();
  Cpu cpu{.daemon = cpu_seconds_of(stage.daemon().id()) - cpu_before,
          .generator = result.cpu_seconds};
  Report report;
  add_load(report, settings, result);
  const std::uint64_t sent = sight.status.sent - before.sent;
  report.number("submitted/s (messages)", per_second(sent, sight.sent_changed - result.began), "");
  const std::uint64_t delivered = sight.status.delivered - before.delivered;
  if (settings.receipts) {
    report.count("delivered", delivered);
    report.number("delivered/s", per_second(delivered, sight.finished_changed - result.began), "");
    report.number("delivered/s in the busiest second", sight.finished_at_most, "");
  }
  if (consumer != nullptr) {
    // A message that ends as sent has no final event.
    const std::uint64_t finals = settings.receipts ? result.accepted : 0;
    const bool is_whole = consumer->wait_for_finals(finals, kPatience);
    const auto events = consumer->sight();
    report.count("events read and acknowledged", events.events);
    report.number("delivered by events/s",
                  per_second(events.delivered, events.last_final - result.began), "");
    if (!is_whole) report.count("final events missing", finals - events.finals);
  }
  if (settings.replays_events) add_replay(report, stage, result.accepted);
  add_accept_to_submit(report, stage.metrics_port());
  add_commits(report, before, sight.status);
  add_memory(report, stage.daemon());
  const std::string ending = stage.stop_daemon();
  const CarrierTotals carrier = stage.stop_carrier();
  cpu.carrier = carrier.cpu_seconds;
  add_cpu(report, cpu, result.accepted);
  report.count("binds", settings.binds);
  report.count("window per bind", settings.window);
  report.count("most submit_sm unanswered at once", carrier.window_peak);
  report.count("segments submitted", carrier.submit_sm);
  report.count("receipts acknowledged", carrier.receipts_acknowledged);
  report.text("receipts", settings.receipts ? "on" : "off");
  if (!ending.empty()) report.text("stentord stopped badly", ending);
  add_machine(report, stage.folder());
  report.note(
      "accepted means: on disk (write and fdatasync); state in " +
      (settings.state_dir.empty() ? std::string("a temporary folder") : settings.state_dir));
  report.note(
      "accepted/s: first request written to last answer read; submitted/s and delivered/s: "
      "first request written until the daemon's status counts the last, asked every 20 ms");
  report.note(
      "ack latency: from write (from when it was due, with a rate) to the read that brought "
      "the answer; accept-to-submit: the daemon's histogram on /metrics");
  report.note(
      "CPU of stentord from /proc, of the generator's thread and of stentor-smsc from "
      "themselves; all on this one machine");
  return report;
}

// No carrier: what is accepted waits. Then, if asked for, a carrier comes and takes it all.
Report run_waiting(const EndToEndSettings& settings) {
  Stage stage(settings);
  stage.start_daemon(false);
  LoadSettings load = settings.load;
  load.socket = stage.socket();
  DaemonFollower follower(stage.socket(), kFollowEvery);
  const DaemonStatus before = follower.sight().status;

  const LoadResult result = run_load(load);

  Report report;
  add_load(report, settings, result);
  const DaemonStatus waiting = StatusProbe(stage.socket()).ask();  // the follower's is older
  report.count("waiting (live)", waiting.live);
  add_commits(report, before, waiting);
  add_memory(report, stage.daemon());
  if (settings.drains_waiting) {
    const auto began = steady_clock::now();
    stage.start_carrier();
    require_finished(follower, stage, before.accepted + result.accepted);
    const auto sight = follower.sight();
    report.number(
        "drained/s, from the carrier's start",
        per_second(sight.status.finished - before.finished, sight.finished_changed - began), "");
    report.number("peak memory of stentord after draining (VmHWM)",
                  static_cast<double>(memory_of(stage.daemon().id(), "VmHWM")) / (1 << 20), "MiB");
  }
  const std::string ending = stage.stop_daemon();
  if (!ending.empty()) report.text("stentord stopped badly", ending);
  add_machine(report, stage.folder());
  report.note("no carrier listens while messages are accepted; memory from /proc/PID/status");
  return report;
}

}  // namespace

Report run_end_to_end(const EndToEndSettings& settings) {
  return settings.waits_only ? run_waiting(settings) : run_through(settings);
}

}  // namespace stentor::load
