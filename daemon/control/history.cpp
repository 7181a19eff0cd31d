#include "daemon/control/history.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include "daemon/ingress/admission.h"
#include "daemon/ingress/json.h"
#include "daemon/ingress/timestamp.h"
#include "daemon/records/doubt_records.h"

namespace stentor::daemon {
namespace {

constexpr queue::ReaderOptions kReaderOptions{.recent_octets_max = 0,
                                              .blocks_octets_max = 2u << 20};

std::string rejection(std::string_view code, std::string_view detail) {
  std::string reply;
  append_rejection({code, std::string(detail), {}}, reply);
  return reply;
}

void append_time(std::string_view key, std::uint64_t time_ms, std::string& out) {
  append_key(key, out);
  out.push_back('"');
  append_rfc3339(time_ms, out);
  out.push_back('"');
}

// What the steps of one message add up to, while its records go by.
struct Telling {
  MessageId id;
  State state = State::none;
  std::string carrier;  ///< where it has moved to; empty: where it was accepted for
  bool was_intended = false;
  bool possible_duplicate = false;
  std::string steps;

  void step(std::uint64_t time_ms, std::string_view what) {
    if (!steps.empty()) steps.push_back(',');
    steps.push_back('{');
    append_time("time", time_ms, steps);
    append_member("what", what, steps);
  }
  void end() { steps.push_back('}'); }
  void note(const Following& of) {
    if (of.state != State::none) state = of.state;
    possible_duplicate = possible_duplicate || of.possible_duplicate;
    if (of.possible_duplicate) steps.append(",\"possible_duplicate\":true");
    if (of.state != State::none) append_member("state", name_of(of.state), steps);
  }
};

bool is_about(const Following& of, MessageId id) {
  const auto subject = decode_subject(of.subject);
  return subject && subject->id == id;
}

bool names(const std::vector<std::uint64_t>& sequences, MessageId id) {
  return std::ranges::find(sequences, id.sequence()) != sequences.end();
}

void tell_part(const PartAnswered& part, Telling& telling) {
  telling.step(part.of.time_ms, part.command_status == 0 ? "part_accepted" : "part_refused");
  append_member("part", part.part, telling.steps);
  append_member("attempt", part.attempt, telling.steps);
  append_member("bind", part.bind, telling.steps);
  append_member("command_status", fmt::format("{:#010x}", part.command_status), telling.steps);
  if (!part.message_id.empty()) {
    append_key("carrier_id", telling.steps);
    append_json_untrusted(part.message_id, 80, telling.steps);
  }
  if (!part.code.empty()) append_member("code", part.code, telling.steps);
  if (part.retry_at_ms != 0) append_time("again_at", part.retry_at_ms, telling.steps);
  telling.note(part.of);
  telling.end();
}

void tell_receipt(const ReceiptCame& receipt, Telling& telling) {
  telling.step(receipt.of.time_ms, "receipt");
  append_member("part", receipt.part, telling.steps);
  append_key("stat", telling.steps);
  append_json_untrusted(receipt.stat, 80, telling.steps);
  append_key("err", telling.steps);
  append_json_untrusted(receipt.err, 80, telling.steps);
  append_key("carrier_id", telling.steps);
  append_json_untrusted(receipt.message_id, 80, telling.steps);
  telling.note(receipt.of);
  telling.end();
}

void tell(const queue::Record& record, Telling& telling) {
  switch (static_cast<RecordKind>(record.kind)) {
    case RecordKind::intent:
      if (const auto intent = decode_intent(record.payload);
          intent && names(intent->sequences, telling.id)) {
        telling.was_intended = true;
        telling.step(intent->time_ms, "reserved");
        append_member("carrier", intent->carrier, telling.steps);
        append_member("bind", intent->bind, telling.steps);
        append_member("connection", intent->epoch, telling.steps);
        telling.end();
      }
      return;
    case RecordKind::released:
      if (const auto released = decode_released(record.payload);
          released && names(released->sequences, telling.id)) {
        telling.step(released->time_ms, "released");
        append_member("detail", "the link went before it was written", telling.steps);
        telling.end();
      }
      return;
    case RecordKind::part:
      if (const auto part = decode_part(record.payload); part && is_about(part->of, telling.id)) {
        tell_part(*part, telling);
      }
      return;
    case RecordKind::receipt:
      if (const auto receipt = decode_receipt(record.payload);
          receipt && is_about(receipt->of, telling.id)) {
        tell_receipt(*receipt, telling);
      }
      return;
    case RecordKind::verdict:
      if (const auto verdict = decode_verdict(record.payload);
          verdict && is_about(verdict->of, telling.id)) {
        telling.step(verdict->of.time_ms, "verdict");
        append_member("code", verdict->code, telling.steps);
        append_member("detail", verdict->detail, telling.steps);
        telling.note(verdict->of);
        telling.end();
      }
      return;
    case RecordKind::conflict:
      if (const auto conflict = decode_verdict(record.payload);
          conflict && is_about(conflict->of, telling.id)) {
        telling.step(conflict->of.time_ms, "conflict");
        append_member("code", conflict->code, telling.steps);
        append_key("detail", telling.steps);
        append_json_untrusted(conflict->detail, 80, telling.steps);
        telling.end();
      }
      return;
    case RecordKind::uncertain:
      if (const auto uncertain = decode_uncertain(record.payload);
          uncertain && is_about(uncertain->of, telling.id)) {
        telling.step(uncertain->of.time_ms, "uncertain");
        append_member("reason", uncertain->reason, telling.steps);
        append_member("policy", word_of(uncertain->policy), telling.steps);
        if (uncertain->until_ms != 0) append_time("until", uncertain->until_ms, telling.steps);
        telling.note(uncertain->of);
        telling.end();
      }
      return;
    case RecordKind::moved:
      if (const auto moved = decode_moved(record.payload);
          moved && is_about(moved->of, telling.id)) {
        telling.step(moved->of.time_ms, "moved");
        append_member("from", moved->from, telling.steps);
        append_member("to", moved->to, telling.steps);
        append_member("reason", moved->reason, telling.steps);
        telling.end();
        telling.carrier = moved->to;
      }
      return;
    case RecordKind::resolved:
      if (const auto resolved = decode_resolved(record.payload);
          resolved && is_about(resolved->of, telling.id)) {
        telling.step(resolved->of.time_ms, "resolved");
        append_member("as", name_of(resolved->end), telling.steps);
        if (!resolved->by.empty()) append_member("by", resolved->by, telling.steps);
        if (!resolved->code.empty()) append_member("code", resolved->code, telling.steps);
        if (!resolved->detail.empty()) append_member("detail", resolved->detail, telling.steps);
        telling.note(resolved->of);
        telling.end();
      }
      return;
    case RecordKind::carrier_switched:
    case RecordKind::totals:
    case RecordKind::accepted:
    case RecordKind::consumer:
    case RecordKind::orphan:
    case RecordKind::campaign:
    case RecordKind::campaign_set:
    case RecordKind::campaign_forgotten: return;
  }
}

std::string_view priority_word(std::uint8_t priority) {
  return priority == 0 ? "urgent" : priority == 1 ? "normal" : "bulk";
}

std::string state_word(const Telling& telling, const Accepted& accepted) {
  if (telling.state != State::none) return std::string(name_of(telling.state));
  if (telling.was_intended) return "sending";
  return accepted.not_before_ms != 0 ? "scheduled" : "queued";
}

}  // namespace

History::History(const Config& config, CommitThread& commit, queue::FileSystem& files)
    : commit_(commit),
      reader_(files, config.state_dir / "journal", kReaderOptions),
      thread_([this] { run(); }) {}

History::~History() {
  stop();
}

void History::stop() {
  {
    const std::lock_guard lock(guard_);
    stopping_ = true;
  }
  asked_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void History::ask(std::string id, std::optional<queue::Locator> place, const Peer& peer,
                  Reply reply) {
  {
    const std::lock_guard lock(guard_);
    if (!stopping_ && questions_.size() < kQuestionsMax) {
      questions_.push_back({std::move(id), place, peer, std::move(reply), {}});
      asked_.notify_one();
      return;
    }
  }
  reply(rejection("busy", "message: too many questions at once"));
}

void History::find(std::string id, std::optional<queue::Locator> place, Found found) {
  {
    const std::lock_guard lock(guard_);
    if (!stopping_) {  // those who cancel are as many as connections
      questions_.push_back({std::move(id), place, {}, {}, std::move(found)});
      asked_.notify_one();
      return;
    }
  }
  found(std::nullopt);
}

void History::run() {
  prctl(PR_SET_NAME, "history");
  while (true) {
    Question question;
    {
      std::unique_lock lock(guard_);
      asked_.wait(lock, [this] { return stopping_ || !questions_.empty(); });
      if (stopping_) return;
      question = std::move(questions_.front());
      questions_.pop_front();
    }
    if (question.found) {
      question.found(standing(question));
    } else {
      question.reply(answer(question));
    }
    reader_.forget_before(commit_.oldest_file());
  }
}

struct History::Told {
  queue::Locator at;
  std::vector<std::uint8_t> record;  // as accepted
  Telling telling;
};

std::optional<History::Told> History::told_of(const Question& question) {
  const queue::Locator end = commit_.durable_end();
  const auto id = MessageId::parse(question.id);
  if (!question.place && !id) return std::nullopt;
  queue::Locator position =
      question.place.value_or(queue::Locator(id ? commit_.file_of(id->sequence()) : 0, 0, 0));

  // First its accepted record, then all that speak of it.
  Told told;
  std::vector<std::uint8_t>& kept = told.record;
  while (kept.empty()) {
    const auto record = reader_.next(position, end);
    if (!record || !*record) return std::nullopt;
    if (static_cast<RecordKind>((*record)->kind) != RecordKind::accepted) continue;
    const auto accepted = decode_accepted((*record)->payload);
    const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
    if (!subject) continue;
    if (!question.place && subject->id.sequence() > id->sequence()) return std::nullopt;
    if (question.place || subject->id == *id) {
      kept.assign((*record)->payload.begin(), (*record)->payload.end());
      told.at = (*record)->at;
    }
  }
  const auto accepted = decode_accepted(kept);
  const auto subject = decode_subject(accepted->subject);

  Telling& telling = told.telling;
  telling.id = subject->id;
  telling.step(subject->id.time_ms(), "accepted");
  append_member("client", subject->client, telling.steps);
  append_member("carrier", subject->carrier, telling.steps);
  append_member("priority", priority_word(accepted->priority), telling.steps);
  if (accepted->not_before_ms != 0) {
    append_time("not_before", accepted->not_before_ms, telling.steps);
  }
  if (accepted->hours) append_member("hours", to_string(*accepted->hours), telling.steps);
  telling.end();
  while (true) {
    const auto record = reader_.next(position, end);
    if (!record || !*record) break;
    tell(**record, telling);
  }
  return told;
}

std::optional<MessageStanding> History::standing(const Question& question) {
  const auto told = told_of(question);
  if (!told) return std::nullopt;
  const auto subject = decode_subject(decode_accepted(told->record)->subject);
  return MessageStanding{.at = told->at,
                         .id = subject->id,
                         .client = std::string(subject->client),
                         .carrier = told->telling.carrier.empty() ? std::string(subject->carrier)
                                                                  : told->telling.carrier,
                         .state = told->telling.state,
                         .possible_duplicate = told->telling.possible_duplicate};
}

std::string History::answer(const Question& question) {
  const auto told = told_of(question);
  if (!told) return rejection("not_found", "no such message");
  const Telling& telling = told->telling;
  const auto accepted = decode_accepted(told->record);
  const auto subject = decode_subject(accepted->subject);
  if (!question.peer.may_observe && subject->client != question.peer.client) {
    return rejection("not_found", "no such message");
  }

  std::string reply = "{";
  const auto text = subject->id.text();
  append_member("status", "ok", reply);
  append_member("id", {text.data(), text.size()}, reply);
  if (!subject->ref.empty()) append_member("ref", subject->ref, reply);
  append_member("client", subject->client, reply);
  if (!subject->campaign.empty()) append_member("campaign", subject->campaign, reply);
  append_member("to", subject->to, reply);
  append_member("from", subject->from, reply);
  append_member("carrier", telling.carrier.empty() ? subject->carrier : telling.carrier, reply);
  append_member("state", state_word(telling, *accepted), reply);
  append_member("segments", subject->parts, reply);
  append_time("accepted", subject->id.time_ms(), reply);
  append_time("expires", std::uint64_t{accepted->expires} * 1000, reply);
  if (!subject->meta.empty()) {
    append_key("meta", reply);
    reply.append(subject->meta);
  }
  append_key("history", reply);
  reply.append("[").append(telling.steps).append("]}");
  return reply;
}

}  // namespace stentor::daemon
