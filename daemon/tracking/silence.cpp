// The receipts that do not come: what a message comes to when its time and a margin have passed.
#include <algorithm>

#include "daemon/delivery/subject_here.h"
#include "daemon/records/own_outcomes.h"
#include "daemon/tracking/tracker.h"

namespace stentor::daemon {
namespace {

// How many of the index's parts each second looks at: all of them in about a minute.
constexpr std::size_t kSweepsPerSecond = Outstanding::kMaps / 64;
// As with what waits to be sent: a record that cannot be read is looked at once a minute.
constexpr std::uint64_t kSpeakAgainAfterSeconds = 60;

}  // namespace

void Tracker::await_correction(const Outstanding::Fingerprint& key, OutstandingSegment segment,
                               Moment now) {
  const std::uint64_t seconds = now.wall_ms / 1000;
  segment.is_told = 1;
  segment.expires_minute = outstanding_.minute_of(seconds + kCorrectionSeconds, seconds);
  outstanding_.put(key, segment);
}

void Tracker::on_second(Moment now) {
  sweeps_due_ = std::min(sweeps_due_ + kSweepsPerSecond, Outstanding::kMaps);
  speak_on(now);
  read_again(now);
  (void)early_.expire(now.steady);  // counted when they came
}

// A million messages may have one expiry: the carrier's links get their turns in between.
void Tracker::speak_on(Moment now) {
  const auto sink = [this, now](const Outstanding::Fingerprint& key,
                                const OutstandingSegment& segment) {
    on_silence(key, segment, now);
  };
  if (now.steady >= silence_minute_ends_) {
    silence_minute_ends_ = now.steady + kReadAgainAfter;
    silence_may_fail_ = kFailedReadsMax;
  }
  const FailedReads bounded(*this, silence_may_fail_);
  for (std::size_t left = setup_.silent_at_once; sweeps_due_ > 0 && left > 0;) {
    left -= outstanding_.take_expired(now.wall_ms / 1000, left, sink);
    if (left > 0) --sweeps_due_;  // else this part may have more
  }
}

// No receipt came in the message's time and the margin behind it.
void Tracker::on_silence(const Outstanding::Fingerprint& key, OutstandingSegment segment,
                         Moment now) {
  if (segment.is_told) {  // told long ago, and nobody knew better
    if (segment.parts > 1) parts_.give_up(segment.at);
    return;
  }
  const bool is_open = segment.parts == 1 || parts_.is_known(segment.at);
  if (!is_open) return note_silent(key, segment, State::none);  // the message is final already
  // It would speak for the part whose receipt is kept, too.
  const bool is_kept = segment.parts > 1 && unread_.has_message(segment.at);
  const auto [accepted, is_gone] = is_kept ? RecordRead{} : read(segment.at);
  if (is_gone) return;  // it was final, or its file had stayed
  if (!accepted) {
    const std::uint64_t seconds = now.wall_ms / 1000;
    segment.expires_minute = outstanding_.minute_of(seconds + kSpeakAgainAfterSeconds, seconds);
    outstanding_.put(key, segment);
    return;
  }
  // It lives longer than its minute could be set ahead.
  const std::uint64_t until = std::uint64_t{accepted->expires} + kReceiptMarginSeconds;
  if (until > now.wall_ms / 1000) {
    segment.expires_minute = outstanding_.minute_of(until, now.wall_ms / 1000);
    outstanding_.put(key, segment);
    return;
  }
  const State silence =
      accepted->receipt == ReceiptWish::failure ? State::sent_final : State::unknown;
  PartsVerdict settled{.state = silence,
                       .corrects = State::none,
                       .code = std::string(own_outcome::kNoReceipt),
                       .detail = {},
                       .is_first = false,
                       .possible_duplicate = segment.possible_duplicate != 0,
                       .has_unknown_part = false,
                       .over_as = silence == State::unknown ? State::none : silence};
  if (segment.parts > 1) settled = parts_.on_silence(segment.at, silence);
  const bool may_be_corrected =
      settled.over_as == State::none && (segment.parts == 1 || parts_.is_known(segment.at));
  if (may_be_corrected) {
    await_correction(key, segment, now);
  } else {
    note_silent(key, segment, settled.over_as);
  }
  if (settled.state == State::none) return;  // another part fell silent first
  const SubjectHere here(accepted->subject, setup_.carrier, segment.parts);
  Verdict verdict;
  verdict.of = {.accepted = segment.at,
                .subject = here.octets(),
                .time_ms = now.wall_ms,
                .state = settled.state,
                .possible_duplicate = settled.possible_duplicate,
                .has_unknown_part = settled.has_unknown_part,
                .flow = flow_of(*accepted),
                .was_sent = true};
  verdict.code = settled.code;
  const std::string detail = "no receipt came before the message expired" +
                             (settled.detail.empty() ? std::string() : "; " + settled.detail);
  verdict.detail = detail;
  outcomes_.write(verdict);
  count(settled.state, State::none);
}

}  // namespace stentor::daemon
