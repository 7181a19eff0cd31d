// Fields of a journal record's payload: fixed little-endian integers, varints, short texts.
//
// Units    Octets.
// Owns     FieldWriter owns its buffer and keeps its memory; FieldReader views the payload.
// Errors   A reader that runs past the end answers zeros and empty views, and is_good() says so:
//          check it once, after the last field.
// Threads  One thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace stentor::daemon {

class FieldWriter {
 public:
  void clear() noexcept { octets_.clear(); }
  [[nodiscard]] std::span<const std::uint8_t> octets() const noexcept { return octets_; }
  [[nodiscard]] std::size_t size() const noexcept { return octets_.size(); }

  void u8(std::uint8_t value) { octets_.push_back(value); }
  void u16(std::uint16_t value) { fixed(value); }
  void u32(std::uint32_t value) { fixed(value); }
  void u64(std::uint64_t value) { fixed(value); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) octets_.push_back(static_cast<std::uint8_t>(value | 0x80));
    octets_.push_back(static_cast<std::uint8_t>(value));
  }
  void text(std::string_view value) {
    varint(value.size());
    raw({reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
  }
  void raw(std::span<const std::uint8_t> value) {
    octets_.insert(octets_.end(), value.begin(), value.end());
  }
  /// A varint length, then the octets.
  void block(std::span<const std::uint8_t> value) {
    varint(value.size());
    raw(value);
  }

 private:
  template <class T>
  void fixed(T value) {  // little-endian machines only: stentor runs on x86-64 and arm64
    const std::size_t at = octets_.size();
    octets_.resize(at + sizeof(T));
    std::memcpy(octets_.data() + at, &value, sizeof(T));
  }
  std::vector<std::uint8_t> octets_;
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
