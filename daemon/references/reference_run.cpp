#include "daemon/references/reference_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstring>
#include <span>

#include "daemon/plain_octets.h"
#include "queue/checksum.h"

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kMagic = 0x534e555246455253;  // "SREFRUNS", read as a number
constexpr std::size_t kPageOctets = 4096;
constexpr std::size_t kCheckAt = kPageOctets - sizeof(std::uint32_t);
constexpr std::size_t kPageEntries = kCheckAt / sizeof(ReferenceEntry);
constexpr std::size_t kPageFences = kCheckAt / sizeof(std::uint64_t);
constexpr std::size_t kPageBlocks = kCheckAt / ReferenceFilter::kBlockOctets;
constexpr std::size_t kBufferOctets = 64 * kPageOctets;
constexpr std::string_view kSuffix = ".refs";

using Page = std::array<std::uint8_t, kPageOctets>;

struct Header {
  std::uint64_t magic = kMagic;
  std::uint32_t version = ReferenceRun::kVersion;
  std::uint32_t reserved = 0;
  std::uint64_t seed = 0;
  ReferenceSpan span;
  std::uint64_t entries = 0;
  std::uint64_t filter_blocks = 0;
};
static_assert(sizeof(Header) == 72);

std::uint64_t pages_for(std::uint64_t things, std::size_t a_page) {
  return (things + a_page - 1) / a_page;
}

std::uint32_t check_of(std::uint64_t number, std::span<const std::uint8_t> page) {
  std::array<std::uint8_t, sizeof number> octets{};
  std::memcpy(octets.data(), &number, sizeof number);
  return queue::crc32c(page.first(kCheckAt), queue::crc32c(octets));
}

std::unexpected<std::error_code> damaged() {
  return std::unexpected(make_error_code(queue::JournalError::damaged));
}

queue::result<void> read_page(queue::File& file, std::uint64_t number, Page& page) {
  const auto read = file.read(number * kPageOctets, page);
  if (!read) return std::unexpected(read.error());
  if (*read != kPageOctets) return damaged();
  std::uint32_t check = 0;
  std::memcpy(&check, page.data() + kCheckAt, sizeof check);
  if (check != check_of(number, page)) return damaged();
  return {};
}

}  // namespace

std::string ReferenceSpan::file_name() const {
  return fmt::format("{:016x}-{:016x}{}", from, to, kSuffix);
}

std::optional<ReferenceSpan> ReferenceSpan::of_file_name(const std::string& name) {
  constexpr std::size_t kDigits = 16;
  if (name.size() != 2 * kDigits + 1 + kSuffix.size() || !name.ends_with(kSuffix) ||
      name[kDigits] != '-') {
    return std::nullopt;
  }
  ReferenceSpan span;
  const auto parse = [&name](std::size_t at, std::uint64_t& value) {
    const char* first = name.data() + at;
    const auto parsed = std::from_chars(first, first + kDigits, value, 16);
    return parsed.ec == std::errc{} && parsed.ptr == first + kDigits;
  };
  if (!parse(0, span.from) || !parse(kDigits + 1, span.to) || span.from >= span.to) {
    return std::nullopt;
  }
  return span;
}

queue::result<ReferenceRun> ReferenceRun::open(queue::FileSystem& files,
                                               const std::filesystem::path& folder,
                                               const ReferenceSpan& named) {
  auto file = files.open(folder / named.file_name(), queue::FileSystem::Mode::read);
  if (!file) return std::unexpected(file.error());
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  Page page;
  if (auto read = read_page(**file, 0, page); !read) return std::unexpected(read.error());
  Header header;
  std::memcpy(&header, page.data(), sizeof header);
  if (header.magic == kMagic && header.version > kVersion) {
    return std::unexpected(make_error_code(queue::JournalError::newer_version));
  }
  if (header.magic != kMagic || header.version != kVersion || header.span.from != named.from ||
      header.span.to != named.to || header.entries > *size || header.filter_blocks == 0 ||
      header.filter_blocks > *size) {
    return damaged();
  }
  const std::uint64_t pages = pages_for(header.entries, kPageEntries);
  const std::uint64_t fence_pages = pages_for(pages, kPageFences);
  if ((1 + pages + fence_pages + pages_for(header.filter_blocks, kPageBlocks)) * kPageOctets !=
      *size) {
    return damaged();
  }
  ReferenceRun run;
  run.span_ = header.span;
  run.seed_ = header.seed;
  run.entries_ = header.entries;
  run.filter_blocks_ = header.filter_blocks;
  run.fences_.resize(pages);
  for (std::uint64_t i = 0; i < fence_pages; ++i) {
    if (auto read = read_page(**file, 1 + pages + i, page); !read) {
      return std::unexpected(read.error());
    }
    const std::size_t first = i * kPageFences;
    const std::size_t count = std::min(kPageFences, pages - first);
    std::memcpy(run.fences_.data() + first, page.data(), count * sizeof(std::uint64_t));
  }
  run.file_ = std::move(*file);
  return run;
}

queue::result<void> ReferenceRun::keep_filter(bool in_memory) {
  filter_.reset();
  if (!in_memory) return {};
  ReferenceFilter filter(filter_blocks_);
  const std::uint64_t first_page = 1 + pages() + pages_for(pages(), kPageFences);
  Page page;
  for (std::uint64_t block = 0; block < filter_blocks_; block += kPageBlocks) {
    if (auto read = read_page(*file_, first_page + block / kPageBlocks, page); !read) return read;
    const std::size_t count = std::min<std::uint64_t>(kPageBlocks, filter_blocks_ - block);
    std::memcpy(filter.octets().data() + block * ReferenceFilter::kBlockOctets, page.data(),
                count * ReferenceFilter::kBlockOctets);
  }
  filter_ = std::move(filter);
  return {};
}

