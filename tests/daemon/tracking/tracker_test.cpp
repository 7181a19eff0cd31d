// What becomes of receipts, whichever way a carrier writes, repeats, delays or mistakes them.
#include "daemon/tracking/tracker.h"

#include <gtest/gtest.h>

#include "tests/daemon/tracking/tracked_carrier.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using protocol::MessageIdRule;
using protocol::MessageState;
using States = std::vector<State>;

// Receipt ids, as the carrier wrote them in submit_sm_resp and in the receipt.
struct Spelt {
  const char* what;
  const char* taken;
  const char* receipt;
};
constexpr Spelt kSpelt[] = {
    {"verbatim", "1101c1-c9d03d", "1101c1-c9d03d"},
    {"decimal of a hexadecimal id", "3b9aca00", "1000000000"},
    {"hexadecimal of a decimal id", "1000000000", "3B9ACA00"},
    {"another letter case", "8F00AB", "8f00ab"},
    {"zeros stripped", "0000001234", "1234"},
    {"zeros added", "1234", "0000001234"},
    {"over 63 bits", "812FC7470000001B", "9308878062554710043"},
    {"over 64 bits", "4b3b4ca85a86c47a098a223fffffffff", "99999999999999999999999999999999999999"},
};

/// A carrier by the usual rule.
class TrackerTest : public testing::Test {
 protected:
  /// A message of one part that the carrier has taken under this id.
  queue::Locator taken(std::string_view id) {
    const auto at = carrier_.accept();
    carrier_.take(at, id);
    return at;
  }
  TrackedCarrier carrier_;
};

TEST(Tracker, MatchesAReceiptHoweverItsIdIsSpelt) {
  for (const Spelt& spelt : kSpelt) {
    TrackedCarrier carrier;
    const auto at = carrier.accept();
    carrier.take(at, spelt.taken);
    carrier.receive(spelt.receipt, MessageState::delivered);
    EXPECT_EQ(carrier.told_of(at), States{State::delivered}) << spelt.what;
    EXPECT_EQ(carrier.tracker().outstanding(), 0u) << spelt.what;
  }
}

TEST(Tracker, HoldsAReceiptThatComesBeforeItsResponseHoweverItsIdIsSpelt) {
  for (const Spelt& spelt : kSpelt) {
    TrackedCarrier carrier;
    const auto at = carrier.accept();
    carrier.receive(spelt.receipt, MessageState::delivered);
    EXPECT_EQ(carrier.count(Written::Kind::orphan), 1u);
    carrier.take(at, spelt.taken);
    EXPECT_EQ(carrier.told_of(at), States{State::delivered}) << spelt.what;
    EXPECT_EQ(carrier.stats.receipts_matched_late, 1u);
  }
}

/// As long as a deliver_sm can carry, and different in the last octet alone.
std::string long_id(char last, std::size_t octets = 200) {
  return std::string(octets - 1, 'A') + last;
}

TEST_F(TrackerTest, IdsBeyondTheStandardsLengthAreToldApartByTheirLastOctet) {
  for (const std::size_t octets : {66u, 200u, 60000u}) {
    const auto one = taken(long_id('1', octets));
    const auto two = taken(long_id('2', octets));
    carrier_.receive(long_id('2', octets), MessageState::undeliverable);
    EXPECT_TRUE(carrier_.told_of(one).empty()) << octets;
    EXPECT_EQ(carrier_.told_of(two), States{State::failed});
    carrier_.receive("00" + long_id('1', octets), MessageState::delivered);
    EXPECT_EQ(carrier_.told_of(one), States{State::delivered});
    carrier_.receive(long_id('2', octets), MessageState::undeliverable);
    EXPECT_EQ(carrier_.stats.receipts_duplicate, 1u) << "of the second, and no conflict";
    EXPECT_EQ(carrier_.count(Written::Kind::conflict), 0u);
    carrier_.stats = {};
  }
}

TEST_F(TrackerTest, IdsBeyondTheStandardsLengthAreWhatTheyWereAfterARestart) {
  const auto one = taken(long_id('1'));
  const auto two = taken(long_id('2'));
  carrier_.receive(long_id('4'), MessageState::delivered);
  carrier_.restart();
  EXPECT_EQ(carrier_.tracker().outstanding(), 2u);
  carrier_.receive(long_id('2'), MessageState::delivered);
  carrier_.receive(long_id('1'), MessageState::expired);
  EXPECT_EQ(carrier_.told_of(one), States{State::expired});
  EXPECT_EQ(carrier_.told_of(two), States{State::delivered});

  EXPECT_EQ(carrier_.tracker().early(), 1u) << "ahead of its response, and nobody else's";
  EXPECT_TRUE(carrier_.told_of(taken(long_id('3'))).empty());
}

