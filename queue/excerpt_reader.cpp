#include "queue/excerpt_reader.h"

#include <algorithm>

#include "queue/checksum.h"

namespace stentor::queue {
namespace {

std::unexpected<std::error_code> damaged() {
  return std::unexpected(make_error_code(JournalError::damaged));
}

}  // namespace

result<ExcerptReader> ExcerptReader::open(FileSystem& files, const std::filesystem::path& path) {
  auto file = files.open(path, FileSystem::Mode::read);
  if (!file) return std::unexpected(file.error());
  ExcerptReader reader;
  reader.file_ = std::move(*file);
  const auto octets = reader.file_->size();
  if (!octets) return std::unexpected(octets.error());
  reader.octets_ = *octets;
  ExcerptHeaderOctets head{};
  const auto got = reader.file_->read(0, head);
  if (!got) return std::unexpected(got.error());
  const auto read = decode_excerpt_header(std::span(head).first(*got));
  switch (read.fault) {
    case ExcerptFault::none: break;
    case ExcerptFault::newer: return std::unexpected(make_error_code(JournalError::newer_version));
    case ExcerptFault::foreign:
    case ExcerptFault::damaged: return damaged();
  }
  reader.header_ = read.header;
  return reader;
}

result<ExcerptBlockHeader> ExcerptReader::head_at(std::uint64_t offset) {
  ExcerptBlockHeaderOctets head{};
  const auto got = file_->read(offset, head);
  if (!got) return std::unexpected(got.error());
  const auto header = decode_excerpt_block_header(std::span(head).first(*got));
  if (!header) return damaged();
  return *header;
}

result<ExcerptBlockHeader> ExcerptReader::load(std::uint64_t offset) {
  loaded_ = 0;
  const auto header = head_at(offset);
  if (!header) return header;
  payload_.resize(header->payload_octets);
  const auto got = file_->read(offset + kExcerptBlockHeaderOctets, payload_);
  if (!got) return std::unexpected(got.error());
  if (*got != payload_.size() || crc32c(payload_) != header->payload_check) return damaged();
  loaded_ = offset;
  return header;
}

result<void> ExcerptReader::for_each(const Visit& visit) {
  std::uint64_t offset = kExcerptHeaderOctets;
  std::uint64_t records = 0;
  for (std::uint32_t number = 0;; ++number) {
    const auto header = load(offset);
    if (!header) return std::unexpected(header.error());
    if (header->number != number) return damaged();
    if (header->is_last) return header->first_at == records ? result<void>{} : damaged();
    const auto visited = visit_loaded(visit);
    if (!visited) return std::unexpected(visited.error());
    records += *visited;
    offset += kExcerptBlockHeaderOctets + header->payload_octets;
  }
}

// Answers how many records the loaded block has.
result<std::uint64_t> ExcerptReader::visit_loaded(const Visit& visit) {
  std::uint64_t records = 0;
  for (std::uint32_t at = 0; at < payload_.size(); ++records) {
    const auto read = read_excerpt_record(payload_, at);
    if (!read) return damaged();
    if (auto visited = visit(read->record); !visited) return std::unexpected(visited.error());
    at = read->next;
  }
  return records;
}

result<std::uint64_t> ExcerptReader::for_each_good(FileSystem& files,
                                                   const std::filesystem::path& path,
                                                   const Visit& visit) {
  auto file = files.open(path, FileSystem::Mode::read);
  if (!file) return std::unexpected(file.error());
  ExcerptReader reader;
  reader.file_ = std::move(*file);
  const auto octets = reader.file_->size();
  if (!octets) return std::unexpected(octets.error());
  std::uint64_t good = 0;
  for (std::uint64_t offset = kExcerptHeaderOctets; offset < *octets;) {
    const auto header = reader.load(offset);
    if (header && header->is_last) return good;
    if (header) {
      const auto visited = reader.visit_loaded(visit);
      if (!visited) return std::unexpected(visited.error());
      ++good;
      offset += kExcerptBlockHeaderOctets + header->payload_octets;
      continue;
    }
    if (header.error() != JournalError::damaged) return std::unexpected(header.error());
    const auto next = reader.find_head(offset + 1);
    if (!next) return std::unexpected(next.error());
    offset = *next;
  }
  return good;
}

// Where the next octets lie that verify as a block's header; the file's end when there are none.
result<std::uint64_t> ExcerptReader::find_head(std::uint64_t offset) {
  std::vector<std::uint8_t> window(kExcerptBlockOctets);
  while (true) {
    const auto got = file_->read(offset, window);
    if (!got) return std::unexpected(got.error());
    const std::span<const std::uint8_t> seen = std::span(window).first(*got);
    for (std::size_t at = 0; at + kExcerptBlockHeaderOctets <= seen.size(); ++at) {
      if (decode_excerpt_block_header(seen.subspan(at))) return offset + at;
    }
    if (*got < window.size()) return offset + *got;
    offset += *got - kExcerptBlockHeaderOctets + 1;
  }
}

result<void> ExcerptReader::verify() {
  return for_each([](const Record&) { return result<void>{}; });
}

result<void> ExcerptReader::index() {
  fences_.clear();
  for (std::uint64_t offset = kExcerptHeaderOctets;;) {
    const auto header = head_at(offset);
    if (!header) return std::unexpected(header.error());
    if (header->is_last) return {};
    fences_.push_back({.first_at = header->first_at, .offset = offset});
    offset += kExcerptBlockHeaderOctets + header->payload_octets;
  }
}

result<Record> ExcerptReader::find(Locator place) {
  const auto no_such_record = std::unexpected(make_error_code(JournalError::no_such_record));
  const auto after = std::ranges::upper_bound(fences_, place.bits(), {}, &Fence::first_at);
  if (after == fences_.begin()) return no_such_record;
  const std::uint64_t offset = std::prev(after)->offset;
  if (loaded_ != offset) {
    if (const auto header = load(offset); !header) return std::unexpected(header.error());
  }
  for (std::uint32_t at = 0; at < payload_.size();) {
    const auto read = read_excerpt_record(payload_, at);
    if (!read) return damaged();
    if (read->record.at == place) return read->record;
    at = read->next;
  }
  return no_such_record;
}

}  // namespace stentor::queue
