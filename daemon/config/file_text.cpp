#include "daemon/config/file_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/descriptor.h"

namespace stentor::daemon::config_file {
namespace {

std::unexpected<std::error_code> failed(int number) {
  return std::unexpected(std::error_code(number, std::system_category()));
}

}  // namespace

std::expected<FileText, std::error_code> read_file_text(const std::filesystem::path& file,
                                                        std::size_t octets_max) {
  // O_NONBLOCK: opening a FIFO without a writer would wait for one.
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.get() < 0) return failed(errno);

  struct stat seen{};
  if (::fstat(descriptor.get(), &seen) != 0) return failed(errno);
  if (S_ISDIR(seen.st_mode)) return failed(EISDIR);
  if (!S_ISREG(seen.st_mode)) return failed(EINVAL);

  FileText result;
  result.inode = seen.st_ino;
  result.mode = seen.st_mode & 07777U;
  result.open_to_others = (seen.st_mode & (S_IRGRP | S_IROTH)) != 0;
  // One octet past the bound tells "just fits" from "too long" without trusting st_size.
  result.text.resize(octets_max + 1);
  std::size_t filled = 0;
  while (filled < result.text.size()) {
    const ssize_t count =
        ::read(descriptor.get(), result.text.data() + filled, result.text.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(errno);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  if (filled > octets_max) return failed(EFBIG);
  result.text.resize(filled);
  return result;
}

}  // namespace stentor::daemon::config_file