// The carrier gave the id before, to what somebody else sent, or what was lost with its response.
TEST_F(TrackerTest, AReceiptFromBeforeTheSubmitSettlesNothingAlsoAfterARestart) {
  carrier_.receive("8f00", MessageState::undeliverable);
  carrier_.pass(1s);
  const auto at = carrier_.accept();
  carrier_.submit(at);
  carrier_.pass(1s);
  carrier_.take(at, "8f00");
  EXPECT_TRUE(carrier_.told_of(at).empty());
  EXPECT_EQ(carrier_.tracker().early(), 1u) << "it is an orphan still";
  carrier_.restart();
  EXPECT_TRUE(carrier_.told_of(at).empty());
  EXPECT_EQ(carrier_.tracker().early(), 1u);

  carrier_.receive("8f00", MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
  carrier_.restart();
  EXPECT_EQ(carrier_.count(Written::Kind::conflict), 0u) << "nor does it contradict anybody";
}

TEST_F(TrackerTest, AReceiptThatWasHeldBackSaysWhenItCameAndItsLatencyEndsThere) {
  const auto at = carrier_.accept();
  const std::uint64_t sent_ms = carrier_.now().wall_ms;
  carrier_.submit(at);
  carrier_.pass(2s);
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.pass(40s);
  carrier_.take(at, "8f00");
  EXPECT_EQ(carrier_.written.back().time_ms, sent_ms + 42'000);
  EXPECT_EQ(carrier_.written.back().came_ms, sent_ms + 2'000);
  EXPECT_EQ(carrier_.stats.receipt_after.count(), 1u);
  EXPECT_NEAR(carrier_.stats.receipt_after.sum_seconds(), 2.0, 0.1);

  taken("8f01");
  carrier_.receive("8f01", MessageState::delivered);
  EXPECT_EQ(carrier_.written.back().came_ms, carrier_.written.back().time_ms);
}

TEST_F(TrackerTest, AnIntermediateReceiptAheadOfTheResponseIsToldOnceHoweverOftenItStarts) {
  const auto at = carrier_.accept();
  carrier_.submit(at);
  carrier_.receive("8f00", MessageState::enroute);
  carrier_.take(at, "8f00");
  EXPECT_EQ(carrier_.count(Written::Kind::receipt), 1u);
  for (int again = 0; again < 2; ++again) carrier_.restart();
  EXPECT_EQ(carrier_.count(Written::Kind::receipt), 1u);
}

TEST_F(TrackerTest, AContradictionAheadOfTheResponseIsToldOnceHoweverOftenItStarts) {
  const auto at = carrier_.accept();
  carrier_.submit(at);
  carrier_.receive("8F00", MessageState::delivered);
  carrier_.receive("8f00", MessageState::expired);
  carrier_.take(at, "8f00");
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
  EXPECT_EQ(carrier_.count(Written::Kind::conflict), 1u);
  for (int again = 0; again < 2; ++again) carrier_.restart();
  EXPECT_EQ(carrier_.count(Written::Kind::conflict), 1u);
  EXPECT_EQ(carrier_.tracker().early(), 0u);
}

TEST_F(TrackerTest, AReceiptFromBehindTheSubmitIsHeldHoweverLateTheResponseComes) {
  const auto at = carrier_.accept();
  carrier_.submit(at);
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.pass(40h);
  carrier_.take(at, "8f00");
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
}

// It was written before the restart, under the same id, for all we know.
TEST_F(TrackerTest, AfterADoubtAReceiptIsHeldThatCameSinceTheMessageWasAccepted) {
  const auto before = carrier_.accept();
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.receive("8f01", MessageState::delivered);
  carrier_.pass(1h);
  const auto behind = carrier_.accept();
  carrier_.restart();
  carrier_.after_doubt = true;
  carrier_.take(before, "8f00");
  carrier_.take(behind, "8f01");
  EXPECT_EQ(carrier_.told_of(before), States{State::delivered});
  EXPECT_TRUE(carrier_.told_of(behind).empty());
  carrier_.restart();
  EXPECT_TRUE(carrier_.told_of(behind).empty());
}

TEST_F(TrackerTest, WhatWasTakenIsMatchedHoweverTheClockWasSetBackOverARestart) {
  const auto at = taken("8f00");
  carrier_.set_clock_back(3h);
  carrier_.restart();
  carrier_.receive("8f00", MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
}

TEST(Tracker, KeepsToTheRuleOfTheCarrier) {
  TrackedCarrier carrier(MessageIdRule::verbatim);
  const auto at = carrier.accept();
  carrier.take(at, "3b9aca00");
  carrier.receive("1000000000", MessageState::delivered);
  EXPECT_TRUE(carrier.told_of(at).empty());
  EXPECT_EQ(carrier.stats.receipts_unmatched, 1u);
}

TEST_F(TrackerTest, KeepsAnEarlyReceiptOverARestart) {
  const auto at = carrier_.accept();
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.restart();
  carrier_.take(at, "8f00");
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
}

TEST_F(TrackerTest, MatchesAfterARestart) {
  const auto at = taken("8f00");
  carrier_.restart();
  carrier_.receive("8f00", MessageState::undeliverable);
  EXPECT_EQ(carrier_.told_of(at), States{State::failed});
}

// "10" read as hexadecimal is 16.
TEST_F(TrackerTest, ASecondCopyEndsNoOtherMessageWhoseIdItMightSpell) {
  const auto one = taken("10");
  const auto other = taken("16");
  carrier_.receive("10", MessageState::delivered);
  carrier_.receive("10", MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(one), States{State::delivered});
  EXPECT_EQ(carrier_.told_of(other), States{});
  EXPECT_EQ(carrier_.stats.receipts_duplicate, 1u);
}

// "10" read as hexadecimal is 16: whose it is, the number says.
TEST_F(TrackerTest, AReceiptThatNamesAnotherHandsetEndsNoMessageWhoseIdItMerelyMightSpell) {
  const auto at = taken("16");
  protocol::Receipt receipt;
  receipt.message_id = "10";
  receipt.state = MessageState::delivered;
  receipt.source = "79169999999";
  receipt.destination = "SHOP";
  carrier_.receive(receipt);
  EXPECT_EQ(carrier_.told_of(at), States{});
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 1u);

  for (const char* handset : {"79160000001", "SHOP"}) {  // some carriers swap the two
    const bool is_swapped = receipt.source == "79160000001";
    receipt.source = handset;
    receipt.destination = is_swapped ? "79160000001" : "SHOP";
    carrier_.receive(receipt);
  }
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
  EXPECT_EQ(carrier_.stats.receipts_duplicate, 1u) << "the other one is its second copy";
}

TEST_F(TrackerTest, AReceiptOfAnotherHandsetIsNoCopyOfASettledOneEither) {
  const auto at = taken("16");
  carrier_.receive("16", MessageState::delivered);
  protocol::Receipt receipt;
  receipt.message_id = "10";
  receipt.state = MessageState::undeliverable;
  receipt.source = "79169999999";
  carrier_.receive(receipt);
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
  EXPECT_EQ(carrier_.count(Written::Kind::conflict), 0u);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 1u);
}

// Under a known rule "82" is 130 alone; at a restart it was read in every way, and the wrong part
// of the message was the settled one.
TEST_F(TrackerTest, AReceiptIsOfTheSamePartAfterARestartWhateverOtherPartItsIdMightSpell) {
  TrackedCarrier carrier(protocol::MessageIdRule::hex);
  const auto at = carrier.accept();
  carrier.take(at, "82", 1, 2);
  carrier.take(at, "130", 2, 2);
  carrier.receive("82", MessageState::undeliverable);  // hexadecimal: of part 2
  ASSERT_EQ(carrier.written.back().part, 2);
  carrier.restart();
  carrier.receive("52", MessageState::delivered);  // of part 1
  EXPECT_EQ(carrier.written.back().part, 1);
  EXPECT_EQ(carrier.told_of(at), States{State::failed});
  carrier.receive("82", MessageState::undeliverable);
  EXPECT_EQ(carrier.count(Written::Kind::again), 1u);
  EXPECT_EQ(carrier.count(Written::Kind::conflict), 0u);
}

TEST_F(TrackerTest, ASecondCopyIsNotToldAgainNotEvenAfterARestart) {
  taken("8f00");
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.restart();
  carrier_.receive("8f00", MessageState::delivered);
  EXPECT_EQ(carrier_.count(Written::Kind::receipt), 1u);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 0u);
  EXPECT_EQ(carrier_.stats.receipts_duplicate, 2u);
}

TEST_F(TrackerTest, ASecondCopyOfAPartIsNotToldAgainAfterARestart) {
  const auto at = carrier_.accept();
  carrier_.take(at, "a1", 1, 2);
  carrier_.take(at, "a2", 2, 2);
  carrier_.receive("a1", MessageState::delivered);
  carrier_.restart();
  carrier_.receive("a1", MessageState::delivered);
  carrier_.receive("a2", MessageState::delivered);
  EXPECT_EQ(carrier_.count(Written::Kind::receipt), 2u);
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
}

TEST_F(TrackerTest, AnIntermediateReceiptEndsNothing) {
  const auto at = taken("8f00");
  carrier_.receive("8f00", MessageState::enroute);
  carrier_.receive("8f00", MessageState::delivered, true);  // esm_class says intermediate
  EXPECT_TRUE(carrier_.told_of(at).empty());
  EXPECT_EQ(carrier_.tracker().outstanding(), 1u);
  carrier_.receive("8f00", MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
}

TEST_F(TrackerTest, AnIntermediateReceiptBehindTheFinalOneChangesNothing) {
  const auto at = taken("8f00");
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.receive("8f00", MessageState::enroute);
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
  EXPECT_EQ(carrier_.count(Written::Kind::conflict), 0u);
}

TEST_F(TrackerTest, AnotherFinalAfterAFinalIsAConflictAndChangesNothing) {
  const auto at = taken("8f00");
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.receive("8f00", MessageState::undeliverable);
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
  ASSERT_EQ(carrier_.count(Written::Kind::conflict), 1u);
  EXPECT_EQ(carrier_.written.back().code, "undeliverable");
}

TEST_F(TrackerTest, AConflictSaysOfWhichPartUnderWhichIdAndWhenItWasDone) {
  const auto at = carrier_.accept();
  carrier_.take(at, "8f00", 1, 2);
  carrier_.take(at, "8f01", 2, 2);
  protocol::Receipt receipt;
  receipt.message_id = "8F01";  // as it came, not as it was looked up
  receipt.state = MessageState::delivered;
  receipt.stat = "DELIVRD";
  receipt.done_date = "2601051000";
  carrier_.receive(receipt);
  receipt.state = MessageState::undeliverable;
  receipt.stat = "UNDELIV";
  receipt.done_date = "260105100230";
  carrier_.receive(receipt);
  ASSERT_EQ(carrier_.count(Written::Kind::conflict), 1u);
  const Written& conflict = carrier_.written.back();
  EXPECT_EQ(conflict.part, 2);
  EXPECT_EQ(conflict.message_id, "8F01");
  EXPECT_EQ(conflict.done_date, "260105100230");
  EXPECT_EQ(conflict.detail, "stat:UNDELIV");
  EXPECT_FALSE(conflict.by_reference);
}

TEST_F(TrackerTest, WhatFollowsADoubtIsMarkedAlsoAfterARestart) {
  carrier_.after_doubt = true;
  taken("8f00");
  taken("8f01");
  carrier_.restart();
  carrier_.receive("8f00", MessageState::delivered);
  EXPECT_TRUE(carrier_.written.back().possible_duplicate);
  carrier_.receive("8f00", MessageState::undeliverable);
  ASSERT_EQ(carrier_.written.back().kind, Written::Kind::conflict);
  EXPECT_TRUE(carrier_.written.back().possible_duplicate);

  carrier_.pass(3h);
  carrier_.sweep();
  ASSERT_EQ(carrier_.written.back().kind, Written::Kind::verdict);
  EXPECT_TRUE(carrier_.written.back().possible_duplicate);

  carrier_.after_doubt = false;
  taken("8f02");
  carrier_.receive("8f02", MessageState::delivered);
  EXPECT_FALSE(carrier_.written.back().possible_duplicate);
}

TEST_F(TrackerTest, ADoubtOfOnePartMarksTheVerdictWhicheverPartMakesIt) {
  const auto at = carrier_.accept();
  carrier_.take(at, "a1", 1, 2);
  carrier_.after_doubt = true;
  carrier_.take(at, "a2", 2, 2);
  carrier_.restart();
  carrier_.receive("a2", MessageState::delivered);
  carrier_.receive("a1", MessageState::delivered);
  ASSERT_EQ(carrier_.written.back().state, State::delivered);
  EXPECT_EQ(carrier_.written.back().part, 1);
  EXPECT_TRUE(carrier_.written.back().possible_duplicate);
}

TEST_F(TrackerTest, AnUnknownReceiptBehindAFinalOneIsNoConflict) {
  taken("8f00");
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.receive("8f00", MessageState::unknown);
  EXPECT_EQ(carrier_.count(Written::Kind::conflict), 0u);
}

TEST_F(TrackerTest, AReceiptMatchesOnTheLastMinuteOfTheMarginAndSilenceEndsItBehindThat) {
  const auto in_time = carrier_.accept();
  const auto silent = carrier_.accept();
  carrier_.take(in_time, "a", 1, 1, 72 * 3600);
  carrier_.take(silent, "b", 1, 1, 72 * 3600);
  carrier_.pass(72h + 1h);
  carrier_.sweep();
  EXPECT_TRUE(carrier_.told_of(silent).empty());
  carrier_.receive("a", MessageState::delivered);
  carrier_.pass(2min);
  carrier_.sweep();
  EXPECT_EQ(carrier_.told_of(in_time), States{State::delivered});
  EXPECT_EQ(carrier_.told_of(silent), States{State::unknown});
  EXPECT_EQ(carrier_.written.back().code, "no_receipt");
}

TEST_F(TrackerTest, SilenceIsGoodNewsWhereOnlyFailuresWereAskedFor) {
  const auto at = carrier_.accept(ReceiptWish::failure);
  carrier_.take(at, "8f00");
  carrier_.pass(3h);
  carrier_.sweep();
  EXPECT_EQ(carrier_.told_of(at), States{State::sent_final});
  EXPECT_EQ(carrier_.tracker().outstanding(), 0u);
}

TEST_F(TrackerTest, ALateReceiptCorrectsSilenceOnce) {
  const auto at = taken("8f00");
  carrier_.pass(3h);
  carrier_.sweep();
  carrier_.pass(48h);
  carrier_.receive("8f00", MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(at), (States{State::unknown, State::delivered}));
  EXPECT_EQ(carrier_.written.back().corrects, State::unknown);
  carrier_.receive("8f00", MessageState::undeliverable);
  EXPECT_EQ(carrier_.told_of(at).size(), 2u);
  EXPECT_EQ(carrier_.count(Written::Kind::conflict), 1u);
}

TEST_F(TrackerTest, ALateReceiptCorrectsAnUnknownReceiptOnceNotWithAnother) {
  const auto at = taken("8f00");
  carrier_.receive("8f00", MessageState::unknown);
  carrier_.receive("8f00", MessageState::unknown);
  carrier_.receive("8f00", MessageState::enroute);
  EXPECT_EQ(carrier_.told_of(at), States{State::unknown});
  carrier_.receive("8f00", MessageState::undeliverable);
  EXPECT_EQ(carrier_.told_of(at), (States{State::unknown, State::failed}));
  EXPECT_EQ(carrier_.written.back().corrects, State::unknown);
}

TEST_F(TrackerTest, ALateReceiptCorrectsAfterARestart) {
  const auto single = carrier_.accept();
  const auto several = carrier_.accept();
  carrier_.take(single, "a");
  carrier_.take(several, "b1", 1, 2);
  carrier_.take(several, "b2", 2, 2);
  carrier_.receive("b1", MessageState::delivered);
  carrier_.pass(3h);
  carrier_.sweep();
  carrier_.restart();
  carrier_.receive("a", MessageState::delivered);
  carrier_.receive("b2", MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(single), (States{State::unknown, State::delivered}));
  EXPECT_EQ(carrier_.told_of(several), (States{State::unknown, State::delivered}));
}

// By default messages live as long as retention keeps files: its own has gone when it is corrected.
TEST_F(TrackerTest, ALateReceiptCorrectsByTheRecordThatToldWhenTheMessagesOwnIsGone) {
  for (const bool restarts : {false, true}) {
    TrackedCarrier carrier;
    const auto single = carrier.accept();
    const auto several = carrier.accept();
    const auto reported = carrier.accept();
    carrier.take(single, "a", 1, 1, 72 * 3600);
    carrier.take(several, "b1", 1, 2, 72 * 3600);
    carrier.take(several, "b2", 2, 2, 72 * 3600);
    carrier.take(reported, "c", 1, 1, 72 * 3600);
    carrier.receive("b1", MessageState::delivered);
    carrier.receive("c", MessageState::unknown);
    carrier.pass(73h + 2min);
    carrier.sweep();
    carrier.commit();
    for (const auto at : {single, several, reported}) carrier.retire(at);
    if (restarts) carrier.restart();
    carrier.pass(1h);
    carrier.receive("a", MessageState::delivered);
    carrier.receive("b2", MessageState::undeliverable);
    EXPECT_EQ(carrier.told_of(single), (States{State::unknown, State::delivered})) << restarts;
    EXPECT_EQ(carrier.told_of(several), (States{State::unknown, State::failed})) << restarts;
    EXPECT_EQ(carrier.written.back().corrects, State::unknown);
    EXPECT_EQ(carrier.written.back().flow, 7u) << "its campaign's counts are corrected, too";

    carrier.receive("a", MessageState::undeliverable);
    EXPECT_EQ(carrier.conflicts_of(single), 1u);
    carrier.retire_written();
    carrier.receive("c", MessageState::delivered);
    EXPECT_EQ(carrier.told_of(reported), States{State::unknown}) << "nothing is left to tell by";
    EXPECT_EQ(carrier.count(Written::Kind::orphan), 1u);
  }
}

TEST_F(TrackerTest, AReceiptThatCorrectsByARecordWhichCannotBeReadNowIsKeptAndToldOnceItCan) {
  const auto silent = taken("8f00");
  const auto settled = taken("8f01");
  carrier_.pass(3h);
  carrier_.sweep();
  carrier_.receive("8f01", MessageState::delivered);
  carrier_.commit();
  for (const auto at : {silent, settled}) carrier_.retire(at);
  carrier_.damage_written(2);
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.receive("8f01", MessageState::undeliverable);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 2u);
  EXPECT_EQ(carrier_.stats.receipts_unread, 2u);
  EXPECT_EQ(carrier_.told_of(silent), States{State::unknown});
  EXPECT_EQ(carrier_.conflicts_of(settled), 0u);

  carrier_.pass(1min);
  carrier_.tracker().on_second(carrier_.now());
  EXPECT_EQ(carrier_.told_of(silent), (States{State::unknown, State::delivered}));
  EXPECT_EQ(carrier_.conflicts_of(settled), 1u);
}

TEST_F(TrackerTest, ACorrectionIsPossibleForThreeDaysAndNotLonger) {
  const auto at = taken("8f00");
  carrier_.pass(3h);
  carrier_.sweep();
  carrier_.pass(72h);
  carrier_.sweep();
  EXPECT_EQ(carrier_.tracker().outstanding(), 1u);
  carrier_.pass(2min);
  carrier_.sweep();
  EXPECT_EQ(carrier_.tracker().outstanding(), 0u);
  carrier_.receive("8f00", MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(at), States{State::unknown});
}

TEST_F(TrackerTest, AReceiptThatComesWhenTheRecordIsGoneIsKeptAsAnOrphanAlsoOverARestart) {
  const auto single = taken("8f00");
  const auto several = carrier_.accept();
  carrier_.take(several, "b1", 1, 2);
  carrier_.take(several, "b2", 2, 2);
  carrier_.pass(3h);
  carrier_.sweep();
  ASSERT_EQ(carrier_.tracker().outstanding(), 3u) << "they may be corrected";
  carrier_.retire(single);
  carrier_.retire(several);
  carrier_.retire_written();
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.receive("b2", MessageState::delivered);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 2u);
  EXPECT_EQ(carrier_.count(Written::Kind::receipt), 0u);
  EXPECT_EQ(carrier_.told_of(single), States{State::unknown});
  EXPECT_EQ(carrier_.stats.receipts_unmatched, 2u);
  EXPECT_EQ(carrier_.stats.records_unreadable, 0u);
  EXPECT_EQ(carrier_.tracker().orphans(10).newest.size(), 2u);
  EXPECT_EQ(carrier_.tracker().outstanding(), 1u) << "b1's alone";
  carrier_.restart();
  EXPECT_EQ(carrier_.tracker().early(), 2u);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 2u) << "it is not written again";
  EXPECT_EQ(carrier_.told_of(several), States{State::unknown});
}

