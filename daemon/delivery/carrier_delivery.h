// The delivery of one carrier: waiting messages, reserves, binds, answers, receipts.
//
// The way of a message here: take() puts its ticket into a lane; pump() picks it, reads its record,
// plans its segments and reserves it for a bind with a durable intent; when that is on disk its
// segments go out as window and rate allow; answers and receipts write outcomes.
//
// Implemented in files by duty: carrier_delivery.cpp (life, time), waiting.cpp (what waits: its
// expiry, its place on disk), reserving.cpp (lane to intent),
// limiting.cpp (how much), moving.cpp (to another carrier), submitting.cpp (intent to wire),
// answers.cpp (responses, lost links), refusals.cpp, receipts.cpp, flow_control.cpp,
// suspending.cpp, calling_back.cpp (cancel_sm), proving.cpp (a carrier that is stuck), ordering.cpp
// (what waits behind an earlier one of its order key), relocating.cpp (a campaign moved to another
// carrier), pausing.cpp (single messages), clearing.cpp (all that waits is cancelled).
//
// Units    Seconds and milliseconds of Unix time for what upstream sees, steady_clock otherwise.
// Owns     Lanes, timers, links, the receipt index, messages in flight.
// Errors   The carrier's and the peer's become outcomes; nothing throws but bad_alloc.
// Threads  The shard's thread.
// Spec     docs/architecture.md; SMPP 3.4 sections 4.4 and 4.6
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/commit/commit_batch.h"
#include "daemon/delivery/auto_window.h"
#include "daemon/delivery/bind_choice.h"
#include "daemon/delivery/buried_messages.h"
#include "daemon/delivery/cancellations.h"
#include "daemon/delivery/carrier_cancels.h"
#include "daemon/delivery/carrier_queries.h"
#include "daemon/delivery/carrier_stats.h"
#include "daemon/delivery/doubt_report.h"
#include "daemon/delivery/failover.h"
#include "daemon/delivery/fault_alarm.h"
#include "daemon/delivery/flow_holds.h"
#include "daemon/delivery/flow_order.h"
#include "daemon/delivery/flow_shares.h"
#include "daemon/delivery/full_queue.h"
#include "daemon/delivery/gauges.h"
#include "daemon/delivery/in_doubt.h"
#include "daemon/delivery/limiter_report.h"
#include "daemon/delivery/order_hold.h"
#include "daemon/delivery/outcomes.h"
#include "daemon/delivery/paused_messages.h"
#include "daemon/delivery/rate_limits.h"
#include "daemon/delivery/retries.h"
#include "daemon/delivery/routing.h"
#include "daemon/delivery/sending.h"
#include "daemon/delivery/set_aside.h"
#include "daemon/delivery/shard_clock.h"
#include "daemon/delivery/status_policy.h"
#include "daemon/delivery/stuck_carrier.h"
#include "daemon/delivery/submit_composer.h"
#include "daemon/delivery/throttle.h"
#include "daemon/delivery/wait_log.h"
#include "daemon/hours/open_hours.h"
#include "daemon/inbound/reply_intake.h"
#include "daemon/ingress/peer.h"
#include "daemon/links/carrier_switches.h"
#include "daemon/links/smsc_link.h"
#include "daemon/records/doubt_records.h"
#include "daemon/tracking/journal_records.h"
#include "daemon/tracking/tracker.h"
#include "queue/journal_reader.h"
#include "queue/lanes.h"
#include "queue/pacer.h"
#include "queue/timers.h"

