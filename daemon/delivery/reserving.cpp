// From lane to intent: which message goes next, on which bind, and the promise on disk before it.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/delivery/coding.h"
#include "daemon/ingress/number.h"
#include "daemon/wall_clock.h"
#include "protocol/address.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

// What is picked for a full bind waits beside it, so that others' messages go on; a few dozen show
// whether the lane holds anything for another bind.
constexpr std::size_t kStashMax = 64;
// One turn of the loop reserves at most this many, so that answers are read in between.
constexpr std::size_t kReserveAtOnce = 1024;
// A record that cannot be read now may be readable later; nothing else can be done about it.
constexpr std::uint64_t kUnreadableRetryMs = 60'000;

std::uint64_t stir(std::uint64_t value) {  // splitmix64: enough to spread keys over binds
  value += 0x9e3779b97f4a7c15ull;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
  value = (value ^ value >> 27) * 0x94d049bb133111ebull;
  return value ^ value >> 31;
}

protocol::Numbering numbering_for(std::string_view kept, const std::optional<TonNpi>& configured) {
  if (configured) return {.ton = configured->ton, .npi = configured->npi};
  return protocol::numbering_of(protocol::form_of(kept));
}

}  // namespace

// Window and reserve together: what may be in doubt after a crash.
std::size_t CarrierDelivery::reserve_limit() const {
  const std::size_t window = config_.window;
  const std::uint32_t rate = throttle_.rate();
  const std::size_t of_rate = std::max<std::size_t>(1, rate / 20);  // 50 ms of it
  return window + (rate == 0 ? window : std::min(window, of_rate));
}

// Rendezvous hash over the binds that can send: a recipient keeps its bind while links are healthy,
// and loses it alone when its link goes.
CarrierDelivery::Line* CarrierDelivery::line_for(const queue::Ticket& ticket) {
  Line* best = nullptr;
  std::uint64_t best_weight = 0;
  for (const auto& line : lines_) {
    if (!line->link->may_send()) continue;
    const std::uint64_t weight = stir(std::uint64_t{ticket.key} << 16 | line->link->number());
    if (best == nullptr || weight > best_weight) {
      best = line.get();
      best_weight = weight;
    }
  }
  return best;
}

void CarrierDelivery::reserve() {
  const std::size_t limit = reserve_limit();
  const auto has_room = [limit](const Line& line) {
    return line.link->may_send() && line.reserved_segments < limit;
  };
  const auto seconds = static_cast<std::uint32_t>(wall_clock_ms() / 1000);
  std::size_t stashed = 0;
  for (const auto& line : lines_) {
    while (!line->stash.empty() && has_room(*line)) {
      if (line->stash.front().ticket.expires <= seconds || is_dead(line->stash.front())) {
        end_due_or_cancelled(line->stash.front());
      } else if (!reserve_one(line->stash.front(), *line, limit)) {
        break;
      }
      line->stash.pop_front();
    }
    stashed += line->stash.size();
  }
  for (std::size_t i = 0; i < kReserveAtOnce; ++i) {
    if (stashed >= kStashMax) return;  // a bind that gets room pumps again
    if (std::ranges::none_of(lines_, [&](const auto& line) { return has_room(*line); })) return;
    if (services_.feed.is_full()) return;  // the disk is behind: on_durable pumps again
    const auto pick = lanes_.pop();
    if (!pick) return;
    if (pick->ticket.expires <= seconds || is_dead(*pick)) {
      end_due_or_cancelled(*pick);
      continue;
    }
    Line& line = *line_for(pick->ticket);
    // Behind those that wait for the same bind: order holds.
    if (!has_room(line) || !line.stash.empty() || !reserve_one(*pick, line, limit)) {
      line.stash.push_back(*pick);
      ++stashed;
    }
  }
  if (lanes_.has_ready()) schedule_pump();
}

// False when all its segments do not fit below the limit: the caller keeps it. A message longer
// than the limit goes alone.
bool CarrierDelivery::reserve_one(const queue::Lanes::Pick& pick, Line& line, std::size_t limit) {
  const std::uint32_t slot = open_slot();
  Sending& next = sending(slot);
  next.link = line.link->number();
  if (!load(pick, next)) {
    next.subject.parts = 0;
    close_slot(slot);
    return true;  // it is final, or put off
  }
  if (line.reserved_segments > 0 && line.reserved_segments + next.subject.parts > limit) {
    if (next.retry.is_worth_keeping()) {
      retries_[pick.ticket.at.bits()] = std::move(next.retry);
    }
    next.subject.parts = 0;
    close_slot(slot);
    return false;
  }
  line.reserved_segments += next.subject.parts;
  line.intent.sequences.push_back(next.subject.id.sequence());
  line.intending.push_back(slot);
  return true;
}

