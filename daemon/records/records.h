// What the daemon writes into the journal: one struct for each kind of record, and its octets.
//
// The queue below knows none of this. Everything upstream is ever told (events, history) is read
// back from these records; everything recovery needs is in them. A record that speaks of a message
// carries that message's Subject, so that an event needs no second read.
//
// Units    Times are milliseconds of Unix time, `expires` seconds.
// Owns     Decoded records view the payload they were decoded from.
// Errors   A payload that does not decode answers nullopt: the journal's checksums make that our
//          own bug or a newer version, and the caller says which record it was.
// Threads  Pure functions.
// Spec     docs/journal.md has the layout of blocks; the payloads are documented here.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "daemon/config/uncertain_policy.h"
#include "daemon/hours/open_hours.h"
#include "daemon/records/fields.h"
#include "daemon/records/message_id.h"
#include "encoding/segmenter.h"
#include "queue/locator.h"
#include "queue/ticket.h"

namespace stentor::daemon {

/// Values are on disk: never renumber, never reuse.
enum class RecordKind : std::uint8_t {
  totals = 1,         ///< the ledger before this file, in a file's first block
  accepted = 2,       ///< a message, durable
  intent = 3,         ///< messages about to be written to a bind
  part = 4,           ///< the carrier answered one segment
  receipt = 5,        ///< the carrier reported on one segment
  verdict = 6,        ///< a message became final without the carrier's word
  uncertain = 7,      ///< segments written, answer lost
  consumer = 8,       ///< an event consumer and how far it has acknowledged
  orphan = 9,         ///< a receipt that matched nothing when it came
  conflict = 11,      ///< a final receipt that contradicts an earlier one; changes nothing
  released = 10,      ///< messages of an intent that were certainly not written after all
  campaign = 12,      ///< a campaign and its counts, in a file's first block (campaign_records.h)
  campaign_set = 13,  ///< a campaign was made, changed or cancelled
  campaign_forgotten = 14,  ///< a campaign that had ended gave its place to another
  resolved = 15,            ///< a doubt ended (doubt_records.h)
  passed = 16,              ///< a message goes before an earlier one of its order key
  moved = 20,               ///< a message that waited goes through another carrier
  /// A ReceiptCame that changes nothing: a second copy, or one behind a final one that contradicts
  /// nothing. Histories show it, and no event tells it.
  receipt_again = 62,

  carrier_switched = 48  ///< a carrier was suspended or resumed
};

/// What every event about a message repeats. Encoded once, in the accepted record, and copied
/// octet by octet into the records that follow.
struct Subject {
  MessageId id;
  std::uint8_t parts = 1;
  std::string_view client;
  std::string_view ref;
  std::string_view campaign;
  std::string_view to;
  std::string_view from;
  std::string_view carrier;  ///< chosen at acceptance
  std::string_view meta;     ///< JSON object as upstream wrote it, or empty
};
void encode(const Subject& subject, FieldWriter& out);
[[nodiscard]] std::optional<Subject> decode_subject(std::span<const std::uint8_t> octets);

enum class ReceiptWish : std::uint8_t { all, failure, none };
enum class EncodingWish : std::uint8_t { automatic, gsm7, ucs2 };

/// What few messages have, at the end of an accepted record: each with its number and its length,
/// so that a message without pays nothing, and one that is not known is passed over. On disk.
enum class AcceptedExtra : std::uint8_t {
  service_type = 1,
  protocol_id = 2,
  tlvs = 3,
  uncertain = 20,
  hours = 21,
  expires_early = 64,
  route_reason = 70,
  encoding_reason = 71
};

struct Accepted {
  std::span<const std::uint8_t> subject;  ///< encoded Subject
  std::uint64_t content = 0;              ///< fingerprint of what was asked, for `conflict`
  std::uint64_t not_before_ms = 0;
  std::uint32_t expires = 0;    ///< rounded up
  std::uint32_t flow = 0;       ///< number of its campaign, or of its client: who competes
  std::uint16_t reference = 0;  ///< ties the parts; fixed here so that a resend is the same message
  std::uint8_t priority = 1;    ///< queue::Priority
  ReceiptWish receipt = ReceiptWish::all;
  EncodingWish encoding = EncodingWish::automatic;
  encoding::Replacement replacement = encoding::Replacement::none;
  std::uint16_t national = 0;  ///< bits of encoding::NationalLanguages
  bool to_short_code = false;
  bool flash = false;
  bool is_binary = false;        ///< `text` holds octets, behind `udh`
  bool names_carrier = false;    ///< the client chose its carrier: it never moves
  bool owns_ref = false;         ///< the ref's first message: what a duplicate is answered with
  bool flow_is_number = false;   ///< false in old records: `flow` is a hash that two may share
  bool ignores_opt_out = false;  ///< stentor's own answer to a STOP
  std::string_view udh;
  std::string_view text;
  // Extras.
  std::optional<std::string_view> service_type;  ///< SMPP's, instead of the carrier's
  std::optional<std::uint8_t> protocol_id;       ///< SMPP's; none: 0
  std::span<const std::uint8_t> tlvs;            ///< SMPP's optional parameters, as they travel
  std::optional<UncertainWish> uncertain;        ///< instead of the carrier's policy
  std::optional<Hours> hours;                    ///< when it may be sent
  std::uint16_t expires_early_ms = 0;            ///< so much before the second `expires`