namespace stentor::daemon {

/// What the carriers of a shard share.
struct ShardServices {
  boost::asio::io_context& context;
  CommitFeed& feed;
  queue::JournalReader& reader;
  Routing& routing;
  Gauges& gauges;
  CarrierSwitches& switches;
  const InboundServices& inbound;
  BuriedMessages& buried;
  PausedMessages& paused;
  std::size_t shards = 1;
  SharedInbox& inbox;
  queue::SpillIo& spill;
  std::size_t tickets_in_memory = 0;  ///< of one carrier; more of them wait on disk
  std::chrono::milliseconds order_hold{0};
  std::uint64_t seed = 0;
  // Where outstanding segments beyond memory go; without files all stay in memory.
  queue::FileSystem* files = nullptr;
  std::filesystem::path spill_folder;
  std::size_t outstanding_in_memory_max = 0;  ///< segments, of each carrier
  const ShardClock& clock = ShardClock::of_machine();
};

/// What a carrier had in hand of a message that is to be cancelled.
enum class CalledBack : std::uint8_t {
  not_here,
  ended,      ///< it was not written: its verdict is
  under_way,  ///< it was, or is being: too late
  unreadable  ///< its record cannot be read now: nothing was written, and it lives on
};

/// A message that is to be paused, or may go on.
struct PauseOrder {
  queue::Locator at;
  bool pauses = true;
  std::string by;  ///< the client who asks
};
enum class PauseSaid : std::uint8_t {
  written,
  ended,      ///< it is final since it was asked about: nothing was written
  unreadable  ///< its record cannot be read now: likewise
};

/// What a carrier found when all that waits there was cancelled.
struct Cleared {
  std::size_t waiting = 0;
  std::size_t under_way = 0;  ///< not touched
};

/// What a word on a doubt came to.
struct DoubtAnswer {
  std::string carrier;
  std::string_view state;
  std::string unreadable;  ///< its record cannot be read now, and why: it stays held
};

class OutbindListener;

class CarrierDelivery final : public LinkOwner, private SegmentWatch {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  CarrierDelivery(ShardServices services, const CarrierConfig& config, std::uint16_t number);
  ~CarrierDelivery() override;
  CarrierDelivery(const CarrierDelivery&) = delete;
  CarrierDelivery& operator=(const CarrierDelivery&) = delete;

  // Recovery, before start().
  /// What a ticket here says of this expiry.
  [[nodiscard]] std::uint32_t expiry_step(std::uint64_t expires_ms) const noexcept {
    return services_.clock.ticks().of(expires_ms);
  }
  void restore_waiting(const queue::Lanes::Pick& pick, std::uint64_t due_ms);
  void restore_retry(queue::Locator at, Retry retry) { keep_retry(at, std::move(retry)); }
  /// A message that was being written when the process died: noted, and treated as its policy
  /// says. Nothing when its record cannot be read: it waits for its turn.
  [[nodiscard]] std::optional<UncertainPolicy> restore_in_doubt(const queue::Lanes::Pick& pick);
  /// Paused before the restart; before what waits is restored.
  void restore_paused(queue::Locator at) { services_.paused.restore(at); }
  /// All that waited was cancelled before the restart and not all of it has ended; before what
  /// waits is restored, of which restore_kept() gets what the order was not about.
  void restore_clearing(queue::Locator before, std::string by) {
    clearing_ = Clearing{before, std::move(by), {}, {}};
  }
  void restore_kept(const queue::Lanes::Pick& pick, std::uint64_t due_ms);
  /// Of a copied state, before restore_in_doubt(): it holds, whatever the policy.
  void hold_restored_doubts() noexcept { holds_restored_doubts_ = true; }
  /// What was accepted before this place may have gone without our knowing, damage having taken
  /// what was written of it.
  void doubt_before(queue::Locator place) noexcept { doubted_before_ = place; }
  /// One that was held already.
  void restore_held(std::uint64_t sequence, Held held);
  void restore_outstanding(const TakenSegment& taken) { tracker_.restore_taken(taken); }
  /// A receipt that was matched, of a message of so many parts.
  void restore_receipt(const ReceiptCame& receipt, std::uint8_t parts);
  /// It was told that the carrier took this segment twice.
  void restore_taken_twice(const TakenTwice& twice) { tracker_.restore_taken_twice(twice); }
  void restore_told(queue::Locator message, const ToldPlace& told) {
    tracker_.on_told(message, told);
  }
  /// A receipt that matched nothing when it came.
  void restore_unmatched(const protocol::Receipt& receipt, std::uint64_t came_ms,
                         bool is_unread_conflict = false);
  /// Suspended or resumed, before the restart.
  void restore_switch(const CarrierSwitched& switched);
  /// What has come from handsets.
  [[nodiscard]] ReplyIntake& replies() noexcept { return replies_; }
  /// The end of recovery: segments of messages in neither list (sorted) are forgotten; those of
  /// `unknown` were told so and may be corrected.
  void keep_outstanding_of(const std::vector<std::uint64_t>& live,
                           const std::vector<std::uint64_t>& unknown);