TEST_F(TrackerTest, AReceiptMatchedByItsReferenceWhenTheRecordIsGoneIsKeptAsAnOrphan) {
  const auto at = taken("8f00");
  carrier_.pass(3h);
  carrier_.sweep();
  carrier_.retire(at);
  carrier_.receive_named("of another kind", carrier_.reference_of(at), MessageState::delivered);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 1u);
  EXPECT_EQ(carrier_.stats.receipts_by_reference, 0u);
}

TEST_F(TrackerTest, AReceiptWhoseRecordCannotBeReadIsKeptAndToldOnceItCan) {
  const auto at = taken("8f00");
  carrier_.damage(at);
  carrier_.receive("8f00", MessageState::delivered);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 1u);
  EXPECT_EQ(carrier_.stats.records_unreadable, 1u);
  EXPECT_EQ(carrier_.stats.receipts_unread, 1u);
  const OrphanReport report = carrier_.tracker().orphans(10);
  EXPECT_EQ(report.unread, 1u);
  EXPECT_EQ(report.newest.size(), 1u);
  EXPECT_FALSE(report.suggested) << "its id is no riddle";

  for (int minute = 0; minute < 3; ++minute) {
    carrier_.pass(1min);
    carrier_.tracker().on_second(carrier_.now());
  }
  EXPECT_TRUE(carrier_.told_of(at).empty());
  EXPECT_EQ(carrier_.tracker().early(), 1u);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 1u) << "however often it is tried";

  carrier_.mend(at);
  carrier_.pass(1min);
  carrier_.tracker().on_second(carrier_.now());
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
  EXPECT_EQ(carrier_.tracker().early(), 0u);
  EXPECT_EQ(carrier_.tracker().orphans(10).unread, 0u);
  EXPECT_EQ(carrier_.stats.receipts_matched_late, 1u);
}

