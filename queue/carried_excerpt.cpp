#include "queue/carried_excerpt.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace stentor::queue {

std::string carried_name(std::uint32_t before) {
  return excerpt_name(kCarriedPurpose, before);
}

result<ExcerptReader> open_carried(FileSystem& files, const std::filesystem::path& directory,
                                   std::uint32_t before) {
  return ExcerptReader::open(files, directory / carried_name(before));
}

result<std::vector<std::uint32_t>> list_carried(FileSystem& files,
                                                const std::filesystem::path& directory) {
  const auto names = files.list(directory);
  if (!names) return std::unexpected(names.error());
  std::vector<std::uint32_t> found;
  for (const std::string& name : *names) {
    if (const auto before = excerpt_before(kCarriedPurpose, name)) found.push_back(*before);
  }
  std::ranges::sort(found, std::greater{});
  return found;
}

result<Record> CarriedExcerpt::find(Locator place) {
  if (reader_) {
    auto record = reader_->find(place);
    if (record || record.error() != JournalError::no_such_record) return record;
  }
  const auto is_newer = open_newer();
  if (!is_newer) return std::unexpected(is_newer.error());
  if (!*is_newer) return std::unexpected(make_error_code(JournalError::no_such_record));
  return reader_->find(place);
}

// False when there is none that is newer than the one that is open.
result<bool> CarriedExcerpt::open_newer() {
  const auto found = list_carried(files_, directory_);
  if (!found) return std::unexpected(found.error());
  if (found->empty() || (reader_ && reader_->header().before >= found->front())) return false;
  auto opened = open_carried(files_, directory_, found->front());
  if (!opened) return std::unexpected(opened.error());
  if (auto indexed = opened->index(); !indexed) return std::unexpected(indexed.error());
  reader_ = std::move(*opened);
  return true;
}

void CarriedExcerpt::forget_before(std::uint32_t file) {
  if (reader_ && reader_->header().before < file) reader_.reset();
}

}  // namespace stentor::queue