  void start();
  /// A message became durable; `moved`: where the record lies by which another carrier handed it
  /// on.
  void take(const Arrival& arrival, queue::Locator at, queue::Locator moved = {});
  /// Holds, weighs or cancels what waits of a flow; tells what it found. Before start() too.
  FlowAtCarrier obey(const FlowOrder& order);
  [[nodiscard]] FlowAtCarrier look_at(queue::Flow flow) const;
  /// What is left of the shares of campaigns with a rate, and how many of them wait: they stop
  /// until the next share comes.
  void give_back_shares(std::vector<FlowShare>& found);
  void take_share(const FlowShare& share);
  /// Ends what is in hand of a buried message and was not written; its ticket aside.
  [[nodiscard]] CalledBack call_back(queue::Locator at, std::uint64_t sequence,
                                     std::string_view by);
  /// The verdict of a buried message that waits somewhere; false when its record cannot be read.
  [[nodiscard]] bool end_buried(queue::Locator at, bool possible_duplicate, std::string_view by);
  /// Whether it is being sent: too late to pause it. What is reserved of a message that
  /// PausedMessages has, and nothing of it written, goes back to its lane first.
  [[nodiscard]] bool keeps_in_hand(queue::Locator at);
  /// Writes that a message which PausedMessages has is paused, or goes on. Paused, it holds back
  /// nobody.
  [[nodiscard]] PauseSaid say_paused(const PauseOrder& order);
  /// It is no longer among PausedMessages: if it was put aside here, it goes back to its lane.
  void let_go(queue::Locator at);
  /// All that waits here, and is neither under way nor in doubt, ends as cancelled. `done` when the
  /// order is durable and obeyed; the verdicts follow.
  void cancel_waiting(std::string client, std::function<void(Cleared)> done);
  /// A batch of this shard's is on disk.
  void on_batch(const CommitBatch& batch);
  /// Asks the carrier to call back what it has taken; `done` when it has answered, or will not.
  void cancel_at_carrier(CancelOrder order, CarrierCancels::Done done);
  /// Somebody's word on a message in doubt; nothing when it is not held here, or not the peer's.
  [[nodiscard]] std::optional<DoubtAnswer> resolve(std::uint64_t sequence, DoubtEnd end,
                                                   const Peer& peer);
  /// Batches up to `settled` are on disk: intents may go on the wire, deliver_sm be answered.
  void on_durable(std::uint64_t settled);
  /// Waiting messages were read from disk, or written there.
  void on_spilled();
  void pump();
  /// When its timer calls pump() if nothing happens before: max is never.
  [[nodiscard]] TimePoint wakes_at() const noexcept { return wakes_at_; }
  /// Suspended, nothing new is submitted: what is reserved goes back to its lane unless something
  /// of it is over there, new messages of a route pass it by, and binds stay for receipts. `done`
  /// when that is durable.
  void suspend(bool suspended, std::string client, std::function<void()> done);
  /// Shows what passes on the wire; `done` gets all lines at the end. False while another one runs.
  [[nodiscard]] bool trace(TraceOrder order, std::string_view client,
                           std::function<void(std::string)> done);
  /// Reserves nothing new, lets what is reserved go out and be answered, unbinds.
  void drain();
  [[nodiscard]] bool is_drained() const;
  /// Closes the links; what was reserved and certainly not written is released.
  void stop();

