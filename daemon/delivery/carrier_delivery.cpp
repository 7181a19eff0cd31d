// Life and time of one carrier's delivery: start, pump, timers, drain, stop.
#include "daemon/delivery/carrier_delivery.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <cassert>
#include <stdexcept>

#include "daemon/delivery/carrier_line.h"
#include "daemon/failpoints/failpoint.h"
#include "daemon/links/outbind_listener.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A block and a few: what waits to be written meanwhile is a few hundred KiB.
constexpr std::uint64_t kRestoredBetweenLooks = 20'000;
// The timer serves pacing too: finer steps than this only cost wake-ups.
constexpr auto kFinestStep = 1ms;

// Of lanes, timers, and what is set aside: two each, for its two sizes of slot.
constexpr std::uint32_t kSpillFilesPerCarrier = 6;

std::int64_t steady_ms(Clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

std::unique_ptr<TlsContext> tls_for(const CarrierConfig& carrier) {
  if (!carrier.tls.enabled) return nullptr;
  auto tls = TlsContext::create(carrier);
  if (!tls) throw std::runtime_error(fmt::format("carrier {}: {}", carrier.name, tls.error()));
  return std::move(*tls);
}

}  // namespace

void CarrierStats::count_status(std::uint32_t status) {
  for (StatusCount& counted : statuses) {
    if (counted.command_status == status) {
      ++counted.count;
      return;
    }
  }
  if (statuses.size() < kStatusesMax) {
    statuses.push_back({status, 1});
  } else {
    ++statuses_other;
  }
}

CarrierDelivery::CarrierDelivery(ShardServices services, const CarrierConfig& config,
                                 std::uint16_t number)
    : services_(services),
      config_(config),
      number_(number),
      outcomes_(services.feed),
      spill_(services.spill, number * kSpillFilesPerCarrier),
      timers_spill_(services.spill, number * kSpillFilesPerCarrier + 2),
      staying_spill_(services.spill, number * kSpillFilesPerCarrier + 4),
      lanes_(spill_, services.tickets_in_memory),
      staying_(staying_spill_, services.tickets_in_memory / 4),
      due_(timers_spill_, services.tickets_in_memory / 2),
      pacer_(config.rate, steady_now()),
      throttle_(config.rate),
      status_policy_(config),
      limits_(config.limits),
      order_(services.order_hold),
      failover_(config.failover_after),
      stuck_(config.response_timeout),
      links_{.inbox = services.inbox, .attempts = {}, .tls = tls_for(config), .trace = {}},
      timer_(services.context),
      replies_(services.inbound, config, number, services.feed),
      records_(services.reader),
      tracker_(tracker_setup_of(config, services.seed ^ number), outcomes_, records_, stats_,
               moment_now()),
      composer_(config),
      queries_(config, [this](queue::Locator at) { return sender_of(at); }),
      cancels_(
          config, [this](queue::Locator at) { return addresses_of(at); },
          [this](const CarrierCancels::Answer& answer) { on_cancel_answer(answer); }) {
  tracker_.set_watch(*this);
  if (services.files != nullptr) {
    tracker_.spill_to(std::make_unique<SegmentSpill>(*services.files, services.spill_folder,
                                                     config.name, Outstanding::kMaps),
                      services.outstanding_in_memory_max);
  }
  const auto add_lines = [&](std::uint32_t count, protocol::BindType type) {
    for (std::uint32_t i = 0; i < count; ++i) {
      auto line = std::make_unique<Line>();
      const auto index = static_cast<std::uint16_t>(lines_.size());
      line->link = std::make_unique<SmscLink>(services_.context, config_, index, type, *this,
                                              links_, services_.seed + index);
      lines_.push_back(std::move(line));
    }
  };
  add_lines(config.binds.receivers, protocol::BindType::receiver);
  add_lines(config.binds.transceivers, protocol::BindType::transceiver);
  add_lines(config.binds.transmitters, protocol::BindType::transmitter);
  listen_for_outbind();
}

CarrierDelivery::~CarrierDelivery() = default;

