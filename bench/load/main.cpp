// stentor-bench: load for the daemon's socket, and whole rehearsals with their figures.
//
// bench/README.md says what each command measures and how.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include "bench/load/end_to_end.h"
#include "bench/load/load_generator.h"
#include "bench/load/report.h"
#include "bench/load/smsc_ceiling.h"

namespace {

using namespace stentor::load;

struct LoadOptions {
  LoadSettings settings;
  std::string texts;
  double seconds = 0;
};

void add_load_options(CLI::App& app, LoadOptions& options, const char* default_messages) {
  LoadSettings& load = options.settings;
  app.add_option("--messages", load.messages, fmt::format("how many [{}]", default_messages))
      ->type_name("N");
  app.add_option("--seconds", options.seconds, "for how long, instead of or beside --messages")
      ->check(CLI::PositiveNumber)
      ->type_name("S");
  app.add_option("--rate", load.rate, "requests a second in all; 0: as fast as answers come [0]")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  app.add_option("--connections", load.connections, "to the socket [2]")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  app.add_option("--texts", options.texts, "texts to send in turn, one a line [one plain text]")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  app.add_option("--from", load.requests.from, "sender; empty: the route's [SHOP]");
  app.add_option("--to-prefix", load.requests.to_prefix,
                 "numbers are this and a count, 11 digits in all [79]")
      ->check([](const std::string& text) {
        const bool is_good = !text.empty() && text.size() <= 10 && text[0] != '0' &&
                             text.find_first_not_of("0123456789") == std::string::npos;
        return is_good ? std::string() : std::string("expected 1 to 10 digits, not 0 first");
      })
      ->type_name("DIGITS");
  app.add_flag("--refs,!--no-refs", load.requests.has_refs, "each request has its own ref [on]");
  app.add_option("--campaign", load.requests.campaign, "campaign of all of them")
      ->type_name("NAME");
  app.add_option("--priority", load.requests.priority, "urgent, normal or bulk [the daemon's]")
      ->check(CLI::IsMember({"urgent", "normal", "bulk"}))
      ->type_name("NAME");
}

void settle_load_options(LoadOptions& options, std::uint64_t default_messages) {
  LoadSettings& load = options.settings;
  if (!options.texts.empty()) load.requests.texts = read_texts(options.texts);
  load.duration = std::chrono::nanoseconds(static_cast<std::int64_t>(options.seconds * 1e9));
  if (load.messages == 0 && options.seconds == 0) load.messages = default_messages;
  // A ref is good once in the guard time: each run has its own.
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  load.requests.ref_prefix = fmt::format("bench-{:x}-{:x}", now.count() / 1000, ::getpid());
}

Report load_report(const LoadSettings& settings, const LoadResult& result) {
  Report report;
  report.count("requests", result.sent);
  report.count("accepted", result.accepted);
  if (result.duplicates != 0) report.count("duplicates", result.duplicates);
  for (const auto& [code, count] : result.rejected) report.count("rejected " + code, count);
  report.count("unanswered", result.unanswered);
  report.number("seconds", result.seconds(), "s");
  report.number("accepted/s",
                result.seconds() > 0 ? static_cast<double>(result.accepted) / result.seconds() : 0,
                "");
  report.latency("ack latency p50", result.latency.quantile(0.5));
  report.latency("ack latency p99", result.latency.quantile(0.99));
  report.latency("ack latency p99.9", result.latency.quantile(0.999));
  report.latency("ack latency max", result.latency.max());
  report.count("connections", settings.connections);
  report.count("window per connection", settings.window);
  report.number("rate asked for, 0 is as fast as answers come", settings.rate, "/s");
  report.number("CPU of this generator", result.cpu_seconds, "s");
  return report;
}

void print(const Report& report, bool as_json) {
  fmt::print("{}", as_json ? report.to_json() + "\n" : report.to_table());
}

// Where this program is, its siblings are.
std::string own_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

int run(int argc, char** argv) {
  CLI::App app("Load for stentor, and whole rehearsals with their figures.", "stentor-bench");
  app.set_version_flag("--version", "stentor-bench " STENTOR_VERSION);
  app.require_subcommand(1);
  bool as_json = false;

  LoadOptions load;
  CLI::App* const load_command =
      app.add_subcommand("load", "send messages to a running daemon and time the answers");
  load_command->add_option("--socket", load.settings.socket, "[/run/stentor/stentor.sock]")
      ->type_name("PATH");
  load_command
      ->add_option("--window", load.settings.window, "unanswered requests a connection [1000]")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  load_command->add_flag("--progress", load.settings.shows_progress, "a line a second");
  load_command->add_flag("--json", as_json, "the figures as one JSON object");
  add_load_options(*load_command, load, "100000");

  LoadOptions whole_load;
  EndToEndSettings whole;
  whole.programs = own_folder();
  std::uint64_t waiting = 0;
  CLI::App* const run_command = app.add_subcommand(
      "run", "start a carrier and a daemon, send through them, follow every message to its end");
  run_command->add_option("--programs", whole.programs, "folder of stentord and stentor-smsc [own]")
      ->type_name("DIR");
  run_command
      ->add_option("--state", whole.state_dir,
                   "keep everything there [a temporary folder, removed]")
      ->type_name("DIR");
  run_command->add_flag("--keep", whole.keeps_state, "do not remove the temporary folder");
  run_command->add_option("--binds", whole.binds, "transceivers [1]")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  run_command->add_option("--window", whole.window, "unanswered submit_sm a bind [1000]")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  run_command
      ->add_option("--requests", whole_load.settings.window,
                   "unanswered requests a connection [1000]")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  run_command->add_flag("--receipts,!--no-receipts", whole.receipts, "ask for receipts [on]");
  run_command->add_flag("--events", whole.reads_events,
                        "a consumer reads and acknowledges all events meanwhile");
  run_command->add_flag("--replay", whole.replays_events,
                        "afterwards, a consumer reads all events from the oldest on");
  run_command->add_option("--receipt-delay", whole.receipt_delay, "of the carrier [0ms]")
      ->type_name("TIME");
  run_command
      ->add_option("--receipts-after", whole.receipts_after,
                   "until so long after its first message the carrier keeps receipts back [0ms]")
      ->type_name("TIME");
  run_command->add_option("--latency", whole.latency, "of submit_sm_resp [0ms]")->type_name("TIME");
  run_command->add_option("--io", whole.journal_io, "journal.io of the daemon [its default]")
      ->type_name("NAME");
  run_command
      ->add_option("--memory", whole.queue_memory, "queue.memory of the daemon [its default]")
      ->type_name("SIZE");
  run_command
      ->add_option("--waiting", waiting,
                   "no carrier: accept N messages and tell the memory they take")
      ->type_name("N");
  run_command->add_flag("--drain", whole.drains_waiting,
                        "after --waiting: start the carrier and deliver it all");
  run_command->add_flag("--progress", whole_load.settings.shows_progress, "a line a second");
  run_command->add_flag("--json", as_json, "the figures as one JSON object");
  add_load_options(*run_command, whole_load, "1000000");

  CeilingSettings ceiling;
  CLI::App* const ceiling_command = app.add_subcommand(
      "smsc", "submit_sm over one bind into a running carrier, as fast as it answers");
  ceiling_command->add_option("--host", ceiling.host, "[127.0.0.1]")->type_name("ADDRESS");
  ceiling_command->add_option("--port", ceiling.port, "[2775]")->type_name("N");
  ceiling_command->add_option("--system-id", ceiling.system_id, "[stentor]");
  ceiling_command->add_option("--password", ceiling.password, "[secret]");
  ceiling_command->add_option("--messages", ceiling.messages, "[3000000]")->type_name("N");
  ceiling_command->add_option("--window", ceiling.window, "[2000]")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  ceiling_command->add_flag("--receipts", ceiling.asks_for_receipts, "ask for receipts");
  ceiling_command->add_flag("--json", as_json, "the figures as one JSON object");

  CLI11_PARSE(app, argc, argv);

  if (*load_command) {
    settle_load_options(load, 100'000);
    const LoadResult result = run_load(load.settings);
    print(load_report(load.settings, result), as_json);
    return result.unanswered == 0 ? 0 : 1;
  }
  if (*ceiling_command) {
    print(run_ceiling(ceiling), as_json);
    return 0;
  }
  if (whole.replays_events && (!whole.receipts || waiting != 0)) {
    throw std::runtime_error(
        "--replay ends with the last final event: it needs a carrier's receipts");
  }
  if (waiting != 0) {
    whole.waits_only = true;
    whole_load.settings.messages = waiting;
  }
  settle_load_options(whole_load, 1'000'000);
  whole.load = whole_load.settings;
  print(run_end_to_end(whole), as_json);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stentor-bench: %s\n", error.what());
    return 1;
  }
}
