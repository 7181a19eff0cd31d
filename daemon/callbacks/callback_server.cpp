#include "daemon/callbacks/callback_server.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <numeric>

#include "daemon/config/url_check.h"
#include "daemon/log.h"
#include "daemon/wall_clock.h"
#include "queue/journal_format.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

// Woken by commits and answers; this is for retries and the sign of life.
constexpr std::chrono::milliseconds kLongestSleep = 1s;

constexpr queue::ReaderOptions kReaderOptions{.recent_octets_max = 0,
                                              .blocks_octets_max = 1u << 20};

}  // namespace

CallbackServer::CallbackServer(const Config& config, CommitThread& commit, Consumers& consumers,
                               queue::FileSystem& files)
    : config_(config),
      commit_(commit),
      consumers_(consumers),
      files_(files),
      guard_(config.callbacks.allow),
      feed_(commit, false, 0, [this] { wake(); }),
      pin_(commit.add_pin(FilePin::Turn::posts)),
      turns_(config.callbacks.in_flight) {
  // Before the first file may go.
  const auto calls_back = [](const ClientConfig& client) { return client.callback.has_value(); };
  if (std::ranges::any_of(config.clients, calls_back)) pin_.hold_from(0);
}

CallbackServer::~CallbackServer() {
  stop();
}

void CallbackServer::restore(const DeadLetter& letter) {
  dead_letters_.push_back({.time_ms = letter.time_ms,
                           .event = {queue::Locator(letter.position), letter.sub},
                           .client = std::string(letter.client),
                           .target = std::string(letter.target),
                           .reason = std::string(letter.reason)});
  if (dead_letters_.size() > kDeadLettersShown) dead_letters_.pop_front();
}

void CallbackServer::start() {
  for (const ClientConfig& client : config_.clients) add_targets(client);
  if (targets_.empty()) return;
  client_ = std::make_unique<HttpClient>(
      guard_, config_.callbacks.ca,
      [this](std::uint64_t token, const HttpOutcome& outcome) { on_done(token, outcome); });
  heartbeat_.store(Clock::now().time_since_epoch().count(),
                   std::memory_order_relaxed);  // a lone figure: orders nothing
  thread_ = std::thread([this] { run(); });
}

// The first one is there for messages that name a URL, too.
void CallbackServer::add_targets(const ClientConfig& client) {
  if (!client.callback) return;
  add_target(client.name, *client.callback, {});
  for (const auto& [campaign, url] : client.callback->campaigns) {
    add_target(client.name, *client.callback, campaign);
  }
}

void CallbackServer::add_target(const std::string& client, const CallbackConfig& config,
                                const std::string& campaign) {
  const Consumers::Key key{client, CallbackTarget::name_of(campaign)};
  auto position = consumers_.find(key);
  const bool is_new = !position;
  if (is_new) position = EventPosition{commit_.durable_end(), 0};  // from now, as any consumer
  auto reader =
      std::make_unique<queue::JournalReader>(files_, config_.state_dir / "journal", kReaderOptions);
  const auto oldest = reader->oldest();
  targets_.push_back(
      std::make_unique<CallbackTarget>(client, config, campaign, std::move(reader), *position));
  if (!is_new) {
    if (oldest) bury_lost(*targets_.back(), *oldest);
    return;
  }
  consumers_.set(key, *position);
  write(key);  // it exists from now on, whether or not it ever posts anything
}

void CallbackServer::write(const Consumers::Key& key) {
  ConsumerAt record = consumers_.record_of(key);
  record.time_ms = wall_clock_ms();
  fields_.clear();
  encode(record, fields_);
  feed_.open().records.add(static_cast<std::uint8_t>(RecordKind::consumer), fields_.octets());
}

void CallbackServer::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_seq_cst);
  client_->wake();
  thread_.join();
}

void CallbackServer::wake() {
  // Pairs with the store in run(): either we see that it sleeps, or it sees what we committed.
  if (sleeping_.exchange(false, std::memory_order_seq_cst)) client_->wake();
}

