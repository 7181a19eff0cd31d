#include "daemon/delivery/carrier_queries.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "tests/daemon/delivery/asked_carrier.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using protocol::CommandStatus;
using protocol::ReceiptVerdict;

constexpr std::uint64_t kNow = 1'790'000'000;

class CarrierQueriesTest : public test::AskedCarrier {
 protected:
  CarrierQueriesTest() { carrier_.wire.query_after = 60s; }
  void on_query_resp(std::uint64_t cookie, CommandStatus status,
                     const protocol::QueryResp& response) override {
    receipt_ = queries().on_answer(cookie, status, response, now_);
  }

  CarrierQueries& queries() {
    if (!queries_) {
      queries_.emplace(carrier_, [](queue::Locator) {
        return CarrierQueries::Sender{.digits = "SHOP", .numbering = {.ton = 5, .npi = 0}};
      });
    }
    return *queries_;
  }
  void taken(std::uint32_t message, std::string_view id, std::uint64_t expires = kNow + 86400) {
    queries().on_taken(queue::Locator(message), 1, id, expires, kNow, kStart);
  }
  // The ids asked about when it is so late.
  std::vector<std::string> asked_at(std::chrono::seconds late) {
    now_ = kStart + late;
    queries().ask(session_, 0, now_);
    const protocol::Octets octets = written();
    std::vector<std::string> ids;
    for (std::size_t at = 0; at < octets.size();) {
      const auto pdu = std::span(octets).subspan(at);
      const std::size_t size = *protocol::front_pdu_octets(pdu);
      const auto query = protocol::decode_query_sm(pdu.first(size));
      EXPECT_TRUE(query);
      EXPECT_EQ(query->source.digits, "SHOP");
      EXPECT_EQ(query->source.numbering.ton, 5);
      ids.emplace_back(query->message_id);
      sequence_ = protocol::decode_header(pdu).sequence_number;
      at += size;
    }
    return ids;
  }
  // What the answer to the last query is taken for.
  std::optional<protocol::Receipt> answer(CommandStatus status, std::uint8_t state) {
    protocol::Octets octets;
    EXPECT_TRUE(protocol::append_query_resp(octets, sequence_, status,
                                            {.message_id = "4f", .message_state = state}));
    receipt_.reset();
    session_.on_octets(octets, now_);
    return receipt_;
  }

  std::optional<CarrierQueries> queries_;
  std::uint32_t sequence_ = 0;
  std::optional<protocol::Receipt> receipt_;
};

using Ids = std::vector<std::string>;

TEST_F(CarrierQueriesTest, AsksWhenNoReceiptCameForSoLong) {
  taken(1, "4F");
  EXPECT_TRUE(asked_at(59s).empty());
  EXPECT_EQ(asked_at(60s), Ids{"4F"}) << "spelt as the carrier gave it";
  EXPECT_TRUE(asked_at(600s).empty()) << "once";
}

TEST_F(CarrierQueriesTest, AsksNothingWhereTheReceiptCameOrNobodyWantsToKnow) {
  taken(1, "4f");
  taken(2, "");
  queries().on_settled(queue::Locator(1), 1);
  EXPECT_TRUE(asked_at(3600s).empty());

  queries_.reset();
  carrier_.wire.query_after = 0s;
  taken(1, "4f");
  EXPECT_TRUE(asked_at(3600s).empty());
}

TEST_F(CarrierQueriesTest, AsksNoMoreWhenTheReceiptComesBeforeTheAnswer) {
  const auto ask_and_settle = [&](std::uint32_t message) {
    taken(message, "4f");
    EXPECT_EQ(asked_at(60s), Ids{"4f"});
    queries().on_settled(queue::Locator(message), 1);
  };
  ask_and_settle(1);
  EXPECT_FALSE(answer(CommandStatus::ok, 1)) << "on its way, when it was asked";
  EXPECT_FALSE(queries().is_waiting());
  ask_and_settle(2);
  EXPECT_FALSE(answer(CommandStatus::throttled, 0));
  EXPECT_FALSE(queries().is_waiting());
  ask_and_settle(3);
  queries().on_link_lost(0, now_);
  EXPECT_FALSE(queries().is_waiting());
}