  [[nodiscard]] CarrierSnapshot snapshot() const;
  /// Messages that are held in doubt, the longest held first, up to `max` of them.
  [[nodiscard]] DoubtReport doubts(std::size_t max);
  [[nodiscard]] OrphanReport orphans(std::size_t max) const { return tracker_.orphans(max); }
  /// Reads ids by `rule` until the next start, and tries all orphans again by it, some at a time;
  /// `done` when what came of it is durable. False when that is under way already.
  [[nodiscard]] bool rematch(protocol::MessageIdRule rule, std::string_view client,
                             std::function<void(Rematched)> done);
  [[nodiscard]] const std::string& name() const noexcept { return config_.name; }
  /// Messages, in lanes and timers.
  [[nodiscard]] std::size_t waiting() const noexcept {
    return lanes_.waiting() + staying_.waiting() + limits_.waiting() + order_.waiting() +
           set_aside_.waiting() + due_.size() + unreadable_.size();
  }

 private:
  struct Line;  // a link, and what is reserved for it

  [[nodiscard]] TimePoint steady_now() const noexcept { return services_.clock.steady(); }
  [[nodiscard]] std::uint64_t wall_ms() const noexcept { return services_.clock.wall_ms(); }
  [[nodiscard]] std::uint32_t wall_seconds() const noexcept {
    return static_cast<std::uint32_t>(wall_ms() / 1000);
  }
  /// For who asks what has expired: nothing has while expiry is paused.
  [[nodiscard]] std::uint32_t expiry_now() const noexcept {
    return is_expiry_paused() ? 0 : services_.clock.ticks().at(wall_ms());
  }
  [[nodiscard]] TimePoint steady_at(std::uint64_t date_ms) const noexcept {
    const std::uint64_t now_ms = wall_ms();
    return steady_now() + std::chrono::milliseconds(date_ms - std::min(now_ms, date_ms));
  }
  [[nodiscard]] bool is_expiry_paused() const noexcept {
    return wall_ms() < services_.clock.expiry_from_ms();
  }
  [[nodiscard]] Moment moment_now() const noexcept {
    return {.steady = steady_now(), .wall_ms = wall_ms()};
  }

  // carrier_delivery.cpp
  void schedule_pump();
  void arm_timer(TimePoint now);
  void each_second(TimePoint now);
  void return_to_lane(const queue::Lanes::Pick& pick);
  void retry_later(const queue::Lanes::Pick& pick, std::uint64_t due_ms);
  void put_on_timer(const queue::Lanes::Pick& pick, std::uint64_t due_ms);
  [[nodiscard]] std::int64_t steady_due(const queue::Ticket& ticket, std::uint64_t due_ms) const;
  void publish_gauges();
  void answer_delivers(Line& line);
  void flush(Line& line, bool has_answered, bool has_submitted);

  // outbind.cpp
  void listen_for_outbind();
  void start_outbind();
  void stop_outbind();
  [[nodiscard]] std::optional<OutbindStats> outbinds() const;

  // suspending.cpp
  void release_reserved();
  void return_refused();
  void publish_health();
  void tell_switched();

  // proving.cpp
  void on_link_stuck(SmscLink& link) override;
  [[nodiscard]] std::optional<queue::Lanes::Pick> take_probe();
  void reserve_probe(TimePoint now);

  // moving.cpp
  void look_at_standing(TimePoint now);
  void move_some();
  [[nodiscard]] std::size_t judge_limited();
  void judge(const queue::Lanes::Pick& pick);
  void let_follow(std::uint32_t key);
  [[nodiscard]] bool move(const queue::Lanes::Pick& pick);
  struct MoveOrder {
    std::optional<std::uint16_t> target;  ///< none: as its route says
    std::string_view reason;
    std::uint64_t due_ms = 0;
  };
  [[nodiscard]] bool move(const queue::Lanes::Pick& pick, const MoveOrder& order);
  void give_back_some();
  void gather_held();
  [[nodiscard]] queue::Lanes& arrival_lanes();

