// Lanes against a plain model: deques, and a list of whose turn it is.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "queue/lanes.h"
#include "tests/queue/random_numbers.h"

namespace stentor::queue::test {
namespace {

/// What lanes.h promises, said as plainly as it goes.
class LanesModel {
 public:
  void push(Priority priority, Flow flow, Ticket ticket, bool in_front) {
    Side& side = sides_[static_cast<std::size_t>(priority)];
    auto& queue = side.queues[flow];
    if (queue.empty() && !held_.contains(flow)) {
      in_front ? side.turns.push_front({flow, weight(flow)}) : side.enter({flow, weight(flow)});
    }
    in_front ? queue.push_front(ticket) : queue.push_back(ticket);
  }

  std::optional<Lanes::Pick> pop() {
    if (holds_all) return std::nullopt;
    const bool has_urgent = !sides_[0].turns.empty();
    const bool has_normal = !sides_[1].turns.empty();
    const bool has_bulk = !sides_[2].turns.empty();
    if (!has_urgent && !has_normal && !has_bulk) {
      urgent_run_ = 0;
      return std::nullopt;
    }
    std::size_t chosen = 0;
    urgent_run_ = has_urgent && (has_normal || has_bulk) ? urgent_run_ + 1 : 0;
    if (!has_urgent || urgent_run_ == kBelowUrgentShare) {
      urgent_run_ = 0;
      normal_run_ = has_normal && has_bulk ? normal_run_ + 1 : 0;
      chosen = has_normal && normal_run_ < kBulkShare ? 1 : 2;
      if (chosen == 2) normal_run_ = 0;
    }
    Side& side = sides_[chosen];
    auto& [flow, left] = side.turns.front();
    auto& queue = side.queues[flow];
    const Lanes::Pick pick{queue.front(), flow, static_cast<Priority>(chosen)};
    queue.pop_front();
    if (queue.empty()) {
      side.turns.pop_front();
    } else if (--left == 0) {
      side.turns.push_back({flow, weight(flow)});
      side.turns.pop_front();
    }
    return pick;
  }

  void hold(Flow flow) {
    held_.insert(flow);
    for (Side& side : sides_) {
      std::erase_if(side.turns, [&](const Turn& turn) { return turn.flow == flow; });
    }
  }

  void release(Flow flow) {
    if (held_.erase(flow) == 0) return;
    for (Side& side : sides_) {
      if (!side.queues[flow].empty()) side.enter({flow, weight(flow)});
    }
  }

  void set_weight(Flow flow, std::uint16_t new_weight) { weights_[flow] = new_weight; }

  std::vector<std::uint64_t> take_flow(Flow flow, std::size_t max) {
    std::vector<std::uint64_t> taken;
    for (Side& side : sides_) {
      auto& queue = side.queues[flow];
      while (taken.size() < max && !queue.empty()) {
        taken.push_back(queue.front().at.bits());
        queue.pop_front();
      }
      side.drop_empty();
    }
    return taken;
  }

  std::set<std::uint64_t> take_expired(std::uint32_t now) {
    std::set<std::uint64_t> expired;
    for (Side& side : sides_) {
      for (auto& [flow, queue] : side.queues) {
        std::erase_if(queue, [&](const Ticket& waiting) {
          if (waiting.expires > now) return false;
          expired.insert(waiting.at.bits());
          return true;
        });
      }
      side.drop_empty();
    }
    return expired;
  }

  [[nodiscard]] std::size_t waiting_of(Flow flow) {
    std::size_t waiting = 0;
    for (Side& side : sides_) waiting += side.queues[flow].size();
    return waiting;
  }
  [[nodiscard]] std::size_t waiting(bool held_only) {
    std::size_t waiting = 0;
    for (Side& side : sides_) {
      for (const auto& [flow, queue] : side.queues) {
        if (!held_only || held_.contains(flow)) waiting += queue.size();
      }
    }
    return waiting;
  }

  bool holds_all = false;

