#include "daemon/events/event_server.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "daemon/events/event_stream.h"
#include "daemon/log.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

constexpr std::chrono::seconds kLookAtRetentionEvery{1};

// A stream reads on and on: one block of the journal at a time, no batches from memory.
constexpr queue::ReaderOptions kReaderOptions{.recent_octets_max = 0,
                                              .blocks_octets_max = 1u << 20};

}  // namespace

EventServer::EventServer(boost::asio::io_context& context, const Config& config,
                         CommitThread& commit, Consumers& consumers, queue::FileSystem& files)
    : context_(context),
      config_(config),
      commit_(commit),
      consumers_(consumers),
      files_(files),
      waker_(context, [this] { pump_all(); }),
      settled_waker_(context,
                     [this] {
                       feed_.collect([](const BatchPointer&) {});
                       feed_.flush();
                     }),
      feed_(commit, false, 0, [this] { settled_waker_.wake(); }),
      pin_(commit.add_pin(FilePin::Turn::counts)),
      retention_(context) {
  pin_.hold_from(0);
}

EventServer::~EventServer() = default;

void EventServer::adopt(EventsHandover handover) {
  boost::asio::post(
      context_, [this, handover = std::move(handover)]() mutable { begin(std::move(handover)); });
}

// Who observes is given everybody's events.
void EventServer::note_look(const Peer& peer) {
  if (!peer.may_observe) return;
  const auto line = read_audit_.line_of(peer.client, "events", std::chrono::steady_clock::now());
  if (line) log::info("{}", *line);
}

void EventServer::begin(EventsHandover handover) {
  note_look(handover.peer);
  auto stream = std::make_shared<EventStream>(*this, std::move(handover));
  if (draining_) return;  // its socket closes with it
  streams_.insert(stream);
  // Pairs with the one in wake(): either the stream that starts here sees how far the journal is
  // durable now, or whoever made it so sees the stream.
  listening_.exchange(1, std::memory_order_acq_rel);
  stream->start();
}

void EventServer::wake() {
  // Changes nothing: it takes its turn with the exchange in begin(), as a load would not.
  if (listening_.fetch_add(0, std::memory_order_acq_rel) != 0) waker_.wake();
}

void EventServer::pump_all() {
  const std::vector<std::shared_ptr<EventStream>> all(streams_.begin(), streams_.end());
  for (const auto& stream : all) stream->pump();
}

void EventServer::drain() {
  pump_all();
  draining_ = true;
}

bool EventServer::is_quiet() const {
  return feed_.is_idle() &&
         std::ranges::all_of(streams_, [](const auto& stream) { return stream->is_quiet(); });
}

std::unique_ptr<queue::JournalReader> EventServer::make_reader() const {
  return std::make_unique<queue::JournalReader>(files_, config_.state_dir / "journal",
                                                kReaderOptions);
}

void EventServer::acknowledge(const Consumers::Key& key, EventPosition position) {
  consumers_.acknowledge(key, position);
  if (counting_ && position.record.file() < counting_->to_file()) is_outdated_ = true;
  write(key);
  feed_.flush();
}

void EventServer::set_missed(const Consumers::Key& key, const MissedEvents& missed) {
  consumers_.set_missed(key, missed);
  write(key);
  if (!missed.campaign.empty()) write_campaign(key);
  feed_.flush();
}

void EventServer::write(const Consumers::Key& key) {
  ConsumerAt record = consumers_.record_of(key);
  record.time_ms = wall_clock_ms();
  fields_.clear();
  encode(record, fields_);
  feed_.open().records.add(static_cast<std::uint8_t>(RecordKind::consumer), fields_.octets());
}

void EventServer::remember_campaign(const Consumers::Key& key, const std::string& campaign) {
  if (consumers_.campaign(key) == campaign) return;
  consumers_.set_campaign(key, campaign);
  write_campaign(key);
  feed_.flush();
}

void EventServer::write_campaign(const Consumers::Key& key) {
  // One that asks for all again has to be told apart from one that never asked for any.
  const ConsumerCampaign none{.client = key.client, .name = key.name};
  fields_.clear();
  encode(consumers_.campaign_record_of(key).value_or(none), fields_);
  feed_.open().records.add(kConsumerCampaignRecord, fields_.octets());
}

