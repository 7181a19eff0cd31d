// When it is in a test.
#pragma once

#include <chrono>
#include <cstdint>

namespace stentor::daemon::test {

/// By the steady clock: late enough that a thing may have been hours ago.
inline constexpr std::chrono::steady_clock::time_point kStart{std::chrono::hours(1000)};
/// Milliseconds of Unix time: in September 2026.
inline constexpr std::uint64_t kNowMs = 1'790'000'000'000;

}  // namespace stentor::daemon::test
