#include "daemon/callbacks/callback_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/callbacks/signature.h"
#include "daemon/callbacks/url_template.h"
#include "daemon/config/url_check.h"
#include "daemon/log.h"
#include "daemon/records/subject_extras.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

// One target's reading must not keep the others' answers waiting.
constexpr int kRecordsAtOnce = 20'000;
constexpr std::chrono::milliseconds kFirstPause = 1s;
constexpr std::chrono::milliseconds kLongestPause = 5min;
constexpr unsigned kDoublingsMax = 9;  // 512 s: past the longest pause
// Two requests to one host at once keep it busy while an answer travels.
constexpr std::size_t kRequestsMax = 2;
// To all hosts that a client's messages name: each is a socket, of some thousands that we may open.
constexpr std::size_t kRequestsOfAllMax = 64;

struct IdHash {
  std::size_t operator()(const MessageId& id) const noexcept {
    return static_cast<std::size_t>(id.low() ^ id.high());
  }
};

std::uint64_t time_of(const queue::Record& record, const RecordEvents& events) {
  // All records with events but these begin with Following: place, then time.
  FieldReader in(record.payload);
  (void)in.u64();
  const std::uint64_t second = in.u64();
  FieldReader first(record.payload);
  const bool is_of_message = event_type_of(events.types[0]) < event_type_of("inbound");
  return is_of_message ? second : first.u64();
}

std::chrono::milliseconds pause_after(unsigned failures) {
  const unsigned doublings = std::min(failures - 1, kDoublingsMax);
  return std::min<std::chrono::milliseconds>(kFirstPause * (1u << doublings), kLongestPause);
}

}  // namespace

std::string CallbackTarget::name_of(const std::string& campaign) {
  return campaign.empty() ? "@callback" : "@callback " + campaign;
}

CallbackTarget::CallbackTarget(std::string client, const CallbackConfig& config,
                               std::string campaign, std::unique_ptr<queue::JournalReader> reader,
                               EventPosition position)
    : client_(std::move(client)),
      config_(config),
      campaign_(std::move(campaign)),
      name_(name_of(campaign_)),
      reader_(std::move(reader)),
      next_(position.record),
      skip_to_(position),
      acknowledged_(position),
      last_read_(position) {}

bool CallbackTarget::passes(const RecordEvents& events, std::uint8_t sub) const {
  return config_.types.empty() ||
         std::ranges::find(config_.types, events.types[sub - 1u]) != config_.types.end();
}

// What its URL is made of: the message's own, its campaign's, the client's. Empty: not for us.
std::string_view CallbackTarget::url_for(const RecordEvents& events) const {
  if (!events.subject || events.subject->client != client_) return {};
  const std::string_view own = callback_of(events.subject_octets);
  if (!own.empty()) return campaign_.empty() ? own : std::string_view{};
  const auto of_campaign = config_.campaigns.find(std::string(events.subject->campaign));
  const bool has_one = !events.subject->campaign.empty() && of_campaign != config_.campaigns.end();
  if (campaign_.empty()) return has_one ? std::string_view{} : std::string_view(config_.url);
  return has_one && campaign_ == events.subject->campaign ? std::string_view(of_campaign->second)
                                                          : std::string_view{};
}

bool CallbackTarget::fill(queue::Locator end, std::uint32_t oldest_file) {
  bool is_behind = true;
  for (int i = 0; i < kRecordsAtOnce && !is_full(); ++i) {
    const auto read = reader_->next(next_, end);
    if (!read) on_unreadable(read.error());
    note_passed_over();
    const std::optional<queue::Record> record = read.value_or(std::nullopt);
    if (!record) {
      is_behind = false;
      break;
    }
    take(*record);
  }
  reader_->forget_before(oldest_file);
  return is_behind && !is_full();
}

void CallbackTarget::on_unreadable(std::error_code why) {
  const auto line = trouble_.line_of("callbacks", next_, why, std::chrono::steady_clock::now());
  if (line) log::error("{}", *line);
}

void CallbackTarget::note_passed_over() {
  if (reader_->passed_over() == passed_over_) return;
  passed_over_ = reader_->passed_over();
  note_unread();
}

void CallbackTarget::note_unread() {
  ++unread_;
  unread_at_.push_back({next_, 0});
}

