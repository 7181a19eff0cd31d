// What becomes of messages that a carrier refuses, turn after turn, and across a restart.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "daemon/control/carrier_report.h"
#include "daemon/delivery/system_error_run.h"
#include "daemon/recovery/carriage.h"
#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using protocol::CommandStatus;
using test::LoopbackSmsc;
using test::OwnedTime;

class Refusals : public OwnedTime {
 protected:
  Refusals() : OwnedTime({.window = 100, .rate = 0}) {}
  static constexpr std::uint32_t kMuchLater = kSecond + 360'000;
  static constexpr std::uint64_t kSecondMs = 1000;

  [[nodiscard]] RetryConfig& retry() { return known_.config.carriers[0].retry; }
  [[nodiscard]] std::uint64_t answers() {
    std::uint64_t count = 0;
    for (const StatusCount& of : carrier().snapshot().stats.statuses) count += of.count;
    return count;
  }
  /// The submit that comes next, `times` of them, is answered so.
  void answer(std::uint32_t status, std::size_t times = 1) {
    for (std::size_t i = 0; i < times; ++i) {
      ASSERT_TRUE(settle_until([&] { return smsc_.submitted().size() > answered_; }))
          << "submit " << answered_ << " does not come";
      smsc_.answer(answered_++, CommandStatus{status}, status == 0 ? "1a" : "");
    }
    ASSERT_TRUE(settle_until([&] { return answers() == answered_; }));
  }
  /// Time passes, in seconds; what it makes due is on the wire then.
  void pass(std::uint64_t seconds) { run_until(clock_.wall_ms() + seconds * kSecondMs); }
  [[nodiscard]] std::uint32_t rate() { return carrier().snapshot().rate_current; }
  [[nodiscard]] std::uint64_t failed() { return carrier().snapshot().stats.messages_failed; }

  struct Failure {
    std::string code;
    int attempt = 0;
    std::uint32_t status = 0;
  };
  /// By an answer; nothing while it lives.
  std::optional<Failure> failure_of(queue::Locator at) {
    std::optional<Failure> failure;
    read_journal([&](const queue::Record& record) {
      if (static_cast<RecordKind>(record.kind) != RecordKind::part) return;
      const auto part = decode_part(record.payload);
      if (!part || part->of.accepted != at || part->of.state != State::failed) return;
      failure = Failure{.code = std::string(part->code),
                        .attempt = part->attempt,
                        .status = part->command_status};
    });
    return failure;
  }
  std::size_t slowed_records() {
    std::size_t count = 0;
    read_journal([&](const queue::Record& record) { count += record.kind == kSlowedRecord; });
    return count;
  }
  /// As it lies in the journal of a daemon that is gone: `sequence_` is its number.
  [[nodiscard]] Following about(queue::Locator at, std::uint64_t time_ms) {
    const auto record = known_.reader.read(at);
    if (!record) return {};
    told_.assign(record->payload.begin(), record->payload.end());
    return {.accepted = at, .subject = decode_accepted(told_)->subject, .time_ms = time_ms};
  }
  void was_refused(queue::Locator at, std::uint32_t status, std::uint8_t attempt,
                   std::uint64_t time_ms, std::uint64_t pause_seconds) {
    PartAnswered refused;
    refused.of = about(at, time_ms);
    refused.attempt = attempt;
    refused.command_status = status;
    refused.retry_at_ms = time_ms + pause_seconds * kSecondMs;
    (void)write(RecordKind::part, refused);
  }
  void was_slowed(queue::Locator at, std::uint32_t status, std::uint64_t time_ms) {
    FieldWriter fields;
    encode(Slowed{.of = about(at, time_ms), .command_status = status}, fields);
    (void)known_.feed.open().records.add(kSlowedRecord, fields.octets());
  }
  void start_from_journal() {
    JournalOnDisk::settle(known_.feed);
    Replay replay = known_.replay(clock_.wall_ms());
    read_journal([&](const queue::Record& record) { replay.visit(record); });
    replay.finish(1);
    EXPECT_EQ(replay.report().not_understood, 0u);
    EXPECT_EQ(replay.report().waiting, 1u);
    ASSERT_TRUE(bind(smsc_));
  }

  LoopbackSmsc smsc_{known_.context};
  std::size_t answered_ = 0;
  std::vector<std::uint8_t> told_;
};

