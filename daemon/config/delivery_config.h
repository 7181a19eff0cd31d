// What the configuration says of how a carrier's messages are delivered: statuses, retries,
// limits, rewriting.
//
// Units    Rates are segments per second; times std::chrono.
// Owns     Its texts.
// Threads  Plain values.
// Spec     docs/configuration.md, "Delivery"
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace stentor::daemon {

/// What becomes of a segment that got a status of this class.
enum class StatusClass : std::uint8_t {
  throttle,    ///< too fast: the carrier's rate falls, no attempt is charged
  queue_full,  ///< full over there: the rate falls further, no attempt is charged
  temporary,   ///< again after a pause, a bounded number of times
  permanent,   ///< the message will not pass there
  doubt,       ///< the carrier may have taken it all the same: as when its answer is lost
  bind         ///< the bind or the account is wrong: bind again, charged from the second time on
};

struct StatusOverlay {
  std::uint32_t command_status = 0;
  StatusClass is = StatusClass::temporary;
  std::string code;  ///< the word upstream sees; empty: the class's own
};

/// How often and how long a message that was refused for now is tried again.
struct RetryRule {
  std::uint32_t attempts = 0;                  ///< in all, the first included; 0: no limit
  std::vector<std::chrono::seconds> pauses{};  ///< before attempts 2, 3, …; the last one repeats
  std::chrono::seconds within{0};              ///< since its first refusal; 0: until it expires
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
  /// Of a message whose own destination is full; the pauses charge no attempt.
  RetryRule queue_full{
      .pauses = {std::chrono::seconds(5), std::chrono::seconds(15), std::chrono::seconds(60)}};
  RetryRule throttle{};  ///< `within` only: the rate is what paces it
};

/// At most `rate` segments a second of what matches; exactly one of `sender` and `prefix` is given.
struct RateLimit {
  std::string sender;  ///< as upstream writes it; a `*` at its end matches any rest
  std::string prefix;  ///< of the destination: digits
  std::uint32_t rate = 0;
};

/// A number that begins with `from` is written with `to` instead.
struct Rewrite {
  std::string from;          ///< digits, without `+`
  std::string to;            ///< digits; may be empty
  std::optional<bool> is_national;  ///< what comes out is a national number; empty: by its form
};

}  // namespace stentor::daemon
