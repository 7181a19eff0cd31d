#include "daemon/history/telling.h"

#include <gtest/gtest.h>

#include "daemon/delivery/limiter_report.h"
#include "daemon/records/accept_reasons.h"
#include "daemon/records/doubt_records.h"
#include "daemon/records/pause_records.h"

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kAccepted = 1'767'607'200'000;  // 2026-01-05T10:00:00Z

/// One message, and the records that follow.
class Story {
 public:
  explicit Story(std::uint8_t parts = 1) {
    subject_.id = MessageId::make(kAccepted, 1, 2, 77);
    subject_.parts = parts;
    subject_.client = "crm";
    subject_.campaign = "spring";
    subject_.to = "+79161234567";
    subject_.from = "SHOP";
    subject_.carrier = "south";
    FieldWriter octets;
    encode(subject_, octets);
    subject_octets_.assign(octets.octets().begin(), octets.octets().end());
    accepted_.subject = subject_octets_;
    accepted_.text = "Hello";
    accepted_.expires = kAccepted / 1000 + 3600;
  }

  Accepted& accepted() { return accepted_; }
  void start(std::vector<Stretch> pauses = {}) {
    telling_.emplace(accepted_, subject_, config_, hours_, std::move(pauses));
  }
  void reserved(std::uint64_t after_ms, std::vector<WaitSpan> waits = {}) {
    Intent intent{.epoch = 4,
                  .carrier = "south",
                  .bind = 1,
                  .time_ms = kAccepted + after_ms,
                  .sequences = {12, 77},
                  .waits = std::move(waits)};
    tell(RecordKind::intent, intent);
  }
  Following following(std::uint64_t after_ms, State state = State::none) {
    return {.accepted = {},
            .subject = subject_octets_,
            .time_ms = kAccepted + after_ms,
            .state = state};
  }
  template <class Record>
  void tell(RecordKind kind, const Record& record) {
    FieldWriter octets;
    encode(record, octets);
    telling_->tell({.kind = static_cast<std::uint8_t>(kind), .payload = octets.octets(), .at = {}});
  }
  void paused(std::uint64_t after_ms, bool is_paused) {
    Paused record;
    record.of = following(after_ms);
    record.is_paused = is_paused;
    record.by = "ops";
    FieldWriter octets;
    encode(record, octets);
    telling_->tell({.kind = kPausedRecord, .payload = octets.octets(), .at = {}});
  }
  void taken_twice(std::uint64_t after_ms) {
    TakenTwice twice{
        .of = following(after_ms), .part = 1, .message_id = "8F01", .other_message_id = "8e77"};
    twice.of.possible_duplicate = true;
    FieldWriter octets;
    encode(twice, octets);
    telling_->tell({.kind = kTakenTwiceRecord, .payload = octets.octets(), .at = {}});
  }
  Telling& telling() { return *telling_; }
  std::string told() { return telling_->members(true); }

 private:
  Config config_;
  OpenHours hours_;
  Subject subject_;
  Accepted accepted_;
  std::vector<std::uint8_t> subject_octets_;
  std::optional<Telling> telling_;
};

WaitSpan span(Limiter limiter, std::uint64_t milliseconds) {
  return {static_cast<std::uint8_t>(limiter), milliseconds};
}

void expect_told(const std::string& told, std::string_view what) {
  EXPECT_NE(told.find(what), std::string::npos) << what << "\nis not in\n" << told;
}

void expect_untold(const std::string& told, std::string_view what) {
  EXPECT_EQ(told.find(what), std::string::npos) << what << "\nis in\n" << told;
}

