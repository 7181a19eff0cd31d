#include <string>

#include "queue/checksum.h"
#include "queue/spill_io.h"

namespace stentor::queue {
namespace {

constexpr std::string_view kEnding = ".spill";

std::error_code perform_on(File& file, SpillJob& job) {
  switch (job.kind) {
    case SpillJob::Kind::write: {
      job.checksum = crc32c(*job.octets);
      const auto written = file.write(job.offset, *job.octets);
      return written ? std::error_code() : written.error();
    }
    case SpillJob::Kind::read: {
      const auto got = file.read(job.offset, *job.octets);
      if (!got) return got.error();
      const bool is_whole = *got == job.octets->size() && crc32c(*job.octets) == job.checksum;
      return is_whole ? std::error_code() : std::make_error_code(std::errc::io_error);
    }
    case SpillJob::Kind::clear: {
      const auto cleared = file.truncate(0);
      return cleared ? std::error_code() : cleared.error();
    }
  }
  return {};
}

}  // namespace

void remove_spill_files(FileSystem& files, const std::filesystem::path& directory) {
  const auto names = files.list(directory);
  if (!names) return;  // there is none yet
  for (const std::string& name : *names) {
    // One that stays makes its writes fail later, and that is told.
    if (name.ends_with(kEnding)) (void)files.remove(directory / name);
  }
}

SpillFiles::SpillFiles(FileSystem& files, std::filesystem::path directory)
    : files_(files), directory_(std::move(directory)) {}

SpillFiles::~SpillFiles() {
  for (const auto& [number, file] : open_) (void)files_.remove(path_of(number));
}

std::filesystem::path SpillFiles::path_of(std::uint32_t file) const {
  return directory_ / (std::to_string(file) + std::string(kEnding));
}

result<File*> SpillFiles::file_of(std::uint32_t file) {
  const auto known = open_.find(file);
  if (known != open_.end()) return known->second.get();
  if (!is_made_) {
    if (auto made = files_.make_directory(directory_); !made) return std::unexpected(made.error());
    is_made_ = true;
  }
  auto opened = files_.open(path_of(file), FileSystem::Mode::create);
  if (!opened) return std::unexpected(opened.error());
  return open_.emplace(file, std::move(*opened)).first->second.get();
}

void SpillFiles::perform(SpillJob& job) {
  const auto file = file_of(job.file);
  job.error = file ? perform_on(**file, job) : file.error();
}

}  // namespace stentor::queue
