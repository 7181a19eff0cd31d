// What a campaign's owner wants done with what waits of it, and what a carrier says of that.
//
// Units    Messages.
// Threads  Plain values: made on the ingress thread, obeyed on each shard's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "queue/locator.h"
#include "queue/ticket.h"

namespace stentor::daemon {

/// How a flow stands from now on: the whole of it, so that obeying twice is obeying once.
struct FlowOrder {
  queue::Flow flow = 0;
  bool is_paused = false;
  std::uint16_t weight = 1;
  queue::Locator cancelled_before;  ///< what was accepted before it and waits is cancelled
  bool has_rate = false;            ///< goes by shares (flow_shares.h)
  std::string moved_to;             ///< a carrier
  queue::Locator moved_before;      ///< what was accepted before it and waits elsewhere goes there

  [[nodiscard]] bool asks_for_nothing() const noexcept {
    return !is_paused && weight == 1 && cancelled_before.is_nowhere() && !has_rate &&
           moved_before.is_nowhere();
  }
};

/// What keeps a flow's messages at one carrier, the first that applies.
enum class FlowLimit : std::uint8_t {
  nothing,  ///< none waits there
  paused,
  moving,  ///< to another carrier
  link_down,
  suspended,
  stuck,  ///< the carrier is bound, and answers nothing
  throttled,
  scheduled,  ///< all that wait are waiting for a time: a retry, not_before, hours
  order,      ///< all that wait stand behind earlier ones of their order, in retry or in doubt
  limit,      ///< all that wait come under a limit of their sender or prefix
  campaign_rate,
  rate,  ///< the carrier's
  window
};
[[nodiscard]] std::string_view word_of(FlowLimit limit) noexcept;

struct FlowAtCarrier {
  std::string carrier;
  std::uint64_t ready = 0;      ///< may go as soon as its turn comes
  std::uint64_t scheduled = 0;  ///< waits for a time
  std::uint64_t reserved = 0;   ///< promised to a bind: not touched by a pause
  std::uint64_t in_doubt = 0;   ///< held until somebody says what became of it
  FlowLimit limit = FlowLimit::nothing;

  [[nodiscard]] std::uint64_t waiting() const noexcept { return ready + scheduled + in_doubt; }
};

}  // namespace stentor::daemon
