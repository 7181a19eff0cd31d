// One bind of a carrier, with what is reserved for it. Internal to delivery/.
//
// Threads  The shard's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/system_error_run.h"

namespace stentor::daemon {

/// What is picked for a full bind waits beside it, so that others' messages go on: as many to one
/// recipient keep a bind from the others' way before they stand in it. 40 KiB.
inline constexpr std::size_t kStashMax = 1024;

struct CarrierDelivery::Line {
  struct Unanswered {
    std::uint64_t batch;  ///< durable before the deliver_sm is answered
    std::uint32_t sequence_number;
    std::uint32_t epoch;
  };

  std::unique_ptr<SmscLink> link;
  Intent intent;                         ///< being collected in this turn
  std::deque<std::uint32_t> intending;   ///< slots whose intent is on its way to the disk
  std::deque<std::uint32_t> ready;       ///< slots that may be written, in order
  std::deque<queue::Lanes::Pick> stash;  ///< picked for this bind while it was full
  std::size_t reserved_segments = 0;     ///< of messages that are reserved, written or not
  std::size_t ahead_segments = 0;        ///< of those of which nothing is written yet
  bool has_taken = false;                ///< a segment, since it was bound
  SystemErrorRun system_errors;
  std::deque<Unanswered> delivers;
};

}  // namespace stentor::daemon
