// A whole rehearsal: starts the simulator and the daemon, drives load through them, follows every
// message to its end, and reports what that took.
//
// Owns     The processes it starts and, unless one is named, the state directory it makes: both
//          are gone when it returns.
// Errors   std::runtime_error says which program failed, with the end of its log.
// Threads  run_end_to_end() on one thread; it starts a follower.
#pragma once

#include <cstdint>
#include <string>

#include "bench/load/load_generator.h"
#include "bench/load/report.h"

namespace stentor::load {

struct EndToEndSettings {
  std::string programs;   ///< folder of stentord and stentor-smsc
  std::string state_dir;  ///< empty: a new one under $TMPDIR or /tmp, removed at the end
  std::uint64_t binds = 1;
  std::uint64_t window = 1000;  ///< of each bind
  bool receipts = true;
  std::string receipt_delay = "0ms";
  std::string receipts_after = "0ms";
  std::string latency = "0ms";
  std::string journal_io;  ///< empty: the daemon's own choice
  std::string queue_memory;
  bool keeps_state = false;
  bool drains_waiting = false;  ///< after waiting: start the carrier and deliver it all
  bool reads_events = false;    ///< a consumer reads and acknowledges all events meanwhile
  bool replays_events = false;  ///< afterwards, a consumer reads all events from the oldest on
  bool waits_only = false;      ///< no carrier while messages are accepted
  LoadSettings load;
};

[[nodiscard]] Report run_end_to_end(const EndToEndSettings& settings);

}  // namespace stentor::load
