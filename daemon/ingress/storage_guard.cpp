#include "daemon/ingress/storage_guard.h"

#include "daemon/delivery/gauges.h"

namespace stentor::daemon {
namespace {

// A sixteenth more before new messages are let in again: seconds of a full load on a small disk,
// 64 MiB with the default of 1 GiB.
constexpr std::uint64_t kReturnShare = 16;

}  // namespace

void StorageGuard::look(const Look& look) noexcept {
  const std::uint64_t needed = free_octets_min_ + look.waiting * kDiskPerWaiting +
                               look.outstanding * kDiskPerOutstanding + kDiskPerFile;
  is_low_ = look.free_octets < (is_low_ ? needed + needed / kReturnShare : needed);
  numbers_left_ = look.numbers_left;
}

}  // namespace stentor::daemon
