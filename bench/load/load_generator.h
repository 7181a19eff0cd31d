// Sends requests to the daemon's socket over several connections and times the answers.
//
// With rate 0 each connection keeps its window full (closed loop). With a rate, requests fall due
// at even times whether or not earlier ones are answered, and latency counts from when a request
// fell due: a daemon that stalls cannot hide it by holding the generator back.
//
// Units    Requests; a window counts unanswered ones per connection; rate is requests per second.
// Owns     Its connections.
// Errors   A socket that cannot be connected throws std::system_error. A connection that breaks
//          leaves its requests unanswered, and the result says how many.
// Threads  run() on one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "bench/load/latency_histogram.h"
#include "bench/load/request_lines.h"

namespace stentor::load {

struct LoadSettings {
  std::string socket = "/run/stentor/stentor.sock";
  std::uint64_t messages = 0;  ///< 0: as many as the time allows
  std::chrono::nanoseconds duration{0};
  double rate = 0;  ///< over all connections; 0: as fast as the windows allow
  std::uint64_t window = 1000;
  std::uint64_t connections = 2;
  bool shows_progress = false;  ///< a line a second on standard error
  RequestSettings requests{};
};

struct LoadResult {
  std::uint64_t sent = 0;
  std::uint64_t accepted = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t unanswered = 0;
  std::map<std::string, std::uint64_t> rejected;
  LatencyHistogram latency;
  std::chrono::steady_clock::time_point began;  ///< the first request was written
  std::chrono::steady_clock::time_point ended;  ///< the last answer was read
  double cpu_seconds = 0;                       ///< of this thread

  [[nodiscard]] double seconds() const noexcept {
    return std::chrono::duration<double>(ended - began).count();
  }
};

[[nodiscard]] LoadResult run_load(const LoadSettings& settings);

}  // namespace stentor::load
