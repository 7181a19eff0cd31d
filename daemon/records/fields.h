// Fields of a journal record's payload: fixed little-endian integers, varints, short texts.
//
// Units    Octets.
// Owns     FieldWriter owns its buffer and keeps its memory; FieldReader views the payload.
// Errors   A reader that runs past the end answers zeros and empty views, and is_good() says so:
//          check it once, after the last field.
// Threads  One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace stentor::daemon {

class FieldWriter {
 public:
  void clear() noexcept { size_ = 0; }
  [[nodiscard]] std::span<const std::uint8_t> octets() const noexcept {
    return {memory_.data(), size_};
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  void u8(std::uint8_t value) { fixed(value); }
  void u16(std::uint16_t value) { fixed(value); }
  void u32(std::uint32_t value) { fixed(value); }
  void u64(std::uint64_t value) { fixed(value); }
  void varint(std::uint64_t value) {
    std::uint8_t* at = room(kVarintOctetsMax);
    for (; value >= 0x80; value >>= 7) *at++ = static_cast<std::uint8_t>(value | 0x80);
    *at++ = static_cast<std::uint8_t>(value);
    size_ = static_cast<std::size_t>(at - memory_.data());
  }
  void text(std::string_view value) {
    block({reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
  }
  void raw(std::span<const std::uint8_t> value) {
    if (value.empty()) return;
    std::memcpy(room(value.size()), value.data(), value.size());
    size_ += value.size();
  }
  /// A varint length, then the octets.
  void block(std::span<const std::uint8_t> value) {
    varint(value.size());
    raw(value);
  }

 private:
  static constexpr std::size_t kVarintOctetsMax = 10;
  static constexpr std::size_t kFirstOctets = 256;  // what most records are below

  template <class T>
  void fixed(T value) {  // little-endian machines only: stentor runs on x86-64 and arm64
    std::memcpy(room(sizeof(T)), &value, sizeof(T));
    size_ += sizeof(T);
  }
  /// Where the next octets go: at least so many fit.
  std::uint8_t* room(std::size_t octets) {
    if (memory_.size() - size_ < octets) grow(octets);
    return memory_.data() + size_;
  }
  void grow(std::size_t octets) {
    memory_.resize(std::max({size_ + octets, 2 * memory_.size(), kFirstOctets}));
  }

  std::vector<std::uint8_t> memory_;  // all of it may be written to: one look at its end is enough
  std::size_t size_ = 0;
};

class FieldReader {
 public:
  explicit FieldReader(std::span<const std::uint8_t> payload) noexcept : rest_(payload) {}

  [[nodiscard]] bool is_good() const noexcept { return good_; }
  [[nodiscard]] bool is_at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] std::uint8_t u8() noexcept { return fixed<std::uint8_t>(); }
  [[nodiscard]] std::uint16_t u16() noexcept { return fixed<std::uint16_t>(); }
  [[nodiscard]] std::uint32_t u32() noexcept { return fixed<std::uint32_t>(); }
  [[nodiscard]] std::uint64_t u64() noexcept { return fixed<std::uint64_t>(); }
  [[nodiscard]] std::uint64_t varint() noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t octet = u8();
      value |= std::uint64_t{octet & 0x7fu} << shift;
      if ((octet & 0x80) == 0) return value;
    }
    good_ = false;
    return 0;
  }
  [[nodiscard]] std::span<const std::uint8_t> block() noexcept { return take(varint()); }
  [[nodiscard]] std::string_view text() noexcept {
    const auto octets = block();
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
  }
  [[nodiscard]] std::span<const std::uint8_t> rest() const noexcept { return rest_; }

 private:
  [[nodiscard]] std::span<const std::uint8_t> take(std::uint64_t octets) noexcept {
    if (octets > rest_.size()) {
      good_ = false;
      rest_ = {};
      return {};
    }
    const auto taken = rest_.first(static_cast<std::size_t>(octets));
    rest_ = rest_.subspan(static_cast<std::size_t>(octets));
    return taken;
  }
  template <class T>
  [[nodiscard]] T fixed() noexcept {
    const auto octets = take(sizeof(T));
    T value{};
    if (octets.size() == sizeof(T)) std::memcpy(&value, octets.data(), sizeof(T));
    return value;
  }
  std::span<const std::uint8_t> rest_;
  bool good_ = true;
};

}  // namespace stentor::daemon
