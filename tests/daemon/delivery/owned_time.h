// One carrier whose time is the test's: it is pumped when it asked to be, and at no other moment.
//
// The journal is a real one with its commit thread; what the carrier wrote is read back from it.
// Nothing listens for the carrier unless the test starts it with an SMSC.
//
// Units    Milliseconds of Unix time.
// Threads  The test's, beside the commit thread.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/delivery/shard_clock.h"
#include "daemon/records/doubt_records.h"
#include "tests/daemon/delivery/loopback_smsc.h"
#include "tests/daemon/journal_on_disk.h"
#include "tests/daemon/recovery/recovered_carrier.h"

namespace stentor::daemon::test {

/// What is promised of an event; whatever comes later is late.
inline constexpr std::uint64_t kLateMaxMs = 100;

class OwnedClock final : public ShardClock {
 public:
  explicit OwnedClock(std::uint64_t begun_ms)
      : begun_ms_(begun_ms), now_ms_(begun_ms), date_(steady_at(begun_ms), system()) {}

  [[nodiscard]] TimePoint steady() const noexcept override { return steady_at(now_ms_); }
  [[nodiscard]] std::uint64_t wall_ms() const noexcept override { return date_.at(steady()); }
  [[nodiscard]] std::uint64_t expiry_from_ms() const noexcept override {
    return date_.expiry_from_ms();
  }
  [[nodiscard]] const ExpiryTicks& ticks() const noexcept override { return ticks_; }
  /// Far from the machine's own: a timer that is set by this clock never rings by itself.
  [[nodiscard]] TimePoint steady_at(std::uint64_t wall_ms) const noexcept {
    return TimePoint(std::chrono::hours(1'000'000)) +
           std::chrono::milliseconds(wall_ms - begun_ms_);
  }
  void set(std::uint64_t now_ms) noexcept {
    now_ms_ = now_ms;
    (void)date_.look(steady(), system());
  }
  /// Somebody sets the machine's clock.
  void step(std::chrono::milliseconds by) noexcept {
    stepped_ += by;
    (void)date_.look(steady(), system());
  }
  /// The journal that the carrier was restored from has this date.
  void start_after(std::uint64_t newest_ms) noexcept {
    (void)date_.start_after(newest_ms, steady());
  }
  /// Never back.
  void advance_to(TimePoint when) noexcept {
    using std::chrono::milliseconds;
    if (when <= steady()) return;
    set(now_ms_ +
        static_cast<std::uint64_t>(std::chrono::ceil<milliseconds>(when - steady()).count()));
  }

 private:
  [[nodiscard]] std::chrono::milliseconds system() const noexcept {
    return std::chrono::milliseconds(now_ms_) + stepped_;
  }

  const std::uint64_t begun_ms_;
  const ExpiryTicks ticks_{begun_ms_};
  std::uint64_t now_ms_;
  std::chrono::milliseconds stepped_{0};
  ProcessDate date_;
};

class OwnedTime : public testing::Test {
 protected:
  static constexpr std::uint64_t kBegin = 1'790'000'000'250;  // between two seconds
  static constexpr std::uint64_t kSecond = kBegin / 1000;

  explicit OwnedTime(RecoveredCarrier::Setting setting = {})
      : known_(disk_.files(), disk_.journal(), disk_.commit(), with_clock(setting)) {
    disk_.start();
  }

  [[nodiscard]] CarrierDelivery& carrier() { return known_.carrier; }

  /// Writes accepted records, as admission does, and waits until they are durable.
  std::vector<queue::Locator> accept(std::size_t count, std::uint32_t expires,
                                     std::uint64_t due_ms = 0) {
    std::vector<std::uint32_t> offsets;
    offsets.reserve(count);
    for (std::size_t i = 0; i < count; ++i) offsets.push_back(write_accepted(expires, due_ms));
    std::vector<queue::Locator> places;
    JournalOnDisk::settle(known_.feed, [&](const BatchPointer& batch) {
      carrier().on_batch(*batch);
      for (const std::uint32_t offset : offsets) places.push_back(batch->records.at(offset));
      offsets.clear();
    });
    return places;
  }
  std::uint32_t write_accepted(std::uint32_t expires, std::uint64_t due_ms) {
    Subject subject;
    const std::uint64_t sequence = ++sequence_;
    subject.id = MessageId::make(clock_.wall_ms(), 1, 0, sequence);
    subject.client = "crm";
    subject.to = to_;
    subject.from = "SHOP";
    subject.carrier = "north";
    subject.parts = parts_;
    FieldWriter octets;
    encode(subject, octets);
    const std::string text = "message " + std::to_string(sequence) + "." + padding_;
    Accepted accepted;
    accepted.subject = octets.octets();
    accepted.expires = expires;
    accepted.expires_early_ms = early_ms_;
    accepted.not_before_ms = due_ms;
    accepted.hours = hours_;
    accepted.text = text;
    CommitBatch& batch = known_.feed.open();
    ++batch.accepted;
    ++batch.delta.accepted;
    return write(RecordKind::accepted, accepted);
  }
  void hand_over(queue::Locator at, std::uint32_t expires, std::uint64_t due_ms = 0,
                 queue::Flow flow = kFlow) {
    Arrival arrival;
    arrival.expires_ms = expires * 1000ull - early_ms_;
    arrival.key = key_;
    arrival.flow = flow;
    arrival.due_ms = due_ms;
    carrier().take(arrival, at);
  }
  /// A new message, as it comes from admission.
  queue::Locator take(std::uint32_t expires, std::uint64_t due_ms = 0) {
    const queue::Locator at = accept(1, expires, due_ms).front();
    hand_over(at, expires, due_ms);
    return at;
  }
  /// A new message in doubt, as a start finds it: held until `until_ms`, 0: until somebody says.
  queue::Locator hold(std::uint32_t expires, std::uint64_t until_ms,
                      UncertainPolicy then = UncertainPolicy::fail) {
    const queue::Locator at = accept(1, expires).front();
    Held held;
    held.pick = pick(at, expires);
    held.doubt = {true};
    held.expires_ms = expires * 1000ull - early_ms_;
    held.since_ms = kBegin;
    held.until_ms = until_ms;
    held.then = then;
    carrier().restore_held(sequence_, held);
    return at;
  }
  template <class Body>
  std::uint32_t write(RecordKind kind, const Body& body) {
    fields_.clear();
    encode(body, fields_);
    return known_.feed.open().records.add(static_cast<std::uint8_t>(kind), fields_.octets());
  }
  [[nodiscard]] queue::Lanes::Pick pick(queue::Locator at, std::uint32_t expires) {
    const std::uint32_t step = carrier().expiry_step(expires * 1000ull - early_ms_);
    return {.ticket = {.at = at, .expires = step, .key = key_},
            .flow = kFlow,
            .priority = queue::Priority::normal};
  }

