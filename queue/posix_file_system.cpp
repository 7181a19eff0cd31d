#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <climits>
#include <utility>

#include "queue/file_system.h"
#include "queue/uring_ring.h"

namespace stentor::queue {
namespace {

// Only the owner reads messages and phone numbers.
constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;

std::unexpected<std::error_code> failed(int error) {
  // A file-size limit and a quota are a full disk to those above: no room here, now.
  if (error == EFBIG || error == EDQUOT) error = ENOSPC;
  return std::unexpected(std::error_code(error, std::generic_category()));
}

/// Repeats a call that a signal has cut short.
template <class Call>
auto retried(Call&& call) {
  while (true) {
    const auto answer = call();
    if (answer >= 0 || errno != EINTR) return answer;
  }
}

class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  [[nodiscard]] int get() const noexcept { return number_; }

 private:
  int number_;
};

/// Takes `octets` off the front of `pieces` from `first` on; answers the new first piece.
std::size_t advance(std::vector<iovec>& pieces, std::size_t first, std::size_t octets) {
  while (octets > 0) {
    iovec& piece = pieces[first];
    const std::size_t step = std::min(octets, piece.iov_len);
    piece.iov_base = static_cast<std::uint8_t*>(piece.iov_base) + step;
    piece.iov_len -= step;
    octets -= step;
    if (piece.iov_len == 0) ++first;
  }
  return first;
}

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::shared_ptr<UringRing> ring)
      : descriptor_(std::move(descriptor)), ring_(std::move(ring)) {}

  result<void> write_durable(std::uint64_t offset,
                             std::span<const std::span<const std::uint8_t>> pieces) override {
    pieces_.clear();
    for (const auto piece : pieces) {
      if (piece.empty()) continue;
      pieces_.push_back({const_cast<std::uint8_t*>(piece.data()), piece.size()});
    }
    std::size_t first = 0;
    if (ring_ && !pieces_.empty() && pieces_.size() <= IOV_MAX) {
      const auto written = ring_->write_durable(descriptor_.get(), pieces_, offset);
      if (!written) return failed(written.error().value());
      first = advance(pieces_, 0, *written);
      if (first == pieces_.size()) return {};
      offset += *written;  // cut short and not synced: the rest goes the plain way
    }
    while (first < pieces_.size()) {
      const auto count = static_cast<int>(std::min<std::size_t>(pieces_.size() - first, IOV_MAX));
      const ssize_t written = retried([&] {
        return ::pwritev(descriptor_.get(), &pieces_[first], count, static_cast<off_t>(offset));
      });
      if (written < 0) return failed(errno);
      if (written == 0) return failed(ENOSPC);  // no progress and no reason: do not spin
      offset += static_cast<std::uint64_t>(written);
      first = advance(pieces_, first, static_cast<std::size_t>(written));
    }
    if (::fdatasync(descriptor_.get()) != 0) return failed(errno);  // never tried twice
    return {};
  }

  result<void> write(std::uint64_t offset, std::span<const std::uint8_t> octets) override {
    while (!octets.empty()) {
      const ssize_t written = retried([&] {
        return ::pwrite(descriptor_.get(), octets.data(), octets.size(),
                        static_cast<off_t>(offset));
      });
      if (written < 0) return failed(errno);
      if (written == 0) return failed(ENOSPC);
      offset += static_cast<std::uint64_t>(written);
      octets = octets.subspan(static_cast<std::size_t>(written));
    }
    return {};
  }

  result<std::size_t> read(std::uint64_t offset, std::span<std::uint8_t> octets) override {
    std::size_t got = 0;
    while (got < octets.size()) {
      const ssize_t count = retried([&] {
        return ::pread(descriptor_.get(), &octets[got], octets.size() - got,
                       static_cast<off_t>(offset + got));
      });
      if (count < 0) return failed(errno);
      if (count == 0) break;
      got += static_cast<std::size_t>(count);
    }
    return got;
  }

  result<void> allocate(std::uint64_t octets) override {
    const int answer =
        retried([&] { return ::fallocate(descriptor_.get(), 0, 0, static_cast<off_t>(octets)); });
    if (answer == 0) return {};
    if (errno != EOPNOTSUPP) return failed(errno);
    // A file system without reservation: the size at least is there, and the zeros take the space.
    if (::ftruncate(descriptor_.get(), static_cast<off_t>(octets)) != 0) return failed(errno);
    return {};
  }

  result<void> truncate(std::uint64_t octets) override {
    if (retried([&] { return ::ftruncate(descriptor_.get(), static_cast<off_t>(octets)); }) != 0) {
      return failed(errno);
    }
    return {};
  }

  result<void> sync() override {
    if (::fsync(descriptor_.get()) != 0) return failed(errno);  // never tried twice
    return {};
  }

  result<std::uint64_t> size() override {
    struct stat status{};
    if (::fstat(descriptor_.get(), &status) != 0) return failed(errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

 private:
  Descriptor descriptor_;
  std::shared_ptr<UringRing> ring_;
  std::vector<iovec> pieces_;  // kept, so that a commit allocates nothing
};

class PosixFileSystem final : public FileSystem {
 public:
  explicit PosixFileSystem(std::shared_ptr<UringRing> ring) : ring_(std::move(ring)) {}

  result<std::unique_ptr<File>> open(const Path& path, Mode mode) override {
    int flags = O_CLOEXEC | O_NOFOLLOW;
    switch (mode) {
      case Mode::read: flags |= O_RDONLY; break;
      case Mode::write: flags |= O_RDWR; break;
      case Mode::create: flags |= O_RDWR | O_CREAT | O_EXCL; break;
    }
    return opened(path, flags, ring_);
  }

  result<void> rename(const Path& from, const Path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return failed(errno);
    return {};
  }

  result<void> remove(const Path& path) override {
    if (::unlink(path.c_str()) != 0) return failed(errno);
    return {};
  }

  result<void> make_directory(const Path& path) override {
    if (::mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST) return failed(errno);
    return {};
  }

  result<void> sync_directory(const Path& path) override {
    auto directory = opened(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, nullptr);
    if (!directory) return std::unexpected(directory.error());
    return (*directory)->sync();
  }

  result<std::vector<std::string>> list(const Path& directory) override {
    DIR* stream = ::opendir(directory.c_str());
    if (stream == nullptr) return failed(errno);
    std::vector<std::string> names;
    int error = 0;
    while (true) {
      errno = 0;
      // The stream is ours alone, and glibc's readdir is safe on separate streams.
      const dirent* entry = ::readdir(stream);  // NOLINT(concurrency-mt-unsafe)
      if (entry == nullptr) {
        error = errno;
        break;
      }
      std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(std::move(name));
    }
    ::closedir(stream);
    if (error != 0) return failed(error);
    return names;
  }

  result<std::uint64_t> free_octets(const Path& directory) override {
    struct statvfs status{};
    if (::statvfs(directory.c_str(), &status) != 0) return failed(errno);
    return std::uint64_t{status.f_bavail} * status.f_frsize;
  }

  result<std::unique_ptr<File>> lock(const Path& directory) override {
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return failed(errno);
    auto file = std::make_unique<PosixFile>(Descriptor(descriptor), nullptr);
    // The lock is the open directory's: it goes with the process, however that ends.
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return std::unexpected(make_error_code(JournalError::locked));
      return failed(errno);
    }
    return file;
  }

 private:
  static result<std::unique_ptr<File>> opened(const Path& path, int flags,
                                              const std::shared_ptr<UringRing>& ring) {
    const int descriptor = retried([&] { return ::open(path.c_str(), flags, kFileMode); });
    if (descriptor < 0) return failed(errno);
    return std::make_unique<PosixFile>(Descriptor(descriptor), ring);
  }

  std::shared_ptr<UringRing> ring_;  // one for all files: a journal writes one file at a time
};

}  // namespace

result<std::unique_ptr<FileSystem>> make_posix_file_system(IoBackend backend) {
  std::shared_ptr<UringRing> ring;
  if (backend != IoBackend::threads) {
    auto made = UringRing::make();
    if (made) {
      ring = std::move(*made);
    } else if (backend == IoBackend::uring) {
      return std::unexpected(made.error());
    }
  }
  return std::make_unique<PosixFileSystem>(std::move(ring));
}

}  // namespace stentor::queue
