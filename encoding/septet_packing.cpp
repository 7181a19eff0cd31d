#include "encoding/septet_packing.h"

namespace stentor::encoding {

namespace {

constexpr std::uint8_t kCarriageReturn = 0x0d;

// Takes bits from the low end up, gives octets.
class BitSink {
 public:
  BitSink(std::span<std::uint8_t> out, std::size_t fill_bits) noexcept
      : out_(out), pending_(fill_bits) {}

  void put(std::uint8_t septet) noexcept {
    bits_ |= static_cast<std::uint32_t>(septet & 0x7fu) << pending_;
    pending_ += 7;
    if (pending_ < 8) return;
    flush();
    bits_ >>= 8;
    pending_ -= 8;
  }
  /// Bits of the last octet that nothing stands in.
  [[nodiscard]] std::size_t spare() const noexcept { return (8 - pending_) % 8; }
  std::size_t end() noexcept {
    if (pending_ > 0) flush();
    return octets_;
  }

 private:
  void flush() noexcept { out_[octets_++] = static_cast<std::uint8_t>(bits_); }

  std::span<std::uint8_t> out_;
  std::uint32_t bits_ = 0;
  std::size_t pending_ = 0;
  std::size_t octets_ = 0;
};

}  // namespace

std::size_t pack(std::span<const std::uint8_t> septets, std::size_t fill_bits,
                 std::span<std::uint8_t> out) noexcept {
  if (septets.empty()) return 0;
  BitSink sink(out, fill_bits);
  for (const std::uint8_t septet : septets) sink.put(septet);
  const bool looks_like_padding = sink.spare() == 0 && septets.back() == kCarriageReturn;
  if (sink.spare() == 7 || looks_like_padding) sink.put(kCarriageReturn);
  return sink.end();
}

std::size_t unpack(std::span<const std::uint8_t> octets, std::size_t fill_bits,
                   std::span<std::uint8_t> septets) noexcept {
  const std::size_t bits = octets.size() * 8;
  if (bits < fill_bits + 7) return 0;
  const std::size_t count = (bits - fill_bits) / 7;
  for (std::size_t at = 0; at < count; ++at) {
    const std::size_t bit = fill_bits + 7 * at;
    unsigned window = octets[bit / 8];
    if (bit % 8 > 1) window |= static_cast<unsigned>(octets[bit / 8 + 1]) << 8;
    septets[at] = static_cast<std::uint8_t>(window >> bit % 8 & 0x7fu);
  }
  const bool ends_with_octet = (fill_bits + 7 * count) % 8 == 0;
  return ends_with_octet && septets[count - 1] == kCarriageReturn ? count - 1 : count;
}

}  // namespace stentor::encoding
