// Says of most keys that a run does not hold that it does not: a Bloom filter in blocks of one
// cache line.
//
// Units    Blocks of 64 octets; keys are hashes, evenly spread.
// Owns     Its octets.
// Errors   None: a false "perhaps" comes for about one key in 200, a false "no" never.
// Threads  One thread while keys are added, any afterwards.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace stentor::daemon {

class ReferenceFilter {
 public:
  static constexpr std::size_t kBlockOctets = 64;
  using Block = std::span<const std::uint8_t, kBlockOctets>;

  /// Room for so many keys, 12 bits each.
  [[nodiscard]] static std::uint64_t blocks_for(std::uint64_t keys);
  [[nodiscard]] static std::uint64_t block_of(std::uint64_t key, std::uint64_t blocks) noexcept;
  [[nodiscard]] static bool may_hold(Block block, std::uint64_t key) noexcept;

  explicit ReferenceFilter(std::uint64_t blocks) : octets_(blocks * kBlockOctets) {}
  void add(std::uint64_t key) noexcept;
  [[nodiscard]] bool may_hold(std::uint64_t key) const noexcept;
  [[nodiscard]] std::span<std::uint8_t> octets() noexcept { return octets_; }
  [[nodiscard]] std::size_t size() const noexcept { return octets_.size(); }

 private:
  std::vector<std::uint8_t> octets_;
};

}  // namespace stentor::daemon