  // relocating.cpp
  struct Relocation {  // a campaign's latest move, carried out or not
    queue::Locator before;
    std::uint16_t target = 0;
  };
  struct Relocating {
    queue::Flow flow = 0;
    std::vector<queue::Lanes::Pick> kept;  ///< accepted after it, or not free to go: they stay
    std::vector<queue::Timers::Entry> kept_due;
  };
  void obey_move(const FlowOrder& order);
  [[nodiscard]] bool is_to_relocate(const queue::Lanes::Pick& pick) const noexcept;
  void start_relocating(queue::Flow flow);
  void relocate_some();
  void relocate(Relocating& now, const queue::Lanes::Pick& pick);
  void relocate(Relocating& now, const queue::Timers::Entry& entry);
  void finish_relocating(queue::Flow flow);

  // pausing.cpp
  [[nodiscard]] bool is_put_aside(const queue::Lanes::Pick& pick);

  // clearing.cpp
  struct Clearing {
    queue::Locator before;                 ///< what was accepted before it and waits is cancelled
    std::string by;                        ///< the client that asked for it
    std::vector<queue::Lanes::Pick> kept;  ///< what is not meant: it goes on waiting
    std::vector<queue::Timers::Entry> kept_due;
  };
  void start_clearing(queue::Locator before, std::string by);
  void clear_some();
  void finish_clearing();
  void return_kept();
  [[nodiscard]] bool is_cleared(queue::Locator at) const noexcept {
    return clearing_ && at < clearing_->before;
  }
  void end_cleared(const queue::Lanes::Pick& pick, const std::string& by);
  void keep_aside(const queue::Lanes::Pick& pick, std::uint64_t due_ms);

  /// Of one bind, in segments.
  struct ReserveLimit {
    std::size_t segments;  ///< reserved, written or not
    std::size_t ahead;     ///< of messages of which nothing is written
  };

  // limiting.cpp
  [[nodiscard]] Limiter limiter_at(TimePoint now);
  void note_limiter(TimePoint now);
  [[nodiscard]] std::uint32_t window_now() const;
  [[nodiscard]] std::size_t room_of(const Line& line) const;
  void reserve_limited(const ReserveLimit& limit, TimePoint now);
  void park_at_limit(const RateLimits::Match& match, const queue::Lanes::Pick& pick);
  void release_crowded();

  // waiting.cpp
  void take_due(TimePoint now);
  void expire_waiting(TimePoint now);
  [[nodiscard]] TimePoint next_expiry(TimePoint now) const;
  void watch_spill();

  // ordering.cpp
  void hold_later_ones(const queue::Lanes::Pick& holder, std::uint64_t since_ms);
  [[nodiscard]] bool must_wait(const queue::Lanes::Pick& pick);
  [[nodiscard]] bool is_held_back(const queue::Lanes::Pick& pick);
  void withdraw_later_ones();
  void give_back_held();
  void tell_passing(const queue::Ticket& ticket, const Following& passing);
  [[nodiscard]] TimePoint next_release(TimePoint now) const;

  // reserving.cpp
  void reserve(TimePoint now);
  [[nodiscard]] Line* line_for(const queue::Ticket& ticket);
  [[nodiscard]] bool has_room(const Line& line, const ReserveLimit& limit) const;
  [[nodiscard]] static bool has_room_for(std::size_t parts, const Line& line,
                                         const ReserveLimit& limit);
  static void stash(Line& line, const queue::Lanes::Pick& pick);
  enum class Reserved : std::uint8_t { yes, no_room, otherwise };
  [[nodiscard]] Reserved reserve_one(const queue::Lanes::Pick& pick, Line& line,
                                     const ReserveLimit& limit, TimePoint now, bool was_parked);
  [[nodiscard]] bool is_put_off_by_hours(Sending& next);
  [[nodiscard]] bool is_ended_by_opt_out(Sending& next);
  [[nodiscard]] bool has_expired(Sending& next);
  [[nodiscard]] bool load(const queue::Lanes::Pick& pick, Sending& sending);
  /// False when its record cannot be read: it is looked at again later.
  bool end_waiting(const queue::Lanes::Pick& pick, State state, std::string_view code,
                   std::string_view detail, std::string_view by = {});
  [[nodiscard]] bool write_end(const queue::Lanes::Pick& pick, State state, std::string_view code,
                               std::string_view detail, std::string_view by = {});
  void look_at_unreadable(TimePoint now);
  void tell_waits(Line& line, std::size_t fresh);
  void write_intents();
  [[nodiscard]] ReserveLimit reserve_limit() const;

