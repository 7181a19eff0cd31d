// What the next start needs to know of the clock: the date, and how long the machine had been up.
//
// As long as the machine is not started anew, the time it has been up says how much has passed
// between two starts, whatever somebody sets the system's clock to meanwhile.
//
// Units    Milliseconds of Unix time, and since the machine was started, suspension included.
// Owns     The file "clock" in the state directory: one line of text.
// Errors   A note that cannot be read is none; one that cannot be written is missing at the next
//          start, which then goes by the journal's dates alone.
// Threads  Any, one at a time.
// Spec     proc_sys_kernel_random(5): boot_id; clock_gettime(2): CLOCK_BOOTTIME.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace stentor::daemon {

struct ClockNote {
  std::string boot_id;  ///< this start of the machine and no other
  std::chrono::milliseconds up{};
  std::chrono::milliseconds date{};
};

/// Of now; `date` is the caller's. Nothing where the kernel does not tell.
[[nodiscard]] std::optional<ClockNote> clock_note_now(std::chrono::milliseconds date);

[[nodiscard]] std::optional<ClockNote> read_clock_note(const std::filesystem::path& state_dir);
/// Replaces the one before. False when it could not be written.
bool write_clock_note(const std::filesystem::path& state_dir, const ClockNote& note);

/// What the date ought to be at `now`; nothing when the machine was started in between.
[[nodiscard]] std::optional<std::chrono::milliseconds> expected_date(const ClockNote& before,
                                                                     const ClockNote& now);

}  // namespace stentor::daemon