TEST_F(CarrierQueriesTest, AsksNothingByAnIdThatQuerySmHasNoRoomFor) {
  taken(1, std::string(64, '4'));
  taken(2, std::string(65, '5'));
  EXPECT_FALSE(asked_at(60s).empty());
  EXPECT_FALSE(queries().is_waiting()) << "nor is it kept";
  EXPECT_EQ(queries().stats().unasked, 1u);
}

TEST_F(CarrierQueriesTest, CountsWhatItCannotAskAbout) {
  queries_.emplace(
      carrier_,
      [](queue::Locator at) -> std::optional<CarrierQueries::Sender> {
        if (at == queue::Locator(1)) return std::nullopt;  // its record is gone
        return CarrierQueries::Sender{.digits = "SHOP", .numbering = {.ton = 5, .npi = 0}};
      },
      2);
  taken(1, "4f");
  taken(2, "50");
  taken(3, "51");
  EXPECT_EQ(queries().stats().unasked, 1u) << "beyond as many as may wait";
  EXPECT_EQ(asked_at(60s), Ids{"50"});
  EXPECT_EQ(queries().stats().unasked, 2u);
  EXPECT_EQ(queries().stats().asked, 1u);
  EXPECT_FALSE(answer(CommandStatus::ok, 2) == std::nullopt);
  EXPECT_EQ(queries().stats().unasked, 2u);
}

// Two minutes before silence becomes the verdict, however long query_after is.
TEST_F(CarrierQueriesTest, AsksBeforeTheMessageBecomesUnknown) {
  carrier_.wire.query_after = 24h;
  taken(1, "4f", kNow + 600);
  EXPECT_TRUE(asked_at(479s).empty());
  EXPECT_EQ(asked_at(480s), Ids{"4f"});
  taken(2, "50", kNow + 10);
  EXPECT_EQ(asked_at(481s), Ids{"50"}) << "at once where it is late already";
}

TEST_F(CarrierQueriesTest, AsksAgainNoLaterThanAnAnswerIsOfUse) {
  carrier_.wire.query_after = 400s;
  taken(1, "4f", kNow + 600);
  ASSERT_EQ(asked_at(400s), Ids{"4f"});
  EXPECT_FALSE(answer(CommandStatus::ok, 1)) << "it is on its way";
  EXPECT_TRUE(asked_at(479s).empty());
  ASSERT_EQ(asked_at(480s), Ids{"4f"})
      << "two minutes before the verdict, not 800 s after it was taken";
  EXPECT_FALSE(answer(CommandStatus::ok, 1));

  EXPECT_TRUE(asked_at(3600s).empty()) << "the verdict has fallen";
  EXPECT_FALSE(queries().is_waiting());
}

TEST_F(CarrierQueriesTest, TakesAFinalStateForAReceipt) {
  const std::pair<int, ReceiptVerdict> states[] = {{2, ReceiptVerdict::delivered},
                                                   {3, ReceiptVerdict::expired},
                                                   {5, ReceiptVerdict::failed},
                                                   {8, ReceiptVerdict::failed}};
  std::uint32_t message = 0;
  for (const auto& [state, verdict] : states) {
    taken(++message, "4f");
    ASSERT_EQ(asked_at(60s).size(), 1u);
    const auto receipt = answer(CommandStatus::ok, static_cast<std::uint8_t>(state));
    if (!receipt) FAIL() << state;
    EXPECT_EQ(protocol::verdict_of(receipt->state), verdict);
    EXPECT_EQ(receipt->message_id, "4f");
    EXPECT_TRUE(receipt->stat.ends_with(" (query_sm)"));
  }
  EXPECT_EQ(queries().stats().final, 4u);
}

TEST_F(CarrierQueriesTest, TakesAStateForWhatTheCarrierMeansByIt) {
  carrier_.wire.receipt_states = {{"message_state:9", protocol::MessageState::rejected},
                                  {"message_state:77", protocol::MessageState::delivered},
                                  {"message_state:2", protocol::MessageState::enroute}};
  taken(1, "4f");
  ASSERT_EQ(asked_at(60s).size(), 1u);
  const auto rejected = answer(CommandStatus::ok, 9);
  ASSERT_TRUE(rejected.has_value());
  EXPECT_EQ(rejected->state, protocol::MessageState::rejected);
  taken(2, "50");
  ASSERT_EQ(asked_at(60s).size(), 1u);
  const auto delivered = answer(CommandStatus::ok, 77);
  ASSERT_TRUE(delivered.has_value());
  EXPECT_EQ(delivered->state, protocol::MessageState::delivered);
  taken(3, "51");
  ASSERT_EQ(asked_at(60s).size(), 1u);
  EXPECT_FALSE(answer(CommandStatus::ok, 2)) << "it is on its way";
}

