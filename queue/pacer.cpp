#include "queue/pacer.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace stentor::queue {
namespace {

constexpr std::uint64_t kSegmentCost = 1'000'000'000;
constexpr std::uint64_t kQuantumNanoseconds =
    std::chrono::duration_cast<std::chrono::nanoseconds>(kPacingQuantum).count();

}  // namespace

Pacer::Pacer(std::uint32_t segments_per_second, TimePoint now) noexcept
    : rate_(segments_per_second), credit_(kSegmentCost), counted_until_(now) {}

void Pacer::set_rate(std::uint32_t segments_per_second, TimePoint now) noexcept {
  // What a limit begins with is one segment: without one nothing was counted.
  credit_ = rate_ == 0 ? kSegmentCost : credit_at(now);
  counted_until_ = std::max(counted_until_, now);
  rate_ = segments_per_second;
  credit_ = std::min(credit_, credit_max());
}

std::uint32_t Pacer::rate() const noexcept {
  return rate_;
}

std::uint32_t Pacer::available(TimePoint now) noexcept {
  if (rate_ == 0) return std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(credit_at(now) / kSegmentCost);
}

void Pacer::take(std::uint32_t segments, TimePoint now) noexcept {
  if (rate_ == 0) return;
  const Credit credit = credit_at(now);
  assert(segments <= credit / kSegmentCost && "no more is taken than is available");
  credit_ = credit - segments * kSegmentCost;
  counted_until_ = std::max(counted_until_, now);
}

Pacer::TimePoint Pacer::next(TimePoint now) const noexcept {
  if (rate_ == 0) return now;
  const Credit credit = credit_at(now);
  if (credit >= kSegmentCost) return now;
  const std::uint64_t wait = (kSegmentCost - credit + rate_ - 1) / rate_;
  return std::max(now, counted_until_) +
         std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(wait));
}

Pacer::Credit Pacer::credit_max() const noexcept {
  // The nanosecond in which a segment's credit is reached earns a little more than it: kept too.
  return std::max(kSegmentCost + rate_, rate_ * kQuantumNanoseconds);
}

Pacer::Credit Pacer::credit_at(TimePoint now) const noexcept {
  if (now <= counted_until_) return credit_;
  // A second fills the credit at any rate, and its product with any rate fits.
  const auto elapsed =
      std::min<std::chrono::nanoseconds>(now - counted_until_, std::chrono::seconds(1));
  return std::min(credit_max(), credit_ + rate_ * static_cast<Credit>(elapsed.count()));
}

}  // namespace stentor::queue
