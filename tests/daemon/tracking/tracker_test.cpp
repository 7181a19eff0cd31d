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

TEST(Tracker, KeepsToTheRuleOfTheCarrier) {
  TrackedCarrier carrier(MessageIdRule::verbatim);
  const auto at = carrier.accept();
  carrier.take(at, "3b9aca00");
  carrier.receive("1000000000", MessageState::delivered);
  EXPECT_TRUE(carrier.told_of(at).empty());
  EXPECT_EQ(carrier.stats.receipts_unmatched, 1u);
}

TEST(Tracker, KeepsAnEarlyReceiptOverARestart) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.receive("8f00", MessageState::delivered);
  carrier.restart();
  carrier.take(at, "8f00");
  EXPECT_EQ(carrier.told_of(at), States{State::delivered});
}

TEST(Tracker, MatchesAfterARestart) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.take(at, "8f00");
  carrier.restart();
  carrier.receive("8f00", MessageState::undeliverable);
  EXPECT_EQ(carrier.told_of(at), States{State::failed});
}

TEST(Tracker, ASecondCopyIsNotToldAgainNotEvenAfterARestart) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.take(at, "8f00");
  carrier.receive("8f00", MessageState::delivered);
  carrier.receive("8f00", MessageState::delivered);
  carrier.restart();
  carrier.receive("8f00", MessageState::delivered);
  EXPECT_EQ(carrier.count(Written::Kind::receipt), 1u);
  EXPECT_EQ(carrier.count(Written::Kind::orphan), 0u);
  EXPECT_EQ(carrier.stats.receipts_duplicate, 2u);
}

TEST(Tracker, ASecondCopyOfAPartIsNotToldAgainAfterARestart) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.take(at, "a1", 1, 2);
  carrier.take(at, "a2", 2, 2);
  carrier.receive("a1", MessageState::delivered);
  carrier.restart();
  carrier.receive("a1", MessageState::delivered);
  carrier.receive("a2", MessageState::delivered);
  EXPECT_EQ(carrier.count(Written::Kind::receipt), 2u);
  EXPECT_EQ(carrier.told_of(at), States{State::delivered});
}

TEST(Tracker, AnIntermediateReceiptEndsNothing) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.take(at, "8f00");
  carrier.receive("8f00", MessageState::enroute);
  carrier.receive("8f00", MessageState::delivered, true);  // esm_class says intermediate
  EXPECT_TRUE(carrier.told_of(at).empty());
  EXPECT_EQ(carrier.tracker().outstanding(), 1u);
  carrier.receive("8f00", MessageState::delivered);
  EXPECT_EQ(carrier.told_of(at), States{State::delivered});
}

TEST(Tracker, AnIntermediateReceiptBehindTheFinalOneChangesNothing) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.take(at, "8f00");
  carrier.receive("8f00", MessageState::delivered);
  carrier.receive("8f00", MessageState::enroute);
  EXPECT_EQ(carrier.told_of(at), States{State::delivered});
  EXPECT_EQ(carrier.count(Written::Kind::conflict), 0u);
}

TEST(Tracker, AnotherFinalAfterAFinalIsAConflictAndChangesNothing) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.take(at, "8f00");
  carrier.receive("8f00", MessageState::delivered);
  carrier.receive("8f00", MessageState::undeliverable);
  EXPECT_EQ(carrier.told_of(at), States{State::delivered});
  ASSERT_EQ(carrier.count(Written::Kind::conflict), 1u);
  EXPECT_EQ(carrier.written.back().code, "undeliverable");
}

TEST(Tracker, AnUnknownReceiptBehindAFinalOneIsNoConflict) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.take(at, "8f00");
  carrier.receive("8f00", MessageState::delivered);
  carrier.receive("8f00", MessageState::unknown);
  EXPECT_EQ(carrier.count(Written::Kind::conflict), 0u);
}

