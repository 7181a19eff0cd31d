#include "queue/journal_reader.h"

#include <algorithm>
#include <cassert>
#include <deque>
#include <optional>
#include <utility>

#include "queue/block_cache.h"
#include "queue/carried_excerpt.h"
#include "queue/journal_format.h"
#include "queue/quarantine.h"

namespace stentor::queue {

class JournalReader::Body {
 public:
  Body(FileSystem& files, std::filesystem::path directory, ReaderOptions options)
      : files_(files),
        directory_(std::move(directory)),
        options_(options),
        cache_(files, directory_, options.blocks_octets_max),
        carried_(files, directory_),
        quarantine_(files, directory_) {}

  void remember(std::shared_ptr<const RecordBatch> batch) {
    if (batch->is_empty() || batch->base().is_nowhere()) return;
    assert((recent_.empty() || recent_.back()->base() < batch->base()) &&
           "batches come in journal order");
    recent_octets_ += batch->octets().size();
    recent_.push_back(std::move(batch));
    while (recent_octets_ > options_.recent_octets_max && !recent_.empty()) {
      recent_octets_ -= recent_.front()->octets().size();
      recent_.pop_front();
    }
  }

  result<Record> read_known(Locator place) {
    if (!is_recent(place) && place.file() != 0) {
      if (auto record = cache_.record_alone(place.file(), place.block(), place.record())) {
        record->at = place;
        return *record;
      }
    }
    return read(place);
  }

  result<Record> read(Locator place) {
    const auto after = std::ranges::upper_bound(recent_, place, {},
                                                [](const auto& batch) { return batch->base(); });
    if (after != recent_.begin() && (*std::prev(after))->holds(place)) {
      const Record record = (*std::prev(after))->record(place);
      if (record.kind == 0) return no_such_record();
      ++stats_.from_memory;
      return record;
    }
    if (place.file() == 0 || place.block() < kFirstBlock) return no_such_record();
    const auto block = cache_.block(place.file(), place.block(), BlockCache::For::records);
    if (!block) {
      return block.error() == JournalError::no_such_record
                 ? read_carried(place)
                 : result<Record>(std::unexpected(block.error()));
    }
    const std::size_t index = (*block)->first_at(place.record());
    if (index == (*block)->records.size() || (*block)->records[index] != place.record()) {
      return no_such_record();
    }
    return record_of(**block, index);
  }

  result<std::optional<Record>> next(Locator& position, Locator end) {
    if (const auto known = know_quarantine(); !known) return std::unexpected(known.error());
    if (position.block() < kFirstBlock) position = Locator(position.file(), kFirstBlock, 0);
    while (position < end) {
      if (position.file() == 0) {
        if (const auto moved = to_next_file(position, end); !moved) {
          return std::unexpected(moved.error());
        }
        continue;
      }
      // As recovery has walked it: a good block may lie astride the end of what was set aside.
      if (const auto to = quarantine_.end_around(position.file(), position.block())) {
        if (const auto moved = leave_quarantined(position, *to, end); !moved) {
          return std::unexpected(moved.error());
        }
        continue;
      }
      const auto block = cache_.block(position.file(), position.block());
      if (!block) {
        if (block.error() != JournalError::no_such_record) return std::unexpected(block.error());
        if (const auto moved = pass_over(position, end); !moved) {
          return std::unexpected(moved.error());
        }
        continue;
      }
      if (position.record() == 0) {
        if (breaks_chain(**block)) {
          if (const auto left = leave_stale(position, end); !left) {
            return std::unexpected(left.error());
          }
          continue;
        }
        follow(**block);
      }
      const std::size_t index = (*block)->first_at(position.record());
      if (index == (*block)->records.size()) {
        position = Locator(position.file(), (*block)->next, 0);
        continue;
      }
      const Record record = record_of(**block, index);
      if (record.at >= end) return std::nullopt;
      position = index + 1 == (*block)->records.size()
                     ? Locator(position.file(), (*block)->next, 0)
                     : Locator(position.file(), (*block)->at, (*block)->records[index + 1]);
      return record;
    }
    return std::nullopt;
  }

