#include "bench/load/latency_histogram.h"

#include <algorithm>
#include <cmath>

namespace stentor::load {

void LatencyHistogram::merge(const LatencyHistogram& other) noexcept {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  total_ += other.total_;
  max_ = std::max(max_, other.max_);
}

std::chrono::nanoseconds LatencyHistogram::quantile(double share) const noexcept {
  if (total_ == 0) return std::chrono::nanoseconds(0);
  const double rank = std::ceil(share * static_cast<double>(total_));
  const std::uint64_t wanted = rank < 1 ? 1 : static_cast<std::uint64_t>(rank);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= wanted) return std::chrono::nanoseconds(std::min(upper_end_of(bucket), max_));
  }
  return max();
}

// The largest value that bucket_of() puts there.
std::uint64_t LatencyHistogram::upper_end_of(std::size_t bucket) noexcept {
  if (bucket < 2 * kSteps) return bucket;
  const std::uint64_t shift = bucket / kSteps - 1;
  const std::uint64_t step = bucket - kSteps * shift;
  return ((step + 1) << shift) - 1;
}

}  // namespace stentor::load