// The configuration here knows no carrier: what is told was written down at the time.
TEST(Telling, SaysWhyTheRouteAndTheEncodingWereChosen) {
  Story story;
  FieldWriter route;
  encode(RouteReason{.is_named = false,
                     .by_campaign = false,
                     .by_sender = true,
                     .is_shared = false,
                     .route = 2,
                     .prefix_digits = 4,
                     .passed_over = {{"north", "down"}}},
         route);
  FieldWriter encoding;
  encode(
      EncodingReason{
          .encoding = "ucs2", .why = EncodingReason::Why::forced, .code_point = 0x416, .index = 7},
      encoding);
  story.accepted().route_reason = route.octets();
  story.accepted().encoding_reason = encoding.octets();
  story.start();
  expect_told(story.told(),
              R"("route":2,"route_reason":"its sender, the longest prefix, 7916",)"
              R"("passed_over":[{"carrier":"north","health":"down"}],"encoding":"ucs2",)"
              R"("encoding_reason":"U+0416 at 7 is in no cheaper alphabet")");
}

TEST(Telling, SaysThatTheRequestNamedTheCarrier) {
  Story story;
  FieldWriter route;
  encode(RouteReason{.is_named = true, .passed_over = {}}, route);
  story.accepted().route_reason = route.octets();
  story.start();
  expect_told(story.told(), R"("route_reason":"the request names its carrier")");
  expect_untold(story.told(), R"("route":)");
}

TEST(Telling, DatesEachStretchOfAWaitWithItsCause) {
  Story story;
  story.accepted().not_before_ms = kAccepted + 10'000;
  story.start({{kAccepted + 12'000, kAccepted + 15'000, "pause"}});
  story.reserved(20'000, {span(Limiter::link_down, 18'000), span(Limiter::rate, 2000)});
  expect_told(story.told(),
              R"({"time":"2026-01-05T10:00:00.000Z","what":"waited","cause":"not_before",)"
              R"("until":"2026-01-05T10:00:10.000Z","ms":10000},)"
              R"({"time":"2026-01-05T10:00:10.000Z","what":"waited","cause":"link_down",)"
              R"("until":"2026-01-05T10:00:12.000Z","ms":2000},)"
              R"({"time":"2026-01-05T10:00:12.000Z","what":"waited","cause":"pause",)"
              R"("until":"2026-01-05T10:00:15.000Z","ms":3000},)"
              R"({"time":"2026-01-05T10:00:15.000Z","what":"waited","cause":"link_down",)"
              R"("until":"2026-01-05T10:00:18.000Z","ms":3000},)"
              R"({"time":"2026-01-05T10:00:18.000Z","what":"waited","cause":"rate",)"
              R"("until":"2026-01-05T10:00:20.000Z","ms":2000},)"
              R"({"time":"2026-01-05T10:00:20.000Z","what":"reserved","carrier":"south",)"
              R"("bind":1,"connection":4,"waited_ms":10000})");
}

TEST(Telling, SaysNothingOfAWaitThatWasNone) {
  Story story;
  story.start();
  story.reserved(3);
  expect_untold(story.told(), R"("waited")");
}

