// Whether "queue full" (0x14) is said of the carrier, or of one destination that alone is full.
//
// The status does not tell. What does is who hears it: where two destinations heard it in a row,
// and nothing was taken in between, the carrier is full. One destination that hears it again and
// again while others are taken, or while nobody else sends, speaks for itself alone.
//
// Threads  One thread.
// Spec     docs/carriers.md, "Statuses"
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

namespace stentor::daemon {

class FullQueue {
 public:
  /// The carrier took a segment.
  void on_accepted() noexcept {
    destination_.reset();
    is_carriers_ = false;
  }
  /// True when it is the carrier that is full.
  [[nodiscard]] bool on_full(std::string_view destination) noexcept {
    const std::size_t heard = std::hash<std::string_view>{}(destination);
    if (destination_ && *destination_ != heard) is_carriers_ = true;
    destination_ = heard;
    return is_carriers_;
  }

 private:
  std::optional<std::size_t> destination_;  // the latest, since something was taken
  bool is_carriers_ = false;
};

}  // namespace stentor::daemon
