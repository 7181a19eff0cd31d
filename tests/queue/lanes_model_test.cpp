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
    side.open(flow, weight(flow));
    in_front ? queue.push_front(ticket) : queue.push_back(ticket);
    side.place(flow, held_.contains(flow), in_front && !side.is_in_turns(flow));
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
    const Flow flow = side.turns.front();
    auto& queue = side.queues[flow];
    const Lanes::Pick pick{queue.front(), flow, static_cast<Priority>(chosen)};
    queue.pop_front();
    if (--side.accounts.at(flow).left == 0) {
      side.accounts.at(flow).left = weight(flow);
      side.end_turn();
    }
    side.place(flow, false, false);
    return pick;
  }

  void charge(Priority priority, Flow flow, std::uint32_t segments) {
    Side& side = sides_[static_cast<std::size_t>(priority)];
    if (segments == 0) return;
    const bool is_alone = side.turns.size() == 1 && side.turns.front() == flow;
    if (side.sitting_out.empty() && (side.turns.empty() || is_alone)) return;
    side.open(flow, weight(flow));
    Side::Account& account = side.accounts.at(flow);
    if (segments < account.left) {
      account.left -= segments;
    } else {
      const bool is_its_turn =
          !side.turns.empty() && side.turns.front() == flow && account.left < weight(flow);
      segments -= account.left;
      std::uint32_t turns = is_its_turn ? 0 : 1;
      while (segments >= weight(flow)) {
        segments -= weight(flow);
        ++turns;
      }
      account.left = weight(flow) - segments;
      if (turns == 0) {
        side.end_turn();
      } else {
        std::uint64_t next = account.round;
        if (next <= side.round) next = side.round + (is_its_turn || next == side.round ? 1 : 0);
        if (side.is_in_turns(flow)) side.leave(flow);
        std::erase(side.sitting_out, flow);
        account.round = std::min(next + turns, side.round + 255);
      }
    }
    side.place(flow, held_.contains(flow), false);
  }

  void hold(Flow flow) {
    if (!held_.insert(flow).second) return;
    for (Side& side : sides_) {
      if (!side.accounts.contains(flow)) continue;
      side.accounts.at(flow).left = weight(flow);
      side.place(flow, true, false);
    }
  }

  void release(Flow flow) {
    if (held_.erase(flow) == 0) return;
    for (Side& side : sides_) {
      if (side.accounts.contains(flow)) side.place(flow, false, false);
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
      if (side.accounts.contains(flow)) side.place(flow, held_.contains(flow), false);
    }
    return taken;
  }

  /// Flow by flow: rounds may pass in between.
  void take_out(const Lanes::Pick& pick) {
    Side& side = sides_[static_cast<std::size_t>(pick.priority)];
    std::erase_if(side.queues[pick.flow],
                  [&](const Ticket& waiting) { return waiting.at == pick.ticket.at; });
  }
  void place_again(Priority priority, Flow flow) {
    Side& side = sides_[static_cast<std::size_t>(priority)];
    if (side.accounts.contains(flow)) side.place(flow, held_.contains(flow), false);
  }

  [[nodiscard]] std::set<std::uint64_t> expired_at(std::uint32_t now) const {
    std::set<std::uint64_t> expired;
    for (const Side& side : sides_) {
      for (const auto& [flow, queue] : side.queues) {
        for (const Ticket& waiting : queue) {
          if (waiting.expires <= now) expired.insert(waiting.at.bits());
        }
      }
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
  struct Side {
    struct Account {
      std::uint32_t left = 0;
      std::uint64_t round = 0;
    };
    std::map<Flow, std::deque<Ticket>> queues;
    std::deque<Flow> turns;         // whose turn it is stands first
    std::vector<Flow> sitting_out;  // in the order in which they came
    std::map<Flow, Account> accounts;
    Flow first = 0;  // a round is over when the turn comes to it
    std::uint64_t round = 0;
    bool is_round_over = false;

    void open(Flow flow, std::uint32_t weight) { accounts.try_emplace(flow, weight, round); }
    [[nodiscard]] bool is_in_turns(Flow flow) const {
      return std::ranges::find(turns, flow) != turns.end();
    }
    void end_turn() {
      accounts.at(turns.front()).round = round;
      turns.push_back(turns.front());
      turns.pop_front();
      is_round_over = is_round_over || turns.front() == first;
    }
    void place(Flow flow, bool is_held, bool in_front) {
      stand(flow, is_held, in_front);
      while (is_round_over || (turns.empty() && !sitting_out.empty())) {
        is_round_over = false;
        ++round;
        for (const Flow back : std::vector(sitting_out)) {
          if (accounts.at(back).round == round) stand(back, false, false);
        }
      }
      if (turns.empty()) round += 255;
    }
    void stand(Flow flow, bool is_held, bool in_front) {
      const bool owes = accounts.at(flow).round > round;
      const bool is_empty = queues[flow].empty();
      const bool takes_turns = !owes && !is_empty && !is_held;
      const bool sits_out = owes && (is_empty || !is_held);
      if (is_in_turns(flow) && !takes_turns) leave(flow);
      if (!is_in_turns(flow) && takes_turns) {
        if (turns.empty() || (in_front && first == turns.front())) first = flow;
        in_front ? turns.push_front(flow) : turns.push_back(flow);
      }
      if (!sits_out) std::erase(sitting_out, flow);
      if (sits_out && std::ranges::find(sitting_out, flow) == sitting_out.end()) {
        sitting_out.push_back(flow);
      }
      if (is_empty && !owes) accounts.erase(flow);
    }
    void leave(Flow flow) {
      const auto place = std::ranges::find(turns, flow);
      const bool had_turn = place == turns.begin();
      const auto behind = turns.erase(place);
      if (turns.empty()) return;
      if (first == flow) {
        first = behind == turns.end() ? turns.front() : *behind;
      } else if (had_turn) {
        is_round_over = is_round_over || turns.front() == first;
      }
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

void run(std::uint64_t seed, int steps, bool charges) {
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
        if (charges && random.one_in(2)) {
          const auto segments =
              static_cast<std::uint32_t>(random.below(random.one_in(9) ? 300 : 12));
          lanes.charge(pick->priority, pick->flow, segments);
          model.charge(pick->priority, pick->flow, segments);
        }
      }
    } else if (charges && deed == 90) {  // late, or for one that came another way
      const auto priority = static_cast<Priority>(random.below(kPriorities));
      const auto segments = static_cast<std::uint32_t>(random.below(20));
      lanes.charge(priority, flow, segments);
      model.charge(priority, flow, segments);
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
      const auto expected = model.expired_at(now);
      std::set<std::uint64_t> expired;
      std::optional<Lanes::Pick> last;
      lanes.take_expired(now, kAll, [&](const Lanes::Pick& pick) {
        EXPECT_TRUE(expired.insert(pick.ticket.at.bits()).second);
        if (last && (last->flow != pick.flow || last->priority != pick.priority)) {
          model.place_again(last->priority, last->flow);
        }
        model.take_out(pick);
        last = pick;
      });
      if (last) model.place_again(last->priority, last->flow);
      ASSERT_EQ(expired, expected);
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
    run(seed, 5000, false);
    if (HasFatalFailure()) return;
  }
}

TEST(LanesModel, IsWhatLanesAgreeWithWhereMessagesAreLong) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    run(seed, 5000, true);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace stentor::queue::test
