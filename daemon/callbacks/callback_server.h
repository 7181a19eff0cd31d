// Posts events to the URLs of the configuration: one thread, all targets, a bound for each host.
//
// It reads the journal like any consumer, so that an endpoint that is slow, dead or hostile costs
// delivery nothing.
//
// Units    Events and requests.
// Owns     A thread, the targets, an HTTP client, a commit feed.
// Errors   A target that fails is tried again; what is given up is a DeadLetter, counted and
//          listed.
// Threads  start() and stop() on the main thread; wake(), figures() and dead_letters() from any.
// Spec     docs/protocol.md, "HTTP callbacks"
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/callbacks/callback_target.h"
#include "daemon/callbacks/host_turns.h"
#include "daemon/commit/commit_feed.h"
#include "daemon/records/callback_records.h"

namespace stentor::daemon {

class CallbackServer {
 public:
  /// An operator looks at the latest; all are in the journal as long as retention keeps it.
  static constexpr std::size_t kDeadLettersShown = 1000;

  struct ShownDeadLetter {
    std::uint64_t time_ms = 0;
    EventPosition event;
    std::string client;
    std::string target;
    std::string reason;
  };

  CallbackServer(const Config& config, CommitThread& commit, Consumers& consumers,
                 queue::FileSystem& files);
  ~CallbackServer();
  CallbackServer(const CallbackServer&) = delete;
  CallbackServer& operator=(const CallbackServer&) = delete;

  /// Recovery: one that was given up before the restart.
  void restore(const DeadLetter& letter);
  /// Starts nothing where no client has callbacks. What was lost with the last end is told.
  void start();
  /// What is under way is not waited for: it is posted again after the next start.
  void stop();
  /// There may be events. Any thread; costs one load while it is at work.
  void wake();
  [[nodiscard]] std::chrono::steady_clock::time_point last_heartbeat() const noexcept;

  [[nodiscard]] std::vector<CallbackFigures> figures() const;
  [[nodiscard]] std::vector<ShownDeadLetter> dead_letters() const;

 private:
  using Clock = std::chrono::steady_clock;

  void add_targets(const ClientConfig& client);
  void add_target(const std::string& client, const CallbackConfig& config,
                  const std::string& campaign);
  void run();
  /// True: others may have to be asked again.
  [[nodiscard]] bool post_what_may_go(CallbackTarget& target, Clock::time_point now);
  void on_done(std::uint64_t token, const HttpOutcome& outcome);
  void acknowledge(CallbackTarget& target);
  void write(const Consumers::Key& key);
  void bury_lost(CallbackTarget& target, queue::Locator oldest);
  void bury_unread(CallbackTarget& target);
  [[nodiscard]] bool is_shown(const CallbackTarget& target, const CallbackTarget::Dead& dead) const;
  void bury(const CallbackTarget& target, const CallbackTarget::Dead& dead);
  [[nodiscard]] bool let_retention_go_on();
  void show();

  const Config& config_;
  CommitThread& commit_;
  Consumers& consumers_;
  queue::FileSystem& files_;
  AddressGuard guard_;
  std::unique_ptr<HttpClient> client_;
  CommitFeed feed_;
  FilePin& pin_;  // files that are about to go stay until what was not read in them is counted
  std::uint32_t letting_go_ = 0;        // files before it go, once this batch is durable
  std::uint64_t letting_go_batch_ = 0;  // 0: none
  std::vector<std::unique_ptr<CallbackTarget>> targets_;
  struct UnderWay {
    CallbackTarget* target;
    std::string host;
  };
  std::map<std::uint64_t, UnderWay> by_token_;
  HostTurns turns_;  // of all targets
  std::uint64_t next_token_ = 1;
  FieldWriter fields_;

  std::atomic<bool> sleeping_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<Clock::rep> heartbeat_{0};
  mutable std::mutex shown_;  // a human asks: figures and dead letters
  std::vector<CallbackFigures> figures_;
  std::deque<ShownDeadLetter> dead_letters_;
  std::thread thread_;
};

}  // namespace stentor::daemon
