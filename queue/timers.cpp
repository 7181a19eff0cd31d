#include "queue/timers.h"

#include <algorithm>
#include <limits>

namespace stentor::queue {
namespace {

// A stretch is opened while this long lies before it: time to read and deal ten million.
constexpr std::int64_t kLeadMs = Timers::kStretchMs;
// One call deals at most this many, a few milliseconds, and goes on at the next.
constexpr std::size_t kDealtAtOnce = 32'768;
// One call of take_flow() looks at this many, a few milliseconds too.
constexpr std::size_t kTimerLooksMax = 65'536;

// Rounds down for times before zero too: a steady clock may begin anywhere.
std::int64_t floor_div(std::int64_t value, std::int64_t by) noexcept {
  return value >= 0 ? value / by : -((-value + by - 1) / by);
}

}  // namespace

Timers::Timers(SpillStore& spill, std::size_t entries_in_memory) {
  space_.spill = &spill;
  space_.entries_max = entries_in_memory;
  spill.set_on_ready([this](SpillStore::Tag) { waits_for_disk_ = false; });
}

Timers::~Timers() {
  if (space_.spill == nullptr) return;
  space_.spill->set_on_ready(nullptr);
  for (Calendar* calendar : {&steps_, &stretches_}) {
    for (auto& [key, queue] : *calendar) queue.clear(space_);
  }
}

void Timers::push(std::int64_t due_ms, Priority priority, Flow flow, Ticket ticket) {
  const Entry entry{due_ms, ticket, flow, priority};
  if (stretches_.empty() && near_.size() < kNearMax) {
    // Few altogether: the heap alone. Stretches begin where it ends.
    near_.push(due_ms, priority, flow, ticket);
    return;
  }
  if (due_ms < opened_until_ms_) return put_near(entry);
  put(stretches_, kStretchMs, entry);
}

void Timers::put_near(const Entry& entry) {
  if (near_.size() < kNearMax) {
    near_.push(entry.due_ms, entry.priority, entry.flow, entry.ticket);
  } else {
    put(steps_, kStepMs, entry);
  }
}

void Timers::put(Calendar& calendar, std::int64_t width_ms, const Entry& entry) {
  const std::int64_t key = floor_div(entry.due_ms, width_ms);
  const auto offset = static_cast<std::uint32_t>(entry.due_ms - key * width_ms);
  calendar[key].push(
      space_, {.ticket = entry.ticket,
               .flow = entry.flow,
               .offset_and_priority = offset << 2 | static_cast<std::uint32_t>(entry.priority)});
  ++far_;
  ++far_by_flow_[entry.flow];
}

void Timers::count_out(Flow flow) noexcept {
  --far_;
  const auto counted = far_by_flow_.find(flow);
  if (--counted->second == 0) far_by_flow_.erase(counted);
}

Timers::Entry Timers::entry_of(const FarEntry& far, std::int64_t from_ms) const noexcept {
  return {.due_ms = from_ms + far.offset_ms(),
          .ticket = far.ticket,
          .flow = far.flow,
          .priority = far.priority()};
}

std::optional<Timers::Entry> Timers::pop_due(std::int64_t now_ms) {
  open_stretches(now_ms);
  if (auto entry = near_.pop_due(now_ms)) return entry;
  while (!steps_.empty()) {
    const auto first = steps_.begin();
    const std::int64_t end_ms = (first->first + 1) * kStepMs;
    if (end_ms > now_ms) return std::nullopt;
    if (first->second.count() == 0) {
      steps_.erase(first);
      continue;
    }
    const auto far = first->second.pop(space_);
    if (!far) {
      waits_for_disk_ = true;
      return std::nullopt;
    }
    count_out(far->flow);
    Entry entry = entry_of(*far, 0);
    entry.due_ms = end_ms;
    if (first->second.count() == 0) steps_.erase(first);
    return entry;
  }
  return std::nullopt;
}

void Timers::open_stretches(std::int64_t now_ms) {
  std::size_t budget = kDealtAtOnce;
  while (!stretches_.empty() && budget > 0 &&
         stretches_.begin()->first * kStretchMs - kLeadMs <= now_ms) {
    if (!open_first(budget)) return;
  }
}

// False when the rest of it has to be read first, or waits for a later call.
bool Timers::open_first(std::size_t& budget) {
  const auto first = stretches_.begin();
  const std::int64_t from_ms = first->first * kStretchMs;
  FarQueue& queue = first->second;
  opened_until_ms_ = std::max(opened_until_ms_, from_ms + kStretchMs);
  const std::int64_t step = floor_div(from_ms + queue.least_offset(), kStepMs);
  const bool is_one_step = queue.count() > kNearMax &&
                           step == floor_div(from_ms + queue.most_offset(), kStepMs) &&
                           !steps_.contains(step);
  if (is_one_step) {
    steps_.emplace(step, std::move(queue));
    stretches_.erase(first);
    return true;
  }
  while (queue.count() > 0 && budget > 0) {
    const auto far = queue.pop(space_);
    if (!far) {
      waits_for_disk_ = true;
      return false;
    }
    --budget;
    count_out(far->flow);
    put_near(entry_of(*far, from_ms));
  }
  if (queue.count() > 0) return false;
  stretches_.erase(first);
  return true;
}

std::optional<std::int64_t> Timers::next_due() const noexcept {
  auto next = near_.next_due();
  const auto at = [&next](std::int64_t when) { next = std::min(next.value_or(when), when); };
  // What is being read says so when it is here.
  if (!steps_.empty() && !waits_for_disk_) at((steps_.begin()->first + 1) * kStepMs);
  if (!stretches_.empty() && !waits_for_disk_) at(stretches_.begin()->first * kStretchMs - kLeadMs);
  return next;
}

std::size_t Timers::spilled() const noexcept {
  return far_ - space_.in_memory;
}

std::size_t Timers::take_flow(Flow flow, std::size_t max, const Sink& sink) {
  if (near_.waiting_of(flow) > 0) return near_.take_flow(flow, max, sink);
  if (!far_by_flow_.contains(flow)) return 0;
  if (cursor_.flow != flow)
    cursor_ = {.flow = flow, .key = std::numeric_limits<std::int64_t>::min()};
  std::size_t looks = kTimerLooksMax;
  std::size_t taken = 0;
  // Twice round at most: from where it was to the end, and from the beginning.
  for (int part = 0; part < 3 && taken < max && looks > 0 && far_by_flow_.contains(flow); ++part) {
    taken += cursor_.in_stretches ? sweep(stretches_, kStretchMs, flow, max - taken, looks, sink)
                                  : sweep(steps_, kStepMs, flow, max - taken, looks, sink);
  }
  return taken;
}

// From the cursor to the end of this calendar, then the cursor is at the beginning of the other.
std::size_t Timers::sweep(Calendar& calendar, std::int64_t width_ms, Flow flow, std::size_t max,
                          std::size_t& looks, const Sink& sink) {
  std::size_t taken = 0;
  auto at = calendar.lower_bound(cursor_.key);
  while (at != calendar.end() && taken < max && looks > 0) {
    if (at->first != cursor_.key) cursor_.piece = 0;
    cursor_.key = at->first;
    taken += at->second.take_flow(space_, flow, max - taken, looks, cursor_.piece,
                                  [&](const FarEntry& far) {
                                    count_out(far.flow);
                                    sink(entry_of(far, cursor_.key * width_ms));
                                  });
    const bool is_through = cursor_.piece >= at->second.pieces();
    if (!is_through && taken < max && looks > 0) return taken;  // to be read first
    if (!is_through) break;
    at = at->second.count() == 0 ? calendar.erase(at) : std::next(at);
    cursor_.key = at == calendar.end() ? cursor_.key + 1 : at->first;
    cursor_.piece = 0;
  }
  if (at == calendar.end()) {
    cursor_ = {.flow = flow,
               .in_stretches = !cursor_.in_stretches,
               .key = std::numeric_limits<std::int64_t>::min()};
  }
  return taken;
}

std::size_t Timers::take_all(std::size_t max, const Sink& sink) {
  std::size_t taken = near_.take_all(max, sink);
  for (Calendar* calendar : {&steps_, &stretches_}) {
    const std::int64_t width_ms = calendar == &steps_ ? kStepMs : kStretchMs;
    while (taken < max && !calendar->empty()) {
      const auto first = calendar->begin();
      const auto far = first->second.pop(space_);
      if (!far && first->second.count() > 0) return taken;  // to be read first
      if (far) {
        count_out(far->flow);
        ++taken;
        sink(entry_of(*far, first->first * width_ms));
      }
      if (first->second.count() == 0) calendar->erase(first);
    }
  }
  return taken;
}

std::size_t Timers::waiting_of(Flow flow) const noexcept {
  const auto known = far_by_flow_.find(flow);
  return near_.waiting_of(flow) + (known == far_by_flow_.end() ? 0 : known->second);
}

}  // namespace stentor::queue
