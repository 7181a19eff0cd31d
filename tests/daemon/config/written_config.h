// A configuration file in a directory of its own, gone at the end of the test.
//
// Owns     The directory and what is in it.
// Errors   Throws when the file system does not let it; the test ends.
#pragma once

#include <stdlib.h>  // mkdtemp and setenv are not in <cstdlib>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace stentor::daemon {

class WrittenConfig {
 public:
  explicit WrittenConfig(std::string_view text, unsigned mode = 0600) {
    std::string pattern = (std::filesystem::temp_directory_path() / "stentor.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no directory to test in");
    dir_ = pattern;
    write("stentor.toml", text, mode);
  }
  WrittenConfig(const WrittenConfig&) = delete;
  WrittenConfig& operator=(const WrittenConfig&) = delete;
  ~WrittenConfig() {
    std::error_code ignored;  // a left-over directory under /tmp fails no test
    std::filesystem::remove_all(dir_, ignored);
  }

  std::filesystem::path write(std::string_view name, std::string_view text, unsigned mode) {
    const auto file = dir_ / name;
    std::ofstream(file) << text;
    if (::chmod(file.c_str(), mode) != 0) throw std::runtime_error("chmod failed");
    return file;
  }
  [[nodiscard]] std::filesystem::path path() const { return dir_ / "stentor.toml"; }
  [[nodiscard]] const std::filesystem::path& dir() const { return dir_; }

 private:
  std::filesystem::path dir_;
};

/// Points $CREDENTIALS_DIRECTORY at a directory for as long as it lives.
class Credentials {
 public:
  explicit Credentials(const std::filesystem::path& dir) {
    ::setenv("CREDENTIALS_DIRECTORY", dir.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  }
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
  ~Credentials() { ::unsetenv("CREDENTIALS_DIRECTORY"); }  // NOLINT(concurrency-mt-unsafe)
};

}  // namespace stentor::daemon