queue::result<bool> ReferenceRun::may_hold(std::uint64_t key) {
  if (filter_) return filter_->may_hold(key);
  const std::uint64_t block = ReferenceFilter::block_of(key, filter_blocks_);
  const std::uint64_t first_page = 1 + pages() + pages_for(pages(), kPageFences);
  Page page;
  if (auto read = read_page(*file_, first_page + block / kPageBlocks, page); !read) {
    return std::unexpected(read.error());
  }
  const std::size_t at = block % kPageBlocks * ReferenceFilter::kBlockOctets;
  return ReferenceFilter::may_hold(
      ReferenceFilter::Block(page.data() + at, ReferenceFilter::kBlockOctets), key);
}

queue::result<void> ReferenceRun::load(std::uint64_t number, std::vector<ReferenceEntry>& out) {
  Page page;
  if (auto read = read_page(*file_, 1 + number, page); !read) return read;
  out.resize(std::min<std::uint64_t>(kPageEntries, entries_ - number * kPageEntries));
  std::memcpy(out.data(), page.data(), out.size() * sizeof(ReferenceEntry));
  return {};
}

queue::result<std::optional<queue::Locator>> ReferenceRun::find(std::uint64_t key) {
  const auto perhaps = may_hold(key);
  if (!perhaps) return std::unexpected(perhaps.error());
  if (!*perhaps) return std::nullopt;
  const auto behind = std::ranges::upper_bound(fences_, key);
  if (behind == fences_.begin()) return std::nullopt;
  const auto number = static_cast<std::uint64_t>(behind - fences_.begin()) - 1;
  if (auto read = load(number, page_); !read) return std::unexpected(read.error());
  const auto found = std::ranges::lower_bound(page_, key, {}, &ReferenceEntry::key);
  if (found == page_.end() || found->key != key) return std::nullopt;
  return queue::Locator(found->at);
}

ReferenceRunWriter::ReferenceRunWriter(queue::FileSystem& files, std::filesystem::path folder,
                                       const ReferenceSpan& span, std::uint64_t seed,
                                       std::uint64_t entries_max)
    : files_(&files),
      folder_(std::move(folder)),
      making_(folder_ / (span.file_name() + std::string(kMakingSuffix))),
      span_(span),
      seed_(seed),
      filter_(ReferenceFilter::blocks_for(entries_max)) {
  entries_.reserve(kPageEntries);
  buffer_.reserve(kBufferOctets);
}

queue::result<ReferenceRunWriter> ReferenceRunWriter::start(queue::FileSystem& files,
                                                            std::filesystem::path folder,
                                                            const ReferenceSpan& span,
                                                            std::uint64_t seed,
                                                            std::uint64_t entries_max) {
  ReferenceRunWriter writer(files, std::move(folder), span, seed, entries_max);
  (void)files.remove(writer.making_);  // of an attempt that failed
  auto file = files.open(writer.making_, queue::FileSystem::Mode::create);
  if (!file) return std::unexpected(file.error());
  writer.file_ = std::move(*file);
  return writer;
}

queue::result<void> ReferenceRunWriter::put_page(std::span<const std::uint8_t> content) {
  assert(content.size() <= kCheckAt && "a page has room for its check");
  Page page{};
  std::ranges::copy(content, page.begin());
  const std::uint32_t check = check_of(page_, page);
  std::memcpy(page.data() + kCheckAt, &check, sizeof check);
  buffer_.insert(buffer_.end(), page.begin(), page.end());
  ++page_;
  return buffer_.size() < kBufferOctets ? queue::result<void>{} : flush();
}

queue::result<void> ReferenceRunWriter::flush() {
  const auto written = file_->write(page_ * kPageOctets - buffer_.size(), buffer_);
  buffer_.clear();
  return written;
}

queue::result<void> ReferenceRunWriter::add(const ReferenceEntry& entry) {
  if (entries_.empty()) fences_.push_back(entry.key);
  filter_.add(entry.key);
  entries_.push_back(entry);
  ++written_entries_;
  if (entries_.size() < kPageEntries) return {};
  auto put = put_page(octets_of(entries_));
  entries_.clear();
  return put;
}

queue::result<void> ReferenceRunWriter::finish() {
  if (!entries_.empty()) {
    if (auto put = put_page(octets_of(entries_)); !put) return put;
  }
  const std::span<const std::uint64_t> fences(fences_);
  for (std::size_t i = 0; i < fences.size(); i += kPageFences) {
    const auto piece = fences.subspan(i, std::min(kPageFences, fences.size() - i));
    if (auto put = put_page(octets_of(piece)); !put) return put;
  }
  const std::span<const std::uint8_t> filter = filter_.octets();
  constexpr std::size_t kPiece = kPageBlocks * ReferenceFilter::kBlockOctets;
  for (std::size_t i = 0; i < filter.size(); i += kPiece) {
    if (auto put = put_page(filter.subspan(i, std::min(kPiece, filter.size() - i))); !put) {
      return put;
    }
  }
  if (auto flushed = flush(); !flushed) return flushed;
  Header header;
  header.seed = seed_;
  header.span = span_;
  header.entries = written_entries_;
  header.filter_blocks = filter_.size() / ReferenceFilter::kBlockOctets;
  page_ = 0;
  if (auto put = put_page(octets_of(std::span<const Header>(&header, 1))); !put) return put;
  if (auto flushed = flush(); !flushed) return flushed;
  if (auto synced = file_->sync(); !synced) return synced;
  if (auto named = files_->rename(making_, folder_ / span_.file_name()); !named) return named;
  return files_->sync_directory(folder_);
}

}  // namespace stentor::daemon