std::chrono::steady_clock::time_point CallbackServer::last_heartbeat() const noexcept {
  if (!thread_.joinable()) return Clock::now();
  return Clock::time_point(
      Clock::duration(heartbeat_.load(std::memory_order_relaxed)));  // see start()
}

void CallbackServer::run() {
  prctl(PR_SET_NAME, "callbacks");
  while (!stopping_.load(std::memory_order_seq_cst)) {
    const auto now = Clock::now();
    heartbeat_.store(now.time_since_epoch().count(),
                     std::memory_order_relaxed);  // a lone figure: orders nothing
    sleeping_.store(true, std::memory_order_seq_cst);
    const queue::Locator end = commit_.durable_end();
    auto until = now + kLongestSleep;
    for (const auto& target : targets_) {
      if (target->fill(end, commit_.oldest_file())) until = now;
      bury_unread(*target);
      if (post_what_may_go(*target, now)) until = now;
      acknowledge(*target);
      if (const auto next = target->next_try(); next && *next > now) until = std::min(until, *next);
    }
    feed_.collect([](const BatchPointer&) {});
    if (!let_retention_go_on()) until = now;
    feed_.flush();
    show();
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(until - now);
    client_->run(std::max(rest, 1ms));
  }
}

// Files wait to go: what a target has not come to read of them is dead, and what it has in memory
// is to be told should we end before it is posted. False: call again at once.
bool CallbackServer::let_retention_go_on() {
  if (letting_go_batch_ > feed_.settled()) return true;  // which wakes us
  if (letting_go_batch_ != 0) {
    letting_go_batch_ = 0;
    pin_.hold_from(letting_go_);
  }
  // Ours is the last word, and of one step at a time: what is counted in memory alone has gone, or
  // will be read again.
  if (commit_.oldest_file() < pin_.held_from()) return true;
  const std::uint32_t wanted = commit_.wanted_but_for(pin_);
  if (wanted <= pin_.held_from()) return true;
  bool all_over = true;
  for (const auto& target : targets_) {
    if (!target->pass_over(wanted)) all_over = false;
  }
  if (!all_over) return false;
  for (const auto& target : targets_) {
    bury_unread(*target);
    const CallbackTarget::Overtaken overtaken = target->take_overtaken();
    if (overtaken.events == 0) continue;
    const Consumers::Key key = target->key();
    log::warn("callbacks of {} ({}): retention took {} events before they could be posted",
              key.client, key.name, overtaken.events);
    bury(*target,
         {overtaken.last,
          fmt::format("retention took {} events before they could be posted", overtaken.events)});
  }
  for (const auto& target : targets_) {
    target->let_go(wanted);
    acknowledge(*target);
  }
  letting_go_ = wanted;
  letting_go_batch_ = feed_.last_written();
  return false;
}

bool CallbackServer::post_what_may_go(CallbackTarget& target, Clock::time_point now) {
  const auto has_room = [this](std::string_view origin) {
    return turns_.may_post(host_of_origin(origin));
  };
  while (true) {
    turns_.look(&target);
    auto request = target.next_request(next_token_, now, wall_clock_ms(), has_room);
    if (!request) return turns_.end_look();
    std::string host = host_of_origin(origin_of(request->url));
    turns_.on_posted(host);
    by_token_.emplace(next_token_, UnderWay{&target, std::move(host)});
    client_->start(next_token_++, std::move(*request));
  }
}

void CallbackServer::on_done(std::uint64_t token, const HttpOutcome& outcome) {
  const auto found = by_token_.find(token);
  if (found == by_token_.end()) return;
  CallbackTarget& target = *found->second.target;
  turns_.on_done(found->second.host);
  by_token_.erase(found);
  const bool was_well = target.figures().last_error.empty();
  const auto dead = target.on_done(token, outcome, Clock::now(), wall_clock_ms());
  for (const CallbackTarget::Dead& letter : dead) bury(target, letter);
  const Consumers::Key key = target.key();
  if (!outcome.well && was_well) {
    log::warn("callbacks of {} ({}): {}; tried again", key.client, key.name, outcome.why);
  } else if (outcome.well && !was_well) {
    log::info("callbacks of {} ({}): taken again", key.client, key.name);
  }
}

