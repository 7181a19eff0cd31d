// A configuration file in a directory of its own, gone at the end of the test.
//
// Owns     The directory and what is in it.
// Errors   Throws when the file system does not let it; the test ends.
#pragma once

#include <stdlib.h>  // setenv is not in <cstdlib>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/temporary_directory.h"

namespace stentor::daemon {

class WrittenConfig {
 public:
  explicit WrittenConfig(std::string_view text, unsigned mode = 0600) {
    write("stentor.toml", text, mode);
  }

  std::filesystem::path write(std::string_view name, std::string_view text, unsigned mode) {
    const auto file = dir() / name;
    std::ofstream(file) << text;
    if (::chmod(file.c_str(), mode) != 0) throw std::runtime_error("chmod failed");
    return file;
  }
  [[nodiscard]] std::filesystem::path path() const { return dir() / "stentor.toml"; }
  [[nodiscard]] const std::filesystem::path& dir() const { return directory_.path(); }

 private:
  stentor::test::TemporaryDirectory directory_;
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
