// What a start says in the log of messages in doubt: how many, where, what is done with them, and
// for how long nobody knows.
//
// Units    Milliseconds of Unix time.
// Owns     What it answers.
// Threads  A pure function.
// Spec     docs/operations.md, "After a crash"
#pragma once

#include <cstdint>
#include <string>

#include "daemon/config/config.h"
#include "daemon/recovery/replay.h"

namespace stentor::daemon {

/// Such as "5 in doubt (north: 3 resend, 1 hold; south: 1 fail), the oldest for 4 s". No number and
/// no id; of many carriers the first eight by their place in the configuration.
[[nodiscard]] std::string in_doubt_told(const Config& config, const Replay::Report& report,
                                        std::uint64_t now_ms);

}  // namespace stentor::daemon
