// What is counted of messages from handsets, by carrier.
//
// Threads  A plain value.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stentor::daemon {

struct ReplyStats {
  std::uint64_t parts = 0;            ///< deliver_sm and data_sm from handsets
  std::uint64_t messages = 0;         ///< told upstream
  std::uint64_t repeated = 0;         ///< parts that had come before
  std::uint64_t incomplete = 0;       ///< told without the parts that never came
  std::uint64_t stops_unmatched = 0;  ///< wishes for no more messages that no send fits
  std::size_t unfinished = 0;
};

}  // namespace stentor::daemon