  /// Not sent at or after.
  [[nodiscard]] std::uint64_t expires_ms() const noexcept {
    const std::uint64_t second_ms = std::uint64_t{expires} * 1000;
    return second_ms - std::min<std::uint64_t>(expires_early_ms, second_ms);
  }
  // Why it was taken as it was: encoded (accept_reasons.h), since only histories look at them.
  std::span<const std::uint8_t> route_reason;
  std::span<const std::uint8_t> encoding_reason;
};
void encode(const Accepted& accepted, FieldWriter& out);
/// The number its campaign is counted by; 0 where an old record has none.
[[nodiscard]] inline queue::Flow flow_of(const Accepted& accepted) noexcept {
  return accepted.flow_is_number ? accepted.flow : 0;
}
[[nodiscard]] std::optional<Accepted> decode_accepted(std::span<const std::uint8_t> payload);

/// What held a carrier back, and how long.
struct WaitSpan {
  std::uint8_t cause = 0;  ///< a Limiter (delivery/limiter_report.h)
  std::uint64_t milliseconds = 0;
  friend bool operator==(const WaitSpan&, const WaitSpan&) = default;
};

/// The messages reserved for one bind. `sequence` names each; all its unsent parts are meant.
struct Intent {
  std::uint32_t epoch = 0;  ///< of the bind's connection
  std::string_view carrier;
  std::uint16_t bind = 0;
  std::uint64_t time_ms = 0;
  std::vector<std::uint64_t> sequences;
  /// What held the carrier back until now, oldest first: where one of the messages waited for long.
  std::vector<WaitSpan> waits;
};
void encode(const Intent& intent, FieldWriter& out);
[[nodiscard]] std::optional<Intent> decode_intent(std::span<const std::uint8_t> payload);

struct Released {
  std::uint64_t time_ms = 0;
  std::vector<std::uint64_t> sequences;
};
void encode(const Released& released, FieldWriter& out);
[[nodiscard]] std::optional<Released> decode_released(std::span<const std::uint8_t> payload);

/// How a message stands after a record. `none`: as before.
enum class State : std::uint8_t {
  none,
  sent,
  delivered,
  failed,
  expired,
  cancelled,
  unknown,
  sent_final
};
[[nodiscard]] bool is_final(State state) noexcept;
[[nodiscard]] std::string_view name_of(State state) noexcept;

/// What all records that follow an accepted one begin with.
struct Following {
  queue::Locator accepted;                ///< where the message's accepted record lies
  std::span<const std::uint8_t> subject;  ///< encoded Subject
  std::uint64_t time_ms = 0;
  State state = State::none;  ///< the message's state, when this record changes it
  bool possible_duplicate = false;
  /// The message is final, and a part of it is `unknown`: that part's late receipt is still told.
  bool has_unknown_part = false;
  // What campaigns are counted by. Not on disk: recovery knows it from the accepted record.
  queue::Flow flow = 0;   ///< flow_of() its accepted record
  bool was_sent = false;  ///< it had been `sent` before it became final
};
void encode(const Following& of, FieldWriter& out);
[[nodiscard]] Following decode_following(FieldReader& in);

struct PartAnswered {
  Following of;
  std::uint8_t part = 1;
  std::uint8_t attempt = 1;
  std::uint16_t bind = 0;
  std::uint32_t sequence_number = 0;
  std::uint32_t command_status = 0;
  std::string_view message_id;    ///< the carrier's
  std::uint64_t retry_at_ms = 0;  ///< when it goes again; 0: it does not
  std::string_view code;          ///< outcome word when the segment was refused
  std::uint32_t response_ms = 0;  ///< from submit_sm to its answer
};
void encode(const PartAnswered& part, FieldWriter& out);
[[nodiscard]] std::optional<PartAnswered> decode_part(std::span<const std::uint8_t> payload);

struct ReceiptCame {
  Following of;
  std::uint8_t part = 1;
  std::uint8_t message_state = 0;  ///< SMPP 3.4 section 5.2.28
  bool is_final_for_part = true;
  std::string_view message_id;
  std::string_view stat;
  std::string_view err;
  std::string_view code;
  std::string_view message_code;  ///< of the message's verdict, where it has several parts
  std::string_view message_detail;
  State corrects = State::none;          ///< the final state that this one replaces
  std::uint32_t network_error_code = 0;  ///< of the TLV: type << 16 | code; 0: none
  std::string_view done_date;            ///< as the carrier wrote it
  bool by_reference = false;  ///< matched by user_message_reference: its id, if any, fits nothing
  // Not written where there is nothing of it.
  std::uint64_t came_ms = 0;  ///< when it was held back until it matched; 0: it matched at once
  std::string_view sub;       ///< counts of the text, as the carrier wrote them
  std::string_view dlvrd;
  std::string_view submit_date;  ///< likewise

