#include "queue/journal_writer.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <utility>
#include <vector>

#include "queue/checksum.h"
#include "queue/file_preparer.h"
#include "queue/journal_format.h"

namespace stentor::queue {
namespace {

// The first file of a run: a daemon that sends little never takes more than this twice.
constexpr std::uint32_t kFirstFileOctets = 4u << 20;

// The next file shall hold this many commits of the size seen last: one or two every second under
// load, when a commit starts each 0.5 ms at most.
constexpr std::uint64_t kCommitsPerFile = 4096;
constexpr std::uint64_t kGrowthMax = 4;  // a file is at most this many times its forerunner

// From here on files are as large as they may be, whatever a commit takes: at two thousand small
// commits a second the numbers would end in a month, and so they last for 112 TiB more.
constexpr std::uint32_t kNumbersToSave = kFileNumberMax / 8;

// When the next file is not ready the current one grows past its zeros, by this much at a time.
constexpr std::uint32_t kExtensionOctets = 4u << 20;

// Kept free at the end of every file for the watermark of its last commit.
constexpr std::uint32_t kWatermarkOctets = block_octets(0);

constexpr std::array<std::uint8_t, kBlockAlignOctets> kPadding{};

std::uint64_t random_epoch() {
  std::uint64_t epoch = 0;
  ssize_t got = -1;
  do {
    got = ::getrandom(&epoch, sizeof epoch, 0);
  } while (got < 0 && errno == EINTR);
  assert(got == sizeof epoch && "the kernel gives eight octets at once");
  return epoch;
}

std::unexpected<std::error_code> failed(JournalError error) {
  return std::unexpected(make_error_code(error));
}

class FileJournalWriter final : public JournalWriter {
 public:
  FileJournalWriter(FileSystem& files, JournalOptions options, JournalEnd end,
                    MakePreamble make_preamble)
      : files_(files),
        options_(std::move(options)),
        make_preamble_(std::move(make_preamble)),
        previous_check_(end.block_crc),
        preparer_(files, {.directory = options_.directory,
                          .free_octets_min = options_.free_octets_min,
                          .in_background = options_.prepares_in_background,
                          .make_epoch = options_.make_epoch ? options_.make_epoch : random_epoch}) {
    options_.file_octets = std::min(options_.file_octets, kFileOctetsUsable);
  }

  [[nodiscard]] result<void> open(std::uint32_t number);
  [[nodiscard]] result<void> commit(std::span<RecordBatch* const> batches) override;
  [[nodiscard]] result<void> commit_watermark() override;
  [[nodiscard]] Locator durable_end() const noexcept override { return {number_, offset_, 0}; }
  [[nodiscard]] JournalStats stats() const noexcept override { return stats_; }
  [[nodiscard]] std::uint64_t room_octets() const override {
    return capacity_ - offset_ + preparer_.ready_octets();
  }
  [[nodiscard]] result<void> drop_before(std::uint32_t file) override;

 private:
  struct Block {
    std::size_t first = 0;  // of the batches
    std::size_t count = 0;
    std::uint32_t payload_octets = 0;
  };
  struct OnDisk {
    std::uint32_t number = 0;
    std::uint64_t octets = 0;
  };

  [[nodiscard]] result<std::uint64_t> plan(std::span<RecordBatch* const> batches);
  [[nodiscard]] result<void> make_room(std::uint64_t octets);
  [[nodiscard]] result<void> extend(std::uint64_t end);
  [[nodiscard]] result<void> begin_file(PreparedFile prepared);
  [[nodiscard]] result<void> write(std::span<const Block> blocks,
                                   std::span<RecordBatch* const> batches, std::uint64_t first_word);
  void request_next();
  void set_capacity(std::uint32_t octets);

  FileSystem& files_;
  JournalOptions options_;
  MakePreamble make_preamble_;
  JournalStats stats_;
  std::vector<OnDisk> on_disk_;  // oldest first, the current one last
  bool is_poisoned_ = false;
  bool owes_witness_ = false;

  std::unique_ptr<File> file_;
  std::uint32_t number_ = 0;
  std::uint64_t epoch_ = 0;
  std::uint32_t capacity_ = 0;  // written with zeros or at least reserved up to here
  std::uint32_t offset_ = 0;    // where the next block goes
  std::uint32_t blocks_ = 0;    // in this file
  std::uint32_t previous_check_ = 0;
  std::uint32_t next_octets_ = 0;

  // Kept between commits, so that one allocates nothing.
  std::vector<RecordBatch*> batches_;
  std::vector<Block> plan_;
  std::vector<BlockHeaderOctets> headers_;
  std::vector<std::span<const std::uint8_t>> pieces_;

