#include "daemon/newer_file.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kVersionAt = 8;

}  // namespace

NewerFile look_at_newer(queue::FileSystem& files, const std::filesystem::path& path,
                        std::uint32_t known) {
  NewerFile newer{.name = path.filename().string(), .version = 0, .known = known};
  const auto file = files.open(path, queue::FileSystem::Mode::read);
  if (!file) return newer;
  std::array<std::uint8_t, sizeof newer.version> octets{};
  const auto read = (*file)->read(kVersionAt, octets);
  if (read && *read == octets.size()) std::memcpy(&newer.version, octets.data(), octets.size());
  return newer;
}

std::string to_string(const NewerFile& file) {
  return fmt::format("{}: format {}, while this program knows up to {}", file.name, file.version,
                     file.known);
}

}  // namespace stentor::daemon
