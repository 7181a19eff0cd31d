// The newest million values by a 64-bit key: the one that was put first goes first.
//
// A ring of entries in their order, and buckets that say where in it a key lies: one cache line is
// looked at for a key, known ahead of need (prefetch), since a receipt that waits for memory twice
// costs more than all that is done with it. All of it in pieces: one large table would stop the
// shard for tens of milliseconds when it grows.
//
// Units    Entries.
// Owns     At most kEntriesMax entries, the value and 8 octets each, allocated as they come, and 8
//          MiB of buckets once some thousands have come.
// Errors   None. Where more than 16 of the newest million meet in one bucket the oldest of them is
//          forgotten: some eight in a thousand of the very oldest when it is full, and next to none
//          of the newer half.
// Threads  One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace stentor::daemon {

template <class Value>
class NewestByKey {
  static constexpr unsigned kPositionBits = 20;

 public:
  static constexpr std::size_t kEntriesMax = std::size_t{1} << kPositionBits;

  void put(std::uint64_t key, const Value& value) {
    if (pieces_.empty()) pieces_.resize(kPieces);
    const std::uint32_t position = next_;
    next_ = (next_ + 1) & kPositionMask;
    if (is_full_) forget(position);
    is_full_ = is_full_ || next_ == 0;
    const std::size_t chunk = position / kChunk;
    if (chunk == chunks_.size()) chunks_.push_back(std::make_unique<Entry[]>(kChunk));
    chunks_[chunk][position % kChunk] = {.key = key, .value = value};
    place(key, position);
    if (is_full_) prefetch(entry(next_).key);  // it goes next
  }
  [[nodiscard]] std::optional<Value> find(std::uint64_t key) const {
    const Bucket* bucket = bucket_of(key);
    const std::uint32_t* slot = bucket == nullptr ? nullptr : slot_of(*bucket, key);
    if (slot == nullptr) return std::nullopt;
    return entry(*slot & kPositionMask).value;
  }
  void erase(std::uint64_t key) {
    Bucket* bucket = bucket_of(key);
    std::uint32_t* slot = bucket == nullptr ? nullptr : slot_of(*bucket, key);
    if (slot != nullptr) *slot = 0;
  }
  /// It will be asked about soon.
  void prefetch(std::uint64_t key) const {
    if (const Bucket* bucket = bucket_of(key)) __builtin_prefetch(bucket);
  }

 private:
  static constexpr std::uint32_t kPositionMask = kEntriesMax - 1;
  static constexpr std::size_t kChunk = 4096;
  static constexpr std::size_t kSlots = 16;
  // Half of the slots are used when it is full.
  static constexpr unsigned kBucketBits = kPositionBits - 3;
  static constexpr std::size_t kPieces = 256;
  static constexpr std::size_t kBucketsOfPiece = (std::size_t{1} << kBucketBits) / kPieces;

  struct Entry {
    std::uint64_t key = 0;
    Value value{};
  };
  /// In each slot a position, and above it what tells keys apart before the entry is looked at; 0:
  /// it is free.
  struct alignas(64) Bucket {
    std::array<std::uint32_t, kSlots> slots{};
  };

  [[nodiscard]] static std::uint64_t mixed(std::uint64_t key) noexcept {
    return key * 0x9e3779b97f4a7c15ull;  // Knuth's multiplicative hash: neighbours lie apart
  }
  [[nodiscard]] static std::size_t number_of(std::uint64_t key) noexcept {
    return mixed(key) >> (64 - kBucketBits);
  }
  [[nodiscard]] static std::uint32_t tag_of(std::uint64_t key) noexcept {
    const auto bits = static_cast<std::uint32_t>(mixed(key) >> 24) & ~kPositionMask;
    return bits == 0 ? kPositionMask + 1 : bits;
  }
  [[nodiscard]] const Entry& entry(std::uint32_t position) const {
    return chunks_[position / kChunk][position % kChunk];
  }
  [[nodiscard]] Bucket* bucket_of(std::uint64_t key) const {
    if (pieces_.empty()) return nullptr;
    const std::size_t number = number_of(key);
    const auto& piece = pieces_[number / kBucketsOfPiece];
    return piece ? &piece[number % kBucketsOfPiece] : nullptr;
  }
  template <class AnyBucket>
  [[nodiscard]] auto* slot_of(AnyBucket& bucket, std::uint64_t key) const {
    const std::uint32_t tag = tag_of(key);
    for (auto& slot : bucket.slots) {
      if ((slot & ~kPositionMask) == tag && entry(slot & kPositionMask).key == key) return &slot;
    }
    return static_cast<decltype(bucket.slots.data())>(nullptr);
  }
  // Where the key was put again since, another slot speaks for it.
  void forget(std::uint32_t position) {
    const std::uint64_t key = entry(position).key;
    const std::uint32_t wanted = tag_of(key) | position;
    for (std::uint32_t& slot : bucket_of(key)->slots) {
      if (slot == wanted) slot = 0;
    }
  }
  void place(std::uint64_t key, std::uint32_t position) {
    auto& piece = pieces_[number_of(key) / kBucketsOfPiece];
    if (!piece) piece = std::make_unique<Bucket[]>(kBucketsOfPiece);
    Bucket& bucket = piece[number_of(key) % kBucketsOfPiece];
    std::uint32_t* to = slot_of(bucket, key);
    const auto age = [&](std::uint32_t slot) { return (position - slot) & kPositionMask; };
    if (to == nullptr) {
      to = &bucket.slots.front();
      for (std::uint32_t& slot : bucket.slots) {
        if (slot == 0) {
          to = &slot;
          break;
        }
        if (age(slot) > age(*to)) to = &slot;
      }
    }
    *to = tag_of(key) | position;
  }

  std::vector<std::unique_ptr<Bucket[]>> pieces_;
  std::vector<std::unique_ptr<Entry[]>> chunks_;
  std::uint32_t next_ = 0;
  bool is_full_ = false;
};

}  // namespace stentor::daemon
