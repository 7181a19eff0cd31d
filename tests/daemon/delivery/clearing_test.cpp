// All that waits at a carrier is cancelled by one record, on a carrier whose time is the test's.
#include <gtest/gtest.h>

#include "daemon/records/carrier_cancel_records.h"
#include "daemon/recovery/carriage.h"
#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using test::LoopbackSmsc;
using test::OwnedTime;

class ClearingTest : public OwnedTime {
 protected:
  ClearingTest() : OwnedTime({.window = 2, .rate = 1}) {}
  static constexpr std::uint32_t kMuchLater = kSecond + 36'000;
  static constexpr std::uint64_t kPauseMs = 60'000;
  static constexpr std::uint64_t kLateMaxMs = 100;

  /// Asked and answered.
  void cancel_waiting() {
    found_.reset();
    carrier().cancel_waiting("ops", [this](Cleared found) { found_ = found; });
    EXPECT_FALSE(found_) << "not before it is durable";
    ASSERT_TRUE(settle_until([this] { return found_.has_value(); }));
    settle();
  }
  void expect_cancelled(queue::Locator at) {
    const auto ended = end_of(at);
    ASSERT_TRUE(ended.has_value()) << "it still waits";
    EXPECT_EQ(ended->state, State::cancelled);
    EXPECT_EQ(ended->by, "ops");
  }
  /// By another carrier, whose record of that lies at `moved`.
  void hand_on(queue::Locator at, queue::Locator moved) {
    Arrival arrival;
    arrival.expires_ms = kMuchLater * 1000ull;
    arrival.key = 7;
    arrival.flow = kFlow;
    arrival.at = at;
    carrier().take(arrival, at, moved);
  }

  std::optional<Cleared> found_;
  LoopbackSmsc smsc_{known_.context};
};

TEST_F(ClearingTest, EndsWhatWaitsWhereverItWaitsAndSaysHowMany) {
  const queue::Locator in_lane = take(kMuchLater);
  const queue::Locator later = take(kMuchLater, (kSecond + 3000) * 1000ull);
  const queue::Locator paused = take(kMuchLater);
  ASSERT_EQ(known_.paused.pause(paused), PausedMessages::Added::now);
  settle();
  cancel_waiting();
  ASSERT_TRUE(found_.has_value());
  EXPECT_EQ(found_->waiting, 3u);
  EXPECT_EQ(found_->under_way, 0u);
  for (const queue::Locator at : {in_lane, later, paused}) expect_cancelled(at);
  EXPECT_EQ(carrier().waiting(), 0u);
  EXPECT_EQ(known_.paused.size(), 0u);
}

TEST_F(ClearingTest, LeavesAloneWhatComesLater) {
  const queue::Locator before = take(kMuchLater);
  cancel_waiting();
  const queue::Locator after = take(kMuchLater);
  settle();
  expect_cancelled(before);
  EXPECT_FALSE(end_of(after));
  EXPECT_EQ(carrier().waiting(), 1u);
}

// Accepted before the order, and on its way here when it was obeyed.
TEST_F(ClearingTest, MeansWhatIsOnItsWayFromAdmission) {
  const queue::Locator on_its_way = accept(1, kMuchLater).front();
  const auto many = accept(2000, kMuchLater);
  for (const queue::Locator at : many) hand_over(at, kMuchLater);
  carrier().cancel_waiting("ops", [&](Cleared found) {
    found_ = found;
    hand_over(on_its_way, kMuchLater);
  });
  ASSERT_TRUE(settle_until([this] { return found_.has_value(); }));
  settle();
  expect_cancelled(on_its_way);
  expect_cancelled(many.front());
  expect_cancelled(many.back());
  EXPECT_EQ(carrier().waiting(), 0u);
}

