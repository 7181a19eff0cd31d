// A sorted file of references: where the accepted record of each lies, for a stretch of the
// journal that it knows all references of.
//
// Layout, little-endian, in pages of 4096 octets that each end with a CRC-32C of their number and
// their other octets: a header; entries, 255 a page, sorted by key; fences (the first key of each
// page of entries), 511 a page; the filter, 63 blocks of 64 octets a page. Fences stay in memory,
// the filter where there is room for it: a key that the run does not hold costs no read then, and
// one of 4 KiB else; one that it holds costs one for its entry.
//
// Units    Entries of 16 octets.
// Owns     Its open file.
// Errors   errno from the file system; damaged where a page does not verify; newer_version.
// Threads  One thread at a time.
// Spec     docs/journal.md, "References"
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/references/reference_filter.h"
#include "queue/error.h"
#include "queue/file_system.h"
#include "queue/locator.h"

namespace stentor::daemon {

/// What the name of a run ends with until it is whole.
inline constexpr std::string_view kMakingSuffix = ".making";

struct ReferenceEntry {
  std::uint64_t key = 0;
  std::uint64_t at = 0;  ///< locator bits
};
static_assert(sizeof(ReferenceEntry) == 16);

/// The stretch of the journal that a run speaks of, and when its messages were accepted.
struct ReferenceSpan {
  std::uint64_t from = 0;  ///< locator bits: the first place in it
  std::uint64_t to = 0;    ///< and the first behind it
  std::uint64_t earliest_ms = 0;
  std::uint64_t latest_ms = 0;

  [[nodiscard]] bool holds(std::uint64_t at) const noexcept { return from <= at && at < to; }
  [[nodiscard]] std::string file_name() const;
  /// From a file name: only `from` and `to`.
  [[nodiscard]] static std::optional<ReferenceSpan> of_file_name(const std::string& name);
};

class ReferenceRun {
 public:
  static constexpr std::uint32_t kVersion = 1;

  [[nodiscard]] static queue::result<ReferenceRun> open(queue::FileSystem& files,
                                                        const std::filesystem::path& folder,
                                                        const ReferenceSpan& named);

  [[nodiscard]] queue::result<std::optional<queue::Locator>> find(std::uint64_t key);
  /// Calls `visit` with each entry in the order of keys.
  [[nodiscard]] queue::result<void> load(std::uint64_t page, std::vector<ReferenceEntry>& out);

  /// Dates of a clock that was ahead count as `now_ms`, or the run would stay for as long as the
  /// clock was wrong.
  void limit_dates(std::uint64_t now_ms) noexcept {
    span_.earliest_ms = std::min(span_.earliest_ms, now_ms);
    span_.latest_ms = std::min(span_.latest_ms, now_ms);
  }
  /// Takes the filter into memory, or gives its memory back.
  [[nodiscard]] queue::result<void> keep_filter(bool in_memory);

  [[nodiscard]] const ReferenceSpan& span() const noexcept { return span_; }
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  [[nodiscard]] std::uint64_t entries() const noexcept { return entries_; }
  [[nodiscard]] std::uint64_t pages() const noexcept { return fences_.size(); }
  [[nodiscard]] std::uint64_t filter_octets() const noexcept {
    return filter_blocks_ * ReferenceFilter::kBlockOctets;
  }
  [[nodiscard]] std::uint64_t memory_octets() const noexcept {
    return fences_.size() * sizeof(std::uint64_t) + (filter_ ? filter_->size() : 0);
  }

 private:
  [[nodiscard]] queue::result<bool> may_hold(std::uint64_t key);

  std::unique_ptr<queue::File> file_;
  ReferenceSpan span_;
  std::uint64_t seed_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t filter_blocks_ = 0;
  std::vector<std::uint64_t> fences_;
  std::optional<ReferenceFilter> filter_;
  std::vector<ReferenceEntry> page_;
};

/// Writes a run: under its name only when it is whole and on disk.
class ReferenceRunWriter {
 public:
  /// `entries_max` sizes the filter.
  [[nodiscard]] static queue::result<ReferenceRunWriter> start(queue::FileSystem& files,
                                                               std::filesystem::path folder,
                                                               const ReferenceSpan& span,
                                                               std::uint64_t seed,
                                                               std::uint64_t entries_max);
  /// Keys ascend, each but once.
  [[nodiscard]] queue::result<void> add(const ReferenceEntry& entry);
  [[nodiscard]] queue::result<void> finish();

 private:
  ReferenceRunWriter(queue::FileSystem& files, std::filesystem::path folder,
                     const ReferenceSpan& span, std::uint64_t seed, std::uint64_t entries_max);
  [[nodiscard]] queue::result<void> put_page(std::span<const std::uint8_t> content);
  [[nodiscard]] queue::result<void> flush();

  queue::FileSystem* files_;
  std::filesystem::path folder_;
  std::filesystem::path making_;
  ReferenceSpan span_;
  std::uint64_t seed_;
  std::unique_ptr<queue::File> file_;
  ReferenceFilter filter_;
  std::vector<std::uint64_t> fences_;
  std::vector<ReferenceEntry> entries_;  // of the page in making
  std::uint64_t written_entries_ = 0;
  std::uint64_t page_ = 1;            // the next one; the header is 0
  std::vector<std::uint8_t> buffer_;  // whole pages, before page_
};

}  // namespace stentor::daemon
