#include "daemon/references/reference_filter.h"

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kBitsPerKey = 12;
constexpr std::uint64_t kBlockBits = ReferenceFilter::kBlockOctets * 8;
constexpr unsigned kProbes = 7;     // best at 12 bits is 8; seven take nine bits each of one word
constexpr unsigned kProbeBits = 9;  // 512 bits in a block
constexpr std::uint64_t kToBlock = 0x9e3779b97f4a7c15;   // odd, bits mixed: the golden ratio
constexpr std::uint64_t kToProbes = 0xc2b2ae3d27d4eb4f;  // likewise; xxHash's second prime

std::uint64_t probes_of(std::uint64_t key) noexcept {
  return ((key ^ key >> 29) * kToProbes) >> 1;
}

}  // namespace

std::uint64_t ReferenceFilter::blocks_for(std::uint64_t keys) {
  return keys * kBitsPerKey / kBlockBits + 1;
}

std::uint64_t ReferenceFilter::block_of(std::uint64_t key, std::uint64_t blocks) noexcept {
  // The upper half, scaled: no division, and fit for up to four billion blocks.
  return ((key * kToBlock) >> 32) * blocks >> 32;
}

bool ReferenceFilter::may_hold(Block block, std::uint64_t key) noexcept {
  std::uint64_t probes = probes_of(key);
  for (unsigned i = 0; i < kProbes; ++i, probes >>= kProbeBits) {
    const std::uint64_t bit = probes & (kBlockBits - 1);
    if ((block[bit / 8] & 1u << bit % 8) == 0) return false;
  }
  return true;
}

void ReferenceFilter::add(std::uint64_t key) noexcept {
  const std::uint64_t at = block_of(key, octets_.size() / kBlockOctets) * kBlockOctets;
  std::uint64_t probes = probes_of(key);
  for (unsigned i = 0; i < kProbes; ++i, probes >>= kProbeBits) {
    const std::uint64_t bit = probes & (kBlockBits - 1);
    std::uint8_t& octet = octets_[at + bit / 8];
    octet = static_cast<std::uint8_t>(octet | 1u << bit % 8);
  }
}

bool ReferenceFilter::may_hold(std::uint64_t key) const noexcept {
  const std::uint64_t at = block_of(key, octets_.size() / kBlockOctets) * kBlockOctets;
  return may_hold(Block(octets_.data() + at, kBlockOctets), key);
}

}  // namespace stentor::daemon
