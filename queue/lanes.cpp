#include "queue/lanes.h"

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>

#include "queue/lane.h"
#include "queue/ticket_chunk.h"

namespace stentor::queue {
namespace {

constexpr std::array<Priority, kPriorities> kInOrder = {Priority::urgent, Priority::normal,
                                                        Priority::bulk};

}  // namespace

class Lanes::Body {
 public:
  Body(SpillStore* spill, std::size_t tickets_in_memory) {
    space_.spill = spill;
    space_.tickets_max = tickets_in_memory;
    if (spill == nullptr) return;
    spill->set_on_ready([this](SpillStore::Tag tag) {
      const auto of_queue = static_cast<std::uint32_t>(tag);
      lanes_[of_queue >> Lane::kMemberBits].on_ready(of_queue);
    });
  }

  ~Body() {
    if (space_.spill != nullptr) space_.spill->set_on_ready(nullptr);
  }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  [[nodiscard]] Lane& lane(Priority priority) noexcept {
    return lanes_[static_cast<std::size_t>(priority)];
  }

  [[nodiscard]] std::optional<Pick> pop() {
    if (holds_all) return std::nullopt;
    const auto priority = choose();
    if (!priority) return std::nullopt;
    const Lane::Picked picked = lane(*priority).pop();
    return Pick{.ticket = picked.ticket, .flow = picked.flow, .priority = *priority};
  }

  [[nodiscard]] FlowTerms terms_of(Flow flow) const noexcept {
    const auto known = terms_.find(flow);
    return known == terms_.end() ? FlowTerms{} : known->second;
  }

  void set_terms(Flow flow, FlowTerms terms) {
    if (terms == FlowTerms{}) {
      terms_.erase(flow);
    } else {
      terms_[flow] = terms;
    }
    for (Lane& each : lanes_) each.set_terms(flow, terms);
  }

  [[nodiscard]] bool has_ready() const noexcept {
    return !holds_all && std::ranges::any_of(lanes_, &Lane::is_ready);
  }

  [[nodiscard]] std::size_t spilled() const noexcept { return space_.in_blocks; }

  bool holds_all = false;

 private:
  // Each count runs only while both sides wait: nobody has a claim to make up for when it comes.
  [[nodiscard]] std::optional<Priority> choose() noexcept {
    const bool has_urgent = lane(Priority::urgent).is_ready();
    const bool has_normal = lane(Priority::normal).is_ready();
    const bool has_bulk = lane(Priority::bulk).is_ready();
    const bool has_below = has_normal || has_bulk;
    since_below_ = has_urgent && has_below ? since_below_ + 1 : 0;
    if (has_urgent && since_below_ < kBelowUrgentShare) return Priority::urgent;
    since_below_ = 0;
    if (!has_below) return std::nullopt;
    since_bulk_ = has_normal && has_bulk ? since_bulk_ + 1 : 0;
    if (has_normal && since_bulk_ < kBulkShare) return Priority::normal;
    since_bulk_ = 0;
    return Priority::bulk;
  }

