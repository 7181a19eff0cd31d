// Suspending a carrier and letting it go on: durable, at once, without a look at what waits.
#include <algorithm>
#include <utility>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/log.h"

namespace stentor::daemon {

void CarrierDelivery::restore_switch(const CarrierSwitched& switched) {
  suspended_ = switched.suspended;
  services_.switches.set(number_, {.suspended = switched.suspended,
                                   .time_ms = switched.time_ms,
                                   .client = std::string(switched.client)});
}

void CarrierDelivery::suspend(bool suspended, std::string client, std::function<void()> done) {
  if (suspended != suspended_) {
    suspended_ = suspended;
    const std::uint64_t now = wall_ms();
    log::info("carrier {}: {} by {}", config_.name, suspended ? "suspended" : "resumed", client);
    CarrierSwitched record;
    record.carrier = config_.name;
    record.suspended = suspended;
    record.time_ms = now;
    record.client = client;
    // First the memory, then the record: a journal file that begins in between repeats the memory.
    services_.switches.set(number_, {.suspended = suspended, .time_ms = now, .client = client});
    outcomes_.write(record);
    if (suspended) release_reserved();
    publish_health();
  }
  switching_.push_back({outcomes_.batch(), std::move(done)});
  tell_switched();
  schedule_pump();
}

// What has an intent and nothing over there goes back to the front of its lane; a message whose
// first parts are out is finished, since its parts belong together.
void CarrierDelivery::release_reserved() {
  Released released;
  released.time_ms = wall_ms();
  const auto may_go_back = [this](std::uint32_t slot) { return sending(slot).may_go_back(); };
  for (const auto& line : lines_) {
    while (!line->stash.empty()) {
      under_way_.leave(line->stash.back().ticket.key);
      return_to_lane(line->stash.back());
      line->stash.pop_back();
    }
    std::vector<std::uint32_t> slots;
    for (auto* queue : {&line->ready, &line->intending}) {
      for (const std::uint32_t slot : *queue) {
        if (may_go_back(slot)) slots.push_back(slot);
      }
      std::erase_if(*queue, may_go_back);
    }
    // The last accepted goes back first, so that the lane has them in their old order again.
    std::ranges::sort(slots, std::ranges::greater{},
                      [this](std::uint32_t slot) { return sending(slot).pick.ticket.at; });
    for (const std::uint32_t slot : slots) {
      released.sequences.push_back(sending(slot).subject.id.sequence());
      put_back(slot);
    }
  }
  if (!released.sequences.empty()) outcomes_.write(released);
}

// What was on the wire when nothing more was to go out here, and is refused for now since.
void CarrierDelivery::return_refused() {
  if (!std::exchange(has_refused_in_line_, false)) return;
  return_reserved([this](const Sending& refused) {
    if (refused.again.empty()) return false;
    return suspended_ || stuck_.is_stuck() || holds_.is_stopped(refused.pick.flow) ||
           is_dead(refused.pick);
  });
}

// What routes go by: it can send, and may.
void CarrierDelivery::publish_health() {
  look_at_standing(steady_now());
}

void CarrierDelivery::tell_switched() {
  while (!switching_.empty() && switching_.front().batch <= settled_) {
    const auto done = std::move(switching_.front().done);
    switching_.pop_front();
    done();
  }
}

}  // namespace stentor::daemon
