// All parts of stentord, in the order they come alive and are put to rest.
//
// Units    std::chrono.
// Owns     Every thread and every part.
// Errors   What keeps it from starting throws std::runtime_error with a line that says why. run()
//          returns the process's exit status.
// Threads  Constructed and run on the main thread, which is the control thread: metrics, signals,
//          watchdog.
// Spec     docs/architecture.md; sd_notify(3)
#pragma once

#include <memory>
#include <stdexcept>

#include "daemon/config/config.h"

namespace stentor::daemon {

/// What a copied state is started as (docs/operations.md, "A copy of the state").
enum class Adoption : std::uint8_t {
  none,   ///< not at all: a copy is refused
  moved,  ///< its original is gone and had stopped before
  copy,   ///< its original may have sent since what waits here
};

struct StartWish {
  bool salvage = false;  ///< of a damaged journal
  Adoption adopt = Adoption::none;
};

class Daemon {
 public:
  Daemon(Config config, StartWish wish);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Serves until SIGTERM or SIGINT, drains, stops. 0 after an orderly stop.
  [[nodiscard]] int run();

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

/// Thrown when recovery refuses the journal.
struct JournalRefused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The journal could not be recovered: starting again would change nothing (systemd is told by
/// RestartPreventExitStatus).
inline constexpr int kExitJournalRefused = 3;
/// A write or fsync failed: the next start verifies and goes on.
inline constexpr int kExitJournalFailed = 4;

}  // namespace stentor::daemon
