// The command line of stentorctl: reads it, runs the command, says how it went.
//
// Errors   Everything ends in an exit status: 0 well, 1 refused, 2 usage, 3 no daemon.
// Threads  One thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/ctl/commands.h"

namespace stentor::ctl {

/// `arguments` without the program's name.
[[nodiscard]] int run(const std::vector<std::string>& arguments, const Surroundings& around);

}  // namespace stentor::ctl