TEST_F(TrackerTest, AReceiptWhoseRecordCannotBeReadIsToldAfterARestart) {
  const auto at = taken("8f00");
  const auto named = carrier_.accept();
  carrier_.take(named, "8f01");
  carrier_.damage(at);
  carrier_.damage(named);
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.receive_named("of another kind", carrier_.reference_of(named), MessageState::expired);
  carrier_.restart();
  EXPECT_TRUE(carrier_.told_of(at).empty()) << "it cannot be read yet";
  EXPECT_EQ(carrier_.tracker().early(), 2u);
  carrier_.mend(at);
  carrier_.mend(named);
  carrier_.restart();
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
  EXPECT_EQ(carrier_.told_of(named), States{State::expired});
  carrier_.restart();
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered}) << "once";
  EXPECT_EQ(carrier_.tracker().early(), 0u);
}

TEST_F(TrackerTest, ManyThatCannotBeReadAreTriedAFewAMinuteAndAllOnceTheyCan) {
  constexpr int kMessages = 300;
  std::vector<queue::Locator> all;
  for (int i = 0; i < kMessages; ++i) {
    all.push_back(taken("id-" + std::to_string(i)));
    carrier_.damage(all.back());
    carrier_.receive("id-" + std::to_string(i), MessageState::delivered);
  }
  const std::uint64_t before = carrier_.stats.records_unreadable;
  for (int second = 0; second < 30; ++second) {
    carrier_.pass(1s);
    carrier_.tracker().on_second(carrier_.now());
  }
  EXPECT_LE(carrier_.stats.records_unreadable - before, 10u);
  for (const auto at : all) carrier_.mend(at);
  for (int second = 0; second < 64; ++second) {
    carrier_.pass(1s);
    carrier_.tracker().on_second(carrier_.now());
  }
  EXPECT_EQ(carrier_.stats.messages_delivered, static_cast<std::uint64_t>(kMessages));
  EXPECT_EQ(carrier_.tracker().early(), 0u);
}

