// How fast a carrier takes submit_sm: a client that does nothing but keep one window full.
//
// Timed      from the first submit_sm written to the last response read, over one connection.
// Not timed  connecting, binding.
// Threads    run_ceiling() on one thread.
#pragma once

#include <cstdint>
#include <string>

#include "bench/load/report.h"

namespace stentor::load {

struct CeilingSettings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 2775;
  std::string system_id = "stentor";
  std::string password = "secret";
  std::uint64_t messages = 3'000'000;
  std::uint64_t window = 2000;
  bool asks_for_receipts = false;
};

/// Throws std::runtime_error when the carrier refuses the bind or goes away.
[[nodiscard]] Report run_ceiling(const CeilingSettings& settings);

}  // namespace stentor::load
