// Which numbers certainly never opted out: asked by carriers' threads, without a lock, for each
// message that is about to go.
//
// One word of three bits for each number: one look at memory, most of the time into the cache.
//
// Units    Numbers, hashed.
// Owns     Nothing until the first number; then 1 MiB. With a hundred thousand numbers in it less
//          than one in a thousand others is taken for one of them, with a million one in 30: who
//          must know asks the list.
// Errors   None.
// Threads  One adds, any may ask: a number is seen by whoever asks after it was added.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace stentor::daemon {

class OptOutFilter {
 public:
  OptOutFilter() = default;
  ~OptOutFilter() { delete words_.load(std::memory_order_relaxed); }  // nobody else is left
  OptOutFilter(const OptOutFilter&) = delete;
  OptOutFilter& operator=(const OptOutFilter&) = delete;

  void add(std::uint64_t hash) {
    // Only who adds writes it.
    Words* words = words_.load(std::memory_order_relaxed);
    if (words == nullptr) {
      words = std::make_unique<Words>().release();
      words_.store(words, std::memory_order_release);  // acquired by may_have()
    }
    // Bits alone: they say all there is to know.
    words->at[hash % kWords].fetch_or(bits_of(hash), std::memory_order_relaxed);
  }

  [[nodiscard]] bool may_have(std::uint64_t hash) const noexcept {
    const Words* words = words_.load(std::memory_order_acquire);
    if (words == nullptr) return false;
    const std::uint64_t bits = bits_of(hash);
    return (words->at[hash % kWords].load(std::memory_order_relaxed) & bits) ==
           bits;  // as in add()
  }

  [[nodiscard]] bool is_empty() const noexcept {
    return words_.load(std::memory_order_relaxed) == nullptr;  // who asks on acquires it
  }

 private:
  static constexpr std::size_t kWords = 1u << 17;
  struct Words {
    std::atomic<std::uint64_t> at[kWords]{};
  };
  [[nodiscard]] static std::uint64_t bits_of(std::uint64_t hash) noexcept {
    return 1ull << (hash >> 58) | 1ull << (hash >> 52 & 63) | 1ull << (hash >> 46 & 63);
  }
  std::atomic<Words*> words_{nullptr};
};

}  // namespace stentor::daemon
