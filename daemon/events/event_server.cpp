#include "daemon/events/event_server.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "daemon/events/event_stream.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

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
      feed_(commit, false, 0, [this] { settled_waker_.wake(); }) {}

EventServer::~EventServer() = default;

void EventServer::adopt(EventsHandover handover) {
  boost::asio::post(
      context_, [this, handover = std::move(handover)]() mutable { begin(std::move(handover)); });
}

void EventServer::begin(EventsHandover handover) {
  auto stream = std::make_shared<EventStream>(*this, std::move(handover));
  if (draining_) return;  // its socket closes with it
  streams_.insert(stream);
  has_streams_.store(true, std::memory_order_relaxed);  // a hint: late by one commit at worst
  stream->start();
}

void EventServer::wake() {
  if (has_streams_.load(std::memory_order_relaxed)) waker_.wake();  // a hint, see begin()
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
  consumers_.set(key, position);
  ConsumerAt record;
  record.client = key.client;
  record.name = key.name;
  record.position = position.record.bits();
  record.sub = position.sub;
  record.time_ms = wall_clock_ms();
  fields_.clear();
  encode(record, fields_);
  feed_.open().records.add(static_cast<std::uint8_t>(RecordKind::consumer), fields_.octets());
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
  if (streams_.empty()) has_streams_.store(false, std::memory_order_relaxed);  // a hint
}

std::vector<ConsumerSnapshot> EventServer::snapshot() const {
  std::vector<ConsumerSnapshot> all;
  for (const auto& [key, position] : consumers_.all()) {
    ConsumerSnapshot consumer;
    consumer.client = key.client;
    consumer.name = key.name;
    consumer.is_connected = std::ranges::any_of(
        streams_, [&key = key](const auto& stream) { return stream->key() == key; });
    consumer.behind_octets = commit_.octets_behind(position.record);
    all.push_back(std::move(consumer));
  }
  return all;
}

}  // namespace stentor::daemon