// Once a second.
void EventServer::look_at_retention() {
  retention_.expires_after(kLookAtRetentionEvery);
  retention_.async_wait([this](const boost::system::error_code& stopped) {
    if (stopped) return;
    look();
    look_at_retention();
  });
}

// Do files wait to go, and who has not had what is in them?
void EventServer::look() {
  if (counted_batch_ != 0 && feed_.settled() >= counted_batch_) {  // the counts are durable
    counted_batch_ = 0;
    // Of whoever acknowledged something meanwhile it is counted again: once, or one who always does
    // would keep them.
    is_again_ = is_outdated_ && !is_again_;
    if (!is_again_) pin_.hold_from(counting_->to_file());
    counting_.reset();
  }
  if (!counting_) count_missed();
}

void EventServer::count_missed() {
  const std::uint32_t wanted = commit_.wanted_but_for(pin_);
  is_outdated_ = false;
  if (wanted <= pin_.held_from()) return;
  std::vector<MissedCount::Laggard> laggards;
  for (const auto& [key, acknowledged] : consumers_.all()) {
    if (key.name.starts_with('@')) continue;  // callbacks count their own
    EventPosition position = acknowledged;
    for (const auto& stream : streams_) {
      // What it was given and has not acknowledged would come again: it counts as missed, too.
      if (stream->key() != key || stream->has_unacknowledged()) continue;
      position = std::max(position, stream->read_to());
    }
    if (position.record.file() >= wanted) continue;
    MissedEvents missed = consumers_.missed(key);
    // It went on from a place that had gone by then: how much lay behind that, nobody can count.
    const bool is_uncounted = !position.record.is_nowhere() &&
                              std::max(position.record, missed.to).file() < oldest_file();
    if (is_uncounted) continue;
    // What was counted already stays counted of the campaign it was.
    if (missed.to.is_nowhere()) missed.campaign = consumers_.campaign(key);
    laggards.push_back({.client = key.client,
                        .consumer = key.name,
                        .acknowledged = acknowledged,
                        .position = position,
                        .missed = std::move(missed)});
  }
  if (laggards.empty()) return pin_.hold_from(wanted);
  counting_ =
      std::make_unique<MissedCount>(make_reader(), oldest_file(), wanted, std::move(laggards));
  count_on();
}

void EventServer::count_on() {
  if (!counting_->step()) {
    boost::asio::post(context_, [this] { count_on(); });
    return;
  }
  for (const MissedCount::Laggard& laggard : counting_->laggards()) {
    const Consumers::Key key{laggard.client, laggard.consumer};
    // It has acknowledged something meanwhile: what was counted does not fit.
    if (consumers_.find(key) != laggard.acknowledged) continue;
    consumers_.set_missed(key, laggard.missed);
    write(key);
    if (!laggard.missed.campaign.empty()) write_campaign(key);
  }
  counted_batch_ = feed_.open_number();
  feed_.flush();
}

void EventServer::replace(const Consumers::Key& key, const std::shared_ptr<EventStream>& by) {
  const std::vector<std::shared_ptr<EventStream>> all(streams_.begin(), streams_.end());
  for (const auto& stream : all) {
    if (stream != by && stream->key() == key) stream->end_replaced();
  }
}

void EventServer::forget(const std::shared_ptr<EventStream>& stream) {
  streams_.erase(stream);
  if (streams_.empty()) listening_.store(0, std::memory_order_relaxed);  // woken for nothing, once
}

void EventServer::on_unreadable(queue::Locator place, std::error_code why) {
  const auto now = std::chrono::steady_clock::now();
  if (const auto line = trouble_.line_of("events", place, why, now)) log::error("{}", *line);
}

std::vector<ConsumerSnapshot> EventServer::snapshot() const {
  std::vector<ConsumerSnapshot> all;
  for (const auto& [key, position] : consumers_.all()) {
    ConsumerSnapshot consumer;
    consumer.client = key.client;
    consumer.name = key.name;
    consumer.is_connected = std::ranges::any_of(
        streams_, [&wanted = key](const auto& stream) { return stream->key() == wanted; });
    consumer.behind_octets = commit_.octets_behind(position.record);
    all.push_back(std::move(consumer));
  }
  return all;
}

}  // namespace stentor::daemon