// Two messages come from another carrier while the order is carried out: one had moved before.
TEST_F(ClearingTest, MeansWhatMovedHereBeforeAndNotWhatMovesHereSince) {
  const queue::Locator early = accept(1, kMuchLater).front();
  const queue::Locator late = accept(1, kMuchLater).front();
  const auto many = accept(2000, kMuchLater);
  for (const queue::Locator at : many) hand_over(at, kMuchLater);
  carrier().cancel_waiting("ops", [&](Cleared found) {
    found_ = found;
    hand_on(early, many.front());
    hand_on(late, queue::Locator(9, 64, 0));
  });
  ASSERT_TRUE(settle_until([this] { return found_.has_value(); }));
  settle();
  expect_cancelled(early);
  expect_cancelled(many.back());
  EXPECT_FALSE(end_of(late));
  EXPECT_EQ(carrier().waiting() + carrier().snapshot().reserved, 1u);
}

TEST_F(ClearingTest, LeavesAloneWhatIsUnderWayOrInDoubt) {
  ASSERT_TRUE(bind(smsc_));
  const queue::Locator written = take(kMuchLater);
  ASSERT_TRUE(settle_until([&] { return smsc_.submitted().size() == 1; }));
  const queue::Locator doubted = hold(kMuchLater, 0, UncertainPolicy::hold);
  cancel_waiting();
  ASSERT_TRUE(found_.has_value());
  EXPECT_EQ(found_->waiting, 0u);
  EXPECT_EQ(found_->under_way, 1u);
  EXPECT_FALSE(end_of(written));
  EXPECT_FALSE(end_of(doubted));
  EXPECT_EQ(carrier().look_at(kFlow).in_doubt, 1u);
}

TEST_F(ClearingTest, OneThatCannotBeReadEndsWhenItCanAndStopsNobody) {
  const queue::Locator unreadable = take(kMuchLater);
  const queue::Locator other = take(kMuchLater);
  disk_.spoil(unreadable);
  cancel_waiting();
  const queue::Locator after = take(kMuchLater);
  disk_.spoil(unreadable);  // it is as it was
  expect_cancelled(other);
  EXPECT_FALSE(end_of(unreadable));
  run_until(kBegin + kPauseMs + kLateMaxMs);
  expect_cancelled(unreadable);
  EXPECT_FALSE(end_of(after));
}

TEST_F(ClearingTest, ASecondOrderMeansWhatCameBetweenThem) {
  for (const queue::Locator at : accept(2000, kMuchLater)) hand_over(at, kMuchLater);
  carrier().cancel_waiting("ops", [&](Cleared) {});
  const queue::Locator between = take(kMuchLater);
  cancel_waiting();
  expect_cancelled(between);
  EXPECT_EQ(carrier().waiting(), 0u);
}

TEST(CarrierCancelledRecord, IsCarriedAsTheLatestOfItsCarrier) {
  FieldWriter fields;
  encode(CarrierCancelled{.carrier = "north", .time_ms = 7, .client = "ops"}, fields);
  const queue::Record record{
      .kind = kCarrierCancelledRecord, .payload = fields.octets(), .at = queue::Locator(1, 64, 0)};
  EXPECT_EQ(carriage_of(kCarrierCancelledRecord), Carriage::latest);
  const auto read = decode_carrier_cancelled(fields.octets());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->carrier, "north");
  EXPECT_EQ(read->time_ms, 7u);
  EXPECT_EQ(read->client, "ops");
  EXPECT_FALSE(decode_carrier_cancelled(fields.octets().first(fields.size() - 1)));

  FieldWriter later;
  encode(CarrierCancelled{.carrier = "north", .time_ms = 9, .client = "root"}, later);
  EXPECT_EQ(key_of(record), key_of({.kind = kCarrierCancelledRecord,
                                    .payload = later.octets(),
                                    .at = queue::Locator(2, 64, 0)}));
  later.clear();
  encode(CarrierCancelled{.carrier = "south", .time_ms = 7, .client = "ops"}, later);
  EXPECT_NE(key_of(record), key_of({.kind = kCarrierCancelledRecord,
                                    .payload = later.octets(),
                                    .at = queue::Locator(2, 64, 0)}));
}

}  // namespace
}  // namespace stentor::daemon