  FilePreparer preparer_;  // last: its thread ends before what it uses
};

result<void> FileJournalWriter::open(std::uint32_t number) {
  if (number > kFileNumberMax) return failed(JournalError::numbers_used_up);
  auto names = files_.list(options_.directory);
  if (!names) return std::unexpected(names.error());
  std::ranges::sort(*names);
  for (const std::string& name : *names) {
    const auto old = file_number(name);
    if (!old || *old >= number) continue;
    const auto file = files_.open(options_.directory / name, FileSystem::Mode::read);
    if (!file) return std::unexpected(file.error());
    const auto octets = (*file)->size();
    if (!octets) return std::unexpected(octets.error());
    on_disk_.push_back({*old, *octets});
    stats_.octets_on_disk += *octets;
  }
  auto prepared = preparer_.prepare_now(number, std::min(kFirstFileOctets, options_.file_octets));
  if (!prepared) return std::unexpected(prepared.error());
  return begin_file(std::move(*prepared));
}

result<void> FileJournalWriter::commit(std::span<RecordBatch* const> batches) {
  if (is_poisoned_) return failed(JournalError::poisoned);
  const auto octets = plan(batches);
  if (!octets) return std::unexpected(octets.error());
  if (plan_.empty()) return {};
  if (auto room = make_room(*octets); !room) {
    // Nothing was written; but a disk that answers anything else than "full" is not trusted again.
    is_poisoned_ = is_poisoned_ || (room.error() != JournalError::disk_full &&
                                    room.error() != JournalError::too_large &&
                                    room.error() != JournalError::numbers_used_up);
    return room;
  }

  const std::uint32_t start = offset_;
  if (auto written = write(plan_, batches_, 0); !written) return written;
  ++stats_.commits;
  owes_witness_ = true;

  std::uint32_t block = start;
  for (const Block& planned : plan_) {
    std::uint32_t record = 0;
    for (std::size_t i = planned.first; i < planned.first + planned.count; ++i) {
      batches_[i]->set_base({number_, block, record});
      record += static_cast<std::uint32_t>(batches_[i]->octets().size());
    }
    block += block_octets(planned.payload_octets);
  }
  return {};
}

result<void> FileJournalWriter::commit_watermark() {
  if (is_poisoned_) return failed(JournalError::poisoned);
  if (!preparer_.is_requested()) request_next();  // it failed; there may be space again
  if (!owes_witness_) return {};
  assert(offset_ + kWatermarkOctets <= capacity_ && "room for a watermark is kept");
  if (auto written = write(std::array{Block{}}, {}, 0); !written) return written;
  owes_witness_ = false;
  return {};
}

// Groups batches into blocks; answers what they take in the file.
result<std::uint64_t> FileJournalWriter::plan(std::span<RecordBatch* const> batches) {
  batches_.clear();
  plan_.clear();
  for (RecordBatch* batch : batches) {
    const std::size_t octets = batch->octets().size();
    if (octets == 0) continue;
    if (octets > kPayloadOctetsMax) return failed(JournalError::too_large);
    if (plan_.empty() || plan_.back().payload_octets + octets > kPayloadOctetsMax) {
      plan_.push_back({.first = batches_.size()});
    }
    batches_.push_back(batch);
    ++plan_.back().count;
    plan_.back().payload_octets += static_cast<std::uint32_t>(octets);
  }
  std::uint64_t total = 0;
  for (const Block& block : plan_) total += block_octets(block.payload_octets);
  return total;
}

// A commit lies in one file, so that it is refused whole or written whole.
result<void> FileJournalWriter::make_room(std::uint64_t octets) {
  const std::uint64_t needed = octets + kWatermarkOctets;
  if (offset_ + needed <= capacity_) return {};
  if (kFirstBlock + needed > kFileOctetsUsable) return failed(JournalError::too_large);

  // A file that holds only its first block takes the commit, or none would.
  if (blocks_ > 1) {
    if (!preparer_.is_requested()) request_next();
    auto taken = preparer_.try_take();
    if (taken && !*taken) {
      // Still in the making: go on here without zeros ahead, and wait only where that ends too.
      if (const auto extended = extend(offset_ + needed); extended || !preparer_.is_requested()) {
        return extended;
      }
      preparer_.on_filled(capacity_, capacity_);
      auto waited = preparer_.take();
      if (!waited) return std::unexpected(waited.error());
      taken = std::move(*waited);
    }
    if (!taken) return std::unexpected(taken.error());
    if (auto begun = begin_file(std::move(**taken)); !begun) return begun;
    if (offset_ + needed <= capacity_) return {};
  }
  return extend(offset_ + needed);
}

// Reserves more of this file, without zeros.
result<void> FileJournalWriter::extend(std::uint64_t end) {
  if (end > kFileOctetsUsable) {
    return failed(number_ == kFileNumberMax ? JournalError::numbers_used_up
                                            : JournalError::too_large);
  }
  const std::uint64_t step = std::min(kExtensionOctets, options_.file_octets);
  end = std::min<std::uint64_t>(std::max(end, capacity_ + step), kFileOctetsUsable);
  const auto free = files_.free_octets(options_.directory);
  if (!free) return std::unexpected(free.error());
  if (*free < options_.free_octets_min + (end - capacity_)) return failed(JournalError::disk_full);
  if (const auto reserved = file_->allocate(end); !reserved) {
    return std::unexpected(as_journal_error(reserved.error()));
  }
  set_capacity(static_cast<std::uint32_t>(end));
  return {};
}

result<void> FileJournalWriter::begin_file(PreparedFile prepared) {
  if (file_) {
    const std::uint64_t mean = (offset_ - kFirstBlock) / blocks_;
    const std::uint64_t wanted =
        prepared.number < kNumbersToSave ? mean * kCommitsPerFile : options_.file_octets;
    const std::uint64_t grown = std::min(wanted, prepared.octets * kGrowthMax);
    next_octets_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(
        std::max<std::uint64_t>(grown, kFirstFileOctets), options_.file_octets));
    preparer_.finish(std::move(file_), offset_);
    set_capacity(offset_);
  } else {
    next_octets_ = prepared.octets;
  }
  on_disk_.push_back({.number = prepared.number});
  file_ = std::move(prepared.file);
  number_ = prepared.number;
  stats_.file = number_;
  epoch_ = prepared.epoch;
  capacity_ = 0;
  set_capacity(prepared.octets);
  offset_ = kFirstBlock;
  blocks_ = 0;
  ++stats_.files;

