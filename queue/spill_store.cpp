#include "queue/spill_store.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace stentor::queue {
namespace {

// A disk that is still full is asked for this much; one that is well again catches up from there.
constexpr std::size_t kRetriesAtOnce = 16;

}  // namespace

SpillStore::SpillStore(SpillIo& io, std::uint32_t first_file) : io_(io), first_file_(first_file) {}

SpillStore::Block SpillStore::put(std::vector<std::uint8_t> octets) {
  assert(!octets.empty() && octets.size() <= kSpillLargeOctets && "a block fits a slot");
  Block block = 0;
  if (unused_.empty()) {
    block = static_cast<Block>(entries_.size());
    entries_.emplace_back();
  } else {
    block = unused_.back();
    unused_.pop_back();
  }
  Entry& entry = entries_[block];
  entry.size = static_cast<std::uint32_t>(octets.size());
  entry.is_large = octets.size() > kSpillSmallOctets;
  entry.octets = std::make_shared<std::vector<std::uint8_t>>(std::move(octets));
  entry.place = Place::memory;
  stats_.octets_in_memory += entry.size;
  if (stats_.is_failing) {
    unwritten_.push_back(block);
  } else {
    write(block);
  }
  return block;
}

void SpillStore::write(Block block) {
  Entry& entry = entries_[block];
  Shelf& shelf = entry.is_large ? large_ : small_;
  if (shelf.free.empty()) {
    entry.slot = shelf.slots++;
  } else {
    entry.slot = shelf.free.back();
    shelf.free.pop_back();
  }
  entry.place = Place::writing;
  submit(block, SpillJob::Kind::write);
}

void SpillStore::submit(Block block, SpillJob::Kind kind) {
  const Entry& entry = entries_[block];
  const std::size_t slot_octets = entry.is_large ? kSpillLargeOctets : kSpillSmallOctets;
  io_.submit({.kind = kind,
              .file = first_file_ + (entry.is_large ? 1 : 0),
              .block = block,
              .offset = std::uint64_t{entry.slot} * slot_octets,
              .octets = entry.octets,
              .checksum = entry.checksum,
              .error = {},
              .client = this});
}

void SpillStore::fetch(Block block, Tag tag) {
  Entry& entry = entries_[block];
  entry.tag = tag;
  entry.is_wanted = true;
  if (entry.place != Place::disk) return;  // here, or on its way
  entry.octets = std::make_shared<std::vector<std::uint8_t>>(entry.size);
  stats_.octets_in_memory += entry.size;
  entry.place = Place::reading;
  submit(block, SpillJob::Kind::read);
}

SpillOctets SpillStore::take(Block block) {
  Entry& entry = entries_[block];
  if (entry.place != Place::memory && entry.place != Place::writing) return nullptr;
  SpillOctets octets = entry.octets;
  drop(block);
  return octets;
}

void SpillStore::drop(Block block) {
  Entry& entry = entries_[block];
  assert(entry.place != Place::nowhere && "a block is taken or dropped once");
  entry.is_wanted = false;
  if (!unread_.empty()) std::erase(unread_, block);
  if (!unwritten_.empty()) std::erase(unwritten_, block);
  if (entry.place == Place::writing || entry.place == Place::reading) {
    entry.is_over = true;  // its slot is free when the job has come back
  } else {
    forget(block);
  }
}

// A block in memory that has been read keeps its slot until it goes.
void SpillStore::forget(Block block) {
  Entry& entry = entries_[block];
  if (entry.octets) stats_.octets_in_memory -= entry.size;
  if (entry.is_written) {
    stats_.octets_on_disk -= entry.size;
    free_slot(entry);
  }
  entry = Entry{};
  unused_.push_back(block);
}

void SpillStore::free_slot(const Entry& entry) {
  Shelf& shelf = entry.is_large ? large_ : small_;
  shelf.free.push_back(entry.slot);
  if (shelf.free.size() < shelf.slots) return;
  shelf.slots = 0;
  std::vector<std::uint32_t>().swap(shelf.free);
  SpillJob clear;
  clear.kind = SpillJob::Kind::clear;
  clear.file = first_file_ + (entry.is_large ? 1 : 0);
  clear.client = this;
  io_.submit(std::move(clear));
}

void SpillStore::on_done(const SpillJob& job) {
  switch (job.kind) {
    case SpillJob::Kind::write: return on_written(job.block, job);
    case SpillJob::Kind::read: return on_read(job.block, job);
    case SpillJob::Kind::clear: return;  // what could not be given back is used again
  }
}

void SpillStore::on_written(Block block, const SpillJob& job) {
  Entry& entry = entries_[block];
  if (job.error) {
    ++stats_.failed_writes;
    stats_.is_failing = true;
    stats_.last_error = job.error;
    free_slot(entry);
    entry.place = Place::memory;
    if (entry.is_over) return forget(block);
    unwritten_.push_back(block);
    return;
  }
  ++stats_.writes;
  stats_.is_failing = false;
  stats_.octets_on_disk += entry.size;
  entry.checksum = job.checksum;
  entry.is_written = true;
  entry.place = Place::memory;
  write_next();
  if (entry.is_over) return forget(block);
  if (entry.is_wanted) return;  // stays for whoever asked: it was told, or takes it at once
  entry.octets.reset();
  stats_.octets_in_memory -= entry.size;
  entry.place = Place::disk;
}

void SpillStore::on_read(Block block, const SpillJob& job) {
  Entry& entry = entries_[block];
  entry.place = Place::memory;
  if (!job.error) {
    ++stats_.reads;
    if (entry.is_over) return forget(block);
    if (on_ready_) on_ready_(entry.tag);
    return;
  }
  ++stats_.failed_reads;
  stats_.last_error = job.error;
  if (entry.is_over) return forget(block);
  entry.octets.reset();
  stats_.octets_in_memory -= entry.size;
  entry.place = Place::disk;
  unread_.push_back(block);
}

void SpillStore::retry() {
  std::vector<Block> unread = std::exchange(unread_, {});
  for (const Block block : unread) fetch(block, entries_[block].tag);
  for (std::size_t i = 0; i < kRetriesAtOnce; ++i) write_next();
}

void SpillStore::write_next() {
  if (unwritten_.empty()) return;
  const Block block = unwritten_.back();
  unwritten_.pop_back();
  write(block);
}

}  // namespace stentor::queue
