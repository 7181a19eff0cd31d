#include "queue/excerpt_writer.h"

#include <cassert>
#include <utility>

#include "queue/checksum.h"
#include "queue/little_endian.h"

namespace stentor::queue {
namespace {

// Pages go to the disk in steps: one sync of a GiB at the end would hold the journal's own syncs
// up for as long as the disk takes.
constexpr std::uint64_t kSyncStepOctets = 8u << 20;

}  // namespace

result<ExcerptWriter> ExcerptWriter::start(FileSystem& files, std::filesystem::path directory,
                                           std::string name, ExcerptHeader header) {
  ExcerptWriter writer(files, std::move(directory), std::move(name));
  const auto making = writer.directory_ / (writer.name_ + ".making");
  if (const auto removed = files.remove(making);
      !removed && removed.error() != std::errc::no_such_file_or_directory) {
    return std::unexpected(removed.error());
  }
  auto file = files.open(making, FileSystem::Mode::create);
  if (!file) return std::unexpected(file.error());
  writer.file_ = std::move(*file);
  if (auto written = writer.file_->write(0, encode(header)); !written) {
    return std::unexpected(written.error());
  }
  return writer;
}

result<void> ExcerptWriter::add(const Record& record) {
  assert(record.payload.size() <= kRecordOctetsMax && "a record of the journal is bounded");
  if (payload_.empty()) first_at_ = record.at.bits();
  const std::uint64_t at = record.at.bits();
  std::array<std::uint8_t, sizeof at + 1> head{};
  put(head, 0, at);
  head.back() = record.kind;
  payload_.insert(payload_.end(), head.begin(), head.end());
  std::size_t length = record.payload.size();
  for (; length >= 0x80; length >>= 7) payload_.push_back(static_cast<std::uint8_t>(length | 0x80));
  payload_.push_back(static_cast<std::uint8_t>(length));
  payload_.insert(payload_.end(), record.payload.begin(), record.payload.end());
  ++records_;
  return payload_.size() >= kExcerptBlockOctets ? flush(false) : result<void>{};
}

result<void> ExcerptWriter::flush(bool is_last) {
  const ExcerptBlockHeader header{.is_last = is_last,
                                  .number = blocks_++,
                                  .payload_octets = static_cast<std::uint32_t>(payload_.size()),
                                  .payload_check = crc32c(payload_),
                                  .first_at = is_last ? records_ : first_at_};
  const auto head = encode(header);
  payload_.insert(payload_.begin(), head.begin(), head.end());
  if (auto written = file_->write(offset_, payload_); !written) return written;
  offset_ += payload_.size();
  payload_.clear();
  if (offset_ - synced_ < kSyncStepOctets) return {};
  synced_ = offset_;
  return file_->sync();
}

result<void> ExcerptWriter::finish() {
  if (!payload_.empty()) {
    if (auto flushed = flush(false); !flushed) return flushed;
  }
  if (auto ended = flush(true); !ended) return ended;
  if (auto synced = file_->sync(); !synced) return synced;
  const auto making = directory_ / (name_ + ".making");
  if (auto renamed = files_->rename(making, directory_ / name_); !renamed) return renamed;
  return files_->sync_directory(directory_);
}

}  // namespace stentor::queue
