// One delivery thread: some carriers, and all that is theirs.
//
// A carrier lives on one shard: its binds, rate, window, lanes and receipt index belong to one
// thread, so that the hot path takes no lock.
//
// Units    See carrier_delivery.h.
// Owns     Its carriers, a commit feed, a journal reader, a thread for what spills.
// Errors   A journal that failed is told by the commit thread to all; a shard then just stops.
// Threads  One thread runs the io_context; restore calls come before it starts.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/commit/commit_feed.h"
#include "daemon/commit/waker.h"
#include "daemon/delivery/carrier_delivery.h"
#include "queue/spill_thread.h"

namespace stentor::daemon {

class Shard {
 public:
  Shard(boost::asio::io_context& context, const Config& config, std::size_t index,
        std::size_t shards, CommitThread& commit, Routing& routing, Gauges& gauges,
        CarrierSwitches& switches, const InboundServices& inbound, BuriedMessages& buried,
        PausedMessages& paused, queue::FileSystem& files, std::uint64_t seed);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// The carrier of that number in the configuration; it must live here.
  [[nodiscard]] CarrierDelivery& carrier(std::uint16_t number);

  /// Gives the order to each carrier when `obey`; tells what each has of the flow.
  [[nodiscard]] std::vector<FlowAtCarrier> ask(const FlowOrder& order, bool obey);
  /// See CarrierDelivery.
  [[nodiscard]] std::vector<FlowShare> give_back_shares();
  void take_shares(const std::vector<FlowShare>& dealt);
  /// Somebody's word on a message in doubt; nothing when none of the carriers holds it.
  [[nodiscard]] std::optional<DoubtAnswer> resolve(std::uint64_t sequence, DoubtEnd end,
                                                   const Peer& peer);
  [[nodiscard]] CalledBack call_back(queue::Locator at, std::uint64_t sequence,
                                     std::string_view by);
  [[nodiscard]] bool end_buried(queue::Locator at, std::string_view carrier,
                                bool possible_duplicate, std::string_view by);
  [[nodiscard]] bool keeps_in_hand(queue::Locator at);
  /// By the carrier of that name, or where it is gone by any.
  [[nodiscard]] PauseSaid say_paused(std::string_view carrier, const PauseOrder& order);
  void let_go(queue::Locator at);
  /// At a carrier that must live here; `done` when all that came of it is on disk.
  void cancel_at_carrier(std::string_view carrier, CancelOrder order, CarrierCancels::Done done);
  /// Whether a carrier of this name lives here. Any thread.
  [[nodiscard]] bool has(std::string_view carrier) const;
  /// Calls `then` when everything written until now is on disk.
  void when_durable(std::function<void()> then);
  void start();
  void drain();
  void stop();
  /// All links are stopped and every outcome is on disk.
  [[nodiscard]] bool is_drained() const;
  [[nodiscard]] std::vector<CarrierSnapshot> snapshot() const;

 private:
  struct Member {
    std::uint16_t number;
    std::string name;
    std::unique_ptr<CarrierDelivery> carrier;
  };
  void take_arrivals();
  void on_settled();
  void on_spilled();

  const std::size_t index_;
  Waker arrival_waker_;
  Waker settled_waker_;
  Waker spill_waker_;
  CommitFeed feed_;
  std::deque<std::pair<std::uint64_t, std::function<void()>>> when_durable_;  // by batch
  CommitThread& commit_;
  ArrivalLane& arrivals_;
  queue::JournalReader reader_;
  SharedInbox inbox_;
  queue::SpillThread spill_;
  std::vector<Member> carriers_;
  std::vector<CarrierDelivery*> by_number_;
};

}  // namespace stentor::daemon
