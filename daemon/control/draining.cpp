// The way to an orderly stop: no new messages, windows drained, last outcomes on disk, threads
// joined.
#include <atomic>
#include <boost/asio/post.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "daemon/control/daemon_body.h"
#include "daemon/failpoints/failpoint.h"
#include "daemon/log.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

// The promise for SIGTERM is an exit within 30 s (reliability.md P16): windows may drain for most
// of it, what is left is for unbinding and the last sync.
constexpr auto kDrainWithin = 20s;
constexpr auto kStopWithin = 5s;
constexpr auto kDrainLook = 10ms;

}  // namespace

void Daemon::Body::begin_drain() {
  if (draining_) return begin_stop();  // asked twice: no more patience
  draining_ = true;
  drain_until_ = Clock::now() + kDrainWithin;
  log::info("draining: no new messages; windows get {} s", kDrainWithin / 1s);
  (void)notify_.stopping("draining");
  (void)notify_.extend_timeout(kDrainWithin + kStopWithin + 5s);
  asio::post(ingress_worker_.context, [this] { ingress_->drain(); });
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    asio::post(shard_workers_[i]->context, [this, i] { shards_[i]->drain(); });
  }
  look_at_drain();
}

// Asks every part whether it is done, until all are or time is up.
void Daemon::Body::look_at_drain() {
  if (drain_question_ && drain_question_->missing == 0) {
    if (drain_question_->is_drained) return begin_stop();
    drain_question_.reset();
  }
  if (Clock::now() >= drain_until_) {
    log::warn("draining: not all windows drained in time; their messages are in doubt");
    return begin_stop();
  }
  if (!drain_question_) ask_who_is_drained();
  drain_look_.expires_after(kDrainLook);
  drain_look_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped && !stopping_) look_at_drain();
  });
}

// One question at a time, so that a busy thread's answers to two are not taken for two threads'.
void Daemon::Body::ask_who_is_drained() {
  auto question = std::make_shared<DrainQuestion>();
  question->missing = static_cast<int>(shards_.size()) + 1;
  drain_question_ = question;
  asio::post(ingress_worker_.context, [this, question] {
    if (!ingress_->is_quiet()) question->is_drained = false;
    --question->missing;
  });
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    asio::post(shard_workers_[i]->context, [this, i, question] {
      if (!shards_[i]->is_drained()) question->is_drained = false;
      --question->missing;
    });
  }
}

void Daemon::Body::begin_stop() {
  if (stopping_) return;
  stopping_ = true;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    asio::post(shard_workers_[i]->context, [this, i] { shards_[i]->stop(); });
  }
  asio::post(events_worker_.context, [this] { events_->drain(); });
  // The links' last outcomes are to reach the disk; a part that does not answer is not waited for.
  const auto until = Clock::now() + kStopWithin;
  while (Clock::now() < until) {
    std::vector<std::future<bool>> answers;
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      auto promise = std::make_shared<std::promise<bool>>();
      answers.push_back(promise->get_future());
      asio::post(shard_workers_[i]->context,
                 [this, i, promise] { promise->set_value(shards_[i]->is_drained()); });
    }
    bool all = true;
    for (auto& answer : answers) {
      all = all && answer.wait_until(until) == std::future_status::ready && answer.get();
    }
    if (all) break;
    std::this_thread::sleep_for(kDrainLook);
  }
  control_.stop();
}

void Daemon::Body::finish() {
  failpoint(Failpoint::stop_drained);
  asio::post(ingress_worker_.context, [this] { ingress_->stop(); });
  history_->stop();
  report_->stop();
  http_->stop();
  ingress_worker_.stop();
  for (const auto& worker : shard_workers_) worker->stop();
  events_worker_.stop();
  callbacks_->stop();
  checkpointer_->stop();
  commit_.stop();
  log::info("stopped");
}

void Daemon::Body::on_journal_failure(const std::string& why) {
  log::critical(
      "journal: {}: nothing more is accepted; stopping, the next start verifies and "
      "recovers",
      why);
  exit_status_ = kExitJournalFailed;
  begin_stop();
}

}  // namespace stentor::daemon