  /// Until nothing is left to do at this moment.
  void settle() {
    do {
      known_.context.restart();
      known_.context.poll();
      known_.feed.flush();
      const std::uint64_t before = known_.feed.settled();
      if (!is_journal_held_back_) {
        known_.feed.collect([this](const BatchPointer& batch) { carrier().on_batch(*batch); });
      }
      if (known_.feed.settled() != before) carrier().on_durable(known_.feed.settled());
      if (known_.spill.collect()) carrier().on_spilled();
      std::this_thread::yield();
      known_.context.restart();
    } while (known_.context.poll() > 0 || (!is_journal_held_back_ && !known_.feed.is_idle()));
  }
  /// Time passes; the carrier is called when it asked for it.
  void run_until(std::uint64_t wall_ms) {
    carrier().pump();
    settle();
    while (carrier().wakes_at() <= clock_.steady_at(wall_ms)) {
      clock_.advance_to(carrier().wakes_at());
      carrier().pump();
      settle();
    }
    clock_.set(wall_ms);
  }
  /// For what another thread or the kernel does meanwhile.
  ::testing::AssertionResult settle_until(const std::function<bool()>& is_so) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > patience) {
        return ::testing::AssertionFailure() << "not within 30 s";
      }
      settle();
    }
    return ::testing::AssertionSuccess();
  }

  /// Binds the carrier to the SMSC.
  ::testing::AssertionResult bind(LoopbackSmsc& smsc) {
    known_.config.carriers[0].hosts = {{"127.0.0.1", smsc.port()}};
    carrier().start();
    return settle_until(
        [this] { return carrier().snapshot().links.front().state == LinkState::bound; });
  }

  /// Every durable record, in order.
  void read_journal(const std::function<void(const queue::Record&)>& see) {
    queue::JournalReader reader(disk_.files(), disk_.journal(), {});
    queue::Locator position = *reader.oldest();
    while (true) {
      const auto read = reader.next(position, disk_.commit().durable_end());
      ASSERT_TRUE(read) << read.error().message();
      const std::optional<queue::Record> record = read.value_or(std::nullopt);
      if (!record) return;
      see(*record);
    }
  }
  struct Ended {
    State state = State::none;
    std::uint64_t time_ms = 0;
    std::string by;  ///< the client that asked for it
  };
  /// What its verdict says; nothing while it is live.
  std::optional<Ended> end_of(queue::Locator at) {
    std::optional<Ended> ended;
    read_journal([&](const queue::Record& record) {
      std::optional<Following> of;
      std::string by;
      if (static_cast<RecordKind>(record.kind) == RecordKind::verdict) {
        if (const auto verdict = decode_verdict(record.payload)) {
          of = verdict->of;
          by = verdict->by;
        }
      } else if (static_cast<RecordKind>(record.kind) == RecordKind::resolved) {
        if (const auto resolved = decode_resolved(record.payload)) of = resolved->of;
      }
      if (!of || of->accepted != at || !is_final(of->state)) return;
      EXPECT_FALSE(ended) << "one end";
      ended = Ended{.state = of->state, .time_ms = of->time_ms, .by = std::move(by)};
    });
    return ended;
  }

  static constexpr queue::Flow kFlow = 5;

  JournalOnDisk disk_;
  OwnedClock clock_{kBegin};
  RecoveredCarrier known_;
  std::string to_ = "+79161234567";
  std::string padding_;    // behind each text
  std::uint32_t key_ = 7;  // of its order
  std::uint8_t parts_ = 1;
  std::optional<Hours> hours_;  // in which each may go
  std::uint16_t early_ms_ = 0;  // before the second in which each is to expire
  bool is_journal_held_back_ = false;
  std::uint64_t sequence_ = 0;

 private:
  RecoveredCarrier::Setting with_clock(RecoveredCarrier::Setting setting) {
    setting.clock = &clock_;
    return setting;
  }
  FieldWriter fields_;
};

}  // namespace stentor::daemon::test