TEST_F(TrackerTest, SilenceSaysNothingOfWhatCannotBeRead) {
  const auto at = taken("8f00");
  carrier_.damage(at);
  carrier_.pass(3h);
  carrier_.sweep();
  EXPECT_TRUE(carrier_.told_of(at).empty());
  EXPECT_EQ(carrier_.tracker().outstanding(), 1u) << "its receipt may still come";
  carrier_.mend(at);
  carrier_.pass(3min);
  carrier_.sweep();
  EXPECT_EQ(carrier_.told_of(at), States{State::unknown});
}

TEST_F(TrackerTest, AConflictWhoseRecordCannotBeReadIsToldOnceItCanAndAtMostOnce) {
  const auto at = taken("8f00");
  carrier_.receive("8f00", MessageState::delivered);
  carrier_.damage(at);
  carrier_.receive("8f00", MessageState::undeliverable);
  EXPECT_EQ(carrier_.conflicts_of(at), 0u);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 1u);
  EXPECT_EQ(carrier_.stats.receipts_conflicting, 0u);
  carrier_.mend(at);
  carrier_.pass(1min);
  carrier_.tracker().on_second(carrier_.now());
  EXPECT_EQ(carrier_.conflicts_of(at), 1u);
  EXPECT_EQ(carrier_.stats.receipts_conflicting, 1u);
  EXPECT_EQ(carrier_.tracker().early(), 0u);
  for (int again = 0; again < 2; ++again) carrier_.restart();
  EXPECT_EQ(carrier_.conflicts_of(at), 1u);
  EXPECT_EQ(carrier_.tracker().early(), 1u) << "a start cannot know that: it lists it";
  carrier_.tracker().start_rematch(protocol::MessageIdRule::automatic);
  while (carrier_.tracker().rematch_some(10, carrier_.now()).tried > 0) {
  }
  EXPECT_EQ(carrier_.conflicts_of(at), 1u);
  EXPECT_EQ(carrier_.tracker().orphans(10).newest.size(), 1u);
}

