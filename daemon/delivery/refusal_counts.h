// How often, and since when, one message was refused for now: for each class by itself, so that a
// long throttling uses up nothing of what a temporary error is given, nor few tries of one class
// those of another.
//
// Units    Milliseconds of Unix time; tries count up to 255, as many as a rule can name.
// Threads  One thread.
// Spec     docs/carriers.md, "Statuses"
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "daemon/config/delivery_config.h"

namespace stentor::daemon {

class RefusalCounts {
 public:
  /// It was told so: the first time is what its class's `within` counts from.
  void note(StatusClass by, std::uint64_t now_ms) noexcept {
    std::uint64_t& since = since_ms_[index(by)];
    if (since == 0) since = now_ms;
  }
  /// One more try that the class's `attempts` and `pauses` count.
  void count(StatusClass by, std::uint8_t tries = 1) noexcept {
    std::uint8_t& so_far = tries_[index(by)];
    so_far = static_cast<std::uint8_t>(std::min(so_far + tries, UINT8_MAX));
  }

  /// 0: never, or nobody knows.
  [[nodiscard]] std::uint64_t since_ms(StatusClass by) const noexcept {
    return since_ms_[index(by)];
  }
  [[nodiscard]] std::uint8_t tries(StatusClass by) const noexcept { return tries_[index(by)]; }
  /// The first refusal of any class; 0: none is known.
  [[nodiscard]] std::uint64_t first_ms() const noexcept {
    std::uint64_t first = 0;
    for (const std::uint64_t since : since_ms_) {
      if (since != 0 && (first == 0 || since < first)) first = since;
    }
    return first;
  }
  [[nodiscard]] bool is_empty() const noexcept {
    return first_ms() == 0 && std::ranges::all_of(tries_, [](auto tries) { return tries == 0; });
  }

 private:
  static constexpr std::size_t index(StatusClass by) noexcept {
    return static_cast<std::size_t>(by);
  }
  // Times and tries apart: 56 octets for each message in retry, instead of 96.
  std::array<std::uint64_t, kRetryClasses> since_ms_{};
  std::array<std::uint8_t, kRetryClasses> tries_{};
};

}  // namespace stentor::daemon
