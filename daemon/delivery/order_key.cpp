#include "daemon/delivery/order_key.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace stentor::daemon {

std::uint32_t order_key(std::string_view to, std::string_view from, std::string_view campaign,
                        std::uint8_t priority) noexcept {
  std::uint64_t hash = priority;
  for (const std::string_view text : {to, from, campaign}) {
    hash = XXH3_64bits_withSeed(text.data(), text.size(), hash);
  }
  return static_cast<std::uint32_t>(hash >> 32);
}

}  // namespace stentor::daemon