TEST_F(CarrierQueriesTest, AsksAgainWhileTheMessageIsOnItsWay) {
  taken(1, "4f");
  ASSERT_EQ(asked_at(60s).size(), 1u);
  EXPECT_FALSE(answer(CommandStatus::ok, 1));
  EXPECT_TRUE(asked_at(119s).empty());
  EXPECT_EQ(asked_at(120s), Ids{"4f"});
}

TEST_F(CarrierQueriesTest, LearnsNothingFromUnknownFromNonsenseAndFromARefusal) {
  for (const int state : {7, 10, 255}) {
    taken(1, "4f");
    ASSERT_EQ(asked_at(60s).size(), 1u);
    EXPECT_FALSE(answer(CommandStatus::ok, static_cast<std::uint8_t>(state))) << state;
  }
  taken(1, "4f");
  ASSERT_EQ(asked_at(60s).size(), 1u);
  // ESME_RQUERYFAIL has no name of its own here: a number from the wire.
  // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange)
  EXPECT_FALSE(answer(CommandStatus{0x67}, 0));
  EXPECT_TRUE(asked_at(86400s).empty());
  EXPECT_TRUE(queries().is_on());
}

TEST_F(CarrierQueriesTest, AsksThreeTimesAgainWhatIsRefusedForNowOrNotAnswered) {
  const CommandStatus answers[] = {CommandStatus::throttled, CommandStatus::message_queue_full,
                                   CommandStatus::system_error};
  taken(1, "4f");
  std::chrono::seconds late = 60s;
  for (const CommandStatus status : answers) {
    ASSERT_EQ(asked_at(late), Ids{"4f"}) << late.count();
    EXPECT_FALSE(answer(status, 0));
    EXPECT_TRUE(asked_at(late + 59s).empty());
    late += 60s;
  }
  ASSERT_EQ(asked_at(late), Ids{"4f"});
  EXPECT_FALSE(answer(CommandStatus::throttled, 0));
  EXPECT_TRUE(asked_at(86400s).empty()) << "that was the last";

  taken(2, "50", kNow + 2 * 86400);
  ASSERT_EQ(asked_at(86460s), Ids{"50"});
  EXPECT_FALSE(answer(CommandStatus::unknown_error, 0));  // as an unanswered one is reported
  EXPECT_EQ(asked_at(86520s), Ids{"50"});
}

TEST_F(CarrierQueriesTest, StopsAskingACarrierThatDoesNotKnowTheQuestion) {
  taken(1, "4f");
  ASSERT_EQ(asked_at(60s).size(), 1u);
  taken(2, "50");
  EXPECT_FALSE(answer(CommandStatus::invalid_command_id, 0));
  EXPECT_FALSE(queries().is_waiting()) << "nothing is kept for a question that is not asked";
  EXPECT_EQ(queries().stats().unasked, 1u);
  taken(3, "51");
  EXPECT_TRUE(asked_at(600s).empty());
  EXPECT_FALSE(queries().is_on());
}

TEST_F(CarrierQueriesTest, AsksWithinATenthOfTheWindow) {
  for (std::uint32_t message = 1; message <= 5; ++message) taken(message, "4f");
  EXPECT_EQ(asked_at(60s).size(), 2u);
  EXPECT_TRUE(asked_at(61s).empty());
  (void)answer(CommandStatus::ok, 2);
  EXPECT_EQ(asked_at(61s).size(), 1u);
}

TEST_F(CarrierQueriesTest, AsksAgainWhatALostLinkDidNotAnswer) {
  taken(1, "4f");
  ASSERT_EQ(asked_at(60s).size(), 1u);
  queries().on_link_lost(1, now_);
  EXPECT_TRUE(asked_at(70s).empty()) << "another link";
  queries().on_link_lost(0, now_);
  EXPECT_TRUE(asked_at(74s).empty());
  EXPECT_EQ(asked_at(75s), Ids{"4f"});
}

}  // namespace
}  // namespace stentor::daemon
