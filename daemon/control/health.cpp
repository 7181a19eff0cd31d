// Whether every thread runs, and what is told of it: to systemd, to /healthz and to /readyz.
#include <boost/asio/post.hpp>
#include <chrono>
#include <future>
#include <memory>

#include "daemon/control/daemon_body.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr auto kScrapeWithin = 2s;

}  // namespace

// A sign of life from every thread: the watchdog is fed only when all gave one.
void Daemon::Body::beat() {
  const auto beat_of = [](Worker& worker) {
    asio::post(worker.context, [&worker] {
      worker.heartbeat.store(Clock::now().time_since_epoch().count(),
                             std::memory_order_relaxed);  // a lone figure: orders nothing
    });
  };
  const auto interval = notify_.watchdog_interval();
  if (everyone_lives()) (void)notify_.watchdog();
  beat_of(ingress_worker_);
  beat_of(events_worker_);
  for (const auto& worker : shard_workers_) beat_of(*worker);
  watchdog_.expires_after(interval ? std::chrono::duration_cast<Clock::duration>(*interval)
                                   : Clock::duration(2s));
  watchdog_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) beat();
  });
}

bool Daemon::Body::everyone_lives() const {
  // Beats come every two seconds or at half the watchdog's limit; three missed are no accident.
  static constexpr auto kSilence = 10s;
  const auto now = Clock::now();
  const auto lives = [now](const Worker& worker) {
    const Clock::time_point last(
        Clock::duration(worker.heartbeat.load(std::memory_order_relaxed)));  // see beat()
    return now - last < kSilence;
  };
  bool all = lives(ingress_worker_) && lives(events_worker_) &&
             now - commit_.last_heartbeat() < kSilence &&
             now - callbacks_->last_heartbeat() < kSilence;
  for (const auto& worker : shard_workers_) all = all && lives(*worker);
  return all;
}

std::optional<Figures> Daemon::Body::figures_now() const {
  auto promise = std::make_shared<std::promise<Figures>>();
  auto answer = promise->get_future();
  figures_.collect([promise](const Figures& figures) { promise->set_value(figures); });
  if (answer.wait_for(kScrapeWithin) != std::future_status::ready) return std::nullopt;
  return answer.get();
}

Health Daemon::Body::readiness() const {
  if (draining_) return {.well = false, .reason = "draining"};
  if (!ready_) return {.well = false, .reason = "starting"};
  if (commit_.snapshot().has_failed) return {.well = false, .reason = "the journal failed"};
  const auto figures = figures_now();
  if (!figures) return {.well = false, .reason = "a thread does not answer"};
  if (figures->ingress.storage_is_low) return {.well = false, .reason = "too little disk space"};
  if (figures->ingress.journal_is_at_end) {
    return {.well = false, .reason = "the journal's file numbers are at their end"};
  }
  return {};
}

}  // namespace stentor::daemon