void CallbackServer::acknowledge(CallbackTarget& target) {
  const auto progress = target.progress();
  const auto alone = target.in_memory_alone();
  if (!progress && !alone) return;
  const Consumers::Key key = target.key();
  if (progress) consumers_.set(key, *progress);
  if (alone) consumers_.set_missed(key, *alone);
  // What was merely read over needs no record of its own: sub 0 is no event.
  if (alone || progress->sub != 0) write(key);
}

// They waited in memory alone when we ended: their files had gone. At most so many: what was posted
// right before the end may be among them.
void CallbackServer::bury_lost(CallbackTarget& target, queue::Locator oldest) {
  const Consumers::Key key = target.key();
  const MissedEvents missed = consumers_.missed(key);
  const auto at = consumers_.find(key);
  if (missed.to.is_nowhere() || !at || at->record.file() >= oldest.file()) return;
  const auto& counts = oldest < missed.to ? missed.counts.all : missed.counts.own;
  const std::uint64_t events = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  consumers_.set_missed(key, {});
  write(key);
  if (events == 0) return;
  target.count_lost(events);
  const std::string reason =
      fmt::format("retention took {} events, and a restart the memory that they waited in", events);
  log::warn("callbacks of {} ({}): {}", key.client, key.name, reason);
  bury(target, {{missed.to, 0}, reason});
}

void CallbackServer::bury_unread(CallbackTarget& target) {
  for (const EventPosition& at : target.take_unread()) {
    const CallbackTarget::Dead dead{
        at, "the journal before it cannot be read: of how many events, nobody knows"};
    if (is_shown(target, dead)) continue;
    const Consumers::Key key = target.key();
    log::error(
        "callbacks of {} ({}): the journal before {} cannot be read; its events are not posted",
        key.client, key.name, queue::file_name(at.record.file()));
    bury(target, dead);
  }
}

// Until an event behind it is dealt with each start reads over it again.
bool CallbackServer::is_shown(const CallbackTarget& target,
                              const CallbackTarget::Dead& dead) const {
  const Consumers::Key key = target.key();
  const std::lock_guard lock(shown_);
  return std::ranges::any_of(dead_letters_, [&](const ShownDeadLetter& letter) {
    return letter.client == key.client && letter.target == key.name && letter.event == dead.at &&
           letter.reason == dead.reason;
  });
}

void CallbackServer::bury(const CallbackTarget& target, const CallbackTarget::Dead& dead) {
  const Consumers::Key key = target.key();
  DeadLetter letter;
  letter.time_ms = wall_clock_ms();
  letter.position = dead.at.record.bits();
  letter.sub = dead.at.sub;
  letter.client = key.client;
  letter.target = key.name;
  letter.reason = dead.reason;
  fields_.clear();
  encode(letter, fields_);
  feed_.open().records.add(kDeadLetterRecord, fields_.octets());
  const std::lock_guard lock(shown_);
  restore(letter);
}

void CallbackServer::show() {
  std::vector<CallbackFigures> figures;
  figures.reserve(targets_.size());
  for (const auto& target : targets_) figures.push_back(target->figures());
  const std::lock_guard lock(shown_);
  figures_ = std::move(figures);
}

std::vector<CallbackFigures> CallbackServer::figures() const {
  const std::lock_guard lock(shown_);
  return figures_;
}

std::vector<CallbackServer::ShownDeadLetter> CallbackServer::dead_letters() const {
  const std::lock_guard lock(shown_);
  return {dead_letters_.begin(), dead_letters_.end()};
}

}  // namespace stentor::daemon
