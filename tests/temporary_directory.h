// A directory of a test's own.
//
// Owns     The directory and what is in it, to the end of the test.
// Errors   Throws when there is none to be had; the test ends. What cannot be removed stays, and
//          fails no test.
// Threads  One.
#pragma once

#include <stdlib.h>  // mkdtemp is not in <cstdlib>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace stentor::test {

/// For who removes it himself. Short, since a socket's path has 107 octets.
[[nodiscard]] inline std::filesystem::path make_temporary_directory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "stentor.XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no directory to test in");
  return pattern;
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_(make_temporary_directory()) {}
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace stentor::test
