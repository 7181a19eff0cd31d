#include "queue/block_cache.h"

#include <algorithm>

#include "queue/journal_format.h"

namespace stentor::queue {
namespace {

// Consumers of events, each at its own place, and the lanes' backlog: eight windows of 256 KiB.
constexpr std::size_t kFilesOpenMax = 8;
constexpr std::size_t kWindowOctets = 256u << 10;

// A record read alone: most have less than the first, and none has more than the second.
constexpr std::size_t kRecordOctetsUsual = 1024;
constexpr std::size_t kRecordOctetsLongest = kRecordOctetsMax + 16;  // its kind and its length

std::unexpected<std::error_code> no_such_record() {
  return std::unexpected(make_error_code(JournalError::no_such_record));
}

}  // namespace

std::size_t CachedBlock::first_at(std::uint32_t offset) const noexcept {
  return static_cast<std::size_t>(std::ranges::lower_bound(records, offset) - records.begin());
}

BlockCache::BlockCache(FileSystem& files, std::filesystem::path directory, std::size_t octets_max)
    : files_(files), directory_(std::move(directory)), octets_max_(octets_max) {}

result<const CachedBlock*> BlockCache::block(std::uint32_t file, std::uint32_t at, For purpose) {
  if (const auto known = places_.find({file, at}); known != places_.end()) {
    blocks_.splice(blocks_.begin(), blocks_, known->second);
    return &blocks_.front();
  }
  const auto source = open(file);
  if (!source) return std::unexpected(source.error());
  auto read = (*source)->reader->block(at, (*source)->epoch);
  if (read && read->fault != BlockFault::none) {
    // The window may be older than the block: the file is being written.
    (*source)->reader->forget();
    read = (*source)->reader->block(at, (*source)->epoch);
  }
  if (!read) return std::unexpected(read.error());
  if (read->fault != BlockFault::none) return no_such_record();
  if (at + block_octets(read->header.payload_octets) > kFileOctetsUsable) return no_such_record();
  ++blocks_read_;

  CachedBlock block{.file = file,
                    .at = at,
                    .next = at + block_octets(read->header.payload_octets),
                    .previous_check = read->header.previous_check,
                    .check = read->header.check};
  block.payload.assign(read->payload.begin(), read->payload.end());
  for (std::uint32_t offset = 0; offset < block.payload.size();) {
    const auto record = read_record(block.payload, offset);
    if (!record) return no_such_record();
    block.records.push_back(offset);
    offset = record->next;
  }
  if (purpose == For::records) verified_.add(file, at, block.payload);
  make_room(octets_of(block));
  octets_ += octets_of(block);
  blocks_.push_front(std::move(block));
  places_[{file, at}] = blocks_.begin();
  return &blocks_.front();
}

std::optional<Record> BlockCache::record_alone(std::uint32_t file, std::uint32_t at,
                                               std::uint32_t offset) {
  if (places_.contains({file, at})) return std::nullopt;
  const VerifiedBlocks::Block* verified = verified_.take_alone(file, at);
  if (verified == nullptr) return std::nullopt;
  const auto source = open(file);
  if (!source) return std::nullopt;
  constexpr std::size_t kStep = VerifiedBlocks::kStepOctets;
  const std::size_t from = offset / kStep * kStep;
  for (const std::size_t octets : {kRecordOctetsUsual, kRecordOctetsLongest}) {
    const std::size_t to =
        std::min(verified->octets, (offset + octets + kStep - 1) / kStep * kStep);
    if (to <= from) return std::nullopt;
    record_.resize(to - from);
    const auto read = (*source)->file->read(std::uint64_t{at} + kBlockHeaderOctets + from, record_);
    // Where it cannot be read, or is not what it was, the block's own reading says what is wrong.
    if (!read || *read != record_.size() || !verified->matches(from, record_)) return std::nullopt;
    if (const auto record = read_record(record_, static_cast<std::uint32_t>(offset - from))) {
      ++alone_;
      return record->record;
    }
  }
  return std::nullopt;
}

result<std::optional<std::uint32_t>> BlockCache::find_block(std::uint32_t file, std::uint32_t at) {
  const auto source = open(file);
  if (!source) return std::unexpected(source.error());
  (*source)->reader->forget();
  const auto found = (*source)->reader->find_header(at, (*source)->epoch);
  if (!found) return std::unexpected(found.error());
  if (!*found || (*found)->offset >= kFileOctetsMax) return std::nullopt;
  return static_cast<std::uint32_t>((*found)->offset);
}

void BlockCache::forget_before(std::uint32_t file) {
  std::erase_if(open_, [&](const OpenFile& one) { return one.number < file; });
}

result<BlockCache::OpenFile*> BlockCache::open(std::uint32_t file) {
  for (auto one = open_.begin(); one != open_.end(); ++one) {
    if (one->number != file) continue;
    open_.splice(open_.begin(), open_, one);
    return &open_.front();
  }
  auto opened = files_.open(directory_ / file_name(file), FileSystem::Mode::read);
  if (!opened) {
    if (opened.error() == std::errc::no_such_file_or_directory) return no_such_record();
    return std::unexpected(opened.error());
  }
  auto reader = std::make_unique<BlockReader>(**opened, kWindowOctets);
  const auto head = reader->octets(0, kFileHeaderOctets);
  if (!head) return std::unexpected(head.error());
  const FileHeaderRead header = decode_file_header(*head);
  if (header.fault != HeaderFault::none || header.header.number != file) return no_such_record();
  if (open_.size() >= kFilesOpenMax) open_.pop_back();
  open_.push_front({file, header.header.epoch, std::move(*opened), std::move(reader)});
  return &open_.front();
}

void BlockCache::make_room(std::size_t octets) {
  while (!blocks_.empty() && octets_ + octets > octets_max_) {
    octets_ -= octets_of(blocks_.back());
    places_.erase({blocks_.back().file, blocks_.back().at});
    blocks_.pop_back();
  }
}

std::size_t BlockCache::octets_of(const CachedBlock& block) noexcept {
  // The nodes of list and map are counted too: a quiet journal's blocks hold one record each.
  constexpr std::size_t kNodes = 160;
  return block.payload.capacity() + block.records.capacity() * sizeof(std::uint32_t) + kNodes;
}

}  // namespace stentor::queue