  result<Locator> oldest() {
    const auto numbers = files_behind(0);
    if (!numbers) return std::unexpected(numbers.error());
    return numbers->oldest == 0 ? Locator{} : Locator(numbers->oldest, kFirstBlock, 0);
  }

  void forget_before(std::uint32_t file) {
    cache_.forget_before(file);
    carried_.forget_before(file);
  }

  [[nodiscard]] std::uint64_t passed_over() const noexcept {
    return stats_.blocks_bad + set_aside_;
  }

  [[nodiscard]] Stats stats() const noexcept {
    Stats stats = stats_;
    stats.blocks_read = cache_.blocks_read();
    stats.read_alone = cache_.records_read_alone();
    return stats;
  }

 private:
  [[nodiscard]] bool is_recent(Locator place) const {
    return !recent_.empty() && place >= recent_.front()->base();
  }

  result<Record> read_carried(Locator place) {
    auto record = carried_.find(place);
    if (record) ++stats_.carried;
    return record;
  }

  static std::unexpected<std::error_code> no_such_record() {
    return std::unexpected(make_error_code(JournalError::no_such_record));
  }

  static Record record_of(const CachedBlock& block, std::size_t index) {
    const auto read = read_record(block.payload, block.records[index]);
    assert(read && "the cache has read all records of the block");
    Record record = read->record;
    record.at = Locator(block.file, block.at, block.records[index]);
    return record;
  }

  // Salvaging comes before reading, so what was set aside is known once and for all.
  result<void> know_quarantine() {
    if (knows_quarantine_) return {};
    if (const auto loaded = quarantine_.load(); !loaded) return loaded;
    knows_quarantine_ = true;
    return {};
  }

  result<void> leave_quarantined(Locator& position, std::uint64_t to, Locator end) {
    // The stretch of a file that was cut may end anywhere; blocks begin on multiples alone.
    ++set_aside_;
    chain_.reset();
    const std::uint64_t next = next_block_start(to);
    if (to <= position.block() || next >= kFileOctetsMax) return to_next_file(position, end);
    position = Locator(position.file(), static_cast<std::uint32_t>(next), 0);
    return {};
  }

  // A block must follow the one that was read before it, over the files' ends too: by itself a good
  // one does not tell that others are lost in front of it.
  [[nodiscard]] bool breaks_chain(const CachedBlock& block) const {
    return chain_ && chain_->due == Locator(block.file, block.at, 0) &&
           chain_->check != block.previous_check;
  }

  void follow(const CachedBlock& block) {
    if (breaks_chain(block)) ++stats_.blocks_bad;
    chain_ = {.due = Locator(block.file, block.next, 0), .check = block.check};
  }

  // As recovery has it: a file ends with the block that the next one names, whatever lies behind.
  result<bool> has_ended(Locator position) {
    if (!chain_ || chain_->due != position || position.file() == kFileNumberMax) return false;
    const auto first = cache_.block(position.file() + 1, kFirstBlock);
    if (first) return (*first)->previous_check == chain_->check;
    if (first.error() == JournalError::no_such_record) return false;
    return std::unexpected(first.error());
  }

  // The good block at `position` does not follow the one before it: others are lost in front of it,
  // or it is stale, behind the end of its file.
  result<void> leave_stale(Locator& position, Locator end) {
    const auto ended = has_ended(position);
    if (!ended) return std::unexpected(ended.error());
    if (*ended) return to_next_file(position, end);
    ++stats_.blocks_bad;
    chain_.reset();
    return {};
  }

  // No good block lies at `position`: the file's blocks end there, or the file is gone, or the disk
  // has lost a stretch of it.
  result<void> pass_over(Locator& position, Locator end) {
    const auto ended = has_ended(position);
    if (!ended) return std::unexpected(ended.error());
    if (*ended) return to_next_file(position, end);
    const auto block = cache_.find_block(position.file(), position.block() + 1);
    if (!block && block.error() != JournalError::no_such_record) {
      return std::unexpected(block.error());
    }
    if (block && *block && Locator(position.file(), **block, 0) < end) {
      ++stats_.blocks_bad;
      chain_.reset();
      position = Locator(position.file(), **block, 0);
      return {};
    }
    return to_next_file(position, end);
  }

