// How a command ends, and how it says why it did not go well.
//
// Errors   Failure is the error of every expected here: one line for the user and an exit status.
// Threads  Plain values.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace stentor::ctl {

/// The exit status is a contract with scripts.
enum class Exit : std::uint8_t {
  ok = 0,
  refused = 1,      ///< the daemon said no, or what was waited for went wrong
  usage = 2,        ///< the command line, or a file it names, is wrong
  unreachable = 3,  ///< no daemon, or it went away in the middle
};

struct Failure {
  Exit exit = Exit::refused;
  std::string what;  ///< follows "stentorctl: "
};

template <class T>
using result = std::expected<T, Failure>;

[[nodiscard]] inline std::unexpected<Failure> failed(Exit exit, std::string what) {
  return std::unexpected(Failure{.exit = exit, .what = std::move(what)});
}

}  // namespace stentor::ctl
