// What stands in a lane for one waiting message: its place in the journal and little more.
//
// Units    `expires` is a step of time whose length and beginning are the caller's, who asks in the
//          same what has expired. `key` is a hash of the order key.
// Threads  A plain value of 16 octets: ten million waiting messages are 160 MB.
#pragma once

#include <cstdint>

#include "queue/locator.h"

namespace stentor::queue {

struct Ticket {
  Locator at;                 ///< its accepted record
  std::uint32_t expires = 0;  ///< not sent at or after this step
  std::uint32_t key = 0;      ///< equal for messages that must keep their order
};
static_assert(sizeof(Ticket) == 16);

/// Served in this order; `bulk` keeps a guaranteed share (lanes.h).
enum class Priority : std::uint8_t { urgent, normal, bulk };
inline constexpr std::size_t kPriorities = 3;

/// Who competes within one priority: stentor gives each campaign, or each client without one, a
/// number of its own.
using Flow = std::uint32_t;

}  // namespace stentor::queue
