// What upstream may ask for, as read from one line of the socket.
//
// Units    `expires` and `not_before` as wished: a date in milliseconds of Unix time, or seconds
//          from now.
// Owns     Views into the parser's memory: valid until it parses the next line.
// Errors   Refusal: a code of the protocol and a detail that names field and place, never content.
// Threads  Plain values.
// Spec     docs/protocol.md
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/records/doubt_records.h"
#include "daemon/records/records.h"
#include "protocol/message_id.h"
#include "queue/ticket.h"

namespace stentor::daemon {

struct Refusal {
  std::string_view code;  ///< one of the protocol's words: a literal
  std::string detail;
  std::string ref;  ///< the request's own, where it could be read
};

struct TimeWish {
  enum class Form : std::uint8_t { none, at_ms, in_seconds };
  Form form = Form::none;
  std::uint64_t value = 0;
};

/// SMPP's own fields of a message, for those who know what their carrier makes of them.
struct SmppWish {
  std::optional<std::string_view> service_type;  ///< instead of the carrier's
  std::optional<std::uint8_t> protocol_id;
  std::span<const std::uint8_t> tlvs;  ///< optional parameters, as they travel
};

struct HoursWish {
  std::uint16_t from = 0;  ///< minutes of the local day
  std::uint16_t to = 0;
  std::string zone;  ///< empty: by number
};

struct SendRequest {
  std::vector<std::string_view> to;
  bool to_is_array = false;
  bool is_short = false;
  std::string_view text;  ///< UTF-8; with `is_binary` octets
  std::string_view udh;   ///< the caller's own user-data header, for binary only
  bool is_binary = false;
  bool flash = false;
  std::string_view from;
  std::string_view ref;
  std::string_view campaign;
  std::string_view carrier;
  std::string_view meta;      ///< JSON object, verbatim
  std::string_view callback;  ///< URL of its events; checked
  std::optional<queue::Priority> priority;
  TimeWish not_before;
  TimeWish expires;
  EncodingWish encoding = EncodingWish::automatic;
  std::optional<encoding::Replacement> replacement;
  std::optional<encoding::NationalLanguages> national;
  ReceiptWish receipt = ReceiptWish::all;
  std::uint32_t max_segments = 10;
  std::optional<UncertainWish> uncertain;
  std::optional<HoursWish> hours;
  SmppWish smpp;
  bool ignores_opt_out = false;  ///< stentor's own answer to a STOP
};

struct PreviewRequest {
  std::string_view text;
  std::string_view to;
  std::string_view carrier;
  EncodingWish encoding = EncodingWish::automatic;
  std::optional<encoding::Replacement> replacement;
  std::optional<encoding::NationalLanguages> national;
};

/// One of these is given.
struct MessageRequest {
  std::string_view id;
  std::string_view ref;
  std::string_view to;
  std::string_view carrier_id;
};
/// As asked of the history: with texts of its own, and the place where that is known at once.
struct MessageQuestion {
  std::string id;
  std::string ref;
  std::string to;
  std::string carrier_id;
  std::optional<queue::Locator> place;
};

struct RouteRequest {
  std::string_view to;
  bool is_short = false;
  std::string_view from;
  std::string_view campaign;
  std::string_view carrier;
};

struct EventsRequest {
  std::string_view consumer;
  std::string_view from;  ///< "oldest", a cursor, or empty
  std::string_view campaign;
  std::vector<std::string_view> types;
};

struct AckRequest {
  std::string_view cursor;
};

struct OptOutRequest {
  enum class Action : std::uint8_t { add, remove, list };
  Action action = Action::list;
  std::vector<std::string_view> to;
  std::string_view from;    ///< the sender it is about; empty: all
  std::string_view cursor;  ///< where the last page of the list ended
};

struct StatusRequest {};

struct CallbacksRequest {};

/// `reload` or `drain`: known, and not served yet. Who may not ask is told so first.
struct DaemonRequest {
  std::string_view op;
};

struct CancelRequest {
  std::string_view id;
  std::string_view ref;
  bool at_carrier = false;  ///< what the carrier has taken, too
};

/// As asked of other threads: with texts of its own, and the place where that is known at once.
struct CancelQuestion {
  std::string id;
  std::optional<queue::Locator> place;
  bool at_carrier = false;
};

/// Of one message: it waits on, and does not go before it is resumed.
struct PauseRequest {
  std::string_view id;
  std::string_view ref;
  bool pauses = true;  ///< false: it goes on
};

/// As asked of other threads, like CancelQuestion.
struct PauseQuestion {
  std::string id;
  std::optional<queue::Locator> place;
  bool pauses = true;
};

/// What became of a message in doubt, or that somebody gives it up.
struct ResolveRequest {
  std::string_view id;
  std::string_view ref;
  DoubtEnd as = DoubtEnd::abandoned;
};

enum class CampaignAction : std::uint8_t {
  list,
  show,
  create,
  set,
  pause,
  resume,
  cancel,
  move,
  wait,
  report
};

struct CampaignRequest {
  CampaignAction action = CampaignAction::list;
  std::string_view name;
  std::string_view client;  ///< whose; empty: the asker's, or the only one of this name
  std::optional<std::uint16_t> weight;
  std::optional<std::uint32_t> rate;  ///< messages a second; 0: no limit any more
  std::string_view carrier;           ///< where a move goes
};

/// Owns its texts: it is answered by other threads.
struct CarrierRequest {
  enum class Action : std::uint8_t { list, show, suspend, resume, cancel, trace, orphans, doubts };
  Action action = Action::list;
  std::string name;  ///< of the carrier; empty with `list` for all
  // trace:
  std::uint64_t seconds = 10;
  std::uint64_t lines = 1000;
  bool clear = false;  ///< numbers and texts as they are
  /// orphans: tried again with ids read by this rule, and all receipts from now on.
  std::optional<protocol::MessageIdRule> message_id;
};

using Request =
    std::variant<SendRequest, PreviewRequest, MessageRequest, EventsRequest, AckRequest,
                 StatusRequest, CampaignRequest, CarrierRequest, RouteRequest, OptOutRequest,
                 CallbacksRequest, CancelRequest, PauseRequest, ResolveRequest, DaemonRequest>;

}  // namespace stentor::daemon