// Into the window, those of its events that are for us.
void CallbackTarget::take(const queue::Record& record) {
  const RecordEvents events = events_of(record);
  const std::string_view url = url_for(events);
  if (url.empty() || !events.subject) return;
  for (std::uint8_t sub = 1; sub <= events.count; ++sub) {
    const EventPosition at{record.at, sub};
    if (at <= skip_to_ || !passes(events, sub)) continue;
    Waiting waiting;
    waiting.at = at;
    waiting.id = events.subject->id;
    waiting.time_ms = time_of(record, events);
    waiting.type = event_type_of(events.types[sub - 1u]).value_or(0);
    waiting.origin = origin_of(url);
    waiting.url = expand_url(url, *events.subject, events.types[sub - 1u]);
    append_event(record, events, sub, to_cursor(at), waiting.line);
    waiting.before = std::exchange(last_read_, at);
    octets_ += waiting.octets();
    ++resting_[waiting.origin];
    window_.emplace(next_number_++, std::move(waiting));
  }
}

bool CallbackTarget::pass_over(std::uint32_t file) {
  const queue::Locator until(file, 0, 0);
  for (int i = 0; i < kRecordsAtOnce && next_ < until; ++i) {
    const auto read = reader_->next(next_, until);
    note_passed_over();
    if (!read) {  // the rest of this file goes unread
      on_unreadable(read.error());
      next_ = std::min(until, queue::Locator(next_.file() + 1, 0, 0));
      note_unread();
      continue;
    }
    const std::optional<queue::Record>& record = *read;
    if (!record) {
      next_ = until;
      break;
    }
    const RecordEvents events = events_of(*record);
    if (url_for(events).empty()) continue;
    for (std::uint8_t sub = 1; sub <= events.count; ++sub) {
      const EventPosition at{record->at, sub};
      if (at <= skip_to_ || !passes(events, sub)) continue;
      ++dead_;
      ++overtaken_.events;
      last_read_ = overtaken_.last = at;
    }
  }
  return next_ >= until;
}

void CallbackTarget::let_go(std::uint32_t file) {
  gone_to_ = alone_.to;
  alone_ = {};
  alone_.to = queue::Locator(file, 0, 0);
  alone_has_changed_ = true;
  for (const auto& [number, event] : window_) {
    if (event.at.record >= alone_.to) break;
    ++alone_.counts.own[event.type];
    if (event.at.record < gone_to_) ++alone_.counts.all[event.type];
  }
}

std::optional<MissedEvents> CallbackTarget::in_memory_alone() {
  if (!std::exchange(alone_has_changed_, false)) return std::nullopt;
  return std::ranges::any_of(alone_.counts.own, [](std::uint64_t count) { return count > 0; })
             ? alone_
             : MissedEvents{};
}

bool CallbackTarget::may_take(const std::string& origin, TimePoint now) const {
  const auto host = hosts_.find(origin);
  if (host == hosts_.end()) return true;
  return now >= host->second.retry_at &&
         host->second.requests < (host->second.failures > 0 ? 1 : kRequestsMax);
}

void CallbackTarget::set_in_flight(Waiting& event, bool is_in_flight) {
  if (event.is_in_flight == is_in_flight) return;
  event.is_in_flight = is_in_flight;
  if (!is_in_flight) {
    ++resting_[event.origin];
    return;
  }
  const auto resting = resting_.find(event.origin);
  if (--resting->second == 0) resting_.erase(resting);
}

CallbackTarget::Window::iterator CallbackTarget::remove(Window::iterator event) {
  set_in_flight(event->second, true);  // it rests no more
  if (event->second.at.record < alone_.to) {
    --alone_.counts.own[event->second.type];
    if (event->second.at.record < gone_to_) --alone_.counts.all[event->second.type];
    alone_has_changed_ = true;
  }
  octets_ -= event->second.octets();
  return window_.erase(event);
}

