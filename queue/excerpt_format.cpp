#include "queue/excerpt_format.h"

#include <algorithm>
#include <charconv>

#include "queue/checksum.h"
#include "queue/journal_format.h"
#include "queue/little_endian.h"

namespace stentor::queue {
namespace {

constexpr std::array<std::uint8_t, 8> kMagic{'S', 'T', 'E', 'N', 'T', 'O', 'R', 'X'};
constexpr std::array<std::uint8_t, 4> kExcerptMagic{'S', 'T', 'X', 'B'};
constexpr std::array<std::uint8_t, 4> kLastMagic{'S', 'T', 'X', 'E'};

// Where the fields lie; docs/journal.md has the same tables.
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kBeforeAt = 12;
constexpr std::size_t kChainAt = 16;
constexpr std::size_t kCheckAt = 60;

constexpr std::size_t kExcerptNumberAt = 4;
constexpr std::size_t kExcerptOctetsAt = 8;
constexpr std::size_t kExcerptPayloadCheckAt = 12;
constexpr std::size_t kExcerptFirstAt = 16;
constexpr std::size_t kExcerptCheckAt = 28;

constexpr std::string_view kExcerptSuffix = ".stx";
constexpr std::size_t kDigits = 8;

}  // namespace

ExcerptHeaderOctets encode(const ExcerptHeader& header) noexcept {
  ExcerptHeaderOctets octets{};
  std::ranges::copy(kMagic, octets.begin());
  put(octets, kVersionAt, header.version);
  put(octets, kBeforeAt, header.before);
  put(octets, kChainAt, header.chain_check);
  put(octets, kCheckAt, crc32c(std::span(octets).first(kCheckAt)));
  return octets;
}

ExcerptHeaderRead decode_excerpt_header(std::span<const std::uint8_t> octets) noexcept {
  if (octets.size() < kExcerptHeaderOctets || !std::ranges::equal(octets.first(8), kMagic)) {
    return {.fault = ExcerptFault::foreign, .header = {}};
  }
  if (get<std::uint32_t>(octets, kCheckAt) != crc32c(octets.first(kCheckAt))) {
    return {.fault = ExcerptFault::damaged, .header = {}};
  }
  const ExcerptHeader header{.version = get<std::uint32_t>(octets, kVersionAt),
                             .before = get<std::uint32_t>(octets, kBeforeAt),
                             .chain_check = get<std::uint32_t>(octets, kChainAt)};
  const bool is_newer = header.version > kExcerptVersion;
  return {.fault = is_newer ? ExcerptFault::newer : ExcerptFault::none, .header = header};
}

ExcerptBlockHeaderOctets encode(const ExcerptBlockHeader& header) noexcept {
  ExcerptBlockHeaderOctets octets{};
  std::ranges::copy(header.is_last ? kLastMagic : kExcerptMagic, octets.begin());
  put(octets, kExcerptNumberAt, header.number);
  put(octets, kExcerptOctetsAt, header.payload_octets);
  put(octets, kExcerptPayloadCheckAt, header.payload_check);
  put(octets, kExcerptFirstAt, header.first_at);
  put(octets, kExcerptCheckAt, crc32c(std::span(octets).first(kExcerptCheckAt)));
  return octets;
}

std::optional<ExcerptBlockHeader> decode_excerpt_block_header(
    std::span<const std::uint8_t> octets) noexcept {
  if (octets.size() < kExcerptBlockHeaderOctets) return std::nullopt;
  const bool is_last = std::ranges::equal(octets.first(4), kLastMagic);
  if (!is_last && !std::ranges::equal(octets.first(4), kExcerptMagic)) return std::nullopt;
  if (get<std::uint32_t>(octets, kExcerptCheckAt) != crc32c(octets.first(kExcerptCheckAt))) {
    return std::nullopt;
  }
  const ExcerptBlockHeader header{
      .is_last = is_last,
      .number = get<std::uint32_t>(octets, kExcerptNumberAt),
      .payload_octets = get<std::uint32_t>(octets, kExcerptOctetsAt),
      .payload_check = get<std::uint32_t>(octets, kExcerptPayloadCheckAt),
      .first_at = get<std::uint64_t>(octets, kExcerptFirstAt)};
  if (header.payload_octets > kExcerptPayloadOctetsMax) return std::nullopt;
  return header;
}

std::optional<ExcerptRecordRead> read_excerpt_record(std::span<const std::uint8_t> payload,
                                                     std::uint32_t offset) noexcept {
  if (payload.size() < offset + sizeof(std::uint64_t)) return std::nullopt;
  const Locator at(get<std::uint64_t>(payload, offset));
  const auto read =
      read_record(payload, offset + static_cast<std::uint32_t>(sizeof(std::uint64_t)));
  if (!read) return std::nullopt;
  ExcerptRecordRead found{.record = read->record, .next = read->next};
  found.record.at = at;
  return found;
}

std::string excerpt_name(std::string_view purpose, std::uint32_t before) {
  const std::string digits = std::to_string(before);
  std::string name(purpose);
  name.push_back('-');
  name.append(kDigits - std::min(kDigits, digits.size()), '0');
  name.append(digits).append(kExcerptSuffix);
  return name;
}

std::optional<std::uint32_t> excerpt_before(std::string_view purpose,
                                            std::string_view name) noexcept {
  if (name.size() != purpose.size() + 1 + kDigits + kExcerptSuffix.size()) return std::nullopt;
  if (!name.starts_with(purpose) || name[purpose.size()] != '-' ||
      !name.ends_with(kExcerptSuffix)) {
    return std::nullopt;
  }
  std::uint32_t before = 0;
  const char* from = name.data() + purpose.size() + 1;
  const auto read = std::from_chars(from, from + kDigits, before);
  if (read.ec != std::errc{} || read.ptr != from + kDigits || before == 0) return std::nullopt;
  return before;
}

}  // namespace stentor::queue
