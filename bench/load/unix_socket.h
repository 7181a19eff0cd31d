// Connects to a Unix stream socket.
//
// Errors   std::system_error, with the path.
// Threads  Pure function.
#pragma once

#include <string>

namespace stentor::load {

/// A connected, blocking descriptor that the caller closes.
[[nodiscard]] int connect_to(const std::string& path);

}  // namespace stentor::load
