// Which carriers are suspended, since when and by whom: what every new journal file repeats.
//
// Units    Milliseconds of Unix time.
// Owns     One entry for each carrier of the configuration.
// Errors   None; set() before the record is written, so that a new file never knows less.
// Threads  Each carrier's shard sets, the commit thread reads at a new file, figures read: a lock
//          guards the entries. Never on the hot path.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/records/records.h"
#include "queue/record_batch.h"

namespace stentor::daemon {

struct CarrierSwitch {
  bool suspended = false;
  std::uint64_t time_ms = 0;  ///< 0: never switched
  std::string client;
};

class CarrierSwitches {
 public:
  explicit CarrierSwitches(const Config& config);

  void set(std::uint16_t carrier, CarrierSwitch to);
  [[nodiscard]] CarrierSwitch get(std::uint16_t carrier) const;
  /// One record for each carrier that was ever switched, into the first block of a new file.
  void add_to(queue::RecordBatch& preamble) const;

 private:
  struct Entry {
    std::string name;
    CarrierSwitch is;
  };
  mutable std::mutex guard_;
  std::vector<Entry> entries_;
};

}  // namespace stentor::daemon
