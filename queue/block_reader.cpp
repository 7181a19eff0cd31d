#include "queue/block_reader.h"

#include <algorithm>

#include "queue/checksum.h"

namespace stentor::queue {
namespace {

// What one read costs more than its call: a block of a quiet journal and its neighbours.
constexpr std::size_t kJumpOctets = 16u << 10;

}  // namespace

std::string_view words(BlockFault fault) noexcept {
  switch (fault) {
    case BlockFault::none: return "the block verifies";
    case BlockFault::no_header: return "block header does not verify";
    case BlockFault::other_epoch: return "block belongs to another file";
    case BlockFault::cut_short: return "block is cut short";
    case BlockFault::bad_payload: return "block checksum does not match";
  }
  return "block is bad";
}

result<std::span<const std::uint8_t>> BlockReader::octets(std::uint64_t offset, std::size_t count) {
  if (offset < window_at_ || offset + count > window_at_ + window_.size()) {
    const bool is_onward = offset >= window_at_ && offset <= window_at_ + window_.size();
    ahead_octets_ = std::min(is_onward ? 4 * ahead_octets_ : kJumpOctets, window_octets_);
    window_.resize(std::max(count, ahead_octets_));
    window_at_ = offset;
    const auto got = file_.read(offset, window_);
    if (!got) {
      window_.clear();
      return std::unexpected(got.error());
    }
    window_.resize(*got);
  }
  const std::size_t from = static_cast<std::size_t>(offset - window_at_);
  return std::span<const std::uint8_t>(window_).subspan(from).first(
      std::min(count, window_.size() - from));
}

result<BlockRead> BlockReader::block(std::uint64_t offset, std::uint64_t epoch) {
  BlockRead read;
  const auto head = octets(offset, kBlockHeaderOctets);
  if (!head) return std::unexpected(head.error());
  const auto header = decode_block_header(*head);
  if (!header) return read;
  read.header = *header;
  if (header->epoch != epoch) {
    read.fault = BlockFault::other_epoch;
    return read;
  }
  const auto whole = octets(offset, kBlockHeaderOctets + header->payload_octets);
  if (!whole) return std::unexpected(whole.error());
  if (whole->size() < kBlockHeaderOctets + header->payload_octets) {
    read.fault = BlockFault::cut_short;
    return read;
  }
  read.payload = whole->subspan(kBlockHeaderOctets);
  read.fault =
      crc32c(read.payload) == header->payload_check ? BlockFault::none : BlockFault::bad_payload;
  return read;
}

result<std::optional<BlockReader::Found>> BlockReader::find_header(std::uint64_t offset,
                                                                   std::uint64_t epoch) {
  offset = next_block_start(offset);
  while (true) {
    const auto window = octets(offset, std::max<std::size_t>(window_octets_, kBlockAlignOctets));
    if (!window) return std::unexpected(window.error());
    std::size_t at = 0;
    for (; at + kBlockHeaderOctets <= window->size(); at += kBlockAlignOctets) {
      const auto header = decode_block_header(window->subspan(at, kBlockHeaderOctets));
      if (header && header->epoch == epoch) return Found{offset + at, *header};
    }
    if (at == 0) return std::nullopt;  // less than a header is left
    offset += at;
  }
}

result<std::uint64_t> BlockReader::end_of_non_zero(std::uint64_t offset) {
  std::uint64_t end = offset;
  while (true) {
    const auto window = octets(offset, window_octets_);
    if (!window) return std::unexpected(window.error());
    if (window->empty()) return end;
    const auto last = std::find_if(window->rbegin(), window->rend(),
                                   [](std::uint8_t octet) { return octet != 0; });
    if (last != window->rend()) {
      end = offset + static_cast<std::uint64_t>(window->rend() - last);
    }
    offset += window->size();
  }
}

}  // namespace stentor::queue