  // rematching.cpp
  void rematch_some();

  // flow_control.cpp
  struct Cancelling {
    queue::Flow flow = 0;
    std::vector<queue::Lanes::Pick> kept;  ///< accepted after the cancel: they go on waiting
    std::vector<queue::Timers::Entry> kept_due;
  };
  void hold_for(queue::Flow flow, HoldReason reason, bool is_held);
  void return_stashed(queue::Flow flow);
  void return_reserved(const std::function<bool(const Sending&)>& is_meant);
  void spend_share(queue::Flow flow);
  [[nodiscard]] std::size_t waiting_of(queue::Flow flow) const;
  struct TakenOfFlow {
    std::vector<queue::Lanes::Pick> picks;
    std::vector<queue::Timers::Entry> due;
    [[nodiscard]] std::size_t size() const noexcept { return picks.size() + due.size(); }
  };
  [[nodiscard]] TakenOfFlow take_oldest_of(queue::Flow flow, std::size_t max);
  std::size_t start_cancelling(queue::Flow flow);
  [[nodiscard]] queue::Lanes::Pick take_out(std::uint32_t slot);
  void expire_reserved();
  void cancel_some();
  void finish_cancelling();
  std::size_t withdraw_reserved(const std::function<bool(const Sending&)>& is_meant,
                                const queue::Lanes::Sink& end);
  [[nodiscard]] bool is_dead(const queue::Lanes::Pick& pick) const noexcept;
  void end_due_or_cancelled(const queue::Lanes::Pick& pick);
  [[nodiscard]] FlowLimit limit_of(const FlowAtCarrier& at, queue::Flow flow) const;

  // doubt.cpp
  struct Doubted {
    queue::Lanes::Pick pick;
    const Accepted& accepted;
    std::uint64_t sequence;
    Retry retry;
    PartSet doubt;
    std::string_view reason;
    std::chrono::seconds pause{0};     ///< of `resend`
    std::uint64_t not_before_ms = 0;   ///< of `resend`: a part was refused until then
    const Sending* written = nullptr;  ///< under which numbers; nothing after a crash
    std::uint8_t attempt = 0;          ///< likewise
    bool is_last = false;              ///< it was sent often enough: `resend` ends it
    bool is_copy = false;              ///< the original of this state may know more: it is held
  };
  struct DoubtWords {
    DoubtEnd end = DoubtEnd::waited;
    std::string_view by;
    std::string_view code;
    std::string_view detail;
  };
  UncertainPolicy enter_doubt(const Doubted& doubted);
  [[nodiscard]] std::chrono::seconds doubt_pause() const;
  void doubt_part(std::uint32_t slot, std::uint16_t part);
  void leave_in_doubt(std::uint32_t slot);
  std::optional<std::chrono::seconds> count_doubt(Retry& retry) const;
  void end_due_doubts(std::uint64_t now_ms);
  void hold_unreadable(std::uint64_t sequence, Held held);
  [[nodiscard]] bool end_doubt(const Held& held, State state, const DoubtWords& words);
  [[nodiscard]] bool end_doubt_with_campaign(const Held& held);
  [[nodiscard]] bool end_doubt_as_unknown(const Held& held, DoubtEnd end, std::string_view by);
  [[nodiscard]] bool go_on(const Held& held, DoubtEnd end, std::string_view by);
  void end_doubt_by_receipt(const protocol::Receipt& receipt, std::string_view from_number);
  [[nodiscard]] bool is_about(std::uint64_t sequence, std::string_view number);
  void end_doubt_of(const InDoubt::Part& named, const protocol::Receipt& receipt);

