#include "daemon/config/shared_accounts.h"

#include <fmt/format.h>

#include <map>
#include <tuple>

namespace stentor::daemon {
namespace {

// It stands in the log at each start: ten show what is meant.
constexpr std::size_t kNamedMax = 10;

}  // namespace

std::vector<std::string> shared_accounts(const std::vector<CarrierConfig>& carriers) {
  using Account = std::tuple<std::string, std::uint16_t, std::string>;
  std::vector<std::string> said;
  std::size_t more = 0;
  std::map<Account, const CarrierConfig*> seen;
  for (const CarrierConfig& carrier : carriers) {
    bool is_told = false;
    for (const HostPort& host : carrier.hosts) {
      const auto [at, is_first] =
          seen.try_emplace({host.host, host.port, carrier.system_id}, &carrier);
      if (is_first || at->second == &carrier || is_told) continue;
      is_told = true;
      if (said.size() == kNamedMax) {
        ++more;
        break;
      }
      said.push_back(fmt::format(
          "carriers \"{}\" and \"{}\" bind with one account, {} at {}:{}: a receipt or reply of "
          "one may be given to the other",
          at->second->name, carrier.name, carrier.system_id, host.host, host.port));
    }
  }
  if (more > 0) said.push_back(fmt::format("{} more carriers share an account so", more));
  return said;
}

}  // namespace stentor::daemon