  Preamble preamble = make_preamble_();
  const std::size_t payload = preamble.records.octets().size();
  assert(payload <= kPayloadOctetsMax && "a preamble is one block");
  RecordBatch* const records = &preamble.records;
  const Block block{.count = 1, .payload_octets = static_cast<std::uint32_t>(payload)};
  result<void> done;
  if (const std::uint64_t end = offset_ + block_octets(block.payload_octets) + kWatermarkOctets;
      end > capacity_) {
    done = extend(end);
  }
  if (done) done = write(std::span(&block, 1), std::span(&records, 1), preamble.first_word);
  if (!done) {
    is_poisoned_ = true;  // a file without its first block is no place to go on from
    return done;
  }
  owes_witness_ = payload > 0;
  if (!preparer_.is_requested()) request_next();
  return {};
}

// Writes `blocks`, which hold `batches`, and syncs them. Each vouches for what was durable before
// the first of them.
result<void> FileJournalWriter::write(std::span<const Block> blocks,
                                      std::span<RecordBatch* const> batches,
                                      std::uint64_t first_word) {
  headers_.resize(blocks.size());
  pieces_.clear();
  std::uint64_t total = 0;
  std::uint32_t check = previous_check_;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const Block& block = blocks[i];
    BlockHeader header{.number = blocks_ + static_cast<std::uint32_t>(i) + 1,
                       .epoch = epoch_,
                       .first_word = first_word,
                       .durable_octets = offset_,
                       .payload_octets = block.payload_octets,
                       .previous_check = check};
    pieces_.emplace_back(headers_[i]);
    for (const RecordBatch* batch : batches.subspan(block.first, block.count)) {
      header.payload_check = crc32c(batch->octets(), header.payload_check);
      pieces_.push_back(batch->octets());
    }
    headers_[i] = encode(header);
    check = header.check;
    const std::uint32_t octets = block_octets(block.payload_octets);
    pieces_.push_back(
        std::span(kPadding).first(octets - kBlockHeaderOctets - block.payload_octets));
    total += octets;
  }
  assert(offset_ + total <= capacity_ && "blocks go where space was made");
  if (const auto written = file_->write_durable(offset_, pieces_); !written) {
    is_poisoned_ = true;
    return std::unexpected(written.error());
  }
  offset_ += static_cast<std::uint32_t>(total);
  preparer_.on_filled(offset_, capacity_);
  blocks_ += static_cast<std::uint32_t>(blocks.size());
  previous_check_ = check;
  stats_.octets += total;
  return {};
}

void FileJournalWriter::request_next() {
  if (number_ < kFileNumberMax) preparer_.request(number_ + 1, next_octets_);
}

void FileJournalWriter::set_capacity(std::uint32_t octets) {
  stats_.octets_on_disk += octets;
  stats_.octets_on_disk -= capacity_;
  capacity_ = octets;
  on_disk_.back().octets = octets;
}

result<void> FileJournalWriter::drop_before(std::uint32_t file) {
  std::vector<std::uint32_t> numbers;
  while (on_disk_.front().number < std::min(file, number_)) {
    numbers.push_back(on_disk_.front().number);
    stats_.octets_on_disk -= on_disk_.front().octets;
    on_disk_.erase(on_disk_.begin());
  }
  return preparer_.remove(std::move(numbers));
}

}  // namespace

result<std::unique_ptr<JournalWriter>> JournalWriter::start(FileSystem& files,
                                                            JournalOptions options, JournalEnd end,
                                                            MakePreamble make_preamble) {
  auto writer =
      std::make_unique<FileJournalWriter>(files, std::move(options), end, std::move(make_preamble));
  if (const auto opened = writer->open(end.file + 1); !opened) {
    return std::unexpected(opened.error());
  }
  return writer;
}

}  // namespace stentor::queue
