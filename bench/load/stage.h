// The programs of a rehearsal, set up around one state directory: the configuration, the daemon,
// the simulator.
//
// Owns     The directory (removed with the stage unless it was named or is to be kept) and the
//          processes.
// Errors   std::runtime_error, with the end of the daemon's log where that helps.
// Threads  One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "bench/load/child_process.h"
#include "bench/load/end_to_end.h"

namespace stentor::load {

/// What the simulator counted, told at its end.
struct CarrierTotals {
  std::uint64_t submit_sm = 0;
  std::uint64_t receipts_acknowledged = 0;
  std::uint64_t window_peak = 0;
  double cpu_seconds = 0;
};

class Stage {
 public:
  explicit Stage(const EndToEndSettings& settings);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// On a port chosen once, so that it can come late or again.
  void start_carrier();
  [[nodiscard]] CarrierTotals stop_carrier();
  /// Returns once it is ready and, `with_binds`, bound: answers how long that took.
  std::chrono::nanoseconds start_daemon(bool with_binds);
  /// Its exit status, as text where it is not 0.
  [[nodiscard]] std::string stop_daemon();

  [[nodiscard]] const std::string& socket() const noexcept { return socket_; }
  [[nodiscard]] std::uint16_t metrics_port() const noexcept { return metrics_port_; }
  [[nodiscard]] ChildProcess& daemon() { return *daemon_; }
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  /// The last lines of the daemon's log.
  [[nodiscard]] std::string log_end() const;

 private:
  void write_configuration() const;

  EndToEndSettings settings_;
  std::filesystem::path folder_;
  bool removes_folder_;
  std::string socket_;
  std::uint16_t smsc_port_;
  std::uint16_t metrics_port_;
  std::unique_ptr<ChildProcess> carrier_;
  std::unique_ptr<ChildProcess> daemon_;
};

}  // namespace stentor::load
