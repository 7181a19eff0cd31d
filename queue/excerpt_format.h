// The octets of an excerpt: records taken out of the journal, each with the place where it lay.
//
// Units    Octets; all integers little-endian.
// Errors   An ordinary "no" (not a header of ours) is an empty optional.
// Threads  Pure functions on plain values.
// Spec     docs/journal.md, "Excerpts".
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

inline constexpr std::uint32_t kExcerptVersion = 1;
inline constexpr std::uint32_t kExcerptHeaderOctets = 64;
inline constexpr std::uint32_t kExcerptBlockHeaderOctets = 32;
/// A block is written when it has grown to this: one read brings what a search needs, and its
/// fence costs 16 octets of memory for 64 KiB of file.
inline constexpr std::uint32_t kExcerptBlockOctets = 64u << 10;
/// A block ends with the record that fills it, which may be as long as records get.
inline constexpr std::uint32_t kExcerptPayloadOctetsMax =
    kExcerptBlockOctets + kRecordOctetsMax + 32;

/// What an excerpt stands for: the records of the journal's files before `before`.
struct ExcerptHeader {
  std::uint32_t version = kExcerptVersion;
  std::uint32_t before = 0;       ///< the first file it says nothing of
  std::uint32_t chain_check = 0;  ///< check of the last block before that file: which journal it is
};

struct ExcerptBlockHeader {
  bool is_last = false;      ///< no records, only the counts: the file is whole
  std::uint32_t number = 0;  ///< from 0
  std::uint32_t payload_octets = 0;
  std::uint32_t payload_check = 0;  ///< CRC-32C of the payload
  std::uint64_t first_at = 0;       ///< locator bits of the first record; with is_last: records
};

using ExcerptHeaderOctets = std::array<std::uint8_t, kExcerptHeaderOctets>;
using ExcerptBlockHeaderOctets = std::array<std::uint8_t, kExcerptBlockHeaderOctets>;

enum class ExcerptFault : std::uint8_t { none, foreign, newer, damaged };
struct ExcerptHeaderRead {
  ExcerptFault fault = ExcerptFault::none;
  ExcerptHeader header;
};

[[nodiscard]] ExcerptHeaderOctets encode(const ExcerptHeader& header) noexcept;
[[nodiscard]] ExcerptHeaderRead decode_excerpt_header(
    std::span<const std::uint8_t> octets) noexcept;
[[nodiscard]] ExcerptBlockHeaderOctets encode(const ExcerptBlockHeader& header) noexcept;
[[nodiscard]] std::optional<ExcerptBlockHeader> decode_excerpt_block_header(
    std::span<const std::uint8_t> octets) noexcept;

/// The record at `offset` of a block's payload, `at` set; nothing when there is no whole record.
struct ExcerptRecordRead {
  Record record;
  std::uint32_t next = 0;
};
[[nodiscard]] std::optional<ExcerptRecordRead> read_excerpt_record(
    std::span<const std::uint8_t> payload, std::uint32_t offset) noexcept;

/// "checkpoint-00000017.stx": what the excerpt is for, then `before`.
[[nodiscard]] std::string excerpt_name(std::string_view purpose, std::uint32_t before);
[[nodiscard]] std::optional<std::uint32_t> excerpt_before(std::string_view purpose,
                                                          std::string_view name) noexcept;

}  // namespace stentor::queue
