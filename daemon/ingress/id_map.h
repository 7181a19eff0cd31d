// Which users and groups of the machine this process can tell apart.
//
// Inside a user namespace (a rootless container, PrivateUsers= of systemd) the kernel shows every
// user that the namespace does not map as the same one, the overflow uid; so with groups.
//
// Owns     Its ranges.
// Threads  A plain value.
// Spec     user_namespaces(7); credentials(7)
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace stentor::daemon {

class IdMap {
 public:
  /// kernel.overflowuid and overflowgid as every kernel has them; ProcSubset=pid hides the sysctl.
  static constexpr std::uint32_t kOverflow = 65534;

  /// Of a text as /proc/self/uid_map has it. Of none, such as without /proc, all but the overflow
  /// id counts as known.
  explicit IdMap(std::string_view text);

  /// Nobody is hidden: the overflow id is an account of its own, nobody's.
  [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }
  /// Whether `id` is one account, and not whoever is not mapped.
  [[nodiscard]] bool tells(std::uint32_t id) const noexcept;

 private:
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges_;  ///< first, count
  bool is_whole_ = false;
};

struct IdMaps {
  IdMap users;
  IdMap groups;

  [[nodiscard]] static IdMaps of_this_process();
};

}  // namespace stentor::daemon