TEST_F(TrackerTest, AnUnknownPartOfAMessageThatFailedIsCorrectedAlsoAfterARestart) {
  for (const bool is_last : {false, true}) {
    const std::string id = is_last ? "a" : "b";
    const auto at = carrier_.accept();
    carrier_.take(at, id + "1", 1, 2);
    carrier_.take(at, id + "2", 2, 2);
    if (!is_last) carrier_.receive(id + "1", MessageState::unknown);
    carrier_.receive(id + "2", MessageState::undeliverable);
    if (is_last) carrier_.receive(id + "1", MessageState::unknown);
    ASSERT_EQ(carrier_.told_of(at), States{State::failed});
    EXPECT_TRUE(carrier_.written.back().has_unknown_part);
    carrier_.restart();
    const std::size_t told = carrier_.count(Written::Kind::receipt);
    carrier_.receive(id + "1", MessageState::delivered);
    EXPECT_EQ(carrier_.count(Written::Kind::receipt), told + 1) << "the part's own event";
    EXPECT_EQ(carrier_.count(Written::Kind::orphan), 0u);
    EXPECT_EQ(carrier_.told_of(at), States{State::failed}) << "the verdict stands";
    carrier_.restart();
    carrier_.receive(id + "1", MessageState::delivered);
    EXPECT_EQ(carrier_.count(Written::Kind::receipt), told + 1) << "once";
  }
}

TEST_F(TrackerTest, AVerdictWithoutAnUnknownPartAwaitsNoCorrection) {
  const auto at = carrier_.accept();
  carrier_.take(at, "a1", 1, 2);
  carrier_.take(at, "a2", 2, 2);
  carrier_.receive("a1", MessageState::delivered);
  carrier_.receive("a2", MessageState::undeliverable);
  EXPECT_EQ(carrier_.told_of(at), States{State::failed});
  EXPECT_FALSE(carrier_.written.back().has_unknown_part);
}

TEST_F(TrackerTest, SilenceSpeaksForAShareAtATimeAndForgetsNone) {
  constexpr std::size_t kMessages = 3000;
  constexpr std::size_t kAtOnce = 7;
  carrier_.silent_at_once = kAtOnce;
  carrier_.restart();
  for (std::size_t i = 0; i < kMessages; ++i) taken("id-" + std::to_string(i));
  carrier_.pass(3h);
  std::size_t told = 0;
  const auto told_now = [&] {
    const std::size_t before = std::exchange(told, carrier_.count(Written::Kind::verdict));
    return told - before;
  };
  for (int second = 0; second < 64; ++second) {
    carrier_.tracker().on_second(carrier_.now());
    ASSERT_LE(told_now(), kAtOnce);
    if (second % 2 != 0) continue;  // the next second may come before the turns that are due
    while (carrier_.tracker().is_behind()) {
      carrier_.tracker().speak_on(carrier_.now());
      ASSERT_LE(told_now(), kAtOnce);
    }
  }
  while (carrier_.tracker().is_behind()) carrier_.tracker().speak_on(carrier_.now());
  EXPECT_EQ(carrier_.count(Written::Kind::verdict), kMessages) << "each once, in one round";
  EXPECT_EQ(carrier_.stats.messages_unknown, kMessages);
}