  result<void> to_next_file(Locator& position, Locator end) {
    const auto numbers = files_behind(position.file());
    if (!numbers) return std::unexpected(numbers.error());
    const Locator left = position;
    position = numbers->next == 0 ? end : std::min(end, Locator(numbers->next, kFirstBlock, 0));
    if (left.file() < numbers->oldest) {  // dropped, with all before it
      chain_.reset();
      return {};
    }
    if (position.file() == left.file()) {  // a block before the end that we were given
      ++stats_.blocks_bad;
      chain_.reset();
      return {};
    }
    note_lost(left, position.file());
    if (!chain_ || chain_->due != left) return {};
    chain_->due = Locator(position.file(), kFirstBlock, 0);
    return position == end && chain_->due == end ? follow_at(end) : result<void>{};
  }

  // What is missing between `left`, where its file has no more good blocks, and the file `reached`.
  void note_lost(Locator left, std::uint32_t reached) {
    // Of each file at least the first block can be read, or nothing of it is there.
    std::uint32_t first_lost = left.block() == kFirstBlock ? left.file() : left.file() + 1;
    for (; first_lost < reached; ++first_lost) {
      chain_.reset();
      if (!quarantine_.has_whole(first_lost)) break;
      ++set_aside_;
    }
    if (first_lost < reached) ++stats_.blocks_bad;
  }

  // A stretch that ends where a file begins is whole only if that file follows it.
  result<void> follow_at(Locator first) {
    const auto block = cache_.block(first.file(), first.block());
    if (block) {
      follow(**block);
    } else if (block.error() != JournalError::no_such_record) {
      return std::unexpected(block.error());
    }
    return {};
  }

  struct FileNumbers {
    std::uint32_t oldest = 0;  // 0: there is none
    std::uint32_t next = 0;    // likewise
  };
  result<FileNumbers> files_behind(std::uint32_t file) {
    const auto names = files_.list(directory_);
    if (!names) return std::unexpected(names.error());
    FileNumbers found;
    for (const std::string& name : *names) {
      const auto number = file_number(name);
      if (!number) continue;
      if (found.oldest == 0 || *number < found.oldest) found.oldest = *number;
      if (*number > file && (found.next == 0 || *number < found.next)) found.next = *number;
    }
    return found;
  }

  // The block that was read last: where the one behind it is due, and what that says of it.
  struct Chain {
    Locator due;
    std::uint32_t check = 0;
  };

  FileSystem& files_;
  const std::filesystem::path directory_;
  const ReaderOptions options_;
  std::deque<std::shared_ptr<const RecordBatch>> recent_;  // in journal order
  std::size_t recent_octets_ = 0;
  BlockCache cache_;
  CarriedExcerpt carried_;
  Quarantine quarantine_;
  bool knows_quarantine_ = false;
  std::optional<Chain> chain_;  // none at first, and behind what is set aside or gone
  Stats stats_;
  std::uint64_t set_aside_ = 0;  // stretches
};

JournalReader::JournalReader(FileSystem& files, std::filesystem::path directory,
                             ReaderOptions options)
    : body_(std::make_unique<Body>(files, std::move(directory), options)) {}
JournalReader::~JournalReader() = default;

void JournalReader::remember(std::shared_ptr<const RecordBatch> batch) {
  body_->remember(std::move(batch));
}
result<Record> JournalReader::read(Locator place) {
  return body_->read(place);
}
result<Record> JournalReader::read_known(Locator place) {
  return body_->read_known(place);
}
result<std::optional<Record>> JournalReader::next(Locator& position, Locator end) {
  return body_->next(position, end);
}
result<Locator> JournalReader::oldest() {
  return body_->oldest();
}
void JournalReader::forget_before(std::uint32_t file) {
  body_->forget_before(file);
}
std::uint64_t JournalReader::passed_over() const noexcept {
  return body_->passed_over();
}
JournalReader::Stats JournalReader::stats() const noexcept {
  return body_->stats();
}

}  // namespace stentor::queue