void CarrierDelivery::restore_waiting(const queue::Lanes::Pick& pick, std::uint64_t due_ms) {
  const std::uint64_t now = wall_ms();
  // No loop runs yet that would hear of blocks written.
  if (++restored_ % kRestoredBetweenLooks == 0) (void)services_.spill.collect();
  if (due_ms > now) {
    const Retry* retry = retries_.find(pick.ticket.at);
    if (retry != nullptr && !services_.paused.holds(pick.ticket.at)) {
      order_.hold(pick.ticket, retry->refusals.first_ms(), now);
    }
    return put_on_timer(pick, due_ms);
  }
  lanes_.push(pick.priority, pick.flow, pick.ticket, static_cast<std::uint32_t>(now / 1000));
}

void CarrierDelivery::keep_retry(queue::Locator at, Retry retry) {
  if (!retries_.keep(at, std::move(retry))) ++stats_.retries_forgotten;
}

void CarrierDelivery::restore_receipt(const ReceiptCame& receipt, std::uint8_t parts) {
  tracker_.restore_receipt(receipt, parts);
}

void CarrierDelivery::restore_unmatched(const protocol::Receipt& receipt, std::uint64_t came_ms,
                                        bool is_unread_conflict) {
  tracker_.restore_unmatched(receipt, came_ms, is_unread_conflict);
}

void CarrierDelivery::keep_outstanding_of(const std::vector<std::uint64_t>& live,
                                          const std::vector<std::uint64_t>& unknown) {
  tracker_.finish_restoring(live, unknown, moment_now());
}

void CarrierDelivery::start() {
  for (const auto& line : lines_) line->link->start();
  start_outbind();
  if (lanes_.waiting() + due_.size() > 0) failover_.on_backlog();
  publish_health();
  // Before anybody may ask: what waited before a restart waits for something now.
  note_limiter(steady_now());
  schedule_pump();
}

void CarrierDelivery::take(const Arrival& arrival, queue::Locator at, queue::Locator moved) {
  const queue::Lanes::Pick pick{
      .ticket = {.at = at, .expires = expiry_step(arrival.expires_ms), .key = arrival.key},
      .flow = arrival.flow,
      .priority = arrival.priority};
  if (clearing_ && !moved.is_nowhere() && moved > clearing_->before) {
    keep_aside(pick, arrival.due_ms);
  } else if (arrival.due_ms != 0) {
    retry_later(pick, arrival.due_ms);
  } else {
    arrival_lanes().push(pick.priority, pick.flow, pick.ticket, wall_seconds());
  }
  // Cancelled or moved with its campaign while it was on its way here. One that another carrier
  // handed on stays: it would go round.
  if (cancellations_.covers(pick.flow, at)) start_cancelling(pick.flow);
  if (arrival.at.is_nowhere() && is_to_relocate(pick)) start_relocating(pick.flow);
  schedule_pump();
}

void CarrierDelivery::on_durable(std::uint64_t settled) {
  settled_ = settled;
  if (timed_intent_ != 0 && timed_intent_ <= settled) {
    const auto took = std::chrono::ceil<std::chrono::microseconds>(steady_now() - intent_since_);
    intent_took_ = (7 * intent_took_ + took) / 8;
    timed_intent_ = 0;
  }
  for (const auto& line : lines_) {
    while (!line->intending.empty() && sending(line->intending.front()).intent_batch <= settled) {
      line->ready.push_back(line->intending.front());
      line->intending.pop_front();
      failpoint(Failpoint::intent_durable);
    }
  }
  tell_switched();
  schedule_pump();
}

// What a deliver_sm said is on disk: it may be answered.
void CarrierDelivery::answer_delivers(Line& line) {
  while (!line.delivers.empty() && line.delivers.front().batch <= settled_) {
    const Line::Unanswered& deliver = line.delivers.front();
    if (deliver.epoch == line.link->epoch() && line.link->is_connected()) {
      failpoint(Failpoint::receipt_before_answer);
      line.link->session().answer(deliver.sequence_number, protocol::CommandStatus::ok);
    }
    line.delivers.pop_front();
  }
}

// The socket takes what it can at once, so that behind flush() the kernel has it.
void CarrierDelivery::flush(Line& line, bool has_answered, bool has_submitted) {
  if (has_submitted) failpoint(Failpoint::submit_before_write);
  line.link->flush();
  if (has_submitted) failpoint(Failpoint::submit_after_write);
  if (has_answered) failpoint(Failpoint::receipt_after_answer);
}

