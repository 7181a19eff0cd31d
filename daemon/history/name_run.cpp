#include "daemon/history/name_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "daemon/plain_octets.h"
#include "queue/checksum.h"

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kNamesMagic = 0x53454d414e545353;  // "SSTNAMES", read as a number
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kInputEntries = 1024;  // 16 KiB a read
// What a sync may find to write at once: commits wait beside it.
constexpr std::uint64_t kUnsyncedOctetsMax = 4u << 20;

struct NamesHeader {
  std::uint64_t magic = kNamesMagic;
  std::uint32_t version = kVersion;
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint32_t reserved = 0;
  std::uint64_t epoch = 0;
  std::uint64_t names = 0;
  std::uint64_t fences = 0;
  std::array<std::uint32_t, 3> spare{};
  std::uint32_t check = 0;  // of fences and the octets before: not of entries, as in index_file.cpp
};
static_assert(sizeof(NamesHeader) == 64);

std::uint32_t check_of(const NamesHeader& header, const std::vector<std::uint64_t>& fences) {
  return queue::crc32c(octets_of(fences), check_of_header(header));
}

bool is_later(const IndexEntry& one, const IndexEntry& other) {
  return other < one;
}

}  // namespace

std::string NameSpan::file_name() const {
  return fmt::format("{:08}-{:08}.names", from, to);
}

std::optional<NameRun> NameRun::open(queue::FileSystem& files, const std::filesystem::path& folder,
                                     const NameSpan& span) {
  auto file = files.open(folder / span.file_name(), queue::FileSystem::Mode::read);
  if (!file) return std::nullopt;
  NamesHeader header;
  const std::span<std::uint8_t> head(reinterpret_cast<std::uint8_t*>(&header), sizeof header);
  const auto read = (*file)->read(0, head);
  const auto size = (*file)->size();
  if (!read || *read != sizeof header || !size) return std::nullopt;
  if (header.magic != kNamesMagic || header.version != kVersion || header.from != span.from ||
      header.to != span.to || header.epoch != span.epoch || header.names > *size ||
      header.fences > *size) {
    return std::nullopt;
  }
  const std::uint64_t fences_at = sizeof header + header.names * sizeof(IndexEntry);
  if (fences_at + header.fences * sizeof(std::uint64_t) != *size) return std::nullopt;
  std::vector<std::uint64_t> fences(header.fences);
  const auto fenced = (*file)->read(fences_at, room_of(fences));
  if (!fenced || *fenced != room_of(fences).size()) return std::nullopt;
  if (header.check != check_of(header, fences)) return std::nullopt;
  NameRun run;
  run.span_ = span;
  run.file_ = std::move(*file);
  run.names_ = NameTable(sizeof header, header.names, std::move(fences));
  return run;
}

NameMerge::NameMerge(queue::FileSystem& files, std::filesystem::path folder, const NameSpan& span,
                     std::vector<Source> sources)
    : files_(files), folder_(std::move(folder)), span_(span) {
  inputs_.reserve(sources.size());
  for (const Source& source : sources) {
    inputs_.push_back({.from = source, .next = 0, .page = {}, .taken = 0});
  }
}

NameMerge::~NameMerge() {
  if (file_ && !is_whole_) (void)files_.remove(folder_ / (span_.file_name() + ".making"));
}

// The next entry of a source goes to the heap, if there is one.
queue::result<void> NameMerge::refill(std::size_t source) {
  Input& input = inputs_[source];
  if (input.taken == input.page.size()) {
    if (!input.from.names->read(*input.from.file, input.next, kInputEntries, input.page)) {
      return std::unexpected(std::make_error_code(std::errc::io_error));
    }
    input.next += input.page.size();
    input.taken = 0;
    if (input.page.empty()) return {};
  }
  heads_.push_back({input.page[input.taken++], source});
  std::ranges::push_heap(heads_, is_later, &Head::entry);
  return {};
}

queue::result<void> NameMerge::begin() {
  const auto making = folder_ / (span_.file_name() + ".making");
  (void)files_.remove(making);  // of a process that died over it
  auto file = files_.open(making, queue::FileSystem::Mode::create);
  if (!file) return std::unexpected(file.error());
  file_ = std::move(*file);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (auto filled = refill(i); !filled) return filled;
  }
  return {};
}

queue::result<bool> NameMerge::go_on(std::size_t max) {
  if (!file_) {
    if (auto begun = begin(); !begun) return std::unexpected(begun.error());
  }
  for (; max > 0 && !heads_.empty(); --max) {
    std::ranges::pop_heap(heads_, is_later, &Head::entry);
    const Head head = heads_.back();
    heads_.pop_back();
    if ((written_ + out_.size()) % NameTable::kPageEntries == 0) fences_.push_back(head.entry.key);
    out_.push_back(head.entry);
    if (auto filled = refill(head.source); !filled) return std::unexpected(filled.error());
  }
  if (auto flushed = flush(); !flushed) return std::unexpected(flushed.error());
  if (!heads_.empty()) return false;
  if (auto finished = finish(); !finished) return std::unexpected(finished.error());
  return true;
}

queue::result<void> NameMerge::flush() {
  const std::uint64_t at = sizeof(NamesHeader) + written_ * sizeof(IndexEntry);
  if (auto written = file_->write(at, octets_of(out_)); !written) return written;
  written_ += out_.size();
  unsynced_ += octets_of(out_).size();
  out_.clear();
  if (unsynced_ < kUnsyncedOctetsMax) return {};
  unsynced_ = 0;
  return file_->sync();
}

queue::result<void> NameMerge::finish() {
  NamesHeader header;
  header.from = span_.from;
  header.to = span_.to;
  header.epoch = span_.epoch;
  header.names = written_;
  header.fences = fences_.size();
  header.check = check_of(header, fences_);
  const std::span<const std::uint8_t> head(reinterpret_cast<const std::uint8_t*>(&header),
                                           sizeof header);
  const std::uint64_t fences_at = sizeof header + written_ * sizeof(IndexEntry);
  if (auto written = file_->write(fences_at, octets_of(fences_)); !written) return written;
  if (auto written = file_->write(0, head); !written) return written;
  if (auto synced = file_->sync(); !synced) return synced;
  const auto path = folder_ / span_.file_name();
  if (auto renamed = files_.rename(path.string() + ".making", path); !renamed) return renamed;
  is_whole_ = true;
  return {};
}

}  // namespace stentor::daemon