  // submitting.cpp
  void submit_ready(TimePoint now);
  [[nodiscard]] std::size_t longest_ready();
  [[nodiscard]] bool submit_part(Line& line, std::uint32_t slot, std::uint16_t part, TimePoint now);
  void submit_line(Line& line, TimePoint now);

  // answers.cpp
  void on_link_bound(SmscLink& link) override;
  void on_link_lost(SmscLink& link, LinkLoss loss,
                    const std::vector<protocol::Session::Unanswered>& unanswered) override;
  void on_submit_resp(SmscLink& link, std::uint64_t cookie, protocol::CommandStatus status,
                      std::string_view message_id) override;
  void on_deliver(SmscLink& link, std::uint32_t sequence_number,
                  const protocol::DeliverSm& deliver) override;
  void on_link_activity() override;
  [[nodiscard]] bool may_read(const SmscLink& link) const override;
  [[nodiscard]] bool has_work(const SmscLink& link) const override;
  [[nodiscard]] bool is_kept_back() const;
  void on_part_accepted(Sending& sending, std::uint16_t part, std::string_view message_id);
  void on_part_refused(std::uint32_t slot, std::uint16_t part, protocol::CommandStatus status);
  // refusals.cpp
  struct Refusal;  // one refused part, and what its status means
  void wait_in_line(std::uint32_t slot, std::uint16_t part);
  void suspect(const Refusal& refusal);
  void note_fault(protocol::Fault fault, TimePoint now);
  void slow_down(const Refusal& refusal);
  void cut_rate(StatusClass by, TimePoint now);
  void write_slowed(const Refusal& refusal);
  void bind_again(const Refusal& refusal);
  void put_off_or_fail(const Refusal& refusal);
  [[nodiscard]] std::optional<std::chrono::seconds> pause_after(RefusalCounts& refusals,
                                                                StatusClass by) const;
  void refuse(const Refusal& refusal, std::optional<std::chrono::seconds> pause, bool is_charged);
  void finish_when_answered(std::uint32_t slot);
  void put_back(std::uint32_t slot);
  void fail(Sending& sending, std::string_view code, std::string_view detail);
  void forget(queue::Locator at);

  // asking.cpp
  void on_query_resp(SmscLink& link, std::uint64_t cookie, protocol::CommandStatus status,
                     const protocol::QueryResp& response) override;
  [[nodiscard]] std::optional<CarrierQueries::Sender> sender_of(queue::Locator at);
  void ask_about_receipts(TimePoint now);
  // calling_back.cpp
  void on_cancel_resp(SmscLink& link, std::uint64_t cookie,
                      protocol::CommandStatus status) override;
  [[nodiscard]] std::optional<CarrierCancels::Addresses> addresses_of(queue::Locator at);
  void ask_to_cancel(TimePoint now);
  void on_cancel_answer(const CarrierCancels::Answer& answer);

  // asking.cpp
  void on_awaited(queue::Locator at, std::uint8_t part, std::string_view message_id,
                  std::uint64_t until) override;
  void on_settled(queue::Locator at, std::uint8_t part) override;
  void on_rule(std::optional<protocol::MessageIdRule> learnt) override;

  // receipts.cpp
  void track(const Sending& sending, std::uint16_t part, std::string_view message_id);
  void track_receipt(const protocol::Receipt& receipt);
  void answer_when_durable(SmscLink& link, std::uint32_t sequence_number);

  [[nodiscard]] Sending& sending(std::uint32_t slot) { return *sendings_[slot]; }
  [[nodiscard]] std::uint32_t open_slot();
  void close_slot(std::uint32_t slot);
  [[nodiscard]] Following following(const Sending& sending, State state) const;