void CarrierDelivery::schedule_pump() {
  if (pump_scheduled_) return;
  pump_scheduled_ = true;
  boost::asio::post(services_.context, [this] {
    pump_scheduled_ = false;
    pump();
  });
}

void CarrierDelivery::pump() {
  const auto now = steady_now();
  take_due(now);
  look_at_unreadable(now);
  return_refused();
  withdraw_later_ones();
  give_back_held();
  // With the feed full, what becomes durable pumps.
  const auto may_speak = [this] {
    return tracker_.is_behind() && !is_expiry_paused() && !services_.feed.is_full();
  };
  if (now >= next_second_) {
    each_second(now);
  } else if (may_speak()) {
    tracker_.speak_on({.steady = now, .wall_ms = wall_ms()});
  }
  if (may_speak()) schedule_pump();
  expire_reserved();
  if (!is_expiry_paused()) end_due_doubts(wall_ms());
  cancel_some();
  relocate_some();
  clear_some();
  if (stuck_.is_stuck()) reserve_probe(now);
  look_at_standing(now);
  move_some();
  expire_waiting(now);
  if (!is_kept_back()) reserve(now);
  write_intents();
  const std::uint64_t submitted = stats_.submitted;
  submit_ready(now);
  ask_to_cancel(now);
  services_.feed.flush();
  for (const auto& line : lines_) {
    const std::size_t unanswered = line->delivers.size();
    answer_delivers(*line);
    flush(*line, line->delivers.size() < unanswered, stats_.submitted > submitted);
  }
  if (draining_ && reserved_ == 0) {
    for (const auto& line : lines_) {
      if (line->link->state() != LinkState::unbinding) line->link->drain();
    }
  }
  publish_gauges();
  note_limiter(now);
  arm_timer(now);
}

void CarrierDelivery::each_second(TimePoint now) {
  // On the second of the date, by which receipts are waited for.
  const std::uint64_t now_ms = wall_ms();
  next_second_ = now + std::chrono::milliseconds(1000 - now_ms % 1000);
  if (throttle_.on_second(now)) pacer_.set_rate(throttle_.rate(), now);
  wait_log_.note(limiter_.shown(now), now_ms);
  release_crowded();
  if (!is_expiry_paused()) tracker_.on_second({.steady = now, .wall_ms = now_ms});
  replies_.on_time(now);
  ask_about_receipts(now);
  cancels_.on_time(now);
  watch_spill();
}

void CarrierDelivery::arm_timer(TimePoint now) {
  auto at = std::min(next_expiry(now), next_release(now));
  if (reserved_expire_ms_ != UINT64_MAX) {
    at = std::min(at, steady_at(std::max(reserved_expire_ms_, services_.clock.expiry_from_ms())));
  }
  if (in_doubt_.next_ms() != InDoubt::kNever) {
    at = std::min(at, steady_at(std::max(in_doubt_.next_ms(), services_.clock.expiry_from_ms())));
  }
  if (const auto due = due_.next_due()) {
    at = std::min(at, TimePoint(std::chrono::milliseconds(*due)));
  }
  if (!unreadable_.empty()) at = std::min(at, unreadable_.front().again);
  for (const auto& line : lines_) {
    if (!line->ready.empty() && room_of(*line) > 0) {
      at = std::min(at, pacer_.next(now));
    }
  }
  // A parked one that may go already waits for room on a bind, which pumps when it comes.
  if (const auto next = limits_.next(); !draining_ && next > now) at = std::min(at, next);
  if (lanes_.waiting() + limits_.waiting() + order_.waiting() > 0) {
    at = std::min(at, failover_.deadline());
  }
  // An idle carrier wakes for nothing.
  if (lanes_.waiting() > 0 || reserved_ > 0 || staying_.waiting() > 0 || limits_.waiting() > 0 ||
      due_.spilled() > 0 || !tracker_.is_idle() || throttle_.is_cut() || replies_.is_waiting() ||
      cancels_.is_waiting()) {
    at = std::min(at, next_second_);
  }
  wakes_at_ = at == TimePoint::max() ? at : std::max(at, now + kFinestStep);
  if (wakes_at_ == TimePoint::max()) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(wakes_at_);
  timer_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) schedule_pump();
  });
}