TEST_F(TrackerTest, AMessageOfSeveralPartsHasOneVerdictThatNamesThem) {
  const auto at = carrier_.accept();
  for (std::uint8_t part = 1; part <= 3; ++part) {
    carrier_.take(at, "a" + std::to_string(part), part, 3);
  }
  carrier_.receive("a3", MessageState::delivered);
  carrier_.receive("a2", MessageState::undeliverable);
  EXPECT_TRUE(carrier_.told_of(at).empty());
  carrier_.receive("a1", MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(at), States{State::failed});
  EXPECT_EQ(carrier_.written.back().message_code, "undeliverable");
  EXPECT_EQ(carrier_.written.back().detail, "stat:UNDELIV; part 2 failed; parts 1, 3 delivered");
}

TEST_F(TrackerTest, TheFirstSilentPartSpeaksForAllThatAreMissing) {
  const auto at = carrier_.accept();
  for (std::uint8_t part = 1; part <= 3; ++part) {
    carrier_.take(at, "a" + std::to_string(part), part, 3);
  }
  carrier_.receive("a1", MessageState::delivered);
  carrier_.pass(3h);
  carrier_.sweep();
  EXPECT_EQ(carrier_.told_of(at), States{State::unknown});
  carrier_.receive("a2", MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(at), States{State::unknown});  // the third is still unknown
  carrier_.receive("a3", MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(at), (States{State::unknown, State::delivered}));
}

TEST_F(TrackerTest, APartWithoutAnIdWaitsForNoReceipt) {
  const auto at = carrier_.accept();
  carrier_.take(at, "a1", 1, 2);
  carrier_.receive("a1", MessageState::delivered);
  carrier_.take(at, "", 2, 2);
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
}

TEST_F(TrackerTest, AnIdGivenAnewMeansTheLaterSegment) {
  const auto first = carrier_.accept();
  carrier_.take(first, "1");
  carrier_.receive("1", MessageState::delivered);
  const auto second = carrier_.accept();
  carrier_.take(second, "1");
  carrier_.receive("1", MessageState::undeliverable);
  EXPECT_EQ(carrier_.told_of(first), States{State::delivered});
  EXPECT_EQ(carrier_.told_of(second), States{State::failed});
}

TEST_F(TrackerTest, AllMessagesThatACarrierAnsweredWithOneIdHaveAVerdict) {
  std::vector<queue::Locator> all;
  for (int i = 0; i < 5; ++i) all.push_back(taken("1"));
  const auto long_one = carrier_.accept();
  carrier_.take(long_one, "1", 1, 2);
  carrier_.take(long_one, "1", 2, 2);
  EXPECT_EQ(carrier_.tracker().outstanding(), 7u);
  carrier_.restart();
  EXPECT_EQ(carrier_.tracker().outstanding(), 7u);

  carrier_.receive("1", MessageState::delivered);  // of the last one
  carrier_.pass(2h + 2min);
  carrier_.sweep();
  for (const auto at : all) EXPECT_EQ(carrier_.told_of(at), States{State::unknown});
  EXPECT_EQ(carrier_.told_of(long_one), States{State::unknown});

  carrier_.pass(72h + 2min);
  carrier_.sweep();
  EXPECT_EQ(carrier_.tracker().outstanding(), 0u);
}

TEST_F(TrackerTest, APartThatIsSentAgainUnderItsIdIsAwaitedOnce) {
  const auto at = taken("1");
  carrier_.take(at, "1");
  EXPECT_EQ(carrier_.tracker().outstanding(), 1u);
}

TEST_F(TrackerTest, AReferenceFindsTheSegmentWhoseIdWasGivenAgain) {
  const auto first = taken("1");
  const auto second = taken("1");
  carrier_.receive_named("7f", carrier_.reference_of(first), MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(first), States{State::delivered});
  EXPECT_TRUE(carrier_.told_of(second).empty());
  carrier_.restart();

  carrier_.receive_named("80", carrier_.reference_of(second), MessageState::undeliverable);
  EXPECT_EQ(carrier_.told_of(first), States{State::delivered});
  EXPECT_EQ(carrier_.told_of(second), States{State::failed});
  EXPECT_EQ(carrier_.tracker().outstanding(), 0u);
}

TEST_F(TrackerTest, AwaitsReceiptsHoweverLongTheProcessHasRun) {
  for (const auto days : {46, 200}) {
    TrackedCarrier carrier;
    carrier.pass(days * 24h);
    const auto in_time = carrier.accept();
    const auto silent = carrier.accept();
    carrier.take(in_time, "a", 1, 1, 72 * 3600);
    carrier.take(silent, "b", 1, 1, 72 * 3600);
    carrier.pass(72h);
    carrier.sweep();
    EXPECT_EQ(carrier.tracker().outstanding(), 2u) << days;
    carrier.receive("a", MessageState::delivered);
    carrier.pass(1h + 2min);
    carrier.sweep();
    EXPECT_EQ(carrier.told_of(in_time), States{State::delivered}) << days;
    EXPECT_EQ(carrier.told_of(silent), States{State::unknown}) << days;
  }
}

