// The octets of a journal file: its header, its blocks, their records, and its name.
//
// Units    Octets; all integers little-endian.
// Errors   An ordinary "no" (not a header of ours) is an empty optional.
// Threads  Pure functions on plain values.
// Spec     docs/journal.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "queue/locator.h"
#include "queue/record_batch.h"

namespace stentor::queue {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::uint32_t kFileHeaderOctets = 64;   // one alignment step
inline constexpr std::uint32_t kBlockHeaderOctets = 48;  // leaves 16 octets of the first step
inline constexpr std::uint32_t kFirstBlock = kFileHeaderOctets;
/// Offsets of records in a block must fit 22 bits, the end included.
inline constexpr std::uint32_t kPayloadOctetsMax = kBlockOctetsMax - kBlockAlignOctets;
/// A block may not start at kFileOctetsMax: its place would not fit 22 bits of steps.
inline constexpr std::uint32_t kFileOctetsUsable = kFileOctetsMax - kBlockAlignOctets;
/// Numbers are never used twice: a locator names a record for as long as anybody may hold it. So
/// they end, and a journal with them.
inline constexpr std::uint32_t kFileNumberMax = (1u << 20) - 1;

struct FileHeader {
  std::uint32_t version = kFormatVersion;
  std::uint32_t number = 0;  ///< also in the name: a file under a wrong name is not believed
  std::uint64_t epoch = 0;   ///< random: octets of another file never pass for this one's
};

struct BlockHeader {
  std::uint32_t number = 0;          ///< from 1 in each file
  std::uint64_t epoch = 0;           ///< the file's
  std::uint64_t first_word = 0;      ///< in block 1 the caller's own number, else 0
  std::uint32_t durable_octets = 0;  ///< of this file; and all of every earlier file
  std::uint32_t payload_octets = 0;
  std::uint32_t previous_check = 0;  ///< `check` of the block before, across files; 0 in the first
  std::uint32_t payload_check = 0;   ///< CRC-32C of the payload
  std::uint32_t check = 0;           ///< CRC-32C of this header up to here, so of all the block
};

using FileHeaderOctets = std::array<std::uint8_t, kFileHeaderOctets>;
using BlockHeaderOctets = std::array<std::uint8_t, kBlockHeaderOctets>;

enum class HeaderFault : std::uint8_t { none, foreign, newer, damaged };
struct FileHeaderRead {
  HeaderFault fault = HeaderFault::none;
  FileHeader header;  ///< with `newer` only the version counts; otherwise nothing does on a fault
};

[[nodiscard]] FileHeaderOctets encode(const FileHeader& header) noexcept;
[[nodiscard]] FileHeaderRead decode_file_header(std::span<const std::uint8_t> octets) noexcept;

/// Fills `header.check` and returns the octets.
[[nodiscard]] BlockHeaderOctets encode(BlockHeader& header) noexcept;
/// Nothing unless the magic, the header's check and the length's bound hold.
[[nodiscard]] std::optional<BlockHeader> decode_block_header(
    std::span<const std::uint8_t> octets) noexcept;

/// The first place at or behind `offset` where a block may start.
[[nodiscard]] constexpr std::uint64_t next_block_start(std::uint64_t offset) noexcept {
  return (offset + kBlockAlignOctets - 1) / kBlockAlignOctets * kBlockAlignOctets;
}

/// What a block of `payload_octets` takes in the file, padding included.
[[nodiscard]] constexpr std::uint32_t block_octets(std::uint32_t payload_octets) noexcept {
  return static_cast<std::uint32_t>(next_block_start(kBlockHeaderOctets + payload_octets));
}

/// The record at `offset` of a block's or batch's records, and where the next one starts; nothing
/// when the octets there are no whole record. `at` stays nowhere.
struct RecordRead {
  Record record;
  std::uint32_t next = 0;
};
[[nodiscard]] std::optional<RecordRead> read_record(std::span<const std::uint8_t> records,
                                                    std::uint32_t offset) noexcept;

[[nodiscard]] std::string file_name(std::uint32_t number);  ///< "journal-00000017.stj"
[[nodiscard]] std::optional<std::uint32_t> file_number(std::string_view name) noexcept;
/// Under this name a file is made; such a file is nobody's and recovery removes it.
[[nodiscard]] std::string file_name_in_making(std::uint32_t number);
[[nodiscard]] bool is_name_in_making(std::string_view name) noexcept;

}  // namespace stentor::queue
