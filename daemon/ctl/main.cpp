// stentorctl: the daemon's local socket from the command line.
#include <unistd.h>

#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "daemon/ctl/command_line.h"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return stentor::ctl::run(arguments, {.in = &std::cin,
                                         .out = &std::cout,
                                         .err = &std::cerr,
                                         .on_terminal = ::isatty(STDOUT_FILENO) == 1});
  } catch (const std::exception& why) {  // memory, or a fault of ours
    std::cerr << "stentorctl: " << why.what() << '\n';
    return 1;
  }
}
