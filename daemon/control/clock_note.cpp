#include "daemon/control/clock_note.h"

#include <fmt/format.h>

#include <ctime>
#include <fstream>
#include <system_error>

namespace stentor::daemon {
namespace {

using std::chrono::milliseconds;

std::filesystem::path note_in(const std::filesystem::path& state_dir) {
  return state_dir / "clock";
}

}  // namespace

std::optional<ClockNote> clock_note_now(milliseconds date) {
  ClockNote note;
  note.date = date;
  std::ifstream kernel("/proc/sys/kernel/random/boot_id");
  timespec up{};
  if (!(kernel >> note.boot_id) || clock_gettime(CLOCK_BOOTTIME, &up) != 0) return std::nullopt;
  note.up = std::chrono::duration_cast<milliseconds>(std::chrono::seconds(up.tv_sec) +
                                                     std::chrono::nanoseconds(up.tv_nsec));
  return note;
}

std::optional<ClockNote> read_clock_note(const std::filesystem::path& state_dir) {
  std::ifstream file(note_in(state_dir));
  ClockNote note;
  milliseconds::rep up = 0;
  milliseconds::rep date = 0;
  if (!(file >> note.boot_id >> up >> date)) return std::nullopt;
  note.up = milliseconds(up);
  note.date = milliseconds(date);
  return note;
}

// Not synced: when it is lost with the machine's power, the machine is started anew as well.
bool write_clock_note(const std::filesystem::path& state_dir, const ClockNote& note) {
  const auto path = note_in(state_dir);
  auto making = path;
  making += ".making";
  {
    std::ofstream file(making, std::ios::trunc);
    file << fmt::format("{} {} {}\n", note.boot_id, note.up.count(), note.date.count());
    if (!file.flush()) return false;
  }
  std::error_code failed;
  std::filesystem::rename(making, path, failed);
  return !failed;
}

std::optional<milliseconds> expected_date(const ClockNote& before, const ClockNote& now) {
  if (before.boot_id != now.boot_id || now.up < before.up) return std::nullopt;
  return before.date + (now.up - before.up);
}

}  // namespace stentor::daemon
