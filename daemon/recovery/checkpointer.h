// Makes checkpoints in the background, from sealed journal files, so that a start need not read the
// history; verifies the history that this start has not read; and carries live messages out of
// files that retention wants to go. It asks nothing of those who deliver: it reads what they wrote.
// Files that go are in a checkpoint first: a start behind them knows what may still be corrected by
// a late receipt.
//
// Units    Octets.
// Owns     Its thread, the checkpoints' files, and the carried excerpts'.
// Errors   A checkpoint that cannot be made is made later: recovery then reads more journal. What
//          cannot be carried stays where it is, and is tried again after kCarryAgain: the disk
//          keeps more than retention says. While no checkpoint can be made retention waits for
//          none. The first failure of a row is told through on_trouble and on_carry_trouble. Damage
//          in the history is told through on_damage: from then on no checkpoint is made and nothing
//          carried, and the next start reads all of it, and refuses.
// Threads  start(), stop() and stats() from any thread; the rest on its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "daemon/commit/commit_thread.h"
#include "daemon/recovery/carried_files.h"
#include "daemon/recovery/checkpoint_files.h"
#include "queue/file_system.h"

namespace stentor::daemon {

struct CheckpointerStats {
  std::uint64_t made = 0;
  std::uint64_t failed = 0;
  std::uint64_t octets = 0;   ///< of the newest
  std::uint32_t before = 0;   ///< the first journal file that the newest says nothing of
  std::uint64_t carried = 0;  ///< excerpts of live messages
  std::uint64_t carries_failed = 0;
  std::uint32_t unverified = 0;  ///< files of the history that nobody has read since the start
  bool is_damaged = false;       ///< a block of the history does not verify, or does not read
};

/// One carrying out that the journal knows of.
struct Carried {
  CarriedFile excerpt;
  std::chrono::milliseconds took{};
};

class Checkpointer {
 public:
  struct Options {
    /// How much journal a start may have to read behind its checkpoint.
    std::uint64_t every_octets = 256u << 20;
    std::chrono::milliseconds guard{};  ///< how long references of final messages are kept
    /// Asked on its thread: references before this place are on disk by themselves.
    std::function<queue::Locator()> references_from{};
  };

  /// `newest` is what recovery began with. Before the commit thread is started.
  Checkpointer(queue::FileSystem& files, std::filesystem::path journal, CommitThread& commit,
               Options options, std::optional<Checkpoint> newest);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  void set_on_trouble(std::function<void(std::string)> on_trouble) {
    on_trouble_ = std::move(on_trouble);
  }
  struct Damage {
    std::string where;        ///< file, offset and what is wrong there
    bool is_refused = false;  ///< by the next start; else the disk did not give the octets now
  };
  void set_on_damage(std::function<void(const Damage&)> on_damage) {
    on_damage_ = std::move(on_damage);
  }
  void set_on_carry_trouble(std::function<void(std::string)> on_trouble) {
    on_carry_trouble_ = std::move(on_trouble);
  }
  /// Called on its thread between its works: for what may have to wait for the disk.
  void set_on_turn(std::function<void()> on_turn) { on_turn_ = std::move(on_turn); }
  void set_on_carried(std::function<void(const Carried&)> on_carried) {
    on_carried_ = std::move(on_carried);
  }
  void start();
  /// Ends a checkpoint in making, which is then as if it had not been begun.
  void stop();
  [[nodiscard]] CheckpointerStats stats() const;

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  [[nodiscard]] std::optional<std::uint32_t> due_before() const;
  [[nodiscard]] std::uint32_t known_before() const;
  void hold();
  void make(std::uint32_t before);
  void verify_some();
  void on_unverified(std::uint32_t file, std::error_code why);
  void look_at_carrying();
  void carry(const CarryWanted& wanted);
  [[nodiscard]] bool is_complete(std::uint32_t before, std::uint64_t messages);
  [[nodiscard]] bool has_room(const CarryWanted& wanted);
  void tell_carry_trouble(const std::string& why);
  void begin_pace();
  [[nodiscard]] bool pace(std::uint64_t octets);
  [[nodiscard]] bool sleep(Clock::duration pause);

  queue::FileSystem& files_;
  const std::filesystem::path journal_;
  CommitThread& commit_;
  CheckpointFiles checkpoints_;
  CarriedFiles carried_;
  const Options options_;
  std::optional<Checkpoint> newest_;
  FilePin& pin_;  // files that no checkpoint knows
  std::function<void(std::string)> on_trouble_;
  bool is_troubled_ = false;
  std::function<void(const Damage&)> on_damage_;
  std::function<void()> on_turn_;
  bool is_distrusted_ = false;
  std::uint32_t next_unverified_ = 0;  // files from here up to verified_before_ nobody has read
  std::uint32_t verified_before_ = 0;
  std::function<void(std::string)> on_carry_trouble_;
  std::function<void(const Carried&)> on_carried_;
  bool is_carry_troubled_ = false;
  bool is_lacking_ = false;
  Clock::time_point next_carry_{};
  Clock::time_point make_again_{};
  std::optional<std::uint32_t> kept_carried_;  // the excerpt that was left when others were removed
  std::uint64_t unpaced_octets_ = 0;
  Clock::time_point working_since_{};

  std::mutex guard_;
  std::condition_variable wake_;
  bool stopping_ = false;
  mutable std::mutex shown_;
  CheckpointerStats stats_;
  std::thread thread_;
};

}  // namespace stentor::daemon
