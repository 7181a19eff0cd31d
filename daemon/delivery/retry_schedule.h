// When a message that was refused for now goes again, and when it has been tried enough.
//
// Units    Attempts count from 1; times are std::chrono.
// Owns     Nothing: the configuration must outlive it.
// Threads  Pure functions of their arguments.
// Spec     docs/carriers.md, "Retries"
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "daemon/config/delivery_config.h"

namespace stentor::daemon {

/// What a class that can be refused for now is retried by: any but `permanent`.
[[nodiscard]] const RetryRule& rule_of(const RetryConfig& retry, StatusClass is) noexcept;

class RetrySchedule {
 public:
  explicit RetrySchedule(const RetryRule& rule) : rule_(rule) {}

  /// The pause after attempt number `attempt` was refused, `since_first` after the first refusal;
  /// nothing when it was the last: the attempts are used up, or the next one would come too late.
  [[nodiscard]] std::optional<std::chrono::seconds> pause_after(
      std::uint32_t attempt, std::chrono::milliseconds since_first) const;

  /// How long after the first refusal the refusal of attempt number `attempt` comes at the
  /// earliest: what is known of the past after a restart.
  [[nodiscard]] std::chrono::seconds earliest(std::uint32_t attempt) const;

 private:
  [[nodiscard]] std::chrono::seconds pause(std::uint32_t attempt) const;

  const RetryRule& rule_;
};

}  // namespace stentor::daemon
