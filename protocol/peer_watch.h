// Decides when to ask whether the peer lives, and when to believe that it does not.
//
// Four things are told apart. A peer is *quiet* when nothing at all comes. A request is *overdue*
// when other octets come but its response does not. A PDU is *slow* when it began and
// does not get whole. And octets may lie *unread* in our own socket while our thread was busy: that
// is never the peer's fault.
//
//   quiet for enquire_after                     -> enquire
//   quiet for response_within with a request    -> give up, but only kReadGrace after we noticed:
//     of ours waiting                              in between the socket was read once more
//   a submit_sm older than response_within      -> enquire; a response to that enquire_link proves
//     while octets keep coming                     that the missing one was not sent before it, as
//                                                  the stream keeps its order: give up then
//   an enquire_link without response while      -> enquire once more, then give up
//     octets keep coming
//   a PDU not whole response_within after its  -> give up after the same grace: an octet a second
//     first octet                                 would hold a bind that carries nothing for ever
//
// Units    Time is std::chrono::steady_clock.
// Owns     Nothing.
// Threads  One at a time.
// Spec     SMPP 3.4 section 2.9 (timers), 4.11 (enquire_link).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "protocol/session.h"

namespace stentor::protocol {

/// From noticing silence to acting on it. Long enough for an event loop that was blocked to read
/// its sockets, too short to matter beside response_within.
inline constexpr std::chrono::milliseconds kReadGrace{100};

class PeerWatch {
 public:
  enum class Step : std::uint8_t { none, enquire, give_up };
  using Oldest = std::optional<TimePoint>;  ///< when the oldest unanswered request was sent

  PeerWatch(std::chrono::milliseconds enquire_after, std::chrono::milliseconds response_within)
      : enquire_after_(enquire_after), response_within_(response_within) {}

  /// Octets came, whatever they say.
  void on_heard(TimePoint now) noexcept;
  /// Whether the octets so far end within a PDU, and whether that one began with the latest.
  void on_frame(bool is_open, bool is_new, TimePoint now) noexcept;
  void on_reading(bool is_reading, TimePoint now) noexcept;
  [[nodiscard]] bool is_reading() const noexcept { return is_reading_; }
  /// An enquire_link was queued, as a step asked for.
  void on_asked(TimePoint now) noexcept;
  /// It was answered. give_up when that proves a request unanswered in time.
  [[nodiscard]] Step on_answered(Oldest oldest) noexcept;

  [[nodiscard]] Step on_time(TimePoint now, Oldest oldest) noexcept;
  /// The earliest time at which on_time may have something to say. `oldest` may be too early.
  [[nodiscard]] TimePoint deadline(Oldest oldest) const noexcept;

 private:
  [[nodiscard]] std::optional<TimePoint> quiet_until(Oldest oldest) const noexcept;
  [[nodiscard]] TimePoint next_of(Oldest oldest) const noexcept;

  std::chrono::milliseconds enquire_after_;
  std::chrono::milliseconds response_within_;
  TimePoint heard_at_;
  TimePoint resumed_at_;                       // when reading last began anew
  std::optional<TimePoint> asked_at_;          // set while an enquire_link waits
  std::uint8_t asks_ = 0;                      // how many in a row without a response
  std::optional<TimePoint> noticed_at_;        // silence seen, grace running
  std::optional<TimePoint> frame_since_;       // a PDU began then and is not whole
  std::optional<TimePoint> frame_noticed_at_;  // that it is slow, grace running
  bool is_reading_ = true;
};

}  // namespace stentor::protocol
