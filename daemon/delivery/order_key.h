// The key of messages that must be first sent in the order they were accepted.
//
// Threads  A pure function.
// Spec     docs/architecture.md, "Order"
#pragma once

#include <cstdint>
#include <string_view>

namespace stentor::daemon {

/// Equal for equal `to`, `from`, priority and campaign; different ones may collide, which costs
/// nothing but a shared bind.
[[nodiscard]] std::uint32_t order_key(std::string_view to, std::string_view from,
                                      std::string_view campaign, std::uint8_t priority) noexcept;

}  // namespace stentor::daemon
