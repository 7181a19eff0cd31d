#include "queue/journal_format.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "queue/checksum.h"
#include "queue/little_endian.h"

namespace stentor::queue {
namespace {

constexpr std::array<std::uint8_t, 8> kFileMagic{'S', 'T', 'E', 'N', 'T', 'O', 'R', 'J'};
constexpr std::array<std::uint8_t, 4> kBlockMagic{'S', 'T', 'J', 'B'};

// Where the fields lie; docs/journal.md has the same table.
constexpr std::size_t kFileVersionAt = 8;
constexpr std::size_t kFileNumberAt = 12;
constexpr std::size_t kFileEpochAt = 16;
constexpr std::size_t kFileCheckAt = 60;

constexpr std::size_t kBlockNumberAt = 4;
constexpr std::size_t kBlockEpochAt = 8;
constexpr std::size_t kBlockFirstWordAt = 16;
constexpr std::size_t kBlockDurableAt = 24;
constexpr std::size_t kBlockPayloadOctetsAt = 28;
constexpr std::size_t kBlockPreviousAt = 32;
constexpr std::size_t kBlockPayloadCheckAt = 36;
constexpr std::size_t kBlockReservedAt = 40;
constexpr std::size_t kBlockCheckAt = 44;

constexpr std::string_view kNamePrefix = "journal-";
constexpr std::string_view kNameSuffix = ".stj";
constexpr std::string_view kMakingSuffix = ".making";
constexpr std::size_t kNameDigits = 8;

}  // namespace

FileHeaderOctets encode(const FileHeader& header) noexcept {
  FileHeaderOctets octets{};
  std::ranges::copy(kFileMagic, octets.begin());
  put(octets, kFileVersionAt, header.version);
  put(octets, kFileNumberAt, header.number);
  put(octets, kFileEpochAt, header.epoch);
  put(octets, kFileCheckAt, crc32c(std::span(octets).first(kFileCheckAt)));
  return octets;
}

FileHeaderRead decode_file_header(std::span<const std::uint8_t> octets) noexcept {
  FileHeaderRead read;
  if (octets.size() < kFileHeaderOctets ||
      !std::ranges::equal(octets.first(kFileMagic.size()), kFileMagic)) {
    read.fault = HeaderFault::foreign;
    return read;
  }
  if (crc32c(octets.first(kFileCheckAt)) != get<std::uint32_t>(octets, kFileCheckAt)) {
    read.fault = HeaderFault::damaged;
    return read;
  }
  read.header.version = get<std::uint32_t>(octets, kFileVersionAt);
  read.header.number = get<std::uint32_t>(octets, kFileNumberAt);
  read.header.epoch = get<std::uint64_t>(octets, kFileEpochAt);
  if (read.header.version > kFormatVersion) read.fault = HeaderFault::newer;
  if (read.header.version == 0) read.fault = HeaderFault::damaged;
  return read;
}

BlockHeaderOctets encode(BlockHeader& header) noexcept {
  BlockHeaderOctets octets{};
  std::ranges::copy(kBlockMagic, octets.begin());
  put(octets, kBlockNumberAt, header.number);
  put(octets, kBlockEpochAt, header.epoch);
  put(octets, kBlockFirstWordAt, header.first_word);
  put(octets, kBlockDurableAt, header.durable_octets);
  put(octets, kBlockPayloadOctetsAt, header.payload_octets);
  put(octets, kBlockPreviousAt, header.previous_check);
  put(octets, kBlockPayloadCheckAt, header.payload_check);
  header.check = crc32c(std::span(octets).first(kBlockCheckAt));
  put(octets, kBlockCheckAt, header.check);
  return octets;
}

std::optional<BlockHeader> decode_block_header(std::span<const std::uint8_t> octets) noexcept {
  if (octets.size() < kBlockHeaderOctets ||
      std::memcmp(octets.data(), kBlockMagic.data(), kBlockMagic.size()) != 0) {
    return std::nullopt;
  }
  BlockHeader header;
  header.check = get<std::uint32_t>(octets, kBlockCheckAt);
  if (crc32c(octets.first(kBlockCheckAt)) != header.check) return std::nullopt;
  header.number = get<std::uint32_t>(octets, kBlockNumberAt);
  header.epoch = get<std::uint64_t>(octets, kBlockEpochAt);
  header.first_word = get<std::uint64_t>(octets, kBlockFirstWordAt);
  header.durable_octets = get<std::uint32_t>(octets, kBlockDurableAt);
  header.payload_octets = get<std::uint32_t>(octets, kBlockPayloadOctetsAt);
  header.previous_check = get<std::uint32_t>(octets, kBlockPreviousAt);
  header.payload_check = get<std::uint32_t>(octets, kBlockPayloadCheckAt);
  if (header.payload_octets > kPayloadOctetsMax || header.number == 0 ||
      get<std::uint32_t>(octets, kBlockReservedAt) != 0) {
    return std::nullopt;
  }
  return header;
}

std::optional<RecordRead> read_record(std::span<const std::uint8_t> records,
                                      std::uint32_t offset) noexcept {
  if (offset >= records.size() || records[offset] == 0) return std::nullopt;
  std::size_t at = offset + 1;
  std::uint32_t length = 0;
  for (unsigned shift = 0;; shift += 7) {
    // Three octets of seven bits hold every length up to kRecordOctetsMax.
    if (at >= records.size() || shift > 14) return std::nullopt;
    const std::uint8_t octet = records[at++];
    length |= std::uint32_t{octet & 0x7fu} << shift;
    if ((octet & 0x80) == 0) {
      if (octet == 0 && shift > 0) return std::nullopt;  // one length, one spelling
      break;
    }
  }
  if (length > kRecordOctetsMax || length > records.size() - at) return std::nullopt;
  RecordRead read;
  read.record.kind = records[offset];
  read.record.payload = records.subspan(at, length);
  read.next = static_cast<std::uint32_t>(at + length);
  return read;
}

std::string file_name(std::uint32_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < kNameDigits) digits.insert(0, kNameDigits - digits.size(), '0');
  return std::string(kNamePrefix) + digits + std::string(kNameSuffix);
}

std::optional<std::uint32_t> file_number(std::string_view name) noexcept {
  if (name.size() != kNamePrefix.size() + kNameDigits + kNameSuffix.size() ||
      !name.starts_with(kNamePrefix) || !name.ends_with(kNameSuffix)) {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(kNamePrefix.size(), kNameDigits);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
  if (error != std::errc{} || end != digits.end() || number == 0 || number > kFileNumberMax) {
    return std::nullopt;
  }
  return number;
}

std::string file_name_in_making(std::uint32_t number) {
  return file_name(number) + std::string(kMakingSuffix);
}

bool is_name_in_making(std::string_view name) noexcept {
  return name.starts_with(kNamePrefix) && name.ends_with(kMakingSuffix);
}

}  // namespace stentor::queue
