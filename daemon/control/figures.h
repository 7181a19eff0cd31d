// One consistent look at each part of the daemon: what status and metrics are made of.
//
// Units    As in the parts' own snapshots.
// Owns     Copies.
// Threads  collect() may be called from any thread; `done` is called on the thread of the part that
//          answered last.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "daemon/callbacks/callback_figures.h"
#include "daemon/commit/commit_thread.h"
#include "daemon/delivery/carrier_stats.h"
#include "daemon/events/event_server.h"
#include "daemon/ingress/ingress.h"
#include "daemon/recovery/checkpointer.h"

namespace stentor::daemon {

struct Figures {
  CommitSnapshot commit;
  CheckpointerStats checkpoints;
  IngressSnapshot ingress;
  std::uint64_t paused = 0;               ///< messages, one by one
  std::vector<CarrierSnapshot> carriers;  ///< in the order of the configuration
  std::vector<ConsumerSnapshot> consumers;
  std::vector<CallbackFigures> callbacks;
  std::chrono::seconds uptime{0};
  std::uint64_t memory_octets = 0;  ///< resident
  std::uint64_t free_octets = 0;    ///< of the journal's disk
};

class FigureCollector {
 public:
  FigureCollector(const Config& config, const CommitThread& commit);

  /// `post` runs a function on the part's thread; `fill` adds its share there.
  void add(std::function<void(std::function<void()>)> post, std::function<void(Figures&)> fill);
  void collect(std::function<void(const Figures&)> done) const;

 private:
  struct Part {
    std::function<void(std::function<void()>)> post;
    std::function<void(Figures&)> fill;
  };
  const Config& config_;
  const CommitThread& commit_;
  std::vector<Part> parts_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

/// The reply to `status`.
[[nodiscard]] std::string status_reply(const Figures& figures);

}  // namespace stentor::daemon
