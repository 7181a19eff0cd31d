// Which blocks of the journal were read whole and verified, so that one record of them may be read
// alone later.
//
// A receipt asks for one record of a block of 256 KiB, the next one for a record of another block:
// to read and check all of both each time costs a hundred times what the record does.
//
// What is read alone is checked too, by steps of 4 KiB whose checksums were taken when the whole
// was verified: a disk may go bad in between.
//
// Units    Blocks; octets of their payloads.
// Owns     An entry for each block with four octets for each step, at most kStepsMax steps.
// Threads  One thread.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "queue/checksum.h"

namespace stentor::queue {

class VerifiedBlocks {
 public:
  static constexpr std::size_t kStepOctets = 4096;
  /// 8 GiB of blocks, 8 MiB of memory. When there are more all are forgotten: each is then read
  /// whole once more.
  static constexpr std::size_t kStepsMax = 2u << 20;
  /// Smaller ones are read whole faster than they are looked up.
  static constexpr std::size_t kOctetsMin = 16u << 10;
  /// So many records read alone cost what the block does; who asks for more asks for all of it.
  static constexpr std::uint8_t kAloneMax = 64;

  struct Block {
    std::size_t octets = 0;
    std::uint8_t alone = 0;
    std::vector<std::uint32_t> checks{};  ///< of each step; the last one may be shorter

    /// Are the octets `read` from `from` on what they were? `from` begins a step, and they end one.
    [[nodiscard]] bool matches(std::size_t from, std::span<const std::uint8_t> read) const {
      for (std::size_t step = from / kStepOctets; !read.empty(); ++step) {
        const auto one = read.first(std::min(kStepOctets, read.size()));
        if (step >= checks.size() || crc32c(one) != checks[step]) return false;
        read = read.subspan(one.size());
      }
      return true;
    }
  };

  /// The block at `at` of `file` was read whole.
  void add(std::uint32_t file, std::uint32_t at, std::span<const std::uint8_t> payload) {
    if (payload.size() < kOctetsMin) return;
    const std::size_t steps = (payload.size() + kStepOctets - 1) / kStepOctets;
    if (steps_ + steps > kStepsMax) {
      blocks_.clear();
      steps_ = 0;
    }
    Block& block = blocks_[key(file, at)];
    steps_ = steps_ - block.checks.size() + steps;
    block = {.octets = payload.size()};
    block.checks.reserve(steps);
    for (std::size_t from = 0; from < payload.size(); from += kStepOctets) {
      const std::size_t octets = std::min(kStepOctets, payload.size() - from);
      block.checks.push_back(crc32c(payload.subspan(from, octets)));
    }
  }
  /// The block, when a record of it may be read alone, and now is; valid until the next add().
  [[nodiscard]] const Block* take_alone(std::uint32_t file, std::uint32_t at) {
    const auto found = blocks_.find(key(file, at));
    if (found == blocks_.end() || found->second.alone >= kAloneMax) return nullptr;
    ++found->second.alone;
    return &found->second;
  }
  [[nodiscard]] std::size_t size() const noexcept { return blocks_.size(); }

 private:
  [[nodiscard]] static std::uint64_t key(std::uint32_t file, std::uint32_t at) noexcept {
    return std::uint64_t{file} << 32 | at;
  }
  boost::unordered_flat_map<std::uint64_t, Block> blocks_;
  std::size_t steps_ = 0;
};

}  // namespace stentor::queue
