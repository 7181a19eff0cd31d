// From intent to wire: segments of ready messages, as window and rate allow.
#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/log.h"
#include "daemon/records/own_outcomes.h"

namespace stentor::daemon {
namespace {

// Those that the carrier has taken before do not go again. False when none is left.
bool has_another_part(Sending& sending) {
  while (sending.next_part < sending.subject.parts && sending.retry.taken[sending.next_part]) {
    ++sending.next_part;
  }
  return sending.next_part < sending.subject.parts;
}

}  // namespace

void CarrierDelivery::submit_ready(TimePoint now) {
  expire_reserved();  // what was picked and planned meanwhile took its time
  const std::size_t first = longest_ready();
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    Line& line = *lines_[(first + i) % lines_.size()];
    if (line.link->may_send()) submit_line(line, now);
  }
}

// The bind whose next message was reserved before the others' begins: where the rate is not enough
// for all, the first bind would be filled and emptied again and again while the others wait.
std::size_t CarrierDelivery::longest_ready() {
  std::size_t first = 0;
  std::uint64_t earliest = UINT64_MAX;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const Line& line = *lines_[i];
    if (line.ready.empty() || !line.link->may_send()) continue;
    const std::uint64_t turn = sending(line.ready.front()).turn;
    if (turn >= earliest) continue;
    first = i;
    earliest = turn;
  }
  return first;
}

void CarrierDelivery::submit_line(Line& line, TimePoint now) {
  std::size_t room = room_of(line);
  std::uint32_t credit = pacer_.available(now);
  while (!line.ready.empty() && room > 0 && credit > 0) {
    const std::uint32_t slot = line.ready.front();
    Sending& next = sending(slot);
    if (next.stopped) {  // its refusal was answered while it stood here
      line.ready.pop_front();
      finish_when_answered(slot);
      continue;
    }
    std::uint16_t part = 0;
    if (!next.again.empty()) {
      part = next.again.front();
      next.again.erase(next.again.begin());
    } else if (has_another_part(next)) {
      part = next.next_part++;
    } else {
      line.ready.pop_front();
      finish_when_answered(slot);
      continue;
    }
    if (next.is_ahead) {
      next.is_ahead = false;
      line.ahead_segments -= next.subject.parts;
      if (throttle_.rate() != 0) schedule_pump();  // the reserve has room for the next one
    }
    if (!submit_part(line, slot, part, now)) {
      line.ready.pop_front();
      finish_when_answered(slot);
      continue;
    }
    --room;
    --credit;
    // Once it is answered its slot is another's: it may not stand here then.
    if (next.again.empty() && !has_another_part(next)) line.ready.pop_front();
  }
}

// False when our own fields do not fit: the message has failed then.
bool CarrierDelivery::submit_part(Line& line, std::uint32_t slot, std::uint16_t part,
                                  TimePoint now) {
  Sending& next = sending(slot);
  const std::uint64_t now_ms = wall_ms();
  const protocol::SubmitSm submit =
      composer_.compose(next, part, line.link->peer_version(), now_ms);
  const std::uint64_t cookie = std::uint64_t{slot} << 8 | part;
  protocol::Session& session = line.link->session();
  const auto submitted = config_.wire.by_data_sm ? session.submit_data(submit, cookie, now)
                                                 : session.submit(submit, cookie, now);
  if (!submitted) {
    next.stopped = true;
    next.refusal_code = own_outcome::kNotEncodable;
    log::error("carrier {}: a segment does not fit its submit_sm: {}", config_.name,
               submitted.error().message());
    return false;
  }
  const std::optional<std::uint32_t> sequence_number = *submitted;
  if (!sequence_number) {  // the window closed under us: the part goes again at the next turn
    next.again.insert(next.again.begin(), part);
    return true;
  }
  pacer_.take(1, now);
  ++next.in_flight;
  next.submitted_at[part] = now;
  next.sequence_numbers[part] = *sequence_number;
  ++stats_.submitted;
  const std::string_view encoding = next.plan.encoding_word();
  ++(encoding == "gsm7"   ? stats_.segments_gsm7
     : encoding == "ucs2" ? stats_.segments_ucs2
                          : stats_.segments_other);
  if (part == 0) {
    const std::uint64_t since = next.subject.id.time_ms();
    stats_.accept_to_submit.record(std::chrono::milliseconds(now_ms > since ? now_ms - since : 0));
  }
  return true;
}

}  // namespace stentor::daemon
