// Messages of one carrier that are held in doubt, as an operator looks at them.
//
// Units    Milliseconds of Unix time.
// Owns     Its texts.
// Threads  Plain values.
// Spec     docs/protocol.md, "carrier"
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/config/uncertain_policy.h"

namespace stentor::daemon {

struct DoubtShown {
  std::string id;
  std::string ref;
  std::string client;
  std::string campaign;
  std::string to;
  std::uint64_t since_ms = 0;
  std::uint64_t until_ms = 0;  ///< then `then` is done; 0: only somebody's word ends it
  UncertainPolicy then = UncertainPolicy::hold;
  std::uint8_t parts = 1;
  std::vector<std::uint8_t> in_doubt;  ///< which of them, from 1
};

struct DoubtReport {
  std::size_t held = 0;             ///< of this carrier, in all
  std::vector<DoubtShown> longest;  ///< those held for longest
};

}  // namespace stentor::daemon
