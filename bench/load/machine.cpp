#include "bench/load/machine.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <thread>
#include <utility>

namespace stentor::load {
namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace

std::string file_system_of(const std::filesystem::path& path) {
  // statfs(2) lists them; these are the ones that state is likely to live on.
  constexpr std::array<std::pair<long, const char*>, 6> kKnown{{{0xef53, "ext4"},
                                                                {0x58465342, "xfs"},
                                                                {0x9123683e, "btrfs"},
                                                                {0x01021994, "tmpfs"},
                                                                {0x794c7630, "overlay"},
                                                                {0x2fc12fc1, "zfs"}}};
  struct statfs system{};
  if (::statfs(path.c_str(), &system) != 0) return "unknown";
  const auto* const found = std::find_if(kKnown.begin(), kKnown.end(), [&](const auto& known) {
    return known.first == system.f_type;
  });
  return found == kKnown.end() ? fmt::format("{:#x}", system.f_type) : found->second;
}

void add_machine(Report& report, const std::filesystem::path& state) {
  utsname names{};
  ::uname(&names);
  report.text("processor", processor());
  report.count("cores", std::thread::hardware_concurrency());
  report.text("kernel", names.release);
  report.text("state on", file_system_of(state));
}

}  // namespace stentor::load