std::optional<HttpRequest> CallbackTarget::next_request(std::uint64_t token, TimePoint now,
                                                        std::uint64_t now_ms,
                                                        const HasRoom& has_room) {
  if (requests_.size() >= kRequestsOfAllMax) return std::nullopt;
  // Every commit asks: while no host takes anything, no look at thousands of events is worth it.
  const bool any_open = std::ranges::any_of(resting_, [&](const auto& each) {
    return may_take(each.first, now) && has_room(each.first);
  });
  if (!any_open) return std::nullopt;
  // Whose events are under way, or stay behind for the sake of order.
  std::unordered_set<MessageId, IdHash> busy;
  std::vector<std::uint64_t> numbers;
  // Hosts that were asked about in this look: most windows have one, some thousands of events long.
  std::unordered_map<std::string_view, bool> open;
  const auto is_open = [&](const Waiting& event) {
    const auto [known, is_new] = open.try_emplace(event.origin, false);
    if (is_new) known->second = may_take(event.origin, now) && has_room(event.origin);
    return known->second;
  };
  const Waiting* first = nullptr;
  std::string body = R"({"events":[)";
  for (auto& [number, event] : window_) {
    if (numbers.size() >= config_.batch) break;
    if (event.is_in_flight || busy.contains(event.id) || !is_open(event) ||
        (first != nullptr && event.url != first->url)) {
      busy.insert(event.id);
      continue;
    }
    first = &event;
    if (!numbers.empty()) body.push_back(',');
    body.append(event.line);
    set_in_flight(event, true);
    numbers.push_back(number);
  }
  if (numbers.empty()) return std::nullopt;
  body.append("]}");
  HttpRequest request;
  request.url = first->url;
  request.timeout = config_.timeout;
  request.headers.emplace_back("Content-Type: application/json");
  for (const auto& [name, value] : config_.headers) {
    request.headers.push_back(fmt::format("{}: {}", name, value));
  }
  if (!config_.secret.empty()) {
    request.headers.push_back("Stentor-Signature: " +
                              signature_of(config_.secret, now_ms / 1000, body));
  }
  request.body = std::move(body);
  ++hosts_[first->origin].requests;
  requests_.emplace(token, Request{first->origin, std::move(numbers)});
  return request;
}

std::vector<CallbackTarget::Dead> CallbackTarget::on_done(std::uint64_t token,
                                                          const HttpOutcome& outcome, TimePoint now,
                                                          std::uint64_t now_ms) {
  std::vector<Dead> dead;
  const auto request = requests_.extract(token);
  if (request.empty()) return dead;
  const std::string& origin = request.mapped().origin;
  Host& host = hosts_[origin];
  --host.requests;
  if (outcome.well) {
    host.failures = 0;
    host.retry_at = {};
    posted_ += request.mapped().events.size();
  } else {
    ++host.failures;
    ++failed_;
    host.retry_at = now + pause_after(host.failures);
    host.last_error = outcome.why;
  }
  const auto patience_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(config_.give_up_after).count());
  for (const std::uint64_t number : request.mapped().events) {
    const auto event = window_.find(number);
    if (outcome.well) {
      remove(event);
    } else {
      set_in_flight(event->second, false);
    }
  }
  if (outcome.well) {
    forget_hosts(now);
    return dead;
  }
  // A request that failed speaks for all that waits for its host: what is too old goes with it.
  for (auto each = window_.begin(); each != window_.end();) {
    const Waiting& event = each->second;
    if (event.is_in_flight || event.origin != origin || event.time_ms + patience_ms > now_ms) {
      ++each;
      continue;
    }
    ++dead_;
    dead.push_back({event.at, outcome.why});
    each = remove(each);
  }
  if (!dead.empty()) host.retry_at = now + kFirstPause;  // others, younger, come into the window
  if (hosts_.size() > kHostsMax) forget_hosts(now);
  return dead;
}

// Messages may name any number of hosts. Those that are well need not be known; of too many, those
// whose pause is over are forgotten too, and would merely be tried at shorter pauses again.
void CallbackTarget::forget_hosts(TimePoint now) {
  const bool are_many = hosts_.size() > kHostsMax;
  std::erase_if(hosts_, [&](const auto& each) {
    const Host& host = each.second;
    return host.requests == 0 && (host.failures == 0 || (are_many && host.retry_at <= now));
  });
}

std::optional<EventPosition> CallbackTarget::progress() {
  // Not back to an event that was read before much that was not ours.
  EventPosition at =
      std::max(acknowledged_, window_.empty() ? last_read_ : window_.begin()->second.before);
  // With nothing waiting all that was read is dealt with: most of it was not ours.
  if (window_.empty() && next_ > at.record) at = {next_, 0};
  if (at == acknowledged_) return std::nullopt;
  acknowledged_ = at;
  return at;
}

std::optional<CallbackTarget::TimePoint> CallbackTarget::next_try() const {
  std::optional<TimePoint> next;
  if (window_.empty()) return next;
  for (const auto& [origin, host] : hosts_) {
    if (host.failures > 0 && (!next || host.retry_at < *next)) next = host.retry_at;
  }
  return next;
}

CallbackFigures CallbackTarget::figures() const {
  const auto failing =
      std::ranges::find_if(hosts_, [](const auto& each) { return each.second.failures > 0; });
  return {.client = client_,
          .target = name_,
          .posted = posted_,
          .failed = failed_,
          .dead = dead_,
          .unread = unread_,
          .waiting = window_.size(),
          .last_error = failing == hosts_.end() ? std::string() : failing->second.last_error};
}

}  // namespace stentor::daemon