TEST_F(Refusals, ALongThrottlingTakesNothingOfWhatATemporaryErrorIsGiven) {
  retry().temporary.within = 300s;
  const queue::Locator at = take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  for (int minute = 0; minute < 10; ++minute) {
    answer(0x58);
    pass(60);
  }
  answer(0x08);
  EXPECT_EQ(failed(), 0u);
  EXPECT_EQ(carrier().snapshot().waiting_timers, 1u);
  pass(2);
  answer(0);
  EXPECT_EQ(carrier().snapshot().stats.messages_sent, 1u);
  EXPECT_FALSE(failure_of(at));
}

TEST_F(Refusals, TheFewTriesOfAnUnknownStatusAreItsOwn) {
  const queue::Locator at = take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  for (const unsigned pause : {2u, 5u, 15u}) {
    answer(0x08);
    pass(pause);
  }
  answer(0x412);
  EXPECT_EQ(failed(), 0u) << "its first of three";
  pass(2);
  answer(0x412);
  pass(5);
  EXPECT_EQ(failed(), 0u);
  answer(0x412);
  ASSERT_EQ(failed(), 1u);
  const auto failure = failure_of(at);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, "carrier_error");
  EXPECT_EQ(failure->attempt, 6) << "of all classes";
}

TEST_F(Refusals, AStatusThatSaysLittleIsTriedAFewTimes) {
  const queue::Locator at = take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  answer(0xff);
  pass(2);
  answer(0x45);
  pass(5);
  EXPECT_EQ(failed(), 0u);
  answer(0xfe);
  const auto failure = failure_of(at);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->attempt, 3);
  EXPECT_EQ(failure->status, 0xfeu);
}

TEST_F(Refusals, AMessageThatIsThrottledForTooLongFails) {
  retry().throttle.within = 60s;
  const queue::Locator at = take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  answer(0x58);
  pass(60);
  answer(0x58);
  EXPECT_EQ(failed(), 0u) << "to the last millisecond";
  pass(1);
  answer(0x58);
  const auto failure = failure_of(at);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, "throttled");
  EXPECT_EQ(slowed_records(), 1u) << "one, however often it was told";
}

TEST_F(Refusals, AThrottledMessageStepsAsideForThePausesItsCarrierWants) {
  retry().throttle = {.attempts = 3, .pauses = {30s, 60s}};
  const queue::Locator at = take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  answer(0x58);
  EXPECT_EQ(carrier().snapshot().waiting_timers, 1u);
  EXPECT_GT(carrier().snapshot().stats.throttled, 0u) << "and the carrier is slowed down";
  pass(29);
  EXPECT_EQ(smsc_.submitted().size(), answered_);
  pass(1);
  answer(0x58);
  pass(59);
  EXPECT_EQ(smsc_.submitted().size(), answered_);
  pass(1);
  answer(0x58);
  const auto failure = failure_of(at);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, "throttled");
  EXPECT_EQ(failure->attempt, 0) << "none was charged";
}

TEST_F(Refusals, ThePausesOfAThrottledMessageEndWithItsTime) {
  retry().throttle = {.pauses = {30s}, .within = 70s};
  const queue::Locator at = take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  answer(0x58);
  pass(30);
  answer(0x58);
  EXPECT_EQ(failed(), 0u);
  pass(30);
  answer(0x58);
  ASSERT_TRUE(failure_of(at).has_value()) << "60 s, and a pause of 30 s";
}

TEST_F(Refusals, ARestartGivesAMessageThatStepsAsideNoNewTries) {
  retry().throttle = {.attempts = 3, .pauses = {30s}};
  const queue::Locator at = accept(1, kMuchLater).front();
  was_refused(at, 0x58, 0, kBegin, 30);
  was_refused(at, 0x58, 0, kBegin + 30'000, 30);
  clock_.set(kBegin + 61'000);
  start_from_journal();
  answer(0x58);
  const auto failure = failure_of(at);
  ASSERT_TRUE(failure.has_value()) << "the third of three";
  EXPECT_EQ(failure->attempt, 0);
}

TEST_F(Refusals, AThrottledMessageWhoseTimeIsOverIsChargedNothing) {
  retry().throttle.within = 30s;
  const queue::Locator at = take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  answer(0x58);
  pass(60);
  answer(0x58);
  const auto failure = failure_of(at);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, "throttled");
  EXPECT_EQ(failure->attempt, 0);
}

TEST_F(Refusals, NothingIsWrittenOfThrottlingThatMayLast) {
  (void)take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  for (int i = 0; i < 3; ++i) {
    answer(0x58);
    pass(60);
  }
  EXPECT_EQ(failed(), 0u);
  EXPECT_EQ(slowed_records(), 0u);
}

TEST_F(Refusals, AMessageWhoseQueueIsFullForTooLongFails) {
  retry().queue_full.within = 30s;
  const queue::Locator at = take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  answer(0x14);  // it waits in its line
  pass(1);
  answer(0x14);  // and steps aside: 5 s, then 15 s
  pass(5);
  answer(0x14);
  EXPECT_EQ(failed(), 0u);
  pass(15);
  answer(0x14);  // 21 s, and the next pause is a minute
  const auto failure = failure_of(at);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, "queue_full");
  EXPECT_EQ(failure->attempt, 0) << "none was charged";
}