TEST(Tracker, AReceiptMatchesOnTheLastMinuteOfTheMarginAndSilenceEndsItBehindThat) {
  TrackedCarrier carrier;
  const auto in_time = carrier.accept();
  const auto silent = carrier.accept();
  carrier.take(in_time, "a", 1, 1, 72 * 3600);
  carrier.take(silent, "b", 1, 1, 72 * 3600);
  carrier.pass(72h + 1h);
  carrier.sweep();
  EXPECT_TRUE(carrier.told_of(silent).empty());
  carrier.receive("a", MessageState::delivered);
  carrier.pass(2min);
  carrier.sweep();
  EXPECT_EQ(carrier.told_of(in_time), States{State::delivered});
  EXPECT_EQ(carrier.told_of(silent), States{State::unknown});
  EXPECT_EQ(carrier.written.back().code, "no_receipt");
}

TEST(Tracker, SilenceIsGoodNewsWhereOnlyFailuresWereAskedFor) {
  TrackedCarrier carrier;
  const auto at = carrier.accept(ReceiptWish::failure);
  carrier.take(at, "8f00");
  carrier.pass(3h);
  carrier.sweep();
  EXPECT_EQ(carrier.told_of(at), States{State::sent_final});
  EXPECT_EQ(carrier.tracker().outstanding(), 0u);
}

TEST(Tracker, ALateReceiptCorrectsSilenceOnce) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.take(at, "8f00");
  carrier.pass(3h);
  carrier.sweep();
  carrier.pass(48h);
  carrier.receive("8f00", MessageState::delivered);
  EXPECT_EQ(carrier.told_of(at), (States{State::unknown, State::delivered}));
  EXPECT_EQ(carrier.written.back().corrects, State::unknown);
  carrier.receive("8f00", MessageState::undeliverable);
  EXPECT_EQ(carrier.told_of(at).size(), 2u);
  EXPECT_EQ(carrier.count(Written::Kind::conflict), 1u);
}

TEST(Tracker, ALateReceiptCorrectsAnUnknownReceiptOnceNotWithAnother) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.take(at, "8f00");
  carrier.receive("8f00", MessageState::unknown);
  carrier.receive("8f00", MessageState::unknown);
  carrier.receive("8f00", MessageState::enroute);
  EXPECT_EQ(carrier.told_of(at), States{State::unknown});
  carrier.receive("8f00", MessageState::undeliverable);
  EXPECT_EQ(carrier.told_of(at), (States{State::unknown, State::failed}));
  EXPECT_EQ(carrier.written.back().corrects, State::unknown);
}

TEST(Tracker, ALateReceiptCorrectsAfterARestart) {
  TrackedCarrier carrier;
  const auto single = carrier.accept();
  const auto several = carrier.accept();
  carrier.take(single, "a");
  carrier.take(several, "b1", 1, 2);
  carrier.take(several, "b2", 2, 2);
  carrier.receive("b1", MessageState::delivered);
  carrier.pass(3h);
  carrier.sweep();
  carrier.restart();
  carrier.receive("a", MessageState::delivered);
  carrier.receive("b2", MessageState::delivered);
  EXPECT_EQ(carrier.told_of(single), (States{State::unknown, State::delivered}));
  EXPECT_EQ(carrier.told_of(several), (States{State::unknown, State::delivered}));
}

TEST(Tracker, ACorrectionIsPossibleForThreeDaysAndNotLonger) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.take(at, "8f00");
  carrier.pass(3h);
  carrier.sweep();
  carrier.pass(72h);
  carrier.sweep();
  EXPECT_EQ(carrier.tracker().outstanding(), 1u);
  carrier.pass(2min);
  carrier.sweep();
  EXPECT_EQ(carrier.tracker().outstanding(), 0u);
  carrier.receive("8f00", MessageState::delivered);
  EXPECT_EQ(carrier.told_of(at), States{State::unknown});
}

