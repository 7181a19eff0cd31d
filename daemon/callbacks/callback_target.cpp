#include "daemon/callbacks/callback_target.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/callbacks/signature.h"
#include "daemon/callbacks/url_template.h"
#include "daemon/config/url_check.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

// One target's reading must not keep the others' answers waiting.
constexpr int kRecordsAtOnce = 20'000;
constexpr std::chrono::milliseconds kFirstPause = 1s;
constexpr std::chrono::milliseconds kLongestPause = 5min;
constexpr unsigned kDoublingsMax = 9;  // 512 s: past the longest pause
// Two requests to one target at once keep it busy while an answer travels.
constexpr std::size_t kRequestsMax = 2;

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

const std::string& url_of(const CallbackConfig& config, const std::string& campaign) {
  return campaign.empty() ? config.url : config.campaigns.at(campaign);
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
      url_(url_of(config, campaign_)),
      origin_(origin_of(url_)),
      reader_(std::move(reader)),
      next_(position.record),
      skip_to_(position),
      acknowledged_(position) {}

bool CallbackTarget::is_for_us(const RecordEvents& events, std::uint8_t sub) const {
  if (!events.subject) return false;
  const Subject& subject = *events.subject;
  if (subject.client != client_) return false;
  const bool has_own =
      !subject.campaign.empty() && config_.campaigns.contains(std::string(subject.campaign));
  if (campaign_.empty() ? has_own : subject.campaign != campaign_) return false;
  return config_.types.empty() ||
         std::ranges::find(config_.types, events.types[sub - 1u]) != config_.types.end();
}

bool CallbackTarget::fill(queue::Locator end, std::uint32_t oldest_file) {
  bool is_behind = true;
  for (int i = 0; i < kRecordsAtOnce && window_.size() < kWindowEvents; ++i) {
    const auto record = reader_->next(next_, end);
    if (!record || !*record) {
      is_behind = false;
      break;
    }
    const RecordEvents events = events_of(**record);
    for (std::uint8_t sub = 1; sub <= events.count; ++sub) {
      const EventPosition at{(*record)->at, sub};
      if (at <= skip_to_ || !is_for_us(events, sub)) continue;
      Waiting waiting;
      waiting.at = at;
      waiting.id = events.subject->id;
      waiting.time_ms = time_of(**record, events);
      waiting.url = expand_url(url_, *events.subject, events.types[sub - 1u]);
      append_event(**record, events, sub, to_cursor(at), waiting.line);
      window_.push_back(std::move(waiting));
    }
  }
  reader_->forget_before(oldest_file);
  return is_behind && window_.size() < kWindowEvents;
}

std::optional<HttpRequest> CallbackTarget::next_request(std::uint64_t token, TimePoint now,
                                                        std::uint64_t now_ms) {
  if (now < retry_at_ || requests_.size() >= (failures_ > 0 ? 1 : kRequestsMax)) {
    return std::nullopt;
  }
  // Whose events are under way, or stay behind for the sake of order.
  std::unordered_set<MessageId, IdHash> busy;
  std::vector<std::uint64_t> numbers;
  const std::string* url = nullptr;
  std::string body = R"({"events":[)";
  for (std::size_t i = 0; i < window_.size() && numbers.size() < config_.batch; ++i) {
    Waiting& event = window_[i];
    if (event.is_done) continue;
    if (event.is_in_flight || busy.contains(event.id) || (url != nullptr && event.url != *url)) {
      busy.insert(event.id);
      continue;
    }
    url = &event.url;
    if (!numbers.empty()) body.push_back(',');
    body.append(event.line);
    event.is_in_flight = true;
    numbers.push_back(first_number_ + i);
  }
  if (numbers.empty()) return std::nullopt;
  body.append("]}");
  HttpRequest request;
  request.url = *url;
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
  requests_.emplace(token, std::move(numbers));
  return request;
}

std::chrono::milliseconds CallbackTarget::pause() const {
  const unsigned doublings = std::min(failures_ - 1, kDoublingsMax);
  return std::min<std::chrono::milliseconds>(kFirstPause * (1u << doublings), kLongestPause);
}

std::vector<CallbackTarget::Dead> CallbackTarget::on_done(std::uint64_t token,
                                                          const HttpOutcome& outcome, TimePoint now,
                                                          std::uint64_t now_ms) {
  std::vector<Dead> dead;
  const auto request = requests_.extract(token);
  if (request.empty()) return dead;
  if (outcome.well) {
    failures_ = 0;
    retry_at_ = {};
    posted_ += request.mapped().size();
  } else {
    ++failures_;
    ++failed_;
    retry_at_ = now + pause();
    last_error_ = outcome.why;
  }
  const auto patience_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(config_.give_up_after).count());
  for (const std::uint64_t number : request.mapped()) {
    Waiting& event = window_[number - first_number_];
    event.is_in_flight = false;
    event.is_done = outcome.well;
  }
  if (outcome.well) return dead;
  // A request that failed speaks for all that waits: what is too old goes with it.
  for (Waiting& event : window_) {
    if (event.is_done || event.is_in_flight || event.time_ms + patience_ms > now_ms) continue;
    event.is_done = true;
    ++dead_;
    dead.push_back({event.at, outcome.why});
  }
  if (!dead.empty()) retry_at_ = now + kFirstPause;  // others, younger, come into the window
  return dead;
}

std::optional<EventPosition> CallbackTarget::progress() {
  EventPosition at = acknowledged_;
  while (!window_.empty() && window_.front().is_done) {
    at = window_.front().at;
    window_.pop_front();
    ++first_number_;
  }
  // With nothing waiting all that was read is dealt with: most of it was not ours.
  if (window_.empty() && next_ > at.record) at = {next_, 0};
  if (at == acknowledged_) return std::nullopt;
  acknowledged_ = at;
  return at;
}

std::optional<CallbackTarget::TimePoint> CallbackTarget::next_try() const {
  if (window_.empty() || failures_ == 0) return std::nullopt;
  return retry_at_;
}

CallbackFigures CallbackTarget::figures() const {
  return {.client = client_,
          .target = name_,
          .posted = posted_,
          .failed = failed_,
          .dead = dead_,
          .waiting = window_.size(),
          .last_error = failures_ > 0 ? last_error_ : std::string()};
}

}  // namespace stentor::daemon
