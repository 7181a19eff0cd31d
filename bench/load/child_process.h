// A program that was started here and is stopped here.
//
// Owns     The process: the destructor kills and reaps it. Its standard output goes to a pipe or a
//          file.
// Errors   A program that cannot be started throws std::system_error.
// Threads  One thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace stentor::load {

class ChildProcess {
 public:
  /// Standard output and error go to `log_file`, or, when it is empty, standard output to a pipe
  /// that read_line() reads.
  ChildProcess(const std::vector<std::string>& arguments, const std::string& log_file);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t id() const noexcept { return id_; }
  [[nodiscard]] bool is_running();
  /// The next line of its output, without the newline; nothing at its end.
  [[nodiscard]] std::optional<std::string> read_line();
  /// SIGTERM, then SIGKILL when it has not ended `within` that. Answers its exit status, or
  /// nothing when a signal ended it.
  std::optional<int> stop(std::chrono::seconds within);

 private:
  pid_t id_ = -1;
  int output_ = -1;
  std::string pending_;
  std::optional<int> status_;  ///< as waitpid tells it
};

/// User and system time so far; 0 when there is no such process.
[[nodiscard]] double cpu_seconds_of(pid_t process);
/// A line of /proc/PID/status in octets, for example "VmHWM"; 0 when there is none.
[[nodiscard]] std::uint64_t memory_of(pid_t process, const char* name);

}  // namespace stentor::load