void CarrierDelivery::return_to_lane(const queue::Lanes::Pick& pick) {
  if (is_dead(pick)) return end_due_or_cancelled(pick);
  if (!order_.is_idle()) {  // those behind it first: it goes before them
    order_.end(pick.ticket.at, wall_ms());
    give_back_held();
  }
  arrival_lanes().push_front(pick.priority, pick.flow, pick.ticket, wall_seconds());
}

// `due_ms` is a date; the timer counts by the steady clock, so that a wall clock that jumps later
// moves nothing.
void CarrierDelivery::retry_later(const queue::Lanes::Pick& pick, std::uint64_t due_ms) {
  if (is_dead(pick)) return end_due_or_cancelled(pick);
  put_on_timer(pick, due_ms);
}

void CarrierDelivery::put_on_timer(const queue::Lanes::Pick& pick, std::uint64_t due_ms) {
  due_.push(steady_due(pick.ticket, due_ms), pick.priority, pick.flow, pick.ticket);
}

std::int64_t CarrierDelivery::steady_due(const queue::Ticket& ticket, std::uint64_t due_ms) const {
  const std::uint64_t now = wall_ms();
  const std::uint64_t expires = services_.clock.ticks().ms_of(ticket.expires);
  // What has expired meanwhile is due at once: its verdict is.
  const std::uint64_t until = std::min(due_ms, std::max(expires, services_.clock.expiry_from_ms()));
  const auto wait = static_cast<std::int64_t>(until) - static_cast<std::int64_t>(now);
  return steady_ms(steady_now()) + wait;
}

void CarrierDelivery::publish_gauges() {
  const std::uint64_t all_waiting = waiting();
  const std::uint64_t outstanding = tracker_.outstanding();
  services_.gauges.waiting.fetch_add(all_waiting - published_waiting_,
                                     std::memory_order_relaxed);  // lone figures: see gauges.h
  services_.gauges.outstanding.fetch_add(outstanding - published_outstanding_,
                                         std::memory_order_relaxed);
  const std::uint64_t spilled = spill_.stats().octets_on_disk / sizeof(queue::Ticket) +
                                staying_spill_.stats().octets_on_disk / sizeof(queue::Ticket) +
                                timers_spill_.stats().octets_on_disk / sizeof(queue::FarEntry);
  services_.gauges.spilled.fetch_add(spilled - published_spilled_, std::memory_order_relaxed);
  published_spilled_ = spilled;
  const std::uint64_t on_disk = tracker_.on_disk();
  services_.gauges.outstanding_on_disk.fetch_add(on_disk - published_on_disk_,
                                                 std::memory_order_relaxed);
  published_on_disk_ = on_disk;
  published_waiting_ = all_waiting;
  published_outstanding_ = outstanding;
}

void CarrierDelivery::drain() {
  draining_ = true;
  stop_outbind();
  schedule_pump();
}

bool CarrierDelivery::is_drained() const {
  for (const auto& line : lines_) {
    if (line->link->state() != LinkState::stopped) return false;
  }
  return true;
}

void CarrierDelivery::stop() {
  draining_ = true;
  stop_outbind();
  for (const auto& line : lines_) line->link->stop();
}

std::uint32_t CarrierDelivery::open_slot() {
  ++reserved_;
  if (!free_slots_.empty()) {
    const std::uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    return slot;
  }
  sendings_.push_back(std::make_unique<Sending>());
  return static_cast<std::uint32_t>(sendings_.size() - 1);
}

void CarrierDelivery::close_slot(std::uint32_t slot) {
  Sending& done = sending(slot);
  assert(done.in_flight == 0 && "a slot is closed when nothing of it is in flight");
  Line& line = *lines_[done.link];
  line.reserved_segments -= done.subject.parts;
  if (done.is_ahead) line.ahead_segments -= done.subject.parts;
  if (done.is_under_way) under_way_.leave(done.pick.ticket.key);
  std::vector<std::uint8_t> memory = std::move(done.record);  // kept for the next message
  memory.clear();
  done = Sending{};
  done.record = std::move(memory);
  free_slots_.push_back(slot);
  --reserved_;
}

