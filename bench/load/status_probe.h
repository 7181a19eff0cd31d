// Asks a running daemon for its status, and keeps asking from a thread of its own to find out when
// each stage was done.
//
// Units    Messages.
// Owns     A connection to the daemon's socket; DaemonFollower a thread.
// Errors   A daemon that cannot be asked, or answers nothing that can be read: std::runtime_error
//          from ask(); a follower keeps what it saw last.
// Threads  StatusProbe: one thread. DaemonFollower: any; it locks.
// Spec     docs/protocol.md, "status".
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace stentor::load {

struct DaemonStatus {
  std::uint64_t accepted = 0;
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t finished = 0;  ///< whatever the verdict
  std::uint64_t live = 0;
  std::uint64_t commits = 0;
  std::uint64_t journal_octets = 0;
  std::uint64_t bound = 0;  ///< binds that are up, over all carriers
};

class StatusProbe {
 public:
  explicit StatusProbe(const std::string& socket);
  ~StatusProbe();
  StatusProbe(const StatusProbe&) = delete;
  StatusProbe& operator=(const StatusProbe&) = delete;

  [[nodiscard]] DaemonStatus ask();

 private:
  int socket_;
  std::string pending_;
};

class DaemonFollower {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Asks every `every`: what it finds is late by at most that.
  DaemonFollower(const std::string& socket, std::chrono::milliseconds every);
  ~DaemonFollower();
  DaemonFollower(const DaemonFollower&) = delete;
  DaemonFollower& operator=(const DaemonFollower&) = delete;

  struct Sight {
    DaemonStatus status;
    TimePoint sent_changed;       ///< when `sent` was last seen to grow
    TimePoint finished_changed;   ///< when `finished` was
    double finished_at_most = 0;  ///< a second: how fast `finished` grew in its busiest second
    std::string failure;          ///< why it stopped asking; empty while it asks
  };
  [[nodiscard]] Sight sight();
  /// Waits until `accepted` messages are known and none is live; false when nothing has moved for
  /// `patience`, or the daemon is gone.
  [[nodiscard]] bool wait_until_finished(std::uint64_t accepted, std::chrono::seconds patience);

 private:
  void follow(const std::stop_token& stop);
  void note_second(std::uint64_t finished, TimePoint now);

  StatusProbe probe_;
  std::chrono::milliseconds every_;
  std::mutex lock_;
  std::condition_variable_any changed_;
  Sight sight_;
  TimePoint second_began_;
  std::uint64_t finished_then_ = 0;  // when the second began
  std::jthread thread_;              // last: it ends before what it uses
};

}  // namespace stentor::load
