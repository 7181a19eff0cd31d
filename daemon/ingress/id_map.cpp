#include "daemon/ingress/id_map.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>

namespace stentor::daemon {
namespace {

std::string text_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

IdMap::IdMap(std::string_view text) {
  std::istringstream lines{std::string(text)};
  std::uint32_t inside = 0;
  std::uint32_t outside = 0;
  std::uint32_t count = 0;
  while (lines >> inside >> outside >> count) ranges_.emplace_back(inside, count);
  // All ids but the last, which is no id: what the first namespace has.
  is_whole_ = ranges_.size() == 1 && ranges_.front().first == 0 &&
              ranges_.front().second == std::numeric_limits<std::uint32_t>::max();
}

bool IdMap::tells(std::uint32_t id) const noexcept {
  if (is_whole_) return true;
  if (id == kOverflow) return false;
  return ranges_.empty() || std::ranges::any_of(ranges_, [id](const auto& range) {
           return id >= range.first && id - range.first < range.second;
         });
}

IdMaps IdMaps::of_this_process() {
  return {.users = IdMap(text_of("/proc/self/uid_map")),
          .groups = IdMap(text_of("/proc/self/gid_map"))};
}

}  // namespace stentor::daemon
