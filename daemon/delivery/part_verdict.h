// Says in words which parts of a long message a refusal left out.
//
// Threads  A pure function.
#pragma once

#include <string>

#include "daemon/delivery/sending.h"

namespace stentor::daemon {

/// "command_status 0x00000045", and for a message of several parts which one got it, which the
/// carrier has taken and which never went: "…, part 2 of 3; taken: 1; not sent: 3".
[[nodiscard]] std::string refusal_told(const Sending& refused);

}  // namespace stentor::daemon
