// What is counted of one target of HTTP callbacks.
//
// Threads  A plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace stentor::daemon {

struct CallbackFigures {
  std::string client;
  std::string target;
  std::uint64_t posted = 0;  ///< events the other end has taken
  std::uint64_t failed = 0;  ///< requests
  std::uint64_t dead = 0;    ///< events given up
  std::uint64_t unread = 0;  ///< stretches of the journal that could not be read for it
  std::size_t waiting = 0;   ///< events in the window
  std::string last_error;
};

}  // namespace stentor::daemon
