#include "protocol/peer_watch.h"

#include <algorithm>

namespace stentor::protocol {

namespace {
constexpr std::uint8_t kAsksMax = 2;  // the second one excuses a backlog in our own socket
}

void PeerWatch::on_heard(TimePoint now) noexcept {
  heard_at_ = now;
  noticed_at_.reset();
}

void PeerWatch::on_frame(bool is_open, bool is_new, TimePoint now) noexcept {
  if (is_open && !is_new && frame_since_) return;
  frame_noticed_at_.reset();
  frame_since_.reset();
  if (is_open) frame_since_ = now;
}

void PeerWatch::on_reading(bool is_reading, TimePoint now) noexcept {
  if (is_reading == is_reading_) return;
  is_reading_ = is_reading;
  if (!is_reading) return;
  resumed_at_ = now;
  heard_at_ = now;
  noticed_at_.reset();
  frame_noticed_at_.reset();
  if (frame_since_) frame_since_ = now;
}

void PeerWatch::on_asked(TimePoint now) noexcept {
  asked_at_ = now;
  ++asks_;
}

PeerWatch::Step PeerWatch::on_answered(Oldest oldest) noexcept {
  const bool is_proof = asked_at_ && oldest && *asked_at_ >= *oldest + response_within_;
  asked_at_.reset();
  asks_ = 0;
  return is_proof ? Step::give_up : Step::none;
}

std::optional<TimePoint> PeerWatch::quiet_until(Oldest oldest) const noexcept {
  if (!oldest && !asked_at_) return std::nullopt;
  const TimePoint waiting_since =
      std::min(oldest.value_or(TimePoint::max()), asked_at_.value_or(TimePoint::max()));
  return std::max(heard_at_, waiting_since) + response_within_;
}

PeerWatch::Step PeerWatch::on_time(TimePoint now, Oldest oldest) noexcept {
  if (!is_reading_) return Step::none;
  if (frame_since_ && now >= *frame_since_ + response_within_) {
    if (!frame_noticed_at_) frame_noticed_at_ = now;
    if (now >= *frame_noticed_at_ + kReadGrace) return Step::give_up;
  }
  if (const auto until = quiet_until(oldest); until && now >= *until) {
    if (!noticed_at_) noticed_at_ = now;
    return now >= *noticed_at_ + kReadGrace ? Step::give_up : Step::none;
  }
  if (asked_at_) {
    if (now < std::max(*asked_at_, resumed_at_) + response_within_) return Step::none;
    return asks_ < kAsksMax ? Step::enquire : Step::give_up;
  }
  if (oldest && now >= std::max(*oldest, resumed_at_) + response_within_) return Step::enquire;
  return now >= heard_at_ + enquire_after_ ? Step::enquire : Step::none;
}

TimePoint PeerWatch::deadline(Oldest oldest) const noexcept {
  if (!is_reading_) return TimePoint::max();
  const TimePoint next = next_of(oldest);
  if (!frame_since_) return next;
  return std::min(
      next, frame_noticed_at_ ? *frame_noticed_at_ + kReadGrace : *frame_since_ + response_within_);
}

TimePoint PeerWatch::next_of(Oldest oldest) const noexcept {
  if (noticed_at_) return *noticed_at_ + kReadGrace;
  TimePoint earliest = quiet_until(oldest).value_or(TimePoint::max());
  if (asked_at_) return std::min(earliest, std::max(*asked_at_, resumed_at_) + response_within_);
  if (oldest) earliest = std::min(earliest, std::max(*oldest, resumed_at_) + response_within_);
  return std::min(earliest, heard_at_ + enquire_after_);
}

}  // namespace stentor::protocol