// Reads and plans the message. False when it is final or put off instead.
bool CarrierDelivery::load(const queue::Lanes::Pick& pick, Sending& next) {
  next.pick = pick;
  const auto record = services_.reader.read(pick.ticket.at);
  if (!record) {
    ++stats_.records_unreadable;
    if (stats_.records_unreadable <= 10) {  // a broken disk says so for each of its messages
      spdlog::error("carrier {}: a waiting message cannot be read: {}", config_.name,
                    record.error().message());
    }
    retry_later(pick, wall_clock_ms() + kUnreadableRetryMs);
    return false;
  }
  next.record.assign(record->payload.begin(), record->payload.end());
  const auto accepted = decode_accepted(next.record);
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject) {
    ++stats_.records_unreadable;
    spdlog::error("carrier {}: a waiting message does not decode", config_.name);
    retry_later(pick, wall_clock_ms() + kUnreadableRetryMs);
    return false;
  }
  next.accepted = *accepted;
  next.subject = *subject;
  if (const auto retry = retries_.find(pick.ticket.at.bits()); retry != retries_.end()) {
    next.retry = std::move(retry->second);
    retries_.erase(retry);
  }
  next.content = content_of(next.accepted);
  auto plan = MessagePlan::make(next.content, config_, 255);
  // It was planned when it was accepted; only a changed configuration can make it fail, or cut it
  // otherwise than the parts already sent.
  if (!plan || plan->parts() != subject->parts) {
    if (plan && next.retry.taken.empty()) {
      next.subject.parts = static_cast<std::uint8_t>(plan->parts());
    } else {
      fail(next, "not_encodable", "the carrier's alphabet changed");
      return false;
    }
  }
  next.plan = std::move(*plan);
  next.retry.taken.resize(next.subject.parts, false);
  next.taken = static_cast<std::uint16_t>(std::ranges::count(next.retry.taken, true));
  next.submitted_at.resize(next.subject.parts);
  next.source = to_wire(next.subject.from);
  next.destination = to_wire(next.subject.to);
  next.source_numbering = numbering_for(next.subject.from, config_.source);
  next.destination_numbering = numbering_for(next.subject.to, config_.destination);
  if (next.accepted.to_short_code && !config_.destination) {
    next.destination_numbering = protocol::numbering_of(protocol::AddressForm::short_code);
  }
  return true;
}

// A message that waited goes no further.
void CarrierDelivery::end_waiting(const queue::Lanes::Pick& pick, State state,
                                  std::string_view code, std::string_view detail) {
  const auto record = services_.reader.read(pick.ticket.at);
  const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
  if (!accepted) {
    ++stats_.records_unreadable;
    return put_on_timer(pick, wall_clock_ms() + kUnreadableRetryMs);
  }
  const auto retry = retries_.find(pick.ticket.at.bits());
  Verdict verdict;
  verdict.of = {.accepted = pick.ticket.at,
                .subject = accepted->subject,
                .time_ms = wall_clock_ms(),
                .state = state,
                .possible_duplicate = retry != retries_.end() && retry->second.possible_duplicate,
                .flow = flow_of(*accepted)};
  verdict.code = code;
  verdict.detail = detail;
  outcomes_.write(verdict);
  count_verdict(state);
  forget(pick.ticket.at);
}

void CarrierDelivery::write_intents() {
  for (const auto& line : lines_) {
    if (line->intent.sequences.empty()) continue;
    line->intent.carrier = config_.name;
    line->intent.bind = line->link->number();
    line->intent.epoch = line->link->epoch();
    line->intent.time_ms = wall_clock_ms();
    const std::uint64_t batch = outcomes_.write(line->intent);
    const std::size_t fresh = line->intent.sequences.size();
    for (std::size_t i = line->intending.size() - fresh; i < line->intending.size(); ++i) {
      sending(line->intending[i]).intent_batch = batch;
    }
    line->intent.sequences.clear();
  }
}

}  // namespace stentor::daemon
