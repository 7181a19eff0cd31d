#include "daemon/recovery/state_origin.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sodium/crypto_auth_hmacsha256.h>
#include <sodium/utils.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>

#include "daemon/config/file_text.h"
#include "daemon/descriptor.h"

namespace stentor::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTitle = "stentor-origin 1";
constexpr std::string_view kUnknown = "-";
constexpr std::size_t kMachineIdDigits = 32;  // machine-id(5)
constexpr std::size_t kFileOctetsMax = 256;   // three short lines; more is something else
constexpr long kXfs = 0x58465342;             // XFS_SB_MAGIC; linux/magic.h leaves it out
constexpr std::array kKeepInodes = {long{EXT4_SUPER_MAGIC}, long{BTRFS_SUPER_MAGIC}, kXfs,
                                    long{F2FS_SUPER_MAGIC}};

fs::path file_in(const fs::path& state_dir) {
  return state_dir / "origin";
}

std::string why(const fs::path& path, int error) {
  return fmt::format("{}: {}", path.string(), std::generic_category().message(error));
}

// What else is known of the id is derived from it likewise, so that none leads to another
// (machine-id(5)).
std::string derive_id(std::string_view machine_id) {
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> derived{};
  std::array<unsigned char, crypto_auth_hmacsha256_KEYBYTES> key{};
  std::ranges::copy(machine_id.substr(0, key.size()), key.begin());
  crypto_auth_hmacsha256(derived.data(), reinterpret_cast<const unsigned char*>(kTitle.data()),
                         kTitle.size(), key.data());
  std::string hex(2 * derived.size() + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), derived.data(), derived.size());
  hex.pop_back();
  return hex;
}

// "KEY VALUE" of the next line, or nothing.
std::expected<std::string, bool> value_of(std::istream& lines, std::string_view key) {
  std::string line;
  if (!std::getline(lines, line) || !line.starts_with(key) || line.size() <= key.size() + 1 ||
      line[key.size()] != ' ') {
    return std::unexpected(false);
  }
  return line.substr(key.size() + 1);
}

}  // namespace

MachineMarks MachineMarks::of(const fs::path& state_dir) {
  MachineMarks marks;
  std::string machine_id;
  std::ifstream file("/etc/machine-id");
  // A container without one has an empty file, or "uninitialized".
  if (std::getline(file, machine_id) && machine_id.size() == kMachineIdDigits) {
    marks.id = derive_id(machine_id);
  }
  struct statfs system{};
  marks.keeps_inodes = ::statfs(state_dir.c_str(), &system) == 0 &&
                       std::ranges::find(kKeepInodes, long{system.f_type}) != kKeepInodes.end();
  return marks;
}

std::expected<StateOrigin, std::string> origin_of(const fs::path& state_dir,
                                                  const MachineMarks& marks) {
  const fs::path path = file_in(state_dir);
  const auto file = config_file::read_file_text(path, kFileOctetsMax);
  if (!file && file.error() == std::errc::no_such_file_or_directory) return StateOrigin::unclaimed;
  const bool is_too_long = !file && file.error() == std::errc::file_too_large;
  if (!file && !is_too_long) return std::unexpected(why(path, file.error().value()));
  std::istringstream lines(is_too_long ? std::string() : file->text);
  std::string title;
  if (!std::getline(lines, title) || title != kTitle) {
    return std::unexpected(
        fmt::format("{}: not understood; does a newer version own this state?", path.string()));
  }
  const auto machine = value_of(lines, "machine");
  const auto inode = value_of(lines, "file");
  if (!machine || !inode) {
    return std::unexpected(fmt::format("{}: is damaged", path.string()));
  }
  const bool knows_machine = *machine != kUnknown && !marks.id.empty();
  if (knows_machine && *machine != marks.id) return StateOrigin::other_machine;
  const bool knows_file = *inode != kUnknown && marks.keeps_inodes;
  if (knows_file && *inode != std::to_string(file->inode)) return StateOrigin::copied;
  return StateOrigin::own;
}

std::expected<void, std::string> claim_state(const fs::path& state_dir, const MachineMarks& marks) {
  const fs::path path = file_in(state_dir);
  const fs::path making = path.string() + ".new";
  const auto failed = [&making] { return std::unexpected(why(making, errno)); };
  ::unlink(making.c_str());  // of a start that was cut off
  const Descriptor file(::open(making.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  struct stat is{};
  if (file.get() < 0 || ::fstat(file.get(), &is) != 0) return failed();
  const std::string text = fmt::format(
      "{}\nmachine {}\nfile {}\n", kTitle, marks.id.empty() ? kUnknown : std::string_view(marks.id),
      marks.keeps_inodes ? std::to_string(is.st_ino) : std::string(kUnknown));
  const ssize_t written = ::write(file.get(), text.data(), text.size());
  if (written >= 0 && written != static_cast<ssize_t>(text.size())) errno = ENOSPC;
  if (written != static_cast<ssize_t>(text.size()) || ::fsync(file.get()) != 0) return failed();
  if (::rename(making.c_str(), path.c_str()) != 0) return failed();
  const Descriptor directory(::open(state_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) {
    return std::unexpected(why(state_dir, errno));
  }
  return {};
}

}  // namespace stentor::daemon
