// Serves event streams: each consumer reads the journal on from what it has acknowledged.
//
// A stream is a reader of the journal with a filter, not a queue: a consumer that is a million
// events behind costs no memory and slows nobody down.
//
// Units    Octets of unsent lines; positions in the journal.
// Owns     The connections handed over to it, a commit feed for acknowledgements.
// Errors   One stream's errors end that stream.
// Threads  One thread runs its io_context. adopt() and wake() are called from any.
// Spec     docs/protocol.md, "events"
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "daemon/commit/commit_feed.h"
#include "daemon/commit/waker.h"
#include "daemon/events/consumers.h"
#include "daemon/events/read_trouble.h"
#include "daemon/ingress/ingress.h"
#include "daemon/ingress/read_audit.h"
#include "daemon/ingress/request_parser.h"

namespace stentor::daemon {

class EventStream;

struct ConsumerSnapshot {
  std::string client;
  std::string name;
  bool is_connected = false;
  std::uint64_t behind_octets = 0;  ///< of journal not yet acknowledged: an upper bound of events
};

class EventServer {
 public:
  EventServer(boost::asio::io_context& context, const Config& config, CommitThread& commit,
              Consumers& consumers, queue::FileSystem& files);
  ~EventServer();
  EventServer(const EventServer&) = delete;
  EventServer& operator=(const EventServer&) = delete;

  /// Before its thread starts.
  void start() { look_at_retention(); }
  /// At what waits to go: once a second.
  void look();
  /// Takes a connection over from ingress. Any thread.
  void adopt(EventsHandover handover);
  /// There is more to read. Any thread; costs one atomic step where nobody listens.
  void wake();
  /// Sends what is durable, as far as peers read, then closes.
  void drain();
  [[nodiscard]] bool is_quiet() const;
  [[nodiscard]] std::vector<ConsumerSnapshot> snapshot() const;

  // For its streams.
  [[nodiscard]] RequestParser& parser() noexcept { return parser_; }
  [[nodiscard]] Consumers& consumers() noexcept { return consumers_; }
  [[nodiscard]] queue::Locator durable_end() const noexcept { return commit_.durable_end(); }
  [[nodiscard]] std::uint32_t oldest_file() const noexcept { return commit_.oldest_file(); }
  [[nodiscard]] std::unique_ptr<queue::JournalReader> make_reader() const;
  /// Notes and makes durable how far a consumer is.
  void acknowledge(const Consumers::Key& key, EventPosition position);
  /// What is known of what it missed, behind an acknowledge() of a place of its own choice.
  void set_missed(const Consumers::Key& key, const MissedEvents& missed);
  /// Of which it asks for events: what it misses is counted of that one.
  void remember_campaign(const Consumers::Key& key, const std::string& campaign);
  /// The stream that serves this consumer now is told that it is replaced.
  void replace(const Consumers::Key& key, const std::shared_ptr<EventStream>& by);
  void forget(const std::shared_ptr<EventStream>& stream);
  /// A stream could not read on at this place.
  void on_unreadable(queue::Locator place, std::error_code why);
  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }

 private:
  void note_look(const Peer& peer);
  void begin(EventsHandover handover);
  void pump_all();
  void look_at_retention();
  void count_missed();
  void count_on();
  void write(const Consumers::Key& key);
  void write_campaign(const Consumers::Key& key);

  boost::asio::io_context& context_;
  const Config& config_;
  CommitThread& commit_;
  Consumers& consumers_;
  queue::FileSystem& files_;
  Waker waker_;
  Waker settled_waker_;
  CommitFeed feed_;
  RequestParser parser_;
  FieldWriter fields_;
  std::unordered_set<std::shared_ptr<EventStream>> streams_;
  ReadTrouble trouble_;
  ReadAudit read_audit_;
  FilePin& pin_;  // files that are about to go stay until what is missed in them is counted
  boost::asio::steady_timer retention_;
  std::unique_ptr<MissedCount> counting_;
  std::uint64_t counted_batch_ = 0;
  bool is_outdated_ = false;  // somebody it is about has acknowledged something since it began
  bool is_again_ = false;     // and is counted again
  std::atomic<std::uint32_t> listening_{0};  ///< 1 while there are streams
  bool draining_ = false;
};

}  // namespace stentor::daemon
