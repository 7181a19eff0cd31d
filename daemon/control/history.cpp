#include "daemon/control/history.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>

#include "daemon/history/campaign_pauses.h"
#include "daemon/history/telling.h"
#include "daemon/ingress/admission.h"
#include "daemon/ingress/json.h"
#include "daemon/ingress/number.h"
#include "daemon/log.h"
#include "daemon/wall_clock.h"
#include "protocol/message_id.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

// At 150 ns a record a step takes a millisecond or less; with the pause behind it the thread takes
// a tenth of a core at most. A question makes it go without pauses.
constexpr std::size_t kRecordsPerStep = 5000;
constexpr std::size_t kNamesPerStep = 8192;  // 128 KiB: 13 MB/s at most between the pauses
constexpr auto kPauseBehind = 10ms;
constexpr auto kPauseIdle = 1000ms;
// A carried excerpt that cannot be taken in, on a full disk say, is read through for each attempt.
constexpr auto kCarriedAgain = 60s;

// A page of a person's; each is read record by record.
constexpr std::size_t kSentToMax = 20;
// Names are hashed, and a number may be another client's: so many places are looked at.
constexpr std::size_t kPlacesMax = 1000;
// People pause and resume a campaign; the latest orders tell of the waits that are asked about.
constexpr std::size_t kOrdersMax = 100;

}  // namespace

bool may_see(const MessageStanding& message, const Peer& peer) {
  return message.client == peer.client || peer.may_observe || peer.is_admin;
}

History::History(const Config& config, CommitThread& commit, queue::FileSystem& files,
                 const CarrierLimiters& limiters, const CampaignLedger& campaigns)
    : config_(config),
      commit_(commit),
      limiters_(limiters),
      campaigns_(campaigns),
      index_(files, config.state_dir / "journal", config.state_dir / "history"),
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

void History::ask(MessageQuestion question, const Peer& peer, Reply reply) {
  {
    const std::lock_guard lock(guard_);
    if (!stopping_ && questions_.size() < kQuestionsMax) {
      questions_.push_back({std::move(question), peer, std::move(reply), {}});
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
      MessageQuestion question;
      question.id = std::move(id);
      question.place = place;
      questions_.push_back({std::move(question), {}, {}, std::move(found)});
      asked_.notify_one();
      return;
    }
  }
  found(std::nullopt);
}

void History::follow() {
  // Before files go, so that nothing is out of sight.
  if (const auto now = std::chrono::steady_clock::now(); now >= next_carried_) {
    if (!index_.take_carried(commit_.carry_desk().taken().before))
      next_carried_ = now + kCarriedAgain;
  }
  is_behind_ = !index_.catch_up(commit_.durable_end(), kRecordsPerStep);
}

// Nothing when it is time to follow the journal, or to stop.
std::optional<History::Asked> History::next_question() {
  std::unique_lock lock(guard_);
  asked_.wait_for(lock, is_behind_ || is_merging_ ? kPauseBehind : kPauseIdle,
                  [this] { return stopping_ || !questions_.empty(); });
  if (stopping_ || questions_.empty()) return std::nullopt;
  Asked asked = std::move(questions_.front());
  questions_.pop_front();
  return asked;
}

void History::run() {
  prctl(PR_SET_NAME, "history");
  while (true) {
    auto asked = next_question();
    {
      const std::lock_guard lock(guard_);
      if (stopping_) return;
    }
    follow();
    if (!asked && !is_behind_) index_.seal();
    is_merging_ = !asked && index_.merge_some(kNamesPerStep);
    if (asked) {
      while (is_behind_) {
        follow();
        const std::lock_guard lock(guard_);
        if (stopping_) return;
      }
      if (asked->found) {
        asked->found(standing(*asked));
      } else {
        asked->reply(answer(*asked));
      }
    }
    index_.forget_before(commit_.oldest_file());
  }
}

