// The only file that sees CLI11: its header takes seconds to compile.
#include "daemon/ctl/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <optional>
#include <ostream>

namespace stentor::ctl {
namespace {

constexpr std::string_view kFooter =
    "Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 no daemon to talk to.\n"
    "The socket is $STENTOR_SOCKET where --socket is not given.";

using Command = std::function<result<Exit>(const Target&, const Surroundings&)>;

// Each adds a subcommand and sets `chosen` when it is the one on the command line.
using Chosen = std::optional<Command>;

void add_source(CLI::App& command, TextSource& source) {
  auto* text = command.add_option("--text", source.text, "the text");
  command
      .add_option("--file", source.file,
                  "a file with a text on each line; - or neither: standard input")
      ->excludes(text);
}

void add_rewriting(CLI::App& command, Rewriting& rewriting) {
  command
      .add_option("--replace", rewriting.replace,
                  "change characters where that saves a segment: none, safe or transliterate")
      ->check(CLI::IsMember({"none", "safe", "transliterate"}));
  command
      .add_option("--national", rewriting.national,
                  "national language tables that may be used, such as tr,pt")
      ->delimiter(',');
}

void add_send(CLI::App& app, SendOptions& options, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("send", "hand in messages; one for each line and number");
  command->add_option("--to", options.to, "destination; repeat it for several")
      ->required()
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_source(*command, options.source);
  command->add_option("--kind", options.kind, "short: the destination is a short code")
      ->check(CLI::IsMember({"short"}));
  command->add_option("--from", options.from, "sender; left out: the route's");
  command->add_option("--ref", options.ref,
                      "your reference: sent again, nothing is stored twice; with lines REF-1, ...");
  command->add_option("--campaign", options.campaign, "the batch it belongs to");
  command->add_option("--priority", options.priority, "urgent, normal or bulk")
      ->check(CLI::IsMember({"urgent", "normal", "bulk"}));
  command->add_option("--carrier", options.carrier, "through this carrier only");
  command->add_option("--not-before", options.not_before, "RFC 3339 time, or seconds from now");
  command->add_option("--expires", options.expires, "RFC 3339 time, or seconds from now");
  command->add_option("--encoding", options.encoding, "auto, gsm7 or ucs2")
      ->check(CLI::IsMember({"auto", "gsm7", "ucs2"}));
  add_rewriting(*command, options.rewriting);
  command->add_flag("--flash", options.flash, "message class 0: shown at once, not kept");
  command->add_option("--max-segments", options.max_segments, "reject a longer text")
      ->check(CLI::Range(1, 255));
  command->add_option("--receipt", options.receipt, "all, failure or none")
      ->check(CLI::IsMember({"all", "failure", "none"}));
  auto* wait = command->add_flag("--wait", options.wait, "wait for each message's final event");
  command
      ->add_option_function<double>(
          "--within",
          [&options](double seconds) {
            options.wait_within =
                std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
          },
          "with --wait: seconds to wait at most")
      ->check(CLI::Range(0.001, 31'536'000.0))
      ->needs(wait);
  command->callback([&options, &chosen] {
    chosen = [&options](const Target& target, const Surroundings& around) {
      return send(target, options, around);
    };
  });
}

void add_preview(CLI::App& app, PreviewOptions& options, Chosen& chosen) {
  CLI::App* command = app.add_subcommand(
      "preview", "say how a text would be encoded and cut; sums for a list of texts");
  command->add_option("TEXT", options.source.text, "the text; left out: --file or standard input");
  command->add_option("--file", options.source.file, "a file with a text on each line")
      ->excludes("TEXT");
  command->add_option("--to", options.to, "as it would go to this number");
  command->add_option("--carrier", options.carrier, "as it would go through this carrier");
  command->add_option("--encoding", options.encoding, "auto, gsm7 or ucs2")
      ->check(CLI::IsMember({"auto", "gsm7", "ucs2"}));
  add_rewriting(*command, options.rewriting);
  command->callback([&options, &chosen] {
    chosen = [&options](const Target& target, const Surroundings& around) {
      return preview(target, options, around);
    };
  });
}

void add_message(CLI::App& app, MessageOptions& options, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("message", "tell a message's state and history");
  // CLI11's option groups make exactly one of these required.
  CLI::Option_group* which = command->add_option_group("which");
  which->add_option("ID", options.id, "the id that send printed");
  which->add_option("--ref", options.ref, "your own reference");
  which->add_option("--to", options.to, "its destination");
  which->add_option("--carrier-id", options.carrier_id, "the carrier's id of one of its segments");
  which->require_option(1);
  command->callback([&options, &chosen] {
    chosen = [&options](const Target& target, const Surroundings& around) {
      return message(target, options, around);
    };
  });
}

void add_route(CLI::App& app, RouteOptions& options, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("route", "tell which way a message would go, and why");
  command->add_option("--to", options.to, "its destination")->required();
  command->add_option("--from", options.from, "its sender; left out: the route's");
  command->add_option("--campaign", options.campaign, "of this campaign");
  command->add_option("--carrier", options.carrier, "if it named this carrier");
  command->add_flag("--short", options.is_short, "the destination is a short code");
  command->callback([&options, &chosen] {
    chosen = [&options](const Target& target, const Surroundings& around) {
      return route(target, options, around);
    };
  });
}

void add_events(CLI::App& app, EventsOptions& options, bool& keep, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("events", "follow what becomes of messages");
  command->add_option("--consumer", options.consumer, "whose place in the stream is kept")
      ->capture_default_str();
  command->add_option("--from", options.from, "oldest, or a cursor; left out: where it stopped");
  command->add_option("--campaign", options.campaign, "of this campaign only");
  command->add_option("--types", options.types, "of these types only: sent,delivered,...")
      ->delimiter(',');
  command->add_option("--count", options.count, "leave after so many")->check(CLI::PositiveNumber);
  command->add_flag("--no-ack", keep, "acknowledge nothing: the next run gets them again");
  command->callback([&options, &keep, &chosen] {
    options.acknowledge = !keep;
    chosen = [&options](const Target& target, const Surroundings& around) {
      return events(target, options, around);
    };
  });
}

void add_campaign(CLI::App& app, CampaignOptions& options, Chosen& chosen) {
  CLI::App* command = app.add_subcommand(
      "campaign", "what a campaign stands at; pause, resume, cancel, move what waits of it");
  command
      ->add_option("ACTION", options.action,
                   "list, show, create, set, pause, resume, cancel, move, wait or report")
      ->required();
  command->add_option("NAME", options.name, "the campaign; all but list want one");
  command->add_option("--client", options.client, "whose, where several have one of this name");
  command->add_option("--weight", options.weight, "its share against others of its priority")
      ->check(CLI::Range(1, 100));
  command->add_option("--rate", options.rate, "messages a second over all carriers; 0: no limit")
      ->check(CLI::Range(0, 1'000'000));
  command->add_option("--carrier", options.carrier, "where a move goes");
  command->callback([&options, &chosen] {
    chosen = [&options](const Target& target, const Surroundings& around) {
      return campaign(target, options, around);
    };
  });
}

void add_carrier(CLI::App& app, CarrierOptions& options, Chosen& chosen) {
  CLI::App* command = app.add_subcommand(
      "carrier", "look at binds to carriers; suspend, resume, cancel what waits");
  command->require_subcommand(1);
  const auto add = [&](const char* action, const char* what, bool needs_name) -> CLI::App* {
    CLI::App* each = command->add_subcommand(action, what);
    auto* name = each->add_option("NAME", options.name, "the carrier");
    if (needs_name) name->required();
    each->callback([&options, &chosen, action] {
      options.action = action;
      chosen = [&options](const Target& target, const Surroundings& around) {
        return carrier(target, options, around);
      };
    });
    return each;
  };
  add("list", "all carriers, a line each", false);
  add("show", "one carrier: its binds, and what went wrong lately", true);
  add("doubts", "messages that may have been sent, as nobody knows; then: resolve", true);
  CLI::App* orphans =
      add("orphans", "receipts that match nothing, and what would make them match", true);
  orphans
      ->add_option("--rematch", options.rematch,
                   "try them again with ids read by this rule, and go on so until a restart")
      ->check(CLI::IsMember({"auto", "verbatim", "decimal", "hex"}));
  add("suspend", "submit nothing new through it; its binds stay for receipts", true);
  add("resume", "let it go on", true);
  add("cancel", "all that waits for it now, and is not under way, ends as cancelled", true);
  CLI::App* trace = add("trace", "what passes on its wire, decoded, for a while", true);
  trace->add_option("--seconds", options.seconds, "how long")->check(CLI::Range(1, 300));
  trace->add_option("--lines", options.lines, "how many PDUs at most")->check(CLI::Range(1, 10000));
  trace->add_flag("--clear", options.clear, "show numbers and texts too");
}

void add_which(CLI::App& command, std::string& id, std::string& ref) {
  CLI::Option_group* which = command.add_option_group("which");
  which->add_option("ID", id, "the id that send printed");
  which->add_option("--ref", ref, "your own reference");
  which->require_option(1);
}

void add_cancel(CLI::App& app, CancelOptions& options, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("cancel", "call back a message that has not gone yet");
  add_which(*command, options.id, options.ref);
  command->add_flag("--at-carrier", options.at_carrier,
                    "ask the carrier to call back what it has taken, too");
  command->callback([&options, &chosen] {
    chosen = [&options](const Target& target, const Surroundings& around) {
      return cancel(target, options, around);
    };
  });
}

void add_pause(CLI::App& app, PauseOptions& options, Chosen& chosen) {
  const auto add = [&](const char* op, const char* what) {
    CLI::App* command = app.add_subcommand(op, what);
    add_which(*command, options.id, options.ref);
    command->callback([&options, &chosen, op] {
      options.op = op;
      chosen = [&options](const Target& target, const Surroundings& around) {
        return pause(target, options, around);
      };
    });
  };
  add("pause", "hold back a message that has not gone yet");
  add("resume", "let a paused message go on");
}

void add_resolve(CLI::App& app, ResolveOptions& options, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("resolve", "say what became of a message in doubt");
  add_which(*command, options.id, options.ref);
  command->add_option("--as", options.as, "sent, unsent (goes again) or abandon")
      ->required()
      ->check(CLI::IsMember({"sent", "unsent", "abandon"}));
  command->callback([&options, &chosen] {
    chosen = [&options](const Target& target, const Surroundings& around) {
      return resolve(target, options, around);
    };
  });
}

void add_audit(CLI::App& app, AuditOptions& options, Chosen& chosen) {
  CLI::App* command = app.add_subcommand(
      "audit", "prove from the journal alone that every accepted message is final or live");
  command->footer(
      "Exit status: 0 the equation holds and no message breaks it, 1 it does not, and what breaks\n"
      "it is listed, 2 the journal cannot be read, is damaged, or is of a newer format.\n"
      "The daemon may run or not; it is neither asked nor held up.");
  command->add_option("--state-dir", options.state_dir, "the daemon's state_dir")
      ->envname("STENTOR_STATE_DIR")
      ->capture_default_str();
  command->add_option("--list", options.list_max, "list at most so many findings; all are counted")
      ->capture_default_str();
  command->callback([&options, &chosen] {
    chosen = [&options](const Target& target, const Surroundings& around) {
      return audit(target, options, around);
    };
  });
}

struct TopArguments {
  TopOptions options;
  double interval_seconds = 1;
  bool once = false;
};

void add_top(CLI::App& app, TopArguments& arguments, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("top", "watch rates and queues; q leaves");
  command->add_option("--interval", arguments.interval_seconds, "seconds between two pictures")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  auto* count = command->add_option("--count", arguments.options.count, "leave after so many")
                    ->check(CLI::PositiveNumber);
  command->add_flag("--once", arguments.once, "one picture, of one interval")->excludes(count);
  command->callback([&arguments, &chosen] {
    arguments.options.interval =
        std::chrono::milliseconds(static_cast<int>(arguments.interval_seconds * 1000));
    if (arguments.once) arguments.options.count = 1;
    chosen = [&arguments](const Target& target, const Surroundings& around) {
      return top(target, arguments.options, around);
    };
  });
}

void add_optout(CLI::App& app, OptOutOptions& options, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("optout", "who wants no more messages");
  command->require_subcommand(1);
  using Do = result<Exit> (*)(const Target&, const OptOutOptions&, const Surroundings&);
  const auto add = [&](const char* name, const char* what, const char* told, Do deed) {
    CLI::App* sub = command->add_subcommand(name, what);
    sub->callback([&options, &chosen, name, told, deed] {
      options.action = name;
      options.told = told;
      chosen = [&options, deed](const Target& target, const Surroundings& around) {
        return deed(target, options, around);
      };
    });
    return sub;
  };
  constexpr auto kSender = "messages from this sender; left out: from all";
  for (CLI::App* sub :
       {add("add", "send no more to these", "numbers opted out", optout_change),
        add("remove", "send to these again", "opt-outs taken back", optout_change)}) {
    sub->add_option("NUMBER", options.numbers, "the recipients")->required();
    sub->add_option("--from", options.sender, kSender);
  }
  CLI::App* import = add("import", "read lines \"number\" or \"number,sender\"",
                         "numbers opted out", optout_import);
  import->add_option("FILE", options.file, "left out: standard input");
  import->add_option("--from", options.sender, kSender);
  (void)add("list", "print them", "", optout_list);
  (void)add("export", "print them as import reads them", "", optout_list);
}

}  // namespace

int run(const std::vector<std::string>& arguments, const Surroundings& around) {
  CLI::App app("Hands messages to stentord and asks it how they fare.", "stentorctl");
  app.footer(std::string(kFooter));
  app.set_version_flag("--version", std::string("stentorctl ") + STENTOR_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // --json and --socket may stand before the command or after it

  Target target{.socket = "/run/stentor/stentor.sock"};
  double patience_seconds = 60;
  app.add_option("--socket", target.socket, "the daemon's socket")
      ->envname("STENTOR_SOCKET")
      ->capture_default_str();
  app.add_option("--timeout", patience_seconds, "seconds to wait for the daemon; 0: for ever")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  app.add_flag("--json", target.json, "print the daemon's answers as they come");

  Chosen chosen;
  SendOptions send_options;
  PreviewOptions preview_options;
  MessageOptions message_options;
  RouteOptions route_options;
  EventsOptions events_options;
  CarrierOptions carrier_options;
  TopArguments top_arguments;
  CampaignOptions campaign_options;
  CancelOptions cancel_options;
  PauseOptions pause_options;
  ResolveOptions resolve_options;
  AuditOptions audit_options;
  bool keep = false;
  add_send(app, send_options, chosen);
  add_preview(app, preview_options, chosen);
  app.add_subcommand("callbacks", "how the posting of events over HTTP fares")->callback([&chosen] {
    chosen = callbacks;
  });
  app.add_subcommand("status", "one page of figures")->callback([&chosen] { chosen = status; });
  add_message(app, message_options, chosen);
  add_route(app, route_options, chosen);
  add_events(app, events_options, keep, chosen);
  add_campaign(app, campaign_options, chosen);
  add_carrier(app, carrier_options, chosen);
  OptOutOptions optout_options;
  add_optout(app, optout_options, chosen);
  add_cancel(app, cancel_options, chosen);
  add_pause(app, pause_options, chosen);
  add_resolve(app, resolve_options, chosen);
  add_audit(app, audit_options, chosen);
  add_top(app, top_arguments, chosen);

  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 takes them
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& said) {
    const int status = app.exit(said, *around.out, *around.err);
    return status == 0 ? static_cast<int>(Exit::ok) : static_cast<int>(Exit::usage);
  }
  target.patience = std::chrono::milliseconds(static_cast<int>(patience_seconds * 1000));

  if (!chosen) return static_cast<int>(Exit::usage);  // CLI11 has required one
  const result<Exit> ended = (*chosen)(target, around);
  around.out->flush();
  if (ended) return static_cast<int>(*ended);
  *around.err << fmt::format("stentorctl: {}\n", ended.error().what);
  return static_cast<int>(ended.error().exit);
}

}  // namespace stentor::ctl
