// What the configuration says of how a carrier's messages are delivered: statuses, retries,
// limits, rewriting.
//
// Units    Rates are segments per second; times std::chrono.
// Owns     Its texts.
// Threads  Plain values.
// Spec     docs/configuration.md, "Delivery"
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stentor::daemon {

/// What becomes of a segment that got a status of this class.
enum class StatusClass : std::uint8_t {
  throttle,    ///< too fast: the carrier's rate falls, no attempt is charged
  queue_full,  ///< full over there: the rate falls further, no attempt is charged
  temporary,   ///< again after a pause, a bounded number of times
  unknown,     ///< likewise, but few times: it says little
  bind,        ///< the bind or the account is wrong: bind again, charged from the second time on
  doubt,       ///< the carrier may have taken it all the same: as when its answer is lost
  permanent    ///< the message will not pass there: the only one without a retry
};
inline constexpr std::size_t kRetryClasses = 6;  // all before `permanent`

struct StatusOverlay {
  std::uint32_t command_status = 0;
  StatusClass is = StatusClass::temporary;
  std::string code;  ///< the word upstream sees; empty: the class's own
};

/// How often and how long a message that was refused for now is tried again. Each class counts its
/// own refusals and its own time.
struct RetryRule {
  std::uint32_t attempts = 0;  ///< in all, the first included; 0: no limit
  std::vector<std::chrono::seconds>
      pauses{};                    ///< before attempts 2, 3, …; the last one repeats; none: 1 s
  std::chrono::seconds within{0};  ///< since its first refusal by the class; 0: until it expires
};

struct RetryConfig {
  /// The first pauses catch a hiccup, the last ones an outage.
  RetryRule temporary{
      .attempts = 9,
      .pauses = {std::chrono::seconds(2), std::chrono::seconds(5), std::chrono::seconds(15),
                 std::chrono::seconds(60), std::chrono::seconds(300), std::chrono::seconds(900),
                 std::chrono::seconds(1800), std::chrono::seconds(3600)}};
  /// Carriers invent statuses; one we do not know is not worth more than a few attempts.
  RetryRule unknown{.attempts = 3, .pauses = {std::chrono::seconds(2), std::chrono::seconds(5)}};
  /// Of a message whose own destination is full: from its second refusal on, since by the first it
  /// only waits in its line. A handset that is off for days empties its queue in the end, so that
  /// only the message's lifetime ends it.
  RetryRule queue_full{
      .attempts = 0,
      .pauses = {std::chrono::seconds(5), std::chrono::seconds(15), std::chrono::seconds(60)}};
  /// Without attempts and pauses, as here, a throttled message waits in its line, and the carrier's
  /// rate is what paces it. With either it steps aside for a pause, uncharged, as of a full queue.
  RetryRule throttle{};
  /// From the second time on: the first new bind is not the message's to pay for. One that two
  /// binds refuse is like one that is refused for now: as `temporary` says, where nothing else is.
  RetryRule bind = temporary;
  /// Of a message whose answers are lost, or leave it open whether it was taken: each attempt may
  /// be a copy on a handset. As `temporary` says, where nothing else is, so that a carrier that is
  /// silent gets no more of them than one that refuses.
  RetryRule doubt = temporary;
};

/// At most `rate` segments a second of what matches; exactly one of `sender` and `prefix` is given.
struct RateLimit {
  std::string sender;  ///< as upstream writes it; a `*` at its end matches any rest
  std::string prefix;  ///< of the destination: digits
  std::uint32_t rate = 0;
};

/// A number that begins with `from` is written with `to` instead.
struct Rewrite {
  std::string from;                 ///< digits, without `+`
  std::string to;                   ///< digits; may be empty
  std::optional<bool> is_national;  ///< what comes out is a national number; empty: by its form
};

}  // namespace stentor::daemon
