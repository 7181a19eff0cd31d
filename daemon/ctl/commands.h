// The commands of stentorctl, each a function: what it was told in, what it prints out.
//
// Units    As in docs/protocol.md: times RFC 3339 or seconds from now, texts UTF-8.
// Owns     Nothing; the streams are the caller's.
// Errors   Failure when the command could not be carried out. Exit::refused as a value when it was,
//          and the daemon's refusals have been printed already.
// Threads  One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "daemon/ctl/outcome.h"

namespace stentor::ctl {

struct Surroundings {
  std::istream* in;
  std::ostream* out;
  std::ostream* err;
  bool on_terminal = false;  ///< out is one: `top` may draw
};

struct Target {
  std::string socket;
  std::chrono::milliseconds patience{0};  ///< zero: for ever
  bool json = false;                      ///< print the daemon's lines as they came
};

/// Where texts come from: `text`, else the lines of `file`, else those of standard input.
struct TextSource {
  std::optional<std::string> text;
  std::string file;  ///< "-" and empty: standard input
};

/// What may be done to a text so that it costs less; left out: the route's and the carrier's word.
struct Rewriting {
  std::string replace;                ///< none, safe, transliterate
  std::vector<std::string> national;  ///< language codes
};

struct SendOptions {
  std::vector<std::string> to;
  TextSource source;
  std::string kind;
  std::string from;
  std::string ref;  ///< with many lines "REF-1", "REF-2", ...
  std::string campaign;
  std::string priority;
  std::string carrier;
  std::string not_before;
  std::string expires;
  std::string encoding;
  Rewriting rewriting;
  bool flash = false;
  std::optional<std::int64_t> max_segments;
  std::string receipt;
  bool wait = false;
  std::optional<std::chrono::milliseconds> wait_within;
};
[[nodiscard]] result<Exit> send(const Target& target, const SendOptions& options,
                                const Surroundings& around);

struct PreviewOptions {
  TextSource source;
  std::string to;
  std::string carrier;
  std::string encoding;
  Rewriting rewriting;
};
[[nodiscard]] result<Exit> preview(const Target& target, const PreviewOptions& options,
                                   const Surroundings& around);

[[nodiscard]] result<Exit> status(const Target& target, const Surroundings& around);

/// One of them is given.
/// As a send with the same words would go.
struct RouteOptions {
  std::string to;
  std::string from;
  std::string campaign;
  std::string carrier;
  bool is_short = false;
};
[[nodiscard]] result<Exit> route(const Target& target, const RouteOptions& options,
                                 const Surroundings& around);

struct MessageOptions {
  std::string id;
  std::string ref;
  std::string to;
  std::string carrier_id;
};
[[nodiscard]] result<Exit> message(const Target& target, const MessageOptions& options,
                                   const Surroundings& around);

struct EventsOptions {
  std::string consumer = "stentorctl";
  std::string from;
  std::string campaign;
  std::vector<std::string> types;
  bool acknowledge = true;
  std::uint64_t count = 0;  ///< 0: for ever
};
[[nodiscard]] result<Exit> events(const Target& target, const EventsOptions& options,
                                  const Surroundings& around);

struct CampaignOptions {
  std::string action;
  std::string name;
  std::string client;
  std::string carrier;  ///< where to move it
  std::optional<std::int64_t> weight;
  std::optional<std::int64_t> rate;  ///< messages a second; 0: no limit
};
[[nodiscard]] result<Exit> campaign(const Target& target, const CampaignOptions& options,
                                    const Surroundings& around);

/// `action` is the protocol's word; `name` may be empty with list.
struct CarrierOptions {
  std::string action;
  std::string name;
  std::int64_t seconds = 10;  ///< of trace, as the next two
  std::int64_t lines = 1000;
  bool clear = false;
  std::string rematch;  ///< of orphans: a rule of message ids; empty: only look
};
[[nodiscard]] result<Exit> carrier(const Target& target, const CarrierOptions& options,
                                   const Surroundings& around);

[[nodiscard]] result<Exit> callbacks(const Target& target, const Surroundings& around);

struct OptOutOptions {
  std::string action;  ///< the protocol's word, or export
  std::string told;    ///< what the count of changes is said to be
  std::vector<std::string> numbers;
  std::string sender;  ///< empty: all
  std::string file;    ///< of an import; "-" and empty: standard input
};
[[nodiscard]] result<Exit> optout_change(const Target& target, const OptOutOptions& options,
                                         const Surroundings& around);
[[nodiscard]] result<Exit> optout_import(const Target& target, const OptOutOptions& options,
                                         const Surroundings& around);
[[nodiscard]] result<Exit> optout_list(const Target& target, const OptOutOptions& options,
                                       const Surroundings& around);
/// One of `id` and `ref` is given.
struct CancelOptions {
  std::string id;
  std::string ref;
  bool at_carrier = false;
};
[[nodiscard]] result<Exit> cancel(const Target& target, const CancelOptions& options,
                                  const Surroundings& around);

struct PauseOptions {
  std::string op;  ///< pause, resume
  std::string id;
  std::string ref;
};
[[nodiscard]] result<Exit> pause(const Target& target, const PauseOptions& options,
                                 const Surroundings& around);

struct ResolveOptions {
  std::string id;
  std::string ref;
  std::string as;  ///< sent, unsent, abandon
};
[[nodiscard]] result<Exit> resolve(const Target& target, const ResolveOptions& options,
                                   const Surroundings& around);

struct AuditOptions {
  std::string state_dir = "/var/lib/stentor";
  std::size_t list_max = 1000;  ///< findings listed; all are counted
};
/// ok: the equation holds and no message breaks it. refused, as a value: it does not, and what
/// breaks it was printed. usage: the journal cannot be read, or not all of it.
[[nodiscard]] result<Exit> audit(const Target& target, const AuditOptions& options,
                                 const Surroundings& around);

struct TopOptions {
  std::chrono::milliseconds interval{1000};
  std::uint64_t count = 0;  ///< pictures; 0: until 'q' or Ctrl-C
};
[[nodiscard]] result<Exit> top(const Target& target, const TopOptions& options,
                               const Surroundings& around);

}  // namespace stentor::ctl