TEST_F(Refusals, ADestinationThatAloneIsFullSlowsTheCarrierDownOnce) {
  (void)take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  answer(0x14);
  const std::uint32_t cut = rate();
  EXPECT_GT(cut, 0u) << "cut, though no attempt is charged";
  pass(1);
  for (const unsigned pause : {5u, 15u}) {
    const std::uint32_t before = rate();
    answer(0x14);
    EXPECT_GE(rate(), before) << "it steps aside, and that is all";
    pass(pause);
  }
}

TEST_F(Refusals, AQueueThatIsFullForEverybodySlowsTheCarrierDownEachTime) {
  (void)take(kMuchLater);
  to_ = "+79160000002";
  (void)take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  answer(0x14, 2);
  pass(30);  // the rate climbs, and both are tried again
  const std::uint32_t before = rate();
  ASSERT_GT(before, 4u);
  answer(0x14, 2);
  EXPECT_LT(rate(), before) << "told again, and nobody was taken in between";
  EXPECT_EQ(failed(), 0u);
}

TEST_F(Refusals, WhereOthersAreTakenAFullQueueIsOneDestinations) {
  (void)take(kMuchLater);
  to_ = "+79160000002";
  (void)take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  answer(0x14, 2);
  pass(30);
  answer(0);  // the one
  const std::uint32_t before = rate();
  answer(0x14);  // the other
  EXPECT_GE(rate(), before);
}

TEST_F(Refusals, AFullQueueHasItsOwnAttempts) {
  retry().queue_full.attempts = 2;
  const queue::Locator at = take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  answer(0x14);
  pass(1);
  answer(0x14);
  pass(5);
  EXPECT_EQ(failed(), 0u);
  answer(0x14);
  const auto failure = failure_of(at);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, "queue_full");
}

TEST_F(Refusals, AStatusThatMayMeanAcceptanceIsSentAsOftenAsDoubtAllows) {
  known_.config.carriers[0].status = {{0x08, StatusClass::doubt, ""}};
  known_.config.carriers[0].uncertain = {.policy = UncertainPolicy::resend};
  retry().doubt.attempts = 2;
  const queue::Locator at = take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  answer(0x08);
  pass(2);
  EXPECT_FALSE(end_of(at));
  answer(0x08);
  settle();
  const auto ended = end_of(at);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->state, State::unknown);
}

TEST_F(Refusals, ARestartGivesAThrottledMessageNoNewTime) {
  retry().throttle.within = 60s;
  const queue::Locator at = accept(1, kMuchLater).front();
  was_slowed(at, 0x58, kBegin);
  clock_.set(kBegin + 59'000);
  start_from_journal();
  answer(0x58);
  EXPECT_EQ(failed(), 0u);
  pass(2);
  answer(0x58);
  const auto failure = failure_of(at);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, "throttled");
}