  [[nodiscard]] std::uint64_t came_at_ms() const noexcept {
    return came_ms != 0 ? came_ms : of.time_ms;
  }
};
void encode(const ReceiptCame& receipt, FieldWriter& out);
[[nodiscard]] std::optional<ReceiptCame> decode_receipt(std::span<const std::uint8_t> payload);

struct Verdict {
  Following of;
  std::string_view code;
  std::string_view detail;
  std::string_view by{};  ///< the client that asked for it; not written where there is none
};
void encode(const Verdict& verdict, FieldWriter& out);
[[nodiscard]] std::optional<Verdict> decode_verdict(std::span<const std::uint8_t> payload);

struct Uncertain {
  Following of;
  std::string_view reason;                           ///< crash, link_lost … (own_outcomes.h)
  UncertainPolicy policy = UncertainPolicy::resend;  ///< what is done now
  UncertainPolicy then = UncertainPolicy::resend;    ///< at `until_ms`
  std::uint64_t until_ms = 0;                        ///< 0: only somebody's word ends it
  std::vector<bool> parts;            ///< which are in doubt; empty in old records: all not taken
  std::optional<std::uint16_t> bind;  ///< it was written on; none after a crash
  std::vector<std::uint32_t> sequence_numbers;  ///< of those parts, in their order; likewise
  std::uint8_t attempt = 0;  ///< which one it was, from 1; likewise, and 0 in older records
};
void encode(const Uncertain& uncertain, FieldWriter& out);
[[nodiscard]] std::optional<Uncertain> decode_uncertain(std::span<const std::uint8_t> payload);

/// A message that waited goes on through another carrier: nothing of it was ever sent. The subject
/// names the new one already.
struct Moved {
  Following of;
  std::string_view from;
  std::string_view to;
  std::string_view reason;  ///< down, suspended, stuck
};
void encode(const Moved& moved, FieldWriter& out);
[[nodiscard]] std::optional<Moved> decode_moved(std::span<const std::uint8_t> payload);

/// It had waited as long as order asks for behind `earlier`, which is in retry or in doubt.
struct Passed {
  Following of;
  MessageId earlier;  ///< of the one that it goes before
};
void encode(const Passed& passed, FieldWriter& out);
[[nodiscard]] std::optional<Passed> decode_passed(std::span<const std::uint8_t> payload);

struct ConsumerAt {
  std::string_view client;
  std::string_view name;
  std::uint64_t position = 0;  ///< locator bits of the last acknowledged event's record
  std::uint8_t sub = 0;        ///< which of the record's events; 0: none of them yet
  std::uint64_t time_ms = 0;
  /// What retention took before it was acknowledged: counted up to this place, by type of event,
  /// the client's own first, then everybody's. Not written where there is none.
  std::uint64_t missed_to = 0;
  std::array<std::uint64_t, 24> missed{};
  std::uint8_t missed_bound = 0;  ///< a MissedBound (missed_events.h); not written where it is 0
};
void encode(const ConsumerAt& consumer, FieldWriter& out);
[[nodiscard]] std::optional<ConsumerAt> decode_consumer(std::span<const std::uint8_t> payload);

struct Orphan {
  std::string_view carrier;
  std::uint64_t time_ms = 0;
  std::uint8_t message_state = 0;
  bool is_intermediate = false;
  /// It contradicts a final receipt, and its message's record could not be read to say so.
  bool is_unread_conflict = false;
  std::string_view message_id;
  std::string_view stat;
  std::string_view err;
  std::uint32_t network_error_code = 0;
  std::string_view done_date;
  // Not written where the carrier gave no user_message_reference.
  std::optional<std::uint16_t> user_message_reference;
  std::string_view source;
  std::string_view destination;
  // Not written where the receipt had none of them.
  std::string_view sub;
  std::string_view dlvrd;
  std::string_view submit_date;
};
void encode(const Orphan& orphan, FieldWriter& out);
[[nodiscard]] std::optional<Orphan> decode_orphan(std::span<const std::uint8_t> payload);

/// The last one of a carrier counts. Every new journal file begins with one of each carrier that
/// was ever switched.
struct CarrierSwitched {
  std::string_view carrier;
  bool suspended = false;
  std::uint64_t time_ms = 0;
  std::string_view client;  ///< who asked
};
void encode(const CarrierSwitched& switched, FieldWriter& out);
[[nodiscard]] std::optional<CarrierSwitched> decode_carrier_switched(
    std::span<const std::uint8_t> payload);

/// accepted = delivered + sent_final + failed + expired + cancelled + unknown + live, always.
struct Ledger {
  std::uint64_t accepted = 0;
  std::uint64_t delivered = 0;
  std::uint64_t sent_final = 0;
  std::uint64_t failed = 0;
  std::uint64_t expired = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t unknown = 0;
  std::uint64_t sent = 0;           ///< reached `sent`, once each; not part of the equation
  std::uint64_t sequence_next = 1;  ///< the accept sequence that comes next

  [[nodiscard]] std::uint64_t finals() const noexcept {
    return delivered + sent_final + failed + expired + cancelled + unknown;
  }
  void count(State state, std::uint64_t messages = 1) noexcept;
  /// A message that was counted under `state` has come to another: differences wrap around, so
  /// that a batch's share may hold less than nothing.
  void take_back(State state) noexcept { count(state, ~std::uint64_t{0}); }
  void add(const Ledger& other) noexcept;  ///< all but sequence_next
};
void encode(const Ledger& totals, FieldWriter& out);
[[nodiscard]] std::optional<Ledger> decode_totals(std::span<const std::uint8_t> payload);

}  // namespace stentor::daemon
