#include "daemon/optout/opt_out_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>
#include <vector>

#include "daemon/failpoints/failpoint.h"
#include "queue/checksum.h"
#include "queue/error.h"

namespace stentor::daemon {
namespace {

constexpr std::array<std::uint8_t, 8> kMagic{'S', 'T', 'E', 'N', 'T', 'O', 'R', 'O'};
constexpr std::size_t kWriteOctets = 256u << 10;

std::error_code last_error() {
  return {errno, std::generic_category()};
}

std::filesystem::path making(const std::filesystem::path& path) {
  return path.string() + ".making";
}

}  // namespace

std::expected<std::unique_ptr<OptOutFileWriter>, std::error_code> OptOutFileWriter::create(
    const std::filesystem::path& path, queue::Locator begun_at) {
  const int fd =
      ::open(making(path).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) return std::unexpected(last_error());
  return std::unique_ptr<OptOutFileWriter>(new OptOutFileWriter(path, fd, begun_at));
}

OptOutFileWriter::OptOutFileWriter(std::filesystem::path path, int fd, queue::Locator begun_at)
    : path_(std::move(path)), fd_(fd) {
  buffer_.raw(kMagic);
  buffer_.u32(kOptOutFileVersion);
  buffer_.u64(begun_at.bits());
}

OptOutFileWriter::~OptOutFileWriter() {
  if (fd_ >= 0) ::close(fd_);
}

void OptOutFileWriter::add(const OptedOut& entry) {
  entry_.clear();
  entry_.text(entry.number);
  entry_.text(entry.sender);
  entry_.text(entry.client);
  entry_.u32(entry.since);
  entry_.u8(static_cast<std::uint8_t>(entry.by));
  buffer_.block(entry_.octets());
  if (buffer_.size() >= kWriteOctets) write_out();
}

void OptOutFileWriter::write_out() {
  checksum_ = queue::crc32c(buffer_.octets(), checksum_);
  auto rest = buffer_.octets();
  while (!rest.empty() && !failed_) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) failed_ = last_error();
    if (written > 0) rest = rest.subspan(static_cast<std::size_t>(written));
  }
  buffer_.clear();
}

std::error_code OptOutFileWriter::finish() {
  buffer_.block({});
  write_out();
  buffer_.u32(checksum_);
  write_out();
  if (!failed_ && ::fsync(fd_) != 0) failed_ = last_error();
  ::close(std::exchange(fd_, -1));
  failpoint(Failpoint::opt_out_before_rename);
  if (!failed_ && ::rename(making(path_).c_str(), path_.c_str()) != 0) failed_ = last_error();
  if (failed_) return failed_;
  failpoint(Failpoint::opt_out_after_rename);
  const int directory = ::open(path_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return last_error();
  if (::fsync(directory) != 0) failed_ = last_error();
  ::close(directory);
  return failed_;
}

std::expected<queue::Locator, std::error_code> read_opt_out_file(
    const std::filesystem::path& path, const std::function<void(const OptedOut&)>& see) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    if (error) return std::unexpected(error);
    return queue::Locator{};
  }
  std::ifstream file(path, std::ios::binary);
  std::vector<std::uint8_t> octets{std::istreambuf_iterator<char>(file),
                                   std::istreambuf_iterator<char>()};
  const std::unexpected bad(std::make_error_code(std::errc::bad_message));
  if (!file || octets.size() < kMagic.size() + 2 * sizeof(std::uint32_t)) return bad;
  const std::span<const std::uint8_t> all(octets);
  const auto covered = all.first(all.size() - sizeof(std::uint32_t));
  FieldReader end(all.last(sizeof(std::uint32_t)));
  if (end.u32() != queue::crc32c(covered)) return bad;
  if (!std::equal(kMagic.begin(), kMagic.end(), covered.begin())) return bad;
  FieldReader in(covered.subspan(kMagic.size()));
  const std::uint32_t version = in.u32();
  if (version > kOptOutFileVersion) {
    return std::unexpected(make_error_code(queue::JournalError::newer_version));
  }
  if (version != kOptOutFileVersion) return bad;
  const queue::Locator begun_at(in.u64());
  while (in.is_good()) {
    FieldReader entry(in.block());
    if (entry.is_at_end()) break;
    OptedOut out;
    out.number = entry.text();
    out.sender = entry.text();
    out.client = entry.text();
    out.since = entry.u32();
    out.by = static_cast<OptOutBy>(entry.u8());
    if (!entry.is_good()) return bad;
    see(out);
  }
  if (!in.is_good() || !in.is_at_end()) return bad;
  return begun_at;
}

}  // namespace stentor::daemon
