#include "daemon/history/index_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <span>

#include "daemon/plain_octets.h"
#include "queue/checksum.h"

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kMagic = 0x5845444e49545353;  // "SSTINDEX", read as a number

struct Header {
  std::uint64_t magic = kMagic;
  std::uint32_t version = IndexFile::kVersion;
  std::uint32_t journal_file = 0;
  std::uint64_t epoch = 0;
  std::uint64_t sequences = 0;
  std::uint64_t names = 0;
  std::uint64_t granules = 0;
  std::uint64_t fences = 0;
  std::uint32_t reserved = 0;
  std::uint32_t check = 0;  // of granules, fences and the octets before: entries are not checked,
                            // since who follows one looks at the record
};
static_assert(sizeof(Header) == 64);

template <class Granules>
std::uint32_t check_of(const Header& header, const Granules& granules,
                       const std::vector<std::uint64_t>& fences) {
  return queue::crc32c(octets_of(fences),
                       queue::crc32c(octets_of(granules), check_of_header(header)));
}

queue::result<void> write_file(queue::FileSystem& files, const std::filesystem::path& path,
                               std::initializer_list<std::span<const std::uint8_t>> pieces) {
  auto file = files.open(path, queue::FileSystem::Mode::create);
  if (!file) return std::unexpected(file.error());
  std::uint64_t offset = 0;
  for (const auto piece : pieces) {
    if (const auto written = (*file)->write(offset, piece); !written) return written;
    offset += piece.size();
  }
  return (*file)->sync();
}

}  // namespace

queue::result<void> IndexFile::write(queue::FileSystem& files, const std::filesystem::path& path,
                                     std::uint32_t journal_file, std::uint64_t epoch,
                                     std::vector<IndexEntry>& sequences,
                                     std::vector<IndexEntry>& names) {
  std::ranges::sort(sequences);
  std::ranges::sort(names);
  std::vector<Granule> granules;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const std::uint64_t number = sequences[i].key / kGranule;
    if (granules.empty() || granules.back().number != number) granules.push_back({number, i});
  }
  std::vector<std::uint64_t> fences;
  for (std::size_t i = 0; i < names.size(); i += NameTable::kPageEntries)
    fences.push_back(names[i].key);
  Header header;
  header.journal_file = journal_file;
  header.epoch = epoch;
  header.sequences = sequences.size();
  header.names = names.size();
  header.granules = granules.size();
  header.fences = fences.size();
  header.check = check_of(header, granules, fences);

  const std::filesystem::path making = path.string() + ".making";
  (void)files.remove(making);  // of a process that died over it
  const std::span<const std::uint8_t> head(reinterpret_cast<const std::uint8_t*>(&header),
                                           sizeof header);
  const auto written = write_file(
      files, making,
      {head, octets_of(sequences), octets_of(names), octets_of(granules), octets_of(fences)});
  if (!written) {
    (void)files.remove(making);  // on a full disk its octets are wanted by the journal
    return written;
  }
  return files.rename(making, path);
}

queue::result<IndexFile> IndexFile::open(queue::FileSystem& files,
                                         const std::filesystem::path& path,
                                         std::uint32_t journal_file, std::uint64_t epoch) {
  auto file = files.open(path, queue::FileSystem::Mode::read);
  if (!file) return std::unexpected(file.error());
  const std::unexpected damaged(make_error_code(queue::JournalError::damaged));
  Header header;
  std::span<std::uint8_t> head(reinterpret_cast<std::uint8_t*>(&header), sizeof header);
  const auto read = (*file)->read(0, head);
  const auto size = (*file)->size();
  if (!read || *read != sizeof header || !size || header.magic != kMagic) return damaged;
  if (header.version > kVersion) {
    return std::unexpected(make_error_code(queue::JournalError::newer_version));
  }
  if (header.version != kVersion || header.journal_file != journal_file || header.epoch != epoch) {
    return damaged;
  }
  // Each count is below the size, so that their sum cannot wrap around.
  for (const std::uint64_t count :
       {header.sequences, header.names, header.granules, header.fences}) {
    if (count > *size) return damaged;
  }
  const std::uint64_t entries = (header.sequences + header.names) * sizeof(IndexEntry);
  if (sizeof header + entries + header.granules * sizeof(Granule) +
          header.fences * sizeof(std::uint64_t) !=
      *size) {
    return damaged;
  }
  IndexFile index;
  index.sequences_ = header.sequences;
  index.granules_.resize(header.granules);
  std::vector<std::uint64_t> fences(header.fences);
  const auto granules = (*file)->read(sizeof header + entries, room_of(index.granules_));
  if (!granules || *granules != room_of(index.granules_).size()) return damaged;
  const auto fenced = (*file)->read(sizeof header + entries + *granules, room_of(fences));
  if (!fenced || *fenced != room_of(fences).size()) return damaged;
  if (header.check != check_of(header, index.granules_, fences)) return damaged;
  index.epoch_ = epoch;
  index.names_ = NameTable(sizeof header + header.sequences * sizeof(IndexEntry), header.names,
                           std::move(fences));
  index.file_ = std::move(*file);
  return index;
}

bool IndexFile::read(std::uint64_t offset, std::size_t first, std::size_t count) {
  page_.resize(count);
  const auto read = file_->read(offset + first * sizeof(IndexEntry), room_of(page_));
  return read && *read == count * sizeof(IndexEntry);
}

void IndexFile::find_sequence(std::uint64_t sequence, std::vector<std::uint64_t>& places) {
  const auto granule =
      std::ranges::lower_bound(granules_, sequence / kGranule, {}, &Granule::number);
  if (granule == granules_.end() || granule->number != sequence / kGranule) return;
  const auto next = std::next(granule);
  const std::size_t end = next == granules_.end() ? sequences_ : next->first;
  if (end < granule->first || end > sequences_) return;
  if (!read(sizeof(Header), granule->first, end - granule->first)) return;
  for (const IndexEntry& entry : std::ranges::equal_range(page_, sequence, {}, &IndexEntry::key)) {
    places.push_back(entry.at);
  }
}

}  // namespace stentor::daemon
