// One carrier that nothing listens for, and all that a replay fills: what recovery hands over stays
// to be looked at.
//
// Owns     The carrier with its shard's services, the references, consumers and campaigns. The
//          commit thread and the file system are the caller's.
// Threads  One.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <utility>

#include "daemon/commit/commit_feed.h"
#include "daemon/recovery/replay.h"
#include "tests/queue/spill_at_once.h"

namespace stentor::daemon {

class RecoveredCarrier {
 public:
  struct Setting {
    std::size_t tickets_in_memory = 1000;
    const ShardClock* clock = &ShardClock::of_machine();
    std::uint32_t window = 10;
    std::uint32_t rate = CarrierConfig{}.rate;
    std::chrono::milliseconds order_hold{0};
    bool has_second = false;  ///< "south" stands behind it on its route
  };

  RecoveredCarrier(queue::FileSystem& files, const std::filesystem::path& journal,
                   CommitThread& commit, const Setting& setting)
      : config(one_carrier(setting)),
        inbound_{.config = config,
                 .router = InboundRouter(config),
                 .commit = commit,
                 .incarnation = 7,
                 .words = OptOutWords(config.opt_out),
                 .on_opt_out = {},
                 .opt_outs = nullptr},
        routing_(config),
        spill(files, journal.parent_path() / "spill"),
        switches(config),
        feed(commit, false, setting.has_second ? 1 : 0, [] {}),
        reader(files, journal, queue::ReaderOptions{}),
        carrier(ShardServices{.context = context,
                              .feed = feed,
                              .reader = reader,
                              .routing = routing_,
                              .gauges = gauges,
                              .switches = switches,
                              .inbound = inbound_,
                              .buried = buried_,
                              .paused = paused,
                              .inbox = inbox_,
                              .spill = spill,
                              .tickets_in_memory = setting.tickets_in_memory,
                              .order_hold = setting.order_hold,
                              .seed = 1,
                              .files = nullptr,
                              .spill_folder = {},
                              .outstanding_in_memory_max = 0,
                              .clock = *setting.clock},
                config.carriers[0], 0) {
    if (setting.has_second) (void)commit.add_shard([] {});  // what moves to it is taken by nobody
  }

  [[nodiscard]] Replay replay(std::uint64_t now_ms, LiveTable::Spill spilling = {}) {
    return {config,
            routing_,
            [this](std::uint16_t) -> CarrierDelivery& { return carrier; },
            references,
            consumers,
            campaigns,
            now_ms,
            std::move(spilling)};
  }
  [[nodiscard]] Routing& routing() { return routing_; }
  [[nodiscard]] bool remembers(std::string_view ref) {
    const auto found = references.find(references.key_of("crm", ref));
    return found && *found;
  }

  Config config;

 private:
  static Config one_carrier(const Setting& setting) {
    Config config;
    config.queue.order_hold = setting.order_hold;
    CarrierConfig carrier;
    carrier.name = "north";
    carrier.hosts = {{"127.0.0.1", 1}};
    carrier.window = setting.window;
    carrier.rate = setting.rate;
    config.carriers.push_back(carrier);
    RouteConfig route;
    route.is_default = true;
    route.carriers = {"north"};
    if (setting.has_second) {
      carrier.name = "south";
      config.carriers.push_back(carrier);
      route.carriers.push_back("south");
    }
    config.routes.push_back(route);
    return config;
  }

  InboundServices inbound_;
  SharedInbox inbox_;
  BuriedMessages buried_;
  Routing routing_;

 public:
  boost::asio::io_context context;
  Gauges gauges;
  queue::test::SpillAtOnce spill;
  CarrierSwitches switches;
  PausedMessages paused;
  CommitFeed feed;
  queue::JournalReader reader;
  CarrierDelivery carrier;
  ReferenceIndex references{1};
  Consumers consumers;
  CampaignLedger campaigns;
};

}  // namespace stentor::daemon