TEST(Tracker, AMessageOfSeveralPartsHasOneVerdictThatNamesThem) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  for (std::uint8_t part = 1; part <= 3; ++part) {
    carrier.take(at, "a" + std::to_string(part), part, 3);
  }
  carrier.receive("a3", MessageState::delivered);
  carrier.receive("a2", MessageState::undeliverable);
  EXPECT_TRUE(carrier.told_of(at).empty());
  carrier.receive("a1", MessageState::delivered);
  EXPECT_EQ(carrier.told_of(at), States{State::failed});
  EXPECT_EQ(carrier.written.back().message_code, "undeliverable");
  EXPECT_EQ(carrier.written.back().detail, "stat:UNDELIV; part 2 failed; parts 1, 3 delivered");
}

TEST(Tracker, TheFirstSilentPartSpeaksForAllThatAreMissing) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  for (std::uint8_t part = 1; part <= 3; ++part) {
    carrier.take(at, "a" + std::to_string(part), part, 3);
  }
  carrier.receive("a1", MessageState::delivered);
  carrier.pass(3h);
  carrier.sweep();
  EXPECT_EQ(carrier.told_of(at), States{State::unknown});
  carrier.receive("a2", MessageState::delivered);
  EXPECT_EQ(carrier.told_of(at), States{State::unknown});  // the third is still unknown
  carrier.receive("a3", MessageState::delivered);
  EXPECT_EQ(carrier.told_of(at), (States{State::unknown, State::delivered}));
}

TEST(Tracker, APartWithoutAnIdWaitsForNoReceipt) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.take(at, "a1", 1, 2);
  carrier.receive("a1", MessageState::delivered);
  carrier.take(at, "", 2, 2);
  EXPECT_EQ(carrier.told_of(at), States{State::delivered});
}

TEST(Tracker, AnIdGivenAnewMeansTheLaterSegment) {
  TrackedCarrier carrier;
  const auto first = carrier.accept();
  carrier.take(first, "1");
  carrier.receive("1", MessageState::delivered);
  const auto second = carrier.accept();
  carrier.take(second, "1");
  carrier.receive("1", MessageState::undeliverable);
  EXPECT_EQ(carrier.told_of(first), States{State::delivered});
  EXPECT_EQ(carrier.told_of(second), States{State::failed});
}

TEST(Tracker, IdsOfAnyLengthAndOctetsHaveAClearOutcome) {
  TrackedCarrier carrier;
  const auto at = carrier.accept();
  carrier.take(at, std::string(64, '7'));
  carrier.receive(std::string(65'000, '7'), MessageState::delivered);
  carrier.receive(std::string_view("7\0007", 3), MessageState::delivered);
  carrier.receive(std::string(64, '\xff'), MessageState::delivered);
  EXPECT_EQ(carrier.count(Written::Kind::orphan), 3u);
  carrier.receive(std::string(64, '7'), MessageState::delivered);
  EXPECT_EQ(carrier.told_of(at), States{State::delivered});
}

TEST(Tracker, OrphansOfALongDayAreBounded) {
  TrackedCarrier carrier;
  for (std::size_t i = 0; i < EarlyReceipts::kEntriesMax + 10; ++i) {
    carrier.receive("x" + std::to_string(i), MessageState::delivered);
  }
  EXPECT_EQ(carrier.tracker().early(), EarlyReceipts::kEntriesMax);
  EXPECT_EQ(carrier.stats.receipts_unmatched, EarlyReceipts::kEntriesMax + 10);
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

TEST(Tracker, OrphansOfStrangersSuggestNothing) {
  TrackedCarrier carrier;
  carrier.take(carrier.accept(), "8f00");
  for (int i = 0; i < 10; ++i) carrier.receive("x" + std::to_string(i), MessageState::delivered);
  const OrphanReport report = carrier.tracker().orphans(100);
  EXPECT_EQ(report.examined, 10u);
  EXPECT_FALSE(report.suggested);
}

}  // namespace
}  // namespace stentor::daemon
