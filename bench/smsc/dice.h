// Chance that repeats: the same seed and purpose always give the same draws.
//
// Each purpose has its own dice, so that asking for jitter does not change which messages fail.
//
// Owns     Eight octets of state.
// Threads  One thread.
#pragma once

#include <cstdint>

namespace stentor::smsc {

/// splitmix64 (Steele, Lea, Flood 2014): one multiplication chain, good enough for a carrier.
[[nodiscard]] constexpr std::uint64_t scramble(std::uint64_t z) noexcept {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

class Dice {
 public:
  Dice(std::uint64_t seed, std::uint64_t purpose) noexcept
      : state_(scramble(seed + kGolden) ^ scramble(purpose * kGolden + 1)) {}

  [[nodiscard]] std::uint64_t next() noexcept { return scramble(state_ += kGolden); }
  /// 0 up to, not including, 1.
  [[nodiscard]] double share() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  static constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;
  std::uint64_t state_;
};

}  // namespace stentor::smsc
