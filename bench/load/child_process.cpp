#include "bench/load/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

namespace stentor::load {
namespace {

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments, const std::string& log_file) {
  std::array<int, 2> ends{-1, -1};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (log_file.empty()) {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(errno, "pipe");
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  } else {
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log_file.c_str(),
                                       O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  }
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));  // spawn promises not to write
  }
  argv.push_back(nullptr);
  const int error = ::posix_spawn(&id_, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (ends[1] >= 0) ::close(ends[1]);
  output_ = ends[0];
  if (error != 0) {
    if (output_ >= 0) ::close(output_);
    fail(error, arguments.front());
  }
}

ChildProcess::~ChildProcess() {
  stop(std::chrono::seconds(0));
  if (output_ >= 0) ::close(output_);
}

bool ChildProcess::is_running() {
  if (status_) return false;
  int status = 0;
  if (::waitpid(id_, &status, WNOHANG) != id_) return true;
  status_ = status;
  return false;
}

std::optional<std::string> ChildProcess::read_line() {
  for (;;) {
    if (const std::size_t end = pending_.find('\n'); end != std::string::npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return line;
    }
    std::array<char, 4096> octets;
    const ssize_t count = ::read(output_, octets.data(), octets.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    pending_.append(octets.data(), static_cast<std::size_t>(count));
  }
}

std::optional<int> ChildProcess::stop(std::chrono::seconds within) {
  if (is_running()) ::kill(id_, SIGTERM);
  const auto until = std::chrono::steady_clock::now() + within;
  while (is_running() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (is_running()) {
    ::kill(id_, SIGKILL);
    int status = 0;
    if (::waitpid(id_, &status, 0) == id_) status_ = status;
  }
  if (!status_ || !WIFEXITED(*status_)) return std::nullopt;
  return WEXITSTATUS(*status_);
}

double cpu_seconds_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return 0;
  // The name may hold spaces, so fields count from behind its bracket: utime is the 14th, stime
  // the 15th of all (proc(5)), the name the second.
  std::istringstream rest(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) rest >> skipped;
  double user = 0;
  double system = 0;
  rest >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::uint64_t memory_of(pid_t process, const char* name) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  const std::string wanted = std::string(name) + ":";
  for (std::string word; file >> word;) {
    if (word != wanted) continue;
    std::uint64_t kibibytes = 0;
    file >> kibibytes;
    return kibibytes * 1024;
  }
  return 0;
}

}  // namespace stentor::load