TEST_F(TrackerTest, AMessageThatLivesForMonthsIsNotTakenForSilentBefore) {
  const auto at = carrier_.accept();
  carrier_.take(at, "a", 1, 1, 90 * 86'400);
  for (int day = 0; day < 90; ++day) {
    carrier_.pass(24h);
    carrier_.sweep();
    EXPECT_TRUE(carrier_.told_of(at).empty()) << day;
  }
  carrier_.pass(1h + 2min);
  carrier_.sweep();
  EXPECT_EQ(carrier_.told_of(at), States{State::unknown});
}

TEST_F(TrackerTest, IdsOfAnyLengthAndOctetsHaveAClearOutcome) {
  const auto at = carrier_.accept();
  carrier_.take(at, std::string(64, '7'));
  carrier_.receive(std::string(65'000, '7'), MessageState::delivered);
  carrier_.receive(std::string_view("7\0007", 3), MessageState::delivered);
  carrier_.receive(std::string(64, '\xff'), MessageState::delivered);
  EXPECT_EQ(carrier_.count(Written::Kind::orphan), 3u);
  carrier_.receive(std::string(64, '7'), MessageState::delivered);
  EXPECT_EQ(carrier_.told_of(at), States{State::delivered});
}

TEST_F(TrackerTest, OrphansOfALongDayAreBounded) {
  for (std::size_t i = 0; i < EarlyReceipts::kEntriesMax + 10; ++i) {
    carrier_.receive("x" + std::to_string(i), MessageState::delivered);
  }
  EXPECT_EQ(carrier_.tracker().early(), EarlyReceipts::kEntriesMax);
  EXPECT_EQ(carrier_.stats.receipts_unmatched, EarlyReceipts::kEntriesMax + 10);
}

TEST(Tracker, ACarriersOwnNumbersHaveOurWords) {
  TrackedCarrier carrier(MessageIdRule::automatic,
                         OutcomeCodes(ErrorWords{{"001", "absent_subscriber"}}));
  const auto at = carrier.accept();
  carrier.take(at, "8f00");
  protocol::Receipt receipt;
  receipt.message_id = "8f00";
  receipt.state = MessageState::undeliverable;
  receipt.stat = "UNDELIV";
  receipt.err = "001";
  carrier.receive(receipt);
  EXPECT_EQ(carrier.written.back().code, "absent_subscriber");
}

TEST(Tracker, OrphansOfAWrongRuleSuggestTheRightOneAndMatchOnceItIsConfigured) {
  TrackedCarrier carrier(MessageIdRule::verbatim);
  std::vector<queue::Locator> messages;
  for (std::uint64_t i = 0; i < 500; ++i) {
    messages.push_back(carrier.accept());
    char id[32];
    std::snprintf(id, sizeof id, "%lx", 0x812FC7470000001Bu + i);
    carrier.take(messages.back(), id);
    carrier.receive(std::to_string(0x812FC7470000001Bu + i), MessageState::delivered);
  }
  const OrphanReport report = carrier.tracker().orphans(100);
  EXPECT_EQ(report.kept, 500u);
  EXPECT_EQ(report.newest.size(), 100u);
  EXPECT_EQ(report.newest[0].came_ms, carrier.now().wall_ms);
  EXPECT_EQ(report.suggested, MessageIdRule::decimal);
  EXPECT_EQ(evidence_of(report), "all 500 orphans match as decimal of submit ids");

  carrier.configure(MessageIdRule::decimal);
  carrier.restart();

  for (const auto at : messages) EXPECT_EQ(carrier.told_of(at), States{State::delivered});
  EXPECT_EQ(carrier.tracker().orphans(100).kept, 0u);
}

TEST_F(TrackerTest, OrphansOfStrangersSuggestNothing) {
  carrier_.take(carrier_.accept(), "8f00");
  for (int i = 0; i < 10; ++i) carrier_.receive("x" + std::to_string(i), MessageState::delivered);
  const OrphanReport report = carrier_.tracker().orphans(100);
  EXPECT_EQ(report.examined, 10u);
  EXPECT_FALSE(report.suggested);
}

// Each from its own segment's submit_sm: 40 s for the part that is reported on first, 95 s for the
// one that is last. Neither is the order in which they were sent.
constexpr double kTickSeconds = 0.0041;  // what a segment's time is kept to
TEST_F(TrackerTest, TheFirstAndTheLastReceiptOfAMessageHaveTheirLatencies) {
  const auto at = carrier_.accept();
  carrier_.take(at, "8f01", 1, 3);
  carrier_.pass(5s);
  carrier_.take(at, "8f02", 2, 3);
  carrier_.pass(5s);
  carrier_.submit(at, 3);
  carrier_.pass(2s);  // its answer took so long
  carrier_.take(at, "8f03", 3, 3);
  carrier_.pass(33s);
  carrier_.receive("8f02", MessageState::delivered);  // 40 s behind its submit_sm
  EXPECT_EQ(carrier_.stats.first_receipt_after.count(), 1u);
  EXPECT_NEAR(carrier_.stats.first_receipt_after.sum_seconds(), 40.0, kTickSeconds);
  carrier_.pass(15s);
  carrier_.receive("8f03", MessageState::enroute);    // not final: no latency
  carrier_.receive("8f03", MessageState::delivered);  // 50 s
  carrier_.receive("8f03", MessageState::delivered);  // a second copy
  EXPECT_EQ(carrier_.stats.last_receipt_after.count(), 0u) << "one part is still out";
  carrier_.pass(35s);
  carrier_.receive("8f01", MessageState::undeliverable);  // 95 s
  EXPECT_EQ(carrier_.told_of(at), States{State::failed});
  EXPECT_EQ(carrier_.stats.first_receipt_after.count(), 1u);
  EXPECT_NEAR(carrier_.stats.first_receipt_after.sum_seconds(), 40.0, kTickSeconds);
  EXPECT_EQ(carrier_.stats.last_receipt_after.count(), 1u);
  EXPECT_NEAR(carrier_.stats.last_receipt_after.sum_seconds(), 95.0, kTickSeconds);
  EXPECT_EQ(carrier_.stats.receipt_after.count(), 3u);
  EXPECT_NEAR(carrier_.stats.receipt_after.sum_seconds(), 40.0 + 50.0 + 95.0, 3 * kTickSeconds);
}

TEST_F(TrackerTest, AMessageOfOnePartHasNoLatencyOfParts) {
  const auto at = carrier_.accept();
  carrier_.take(at, "8f01");
  carrier_.pass(7s);
  carrier_.receive("8f01", MessageState::delivered);
  EXPECT_NEAR(carrier_.stats.receipt_after.sum_seconds(), 7.0, kTickSeconds);
  EXPECT_EQ(carrier_.stats.first_receipt_after.count(), 0u);
  EXPECT_EQ(carrier_.stats.last_receipt_after.count(), 0u);
}

}  // namespace
}  // namespace stentor::daemon