Following CarrierDelivery::following(const Sending& sending, State state) const {
  return {.accepted = sending.pick.ticket.at,
          .subject = sending.accepted.subject,
          .time_ms = wall_ms(),
          .state = state,
          .possible_duplicate = sending.retry.possible_duplicate,
          .flow = flow_of(sending.accepted)};
}

CarrierSnapshot CarrierDelivery::snapshot() const {
  CarrierSnapshot shot;
  shot.name = config_.name;
  shot.outbinds = outbinds();
  shot.is_stuck = stuck_.is_stuck();
  shot.switched = services_.switches.get(number_);
  shot.window = window_now();
  shot.rate_configured = config_.rate;
  shot.rate_current = throttle_.rate();
  shot.waiting_urgent =
      lanes_.waiting(queue::Priority::urgent) + limits_.waiting(queue::Priority::urgent);
  shot.waiting_normal =
      lanes_.waiting(queue::Priority::normal) + limits_.waiting(queue::Priority::normal);
  shot.waiting_bulk =
      lanes_.waiting(queue::Priority::bulk) + limits_.waiting(queue::Priority::bulk);
  shot.waiting_timers = due_.size();
  shot.waiting_limits = limits_.waiting();
  shot.waiting_held_back = order_.waiting();
  shot.waiting_urgent += order_.waiting(queue::Priority::urgent);
  shot.waiting_normal += order_.waiting(queue::Priority::normal);
  shot.waiting_bulk += order_.waiting(queue::Priority::bulk);
  shot.waiting_urgent += staying_.waiting(queue::Priority::urgent);
  shot.waiting_normal += staying_.waiting(queue::Priority::normal);
  shot.waiting_bulk += staying_.waiting(queue::Priority::bulk);
  shot.waiting_urgent += set_aside_.waiting(queue::Priority::urgent);
  shot.waiting_normal += set_aside_.waiting(queue::Priority::normal);
  shot.waiting_bulk += set_aside_.waiting(queue::Priority::bulk);
  shot.limited_by = name_of(limiter_.shown(steady_now()));
  shot.limit_named = limits_.holding_most();
  shot.response_ms = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(responses_.latency()).count());
  shot.waiting_held = lanes_.is_held_all() ? lanes_.waiting() : lanes_.waiting_held();
  shot.waiting_spilled = lanes_.waiting_spilled() + staying_.waiting_spilled() + due_.spilled();
  for (const queue::SpillStore* store : {&spill_, &timers_spill_, &staying_spill_}) {
    shot.spill_failures += store->stats().failed_writes + store->stats().failed_reads;
  }
  shot.reserved = reserved_;
  shot.in_doubt = in_doubt_.size();
  shot.addresses_refused = addresses_refused_.is_on(steady_now());
  shot.encoding_refused = encoding_refused_.is_on(steady_now());
  shot.outstanding = tracker_.outstanding();
  shot.early_receipts = tracker_.early();
  shot.message_id_rule = protocol::name_of(tracker_.rule());
  shot.queries = queries_.stats();
  shot.cancels = cancels_.stats();
  for (std::size_t i = 0; i < queue::kPriorities; ++i) {
    const auto priority = static_cast<queue::Priority>(i);
    shot.oldest_since[i] = lanes_.oldest_since(priority);
    const auto parked = limits_.oldest_since(priority);
    if (parked && (!shot.oldest_since[i] || *parked < *shot.oldest_since[i])) {
      shot.oldest_since[i] = parked;
    }
  }
  shot.stats = stats_;
  shot.replies = replies_.stats();
  for (const auto& line : lines_) {
    shot.waiting_normal += line->stash.size();
    shot.links.push_back({.number = line->link->number(),
                          .type = line->link->type(),
                          .state = line->link->state(),
                          .state_since_ms = line->link->state_since_ms(),
                          .host = line->link->host(),
                          .in_flight = line->link->in_flight(),
                          .stats = line->link->stats(),
                          .last_error = line->link->last_error(),
                          .errors = line->link->errors(),
                          .credentials_refused = line->link->credentials_refused(),
                          .certificate_end = line->link->certificate_end(),
                          .peer_version = line->link->peer_version()});
  }
  return shot;
}

}  // namespace stentor::daemon