 private:
  struct Turn {
    Flow flow;
    std::uint32_t left;
  };
  struct Side {
    std::map<Flow, std::deque<Ticket>> queues;
    std::deque<Turn> turns;

    // Behind all others: the one whose turn has begun stays first.
    void enter(Turn turn) { turns.push_back(turn); }
    void drop_empty() {
      std::erase_if(turns, [this](const Turn& turn) { return queues[turn.flow].empty(); });
    }
  };
  [[nodiscard]] std::uint32_t weight(Flow flow) const {
    const auto known = weights_.find(flow);
    return known == weights_.end() ? 1u : known->second;
  }

  std::array<Side, kPriorities> sides_;
  std::set<Flow> held_;
  std::map<Flow, std::uint16_t> weights_;
  std::uint32_t urgent_run_ = 0;
  std::uint32_t normal_run_ = 0;
};

constexpr Flow kFlows = 12;
constexpr std::size_t kAll = 1'000'000'000;

void run(std::uint64_t seed, int steps) {
  RandomNumbers random(seed);
  Lanes lanes;
  LanesModel model;
  for (Flow flow = 0; flow < kFlows; ++flow) {
    if (!random.one_in(3)) continue;
    const auto weight = static_cast<std::uint16_t>(1 + random.below(5));
    lanes.set_weight(flow, weight);
    model.set_weight(flow, weight);
  }
  // Phases that fill and phases that drain, so that both long and empty queues are met.
  std::uint32_t now = 0;
  std::uint64_t number = 0;
  for (int step = 1; step <= steps; ++step) {
    const bool fills = step / 700 % 2 == 0;
    const auto flow = static_cast<Flow>(random.below(kFlows));
    const std::uint64_t deed = random.below(100);
    if (deed < (fills ? 60u : 25u)) {
      const auto priority = static_cast<Priority>(random.below(kPriorities));
      const bool in_front = random.one_in(5);
      const Ticket ticket{Locator(++number),
                          now + 1 + static_cast<std::uint32_t>(random.below(900)), 0};
      in_front ? lanes.push_front(priority, flow, ticket, now)
               : lanes.push(priority, flow, ticket, now);
      model.push(priority, flow, ticket, in_front);
    } else if (deed < 90) {
      const auto pick = lanes.pop();
      const auto expected = model.pop();
      ASSERT_EQ(pick.has_value(), expected.has_value());
      if (pick) {
        ASSERT_EQ(pick->ticket.at, expected->ticket.at);
        ASSERT_EQ(pick->flow, expected->flow);
        ASSERT_EQ(pick->priority, expected->priority);
      }
    } else if (deed < 92) {
      lanes.hold(flow);
      model.hold(flow);
    } else if (deed < 95) {
      lanes.release(flow);
      model.release(flow);
    } else if (deed < 96) {
      model.holds_all = random.one_in(4);
      model.holds_all ? lanes.hold_all() : lanes.release_all();
    } else if (deed < 97) {
      std::vector<std::uint64_t> taken;
      const std::size_t max = random.below(40);
      const std::size_t count = lanes.take_flow(
          flow, max, [&](const Lanes::Pick& pick) { taken.push_back(pick.ticket.at.bits()); });
      ASSERT_EQ(count, taken.size());
      ASSERT_EQ(taken, model.take_flow(flow, max));
    } else {
      now += static_cast<std::uint32_t>(random.below(4));
      std::set<std::uint64_t> expired;
      lanes.take_expired(now, kAll, [&](const Lanes::Pick& pick) {
        EXPECT_TRUE(expired.insert(pick.ticket.at.bits()).second);
      });
      ASSERT_EQ(expired, model.take_expired(now));
    }
    ASSERT_EQ(lanes.waiting_of(flow), model.waiting_of(flow));
    if (step % 50 != 0) continue;
    ASSERT_EQ(lanes.waiting(), model.waiting(false));
    ASSERT_EQ(lanes.waiting_held(), model.waiting(true));
  }
}

TEST(LanesModel, IsWhatLanesAgreeWith) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    run(seed, 5000);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace stentor::queue::test
