// Which blocks of the journal were read whole and verified, so that one record of them may be read
// alone later.
//
// A receipt asks for one record of a block of 256 KiB, the next one for a record of another block:
// to read and check all of both each time costs a hundred times what the record does.
//
// Units    Blocks.
// Owns     An entry for each block, at most kBlocksMax.
// Threads  One thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>

namespace stentor::queue {

class VerifiedBlocks {
 public:
  /// 16 GiB of full blocks, a MiB of memory. When there are more all are forgotten: each is then
  /// read whole once more.
  static constexpr std::size_t kBlocksMax = 65'536;
  /// Smaller ones are read whole faster than they are looked up.
  static constexpr std::size_t kOctetsMin = 16u << 10;
  /// So many records read alone cost what the block does; who asks for more asks for all of it.
  static constexpr std::uint8_t kAloneMax = 64;

  /// The block at `at` of `file` was read whole.
  void add(std::uint32_t file, std::uint32_t at, std::size_t octets) {
    if (octets < kOctetsMin) return;
    if (alone_.size() >= kBlocksMax) alone_.clear();
    alone_[key(file, at)] = 0;
  }
  /// True when a record of it may be read alone, and now is.
  [[nodiscard]] bool take_alone(std::uint32_t file, std::uint32_t at) {
    const auto found = alone_.find(key(file, at));
    return found != alone_.end() && found->second++ < kAloneMax;
  }
  [[nodiscard]] std::size_t size() const noexcept { return alone_.size(); }

 private:
  [[nodiscard]] static std::uint64_t key(std::uint32_t file, std::uint32_t at) noexcept {
    return std::uint64_t{file} << 32 | at;
  }
  boost::unordered_flat_map<std::uint64_t, std::uint8_t> alone_;
};

}  // namespace stentor::queue