  TicketSpace space_;
  boost::unordered_flat_map<Flow, FlowTerms> terms_;  // of the flows that have some of their own
  const Lane::TermsOf look_up_ = [this](Flow flow) { return terms_of(flow); };
  std::array<Lane, kPriorities> lanes_{Lane(space_, 0, look_up_), Lane(space_, 1, look_up_),
                                       Lane(space_, 2, look_up_)};
  std::uint32_t since_bulk_ = 0;
  std::uint32_t since_below_ = 0;
};

Lanes::Lanes() : body_(std::make_unique<Body>(nullptr, 0)) {}
Lanes::Lanes(SpillStore& spill, std::size_t tickets_in_memory)
    : body_(std::make_unique<Body>(&spill, tickets_in_memory)) {}
Lanes::~Lanes() = default;

void Lanes::push(Priority priority, Flow flow, Ticket ticket, std::uint32_t now) {
  body_->lane(priority).push(flow, ticket, now);
}

void Lanes::push_front(Priority priority, Flow flow, Ticket ticket, std::uint32_t now) {
  body_->lane(priority).push_front(flow, ticket, now);
}

std::optional<Lanes::Pick> Lanes::pop() {
  return body_->pop();
}

void Lanes::charge(Priority priority, Flow flow, std::uint32_t further_segments) {
  body_->lane(priority).charge(flow, further_segments);
}

void Lanes::hold(Flow flow) {
  FlowTerms terms = body_->terms_of(flow);
  terms.is_held = true;
  body_->set_terms(flow, terms);
}

void Lanes::release(Flow flow) {
  FlowTerms terms = body_->terms_of(flow);
  terms.is_held = false;
  body_->set_terms(flow, terms);
}

bool Lanes::is_held(Flow flow) const noexcept {
  return body_->terms_of(flow).is_held;
}

void Lanes::hold_all() noexcept {
  body_->holds_all = true;
}

void Lanes::release_all() noexcept {
  body_->holds_all = false;
}

bool Lanes::is_held_all() const noexcept {
  return body_->holds_all;
}

void Lanes::set_weight(Flow flow, std::uint16_t weight) {
  FlowTerms terms = body_->terms_of(flow);
  terms.weight = std::clamp<std::uint16_t>(weight, 1, kWeightMax);
  body_->set_terms(flow, terms);
}

std::size_t Lanes::take_flow(Flow flow, std::size_t max, const Sink& sink) {
  std::size_t taken = 0;
  for (const Priority priority : kInOrder) {
    taken += body_->lane(priority).take_flow(
        flow, max - taken, [&](Flow, const Ticket& ticket) { sink({ticket, flow, priority}); });
  }
  return taken;
}

std::size_t Lanes::take_all(std::size_t max, const Sink& sink) {
  std::size_t taken = 0;
  for (const Priority priority : kInOrder) {
    taken += body_->lane(priority).take_all(
        max - taken, [&](Flow flow, const Ticket& ticket) { sink({ticket, flow, priority}); });
  }
  return taken;
}

std::size_t Lanes::take_expired(std::uint32_t now, std::size_t max, const Sink& sink) {
  std::size_t taken = 0;
  for (const Priority priority : kInOrder) {
    taken += body_->lane(priority).take_expired(
        now, max - taken, [&](Flow flow, const Ticket& ticket) { sink({ticket, flow, priority}); });
  }
  return taken;
}

std::optional<std::uint32_t> Lanes::earliest_expiry() const noexcept {
  if (waiting() == 0) return std::nullopt;
  std::uint32_t earliest = kNever;
  for (const Priority priority : kInOrder) {
    const Lane& lane = body_->lane(priority);
    if (lane.waiting() > 0) earliest = std::min(earliest, lane.earliest());
  }
  return earliest;
}

std::size_t Lanes::waiting() const noexcept {
  return waiting(Priority::urgent) + waiting(Priority::normal) + waiting(Priority::bulk);
}

std::size_t Lanes::waiting(Priority priority) const noexcept {
  return body_->lane(priority).waiting();
}

std::size_t Lanes::waiting_of(Flow flow) const noexcept {
  std::size_t waiting = 0;
  for (const Priority priority : kInOrder) waiting += body_->lane(priority).waiting_of(flow);
  return waiting;
}

std::size_t Lanes::waiting_held() const noexcept {
  std::size_t held = 0;
  for (const Priority priority : kInOrder) held += body_->lane(priority).held();
  return held;
}

std::size_t Lanes::waiting_spilled() const noexcept {
  return body_->spilled();
}

bool Lanes::has_ready() const noexcept {
  return body_->has_ready();
}

std::optional<std::uint32_t> Lanes::oldest_since(Priority priority) const noexcept {
  return body_->lane(priority).oldest_since();
}

}  // namespace stentor::queue