TEST(Telling, NamesBindAndNumberOfEachAttemptAndTheWaitForTheNext) {
  Story story;
  story.start();
  story.reserved(3);
  PartAnswered refused;
  refused.of = story.following(100);
  refused.bind = 1;
  refused.sequence_number = 4711;
  refused.response_ms = 97;
  refused.command_status = 0x08;
  refused.code = "carrier_error";
  refused.retry_at_ms = kAccepted + 30'100;
  story.tell(RecordKind::part, refused);
  story.reserved(30'200);
  PartAnswered taken;
  taken.of = story.following(30'300, State::sent);
  taken.attempt = 2;
  taken.bind = 1;
  taken.sequence_number = 4712;
  taken.response_ms = 95;
  story.tell(RecordKind::part, taken);
  const std::string told = story.told();
  expect_told(told, R"("what":"part_refused","part":1,"attempt":1,"bind":1,"sequence":4711,)"
                    R"("response_ms":97,"command_status":"0x00000008")");
  expect_told(told, R"({"time":"2026-01-05T10:00:00.100Z","what":"waited","cause":"retry",)"
                    R"("until":"2026-01-05T10:00:30.100Z","ms":30000})");
  expect_told(told, R"("what":"part_accepted","part":1,"attempt":2,"bind":1,"sequence":4712)");
}

TEST(Telling, SaysEachReceiptAsItCameAndTheFirstOneCounts) {
  Story story;
  story.start();
  PartAnswered taken;
  taken.of = story.following(100, State::sent);
  story.tell(RecordKind::part, taken);
  ReceiptCame came;
  came.of = story.following(2100, State::failed);
  came.message_state = 5;
  came.message_id = "8f00";
  came.stat = "UNDELIV";
  came.err = "011";
  came.code = "absent_subscriber";
  story.tell(RecordKind::receipt, came);
  came.of = story.following(9100);
  came.message_id = "8F00";
  story.tell(RecordKind::receipt_again, came);

  const std::string told = story.told();
  expect_told(told, R"({"time":"2026-01-05T10:00:02.100Z","what":"receipt","part":1,)"
                    R"("stat":"UNDELIV","err":"011","carrier_id":"8f00",)"
                    R"("code":"absent_subscriber","state":"failed"})");
  expect_told(told, R"({"time":"2026-01-05T10:00:09.100Z","what":"receipt","part":1,)"
                    R"("stat":"UNDELIV","err":"011","carrier_id":"8F00","repeated":true,)"
                    R"("code":"absent_subscriber"})");
  EXPECT_EQ(story.telling().state(), State::failed);
}

// An enroute behind the last word takes nothing of it back.
TEST(Telling, APartThatIsReportedAgainStandsWhereItStood) {
  Story story(2);
  story.start();
  PartAnswered taken;
  taken.of = story.following(100);
  story.tell(RecordKind::part, taken);
  ReceiptCame came;
  came.of = story.following(2100);
  came.message_state = 2;
  story.tell(RecordKind::receipt, came);
  came.of = story.following(9100);
  came.message_state = 7;
  story.tell(RecordKind::receipt_again, came);
  expect_told(story.told(), R"({"part":1,"state":"delivered","receipt_after_ms":2000})");
}

// The order is that of time: it was written before its answer came.
TEST(Telling, SaysHowLongItStoodAtItsBind) {
  Story story;
  story.start();
  story.reserved(3);
  PartAnswered taken;
  taken.of = story.following(4103, State::sent);
  taken.sequence_number = 4712;
  taken.response_ms = 100;
  story.tell(RecordKind::part, taken);
  expect_told(story.told(), R"({"time":"2026-01-05T10:00:00.003Z","what":"waited","cause":"bind",)"
                            R"("until":"2026-01-05T10:00:04.003Z","ms":4000})");
}

TEST(Telling, NamesWhatWasWrittenWhenTheAnswerWasLost) {
  Story story;
  story.start();
  story.reserved(3);
  Uncertain uncertain;
  uncertain.of = story.following(500);
  uncertain.reason = "link_lost";
  uncertain.bind = 1;
  uncertain.sequence_numbers = {4711, 4713};
  uncertain.attempt = 2;
  uncertain.parts = {true, false, true};
  story.tell(RecordKind::uncertain, uncertain);
  expect_told(story.told(), R"("attempt":2,"bind":1,"sequences":[4711,4713])");
}

TEST(Telling, TellsAReceiptAsItCameAndWhen) {
  Story story(2);
  story.start();
  for (const std::uint8_t part : {std::uint8_t{1}, std::uint8_t{2}}) {
    PartAnswered answered;
    answered.of = story.following(4'000);
    answered.part = part;
    story.tell(RecordKind::part, answered);
  }
  ReceiptCame receipt;
  receipt.of = story.following(9'000);
  receipt.came_ms = kAccepted + 6'500;
  receipt.stat = "DELIVRD";
  receipt.message_state = 2;
  receipt.sub = "001";
  receipt.dlvrd = "001";
  receipt.submit_date = "2601051000";
  receipt.done_date = "2601051001";
  story.tell(RecordKind::receipt, receipt);
  expect_told(story.told(), R"("time":"2026-01-05T10:00:09.000Z","what":"receipt","part":1,)"
                            R"("came":"2026-01-05T10:00:06.500Z","stat":"DELIVRD","sub":"001",)"
                            R"("dlvrd":"001","submit_date":"2601051000",)"
                            R"("done_date":"2601051001"})");
  expect_told(story.told(), R"("receipt_after_ms":2500)");

  ReceiptCame by_tlv_alone;
  by_tlv_alone.of = story.following(9'500);
  by_tlv_alone.part = 2;
  by_tlv_alone.message_state = 5;
  by_tlv_alone.came_ms = kAccepted + 3'900;
  story.tell(RecordKind::receipt, by_tlv_alone);
  expect_told(story.told(), R"("came":"2026-01-05T10:00:03.900Z","message_state":"UNDELIV"})");
  expect_told(story.told(), R"("receipt_after_ms":0)");
}

TEST(Telling, SaysWhoCancelled) {
  Story story;
  story.start();
  Verdict verdict;
  verdict.of = story.following(9'000, State::cancelled);
  verdict.code = "cancelled";
  verdict.detail = "before it was sent";
  verdict.by = "ops";
  story.tell(RecordKind::verdict, verdict);
  expect_told(story.told(), R"("what":"verdict","code":"cancelled","by":"ops",)");
}

TEST(Telling, NamesBothIdsOfASegmentThatTheCarrierTookTwice) {
  Story story;
  story.start();
  story.taken_twice(9'000);
  expect_told(story.told(),
              R"("time":"2026-01-05T10:00:09.000Z","what":"confirmed_duplicate","part":1,)"
              R"("carrier_id":"8F01","other_carrier_id":"8e77",)");
}

TEST(Telling, ConflictNamesThePartItsIdAndItsDate) {
  Story story;
  story.start();
  Conflict conflict;
  conflict.of = story.following(9'000);
  conflict.code = "undeliverable";
  conflict.detail = "stat:UNDELIV err:001";
  conflict.part = 2;
  conflict.message_id = "8F01";
  conflict.done_date = "2601051000";
  conflict.by_reference = true;
  story.tell(RecordKind::conflict, conflict);
  expect_told(story.told(), R"("time":"2026-01-05T10:00:09.000Z","what":"conflict","part":2,)"
                            R"("carrier_id":"8F01","done_date":"2601051000",)"
                            R"("matched_by":"user_message_reference","code":"undeliverable",)"
                            R"("detail":"stat:UNDELIV err:001"})");

  Story older;
  older.start();
  Verdict before;
  before.of = older.following(9'000);
  before.code = "undeliverable";
  before.detail = "stat:UNDELIV";
  older.tell(RecordKind::conflict, before);
  expect_told(older.told(), R"("what":"conflict","code":"undeliverable","detail":"stat:UNDELIV"})");
}

// Under `resend` it is held for a pause, and waits for its turn when that is over.
TEST(Telling, SaysUntilWhenADoubtHoldsAMessageThatGoesAgain) {
  Story story;
  story.start();
  story.reserved(10);
  Uncertain uncertain;
  uncertain.of = story.following(1'000);
  uncertain.reason = "link_lost";
  uncertain.policy = UncertainPolicy::resend;
  uncertain.until_ms = kAccepted + 3'000;
  story.tell(RecordKind::uncertain, uncertain);
  expect_told(story.told(), R"("policy":"resend","until":"2026-01-05T10:00:03.000Z")");
  story.telling().tell_waiting(kAccepted + 2'000, static_cast<std::uint8_t>(Limiter::rate));
  expect_untold(story.told(), R"("what":"waiting")");
  Resolved resolved;
  resolved.of = story.following(3'000);
  resolved.end = DoubtEnd::waited;
  story.tell(RecordKind::resolved, resolved);
  story.telling().tell_waiting(kAccepted + 4'000, static_cast<std::uint8_t>(Limiter::rate));
  expect_told(story.told(), R"("what":"waiting","cause":"rate")");
}

TEST(Telling, SaysWhatAMessageWaitsForNow) {
  const auto limiter = static_cast<std::uint8_t>(Limiter::link_down);
  {
    Story story;
    story.start();
    story.telling().tell_waiting(kAccepted + 5000, limiter);
    expect_told(story.told(),
                R"({"time":"2026-01-05T10:00:05.000Z","what":"waiting","cause":"link_down",)"
                R"("since":"2026-01-05T10:00:00.000Z"})");
  }
  {
    Story story;
    story.accepted().not_before_ms = kAccepted + 60'000;
    story.start();
    story.telling().tell_waiting(kAccepted + 5000, limiter);
    expect_told(story.told(), R"("cause":"not_before","since":"2026-01-05T10:00:00.000Z",)"
                              R"("until":"2026-01-05T10:01:00.000Z"})");
  }
  {
    Story story;
    story.start({{kAccepted + 1000, ~std::uint64_t{0}, "pause"}});
    story.telling().tell_waiting(kAccepted + 5000, limiter);
    expect_told(story.told(), R"("what":"waiting","cause":"pause")");
  }
  {
    Story story;
    story.accepted().hours = Hours{12 * 60, 13 * 60, "Etc/UTC"};
    story.start();
    story.telling().tell_waiting(kAccepted + 5000, limiter);
    expect_told(story.told(), R"("cause":"hours","since":"2026-01-05T10:00:00.000Z",)"
                              R"("until":"2026-01-05T12:00:00.000Z"})");
  }
  {
    Story story;
    story.start();
    story.reserved(3);
    story.telling().tell_waiting(kAccepted + 5000, limiter);
    expect_untold(story.told(), R"("waiting")");
  }
}

TEST(Telling, APausedMessageSaysSoAndByWhomAndWhatItWaitsFor) {
  Story story;
  story.start();
  story.paused(1000, true);
  story.telling().tell_waiting(kAccepted + 5000, static_cast<std::uint8_t>(Limiter::rate));
  const std::string told = story.told();
  expect_told(told, R"("state":"queued","paused":true,)");
  expect_told(told, R"({"time":"2026-01-05T10:00:01.000Z","what":"paused","by":"ops"})");
  expect_told(told, R"("what":"waiting","cause":"pause")");
}

TEST(Telling, AMessageThatWasResumedTellsHowLongItWasPaused) {
  Story story;
  story.start();
  story.paused(1000, true);
  story.paused(4000, false);
  story.reserved(6000);
  const std::string told = story.told();
  expect_untold(told, R"("paused":true)");
  expect_told(told, R"({"time":"2026-01-05T10:00:04.000Z","what":"resumed","by":"ops"})");
  expect_told(told, R"({"time":"2026-01-05T10:00:01.000Z","what":"waited","cause":"pause",)"
                    R"("until":"2026-01-05T10:00:04.000Z","ms":3000})");
}

TEST(Telling, AMessageThatExpiredTellsWhatItWaitedFor) {
  Story story;
  story.start({{kAccepted + 1000, kAccepted + 9000, "pause"}});
  Verdict verdict;
  verdict.of = story.following(8000, State::expired);
  verdict.code = "expired";
  story.tell(RecordKind::verdict, verdict);
  story.telling().tell_waiting(kAccepted + 9000, 0);
  const std::string told = story.told();
  expect_told(told,
              R"("what":"waited","cause":"pause","until":"2026-01-05T10:00:08.000Z","ms":7000)");
  expect_untold(told, R"("what":"waiting")");
}

}  // namespace
}  // namespace stentor::daemon