std::optional<MessageStanding> History::standing(const Asked& asked) {
  const auto place = place_of(asked).at;
  const auto record = place ? std::optional(index_.reader().read(*place)) : std::nullopt;
  if (!record || !*record || static_cast<RecordKind>((*record)->kind) != RecordKind::accepted) {
    return std::nullopt;
  }
  const std::vector<std::uint8_t> kept((*record)->payload.begin(), (*record)->payload.end());
  const auto accepted = decode_accepted(kept);
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject) return std::nullopt;
  Telling telling(*accepted, *subject, config_, open_hours_);
  for (const queue::Locator at : index_.find_sequence(subject->id.sequence())) {
    if (const auto step = index_.reader().read(at)) telling.tell(*step);
  }
  return MessageStanding{.at = *place,
                         .id = subject->id,
                         .client = std::string(subject->client),
                         .carrier = std::string(telling.carrier()),
                         .state = telling.state(),
                         .possible_duplicate = telling.is_possible_duplicate(),
                         .at_carrier = telling.at_carrier()};
}

// What `look` finds in the newest record of that name that is what it seems.
History::Place History::first_of(
    std::uint64_t key,
    const std::function<std::optional<queue::Locator>(const queue::Record&)>& look) {
  Place found;
  std::size_t places = 0;
  index_.visit_name(key, [&](queue::Locator at) {
    found.more = places++ == kPlacesMax;
    if (found.more) return true;
    if (const auto record = index_.reader().read(at)) found.at = look(*record);
    return found.at.has_value();
  });
  return found;
}

// The accepted record of the message that is asked for.
History::Place History::place_of(const Asked& asked) {
  const MessageQuestion& question = asked.question;
  if (question.place) return {.at = question.place};
  if (!question.carrier_id.empty()) return place_of_carrier_id(asked);
  if (!question.ref.empty()) {
    return first_of(index_key(IndexedName::ref, question.ref), [&](const queue::Record& record) {
      const auto accepted = decode_accepted(record.payload);
      const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
      const bool is_it = subject && subject->ref == question.ref &&
                         (asked.peer.may_observe || subject->client == asked.peer.client);
      return is_it ? std::optional(record.at) : std::nullopt;
    });
  }
  const auto id = MessageId::parse(question.id);
  if (!id) return {};
  for (const queue::Locator at : index_.find_sequence(id->sequence())) {
    const auto record = index_.reader().read(at);
    if (!record || static_cast<RecordKind>(record->kind) != RecordKind::accepted) continue;
    const auto accepted = decode_accepted(record->payload);
    const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
    if (subject && subject->id == *id) return {.at = at};
  }
  return {};
}

// In any spelling: a person has it from a receipt, a trace or the carrier's own pages.
History::Place History::place_of_carrier_id(const Asked& asked) {
  const auto spellings =
      protocol::spellings_of(asked.question.carrier_id, protocol::MessageIdRule::automatic);
  Place none;
  for (std::uint8_t i = 0; i < spellings.count; ++i) {
    const std::string_view id = spellings.candidates[i].text();
    const auto found =
        first_of(index_key(IndexedName::carrier_id, id), [&](const queue::Record& record) {
          std::optional<queue::Locator> accepted;
          const auto part = static_cast<RecordKind>(record.kind) == RecordKind::part
                                ? decode_part(record.payload)
                                : std::nullopt;
          if (!part || protocol::CanonicalId(part->message_id).text() != id) return accepted;
          const auto subject = decode_subject(part->of.subject);
          if (subject && (asked.peer.may_observe || subject->client == asked.peer.client)) {
            accepted = part->of.accepted;
          }
          return accepted;
        });
    if (found.at) return found;
    none.more = none.more || found.more;
  }
  return none;
}

// When its campaign was paused, by the orders that the journal still has, and as it stands now: of
// a long pause retention may have taken the order.
std::vector<Stretch> History::pauses_of(const Subject& subject, queue::Flow flow) {
  if (subject.campaign.empty()) return {};
  std::vector<CampaignOrderGiven> orders;
  for (const queue::Locator at :
       index_.find_name(campaign_key(subject.client, subject.campaign), kOrdersMax)) {
    const auto record = index_.reader().read(at);
    const auto set = record && static_cast<RecordKind>(record->kind) == RecordKind::campaign_set
                         ? decode_campaign_set(record->payload)
                         : std::nullopt;
    if (!set || set->campaign.client != subject.client || set->campaign.name != subject.campaign) {
      continue;
    }
    orders.push_back({set->campaign.changed_ms, set->campaign.is_paused});
    if (orders.size() == kOrdersMax) break;
  }
  std::ranges::reverse(orders);  // the newest came first
  if (const auto standing = campaigns_.find(flow)) {
    orders.push_back({standing->campaign.changed_ms, standing->campaign.is_paused});
  }
  return daemon::pauses_of(orders);
}

