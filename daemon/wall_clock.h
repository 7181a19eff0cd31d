// The date, for what upstream sees and for what must outlive the process. Never for a timer.
//
// Units    Milliseconds of Unix time.
// Threads  A pure function of the system's clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace stentor::daemon {

[[nodiscard]] inline std::uint64_t wall_clock_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

}  // namespace stentor::daemon