TEST_F(Refusals, ARestartGivesAMessageWhoseQueueIsFullNoNewTime) {
  retry().queue_full.within = 60s;
  const queue::Locator at = accept(1, kMuchLater).front();
  was_slowed(at, 0x14, kBegin);
  clock_.set(kBegin + 58'000);
  start_from_journal();
  answer(0x14);
  const auto failure = failure_of(at);
  ASSERT_TRUE(failure.has_value()) << "58 s, and a pause of 5 s";
  EXPECT_EQ(failure->code, "queue_full");
}

// As every version has written them.
TEST_F(Refusals, ARestartForgetsNoTryOfAnyClass) {
  const queue::Locator at = accept(1, kMuchLater).front();
  was_refused(at, 0x08, 1, kBegin, 2);
  was_refused(at, 0x08, 2, kBegin + 2'000, 5);
  was_refused(at, 0x412, 3, kBegin + 7'000, 2);
  clock_.set(kBegin + 10'000);
  start_from_journal();
  answer(0x412);
  EXPECT_EQ(failed(), 0u) << "its second of three";
  pass(5);
  answer(0x412);
  const auto failure = failure_of(at);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->attempt, 5);
}

TEST_F(Refusals, ARestartKnowsSinceWhenATemporaryErrorLasts) {
  retry().temporary.within = 120s;
  const queue::Locator at = accept(1, kMuchLater).front();
  was_refused(at, 0x08, 1, kBegin, 2);
  clock_.set(kBegin + 119'000);
  start_from_journal();
  answer(0x08);  // the next pause is 5 s
  const auto failure = failure_of(at);
  ASSERT_TRUE(failure.has_value()) << "its time counts from the first one, not from the start";
  EXPECT_EQ(failure->attempt, 2);
}

TEST_F(Refusals, ABindThatAnswersSystemErrorAloneIsLeftForANewOne) {
  constexpr std::size_t kMessages = SystemErrorRun::kAnswersMin;
  for (std::size_t i = 0; i < kMessages; ++i) (void)take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  for (const unsigned pause : {2u, 5u, 15u, 60u}) {
    answer(0x08, kMessages);
    EXPECT_EQ(carrier().snapshot().stats.suspected, 0u);
    pass(pause);
  }
  answer(0x08, kMessages);
  EXPECT_EQ(carrier().snapshot().stats.suspected, 1u);
  EXPECT_TRUE(
      settle_until([&] { return carrier().snapshot().links.front().state != LinkState::bound; }));
  EXPECT_EQ(failed(), 0u);
}

TEST_F(Refusals, ManyWrongAddressesAreAnAlarm) {
  for (int i = 0; i < 20; ++i) (void)take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  answer(0x0b, 19);
  EXPECT_FALSE(carrier().snapshot().addresses_refused);
  answer(0x51);
  const CarrierSnapshot shot = carrier().snapshot();
  EXPECT_TRUE(shot.addresses_refused);
  EXPECT_FALSE(shot.encoding_refused);
  EXPECT_TRUE(
      carrier_shown(shot).contains(R"("alarm":"addresses_refused","alarms":["addresses_refused"])"))
      << carrier_shown(shot);
  pass(601);
  EXPECT_FALSE(carrier().snapshot().addresses_refused) << "it is over by itself";
}

TEST_F(Refusals, ManyFieldsThatTheCarrierDoesNotTakeAreAnAlarm) {
  for (int i = 0; i < 20; ++i) (void)take(kMuchLater);
  ASSERT_TRUE(bind(smsc_));
  answer(0xc2, 10);
  answer(0x104, 10);
  EXPECT_TRUE(carrier().snapshot().encoding_refused);
  EXPECT_FALSE(carrier().snapshot().addresses_refused);
}

TEST(RetryOfAMessage, IsKeptWhereItWasOnlyToldToGoSlower) {
  Retry retry;
  EXPECT_FALSE(retry.is_worth_keeping());
  retry.refusals.note(StatusClass::throttle, 5);
  EXPECT_TRUE(retry.is_worth_keeping()) << "a lost link gives it no new time";
}

TEST(RetryOfAMessage, ShowsItsAttemptsInOneOctet) {
  Retry retry;
  for (int i = 0; i < 300; ++i) {
    retry.charge();
    retry.refusals.count(StatusClass::temporary);
  }
  EXPECT_EQ(retry.attempts, 255);
  EXPECT_EQ(retry.next_attempt(), 255);
  EXPECT_EQ(retry.refusals.tries(StatusClass::temporary), 255);
  EXPECT_EQ(retry.refusals.tries(StatusClass::unknown), 0);
}

TEST(SlowedRecord, IsCarriedAsLongAsItsMessageLives) {
  Subject subject;
  subject.id = MessageId::make(1'790'000'000'000, 1, 0, 42);
  FieldWriter octets;
  encode(subject, octets);
  FieldWriter fields;
  encode(Slowed{.of = {.accepted = queue::Locator(1, 64, 0),
                       .subject = octets.octets(),
                       .time_ms = 1'790'000'000'007},
                .command_status = 0x58},
         fields);
  EXPECT_EQ(carriage_of(kSlowedRecord), Carriage::follows);
  const auto about = about_message(
      {.kind = kSlowedRecord, .payload = fields.octets(), .at = queue::Locator(1, 128, 0)},
      Carriage::follows);
  ASSERT_TRUE(about.has_value());
  EXPECT_EQ(about->sequence, 42u);
  EXPECT_FALSE(about->is_final);
  const auto slowed = decode_slowed(fields.octets());
  ASSERT_TRUE(slowed.has_value());
  EXPECT_EQ(slowed->command_status, 0x58u);
  EXPECT_EQ(slowed->of.time_ms, 1'790'000'000'007u);
  EXPECT_FALSE(decode_slowed(fields.octets().first(fields.size() - 1)));
}

}  // namespace
}  // namespace stentor::daemon