void History::note_look(const Peer& peer) {
  const auto line = read_audit_.line_of(peer.client, "message", std::chrono::steady_clock::now());
  if (line) log::info("{}", *line);
}

// The members of a reply about the message accepted at `place`, for those who may see it.
std::optional<std::string> History::told(queue::Locator place, const Peer& peer,
                                         bool with_history) {
  const auto record = index_.reader().read(place);
  if (!record || static_cast<RecordKind>(record->kind) != RecordKind::accepted) {
    return std::nullopt;
  }
  const std::vector<std::uint8_t> kept(record->payload.begin(), record->payload.end());
  const auto accepted = decode_accepted(kept);
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject) return std::nullopt;
  if (!peer.may_observe && subject->client != peer.client) return std::nullopt;
  shows_others_ = shows_others_ || subject->client != peer.client;
  Telling telling(*accepted, *subject, config_, open_hours_,
                  with_history ? pauses_of(*subject, flow_of(*accepted)) : std::vector<Stretch>{});
  for (const queue::Locator at : index_.find_sequence(subject->id.sequence())) {
    if (const auto step = index_.reader().read(at)) telling.tell(*step);
  }
  if (with_history) {
    const auto carrier =
        std::ranges::find(config_.carriers, telling.carrier(), &CarrierConfig::name);
    const auto number = static_cast<std::size_t>(carrier - config_.carriers.begin());
    telling.tell_waiting(wall_clock_ms(), limiters_.at(number));
  }
  return telling.members(with_history);
}

std::string History::sent_to(const Asked& asked) {
  const auto number = normalise_destination(asked.question.to);
  const std::string to = number ? *number : asked.question.to;
  std::string reply = "{";
  append_member("status", "ok", reply);
  append_member("to", to, reply);
  open_list("messages", reply);
  std::size_t shown = 0;
  bool more = false;
  std::size_t places = 0;
  index_.visit_name(index_key(IndexedName::to, to), [&](queue::Locator at) {
    if (places++ == kPlacesMax) {
      more = true;  // own ones, for all we know
      return true;
    }
    const auto record = index_.reader().read(at);
    const auto accepted = record && static_cast<RecordKind>(record->kind) == RecordKind::accepted
                              ? decode_accepted(record->payload)
                              : std::nullopt;
    const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
    if (!subject || subject->to != to) return false;  // another number of this hash
    if (!asked.peer.may_observe && subject->client != asked.peer.client) return false;
    if (shown == kSentToMax) {
      more = true;
      return true;
    }
    if (const auto members = told(at, asked.peer, false)) {
      if (shown++ > 0) reply.push_back(',');
      reply.append("{").append(*members).append("}");
    }
    return false;
  });
  reply.push_back(']');
  if (more) reply.append(",\"more\":true");
  reply.push_back('}');
  return reply;
}

std::string History::answer(const Asked& asked) {
  shows_others_ = false;
  std::string reply = look_for(asked);
  if (shows_others_) note_look(asked.peer);
  return reply;
}

std::string History::look_for(const Asked& asked) {
  if (!asked.question.to.empty()) return sent_to(asked);
  const Place place = place_of(asked);
  const auto members = place.at ? told(*place.at, asked.peer, true) : std::nullopt;
  if (!members && place.more) {
    std::string reply = rejection(
        "not_found", fmt::format("no such message among the newest {} of this name", kPlacesMax));
    reply.insert(reply.size() - 1, ",\"more\":true");
    return reply;
  }
  if (!members) return rejection("not_found", "no such message");
  return "{\"status\":\"ok\"," + *members + "}";
}

}  // namespace stentor::daemon