  ShardServices services_;
  const CarrierConfig& config_;
  const std::uint16_t number_;
  Outcomes outcomes_;
  queue::SpillStore spill_;
  queue::SpillStore timers_spill_;
  queue::SpillStore staying_spill_;
  queue::Lanes lanes_;
  queue::Lanes staying_;  // set aside while others of its messages move to other carriers
  queue::Timers due_;
  // What should have ended and cannot be read: nobody looks for it here before its time, nor does
  // its expiry shorten that. First in, first out; as many as there are such records.
  struct Unreadable {
    queue::Lanes::Pick pick;
    TimePoint again;
    bool is_cleared = false;   // it was to end as cancelled with all that waited
    std::string cleared_by{};  // the client that asked for it
  };
  std::deque<Unreadable> unreadable_;
  Cancellations cancellations_;
  InDoubt in_doubt_;
  OpenHours open_hours_;
  FlowHolds holds_;
  FlowShares shares_;
  std::deque<Cancelling> cancelling_;
  boost::unordered_flat_map<queue::Flow, Relocation> relocations_;
  std::deque<Relocating> relocating_;
  SetAside set_aside_;  // paused ones that were picked
  std::optional<Clearing> clearing_;
  struct ClearingAsked {
    std::uint64_t batch;
    std::uint32_t record_offset;
    std::string client;
    std::function<void(Cleared)> done;
  };
  std::deque<ClearingAsked> clearing_asked_;
  queue::Pacer pacer_;
  Throttle throttle_;
  FullQueue full_queue_;
  StatusPolicy status_policy_;
  FaultAlarm addresses_refused_;
  FaultAlarm encoding_refused_;
  RateLimits limits_;
  std::vector<queue::Flow> crowded_;  // held since too many wait at limits
  OrderHold order_;
  std::vector<queue::Ticket> just_held_;  // in retry since the last turn
  AutoWindow responses_;
  KeysUnderWay under_way_;
  LimiterReport limiter_;
  WaitLog wait_log_;
  Failover failover_;
  StuckCarrier stuck_;
  std::uint64_t follows_until_ms_ = 0;  // by then nobody is held back by whom it was then
  bool is_gathered_ = false;            // of what is being given back: the lanes' rest is behind it
  CarrierLinks links_;
  std::vector<std::unique_ptr<Line>> lines_;
  std::unique_ptr<OutbindListener> outbind_;
  boost::asio::steady_timer timer_;
  TimePoint wakes_at_ = TimePoint::max();
  bool pump_scheduled_ = false;
  bool draining_ = false;
  bool suspended_ = false;
  bool has_refused_in_line_ = false;  // since the last turn
  bool stopped_ = false;
  TimePoint next_second_{};
  TimePoint next_expiry_look_{};
  std::uint64_t reserved_expire_ms_ = UINT64_MAX;  // none of what is reserved does before
  bool is_spill_failing_ = false;
  std::uint64_t restored_ = 0;

  std::vector<std::unique_ptr<Sending>> sendings_;
  std::vector<std::uint32_t> free_slots_;
  std::size_t reserved_ = 0;  // slots in use
  std::uint64_t turns_ = 0;   // reservations so far

  queue::Locator doubted_before_;
  std::uint64_t timed_intent_ = 0;  ///< batch of an intent whose way to the disk is timed
  TimePoint intent_since_{};
  std::chrono::microseconds intent_took_{0};  ///< of late
  bool holds_restored_doubts_ = false;
  Retries retries_;
  void keep_retry(queue::Locator at, Retry retry);
  ReplyIntake replies_;
  CarrierStats stats_;
  JournalRecords records_;
  Tracker tracker_;
  std::uint64_t published_waiting_ = 0;
  std::uint64_t published_outstanding_ = 0;
  std::uint64_t published_spilled_ = 0;
  std::uint64_t published_on_disk_ = 0;
  std::uint64_t settled_ = 0;
  struct Switching {
    std::uint64_t batch;  ///< durable before it is told
    std::function<void()> done;
  };
  std::deque<Switching> switching_;
  struct Rematching {
    Rematched so_far;
    std::function<void(Rematched)> done;
  };
  std::optional<Rematching> rematching_;
  SubmitComposer composer_;
  CarrierQueries queries_;
  CarrierCancels cancels_;
};

[[nodiscard]] TrackerSetup tracker_setup_of(const CarrierConfig& config, std::uint64_t seed);

}  // namespace stentor::daemon
