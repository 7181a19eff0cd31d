#include "daemon/delivery/carrier_cancels.h"

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

// ESME_RCANCELFAIL has no name of its own here: a number from the wire.
// NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange)
constexpr auto kRefused = static_cast<CommandStatus>(0x11);

class CarrierCancelsTest : public test::AskedCarrier {
 protected:
  CarrierCancelsTest() { carrier_.response_timeout = 60s; }
  void on_cancel_resp(std::uint64_t cookie, CommandStatus status) override {
    cancels().on_answer(cookie, status, now_);
  }

  CarrierCancels& cancels() {
    if (!cancels_) {
      cancels_.emplace(
          carrier_,
          [](queue::Locator) {
            return CarrierCancels::Addresses{
                .source = {.numbering = {.ton = 5, .npi = 0}, .digits = "SHOP", .rewritten = {}},
                .destination = {
                    .numbering = {.ton = 1, .npi = 1}, .digits = "79161234567", .rewritten = {}}};
          },
          [this](const CarrierCancels::Answer& answer) {
            answers_.push_back(std::string(answer.message_id) + "/" + std::string(answer.client) +
                               (answer.status == CommandStatus::ok ? " ok"
                                : answer.status                    ? " refused"
                                                                   : " none"));
          });
    }
    return *cancels_;
  }
  void order(const std::vector<std::string>& ids, bool has_bind = true) {
    CancelOrder what{.at = queue::Locator(1), .client = "crm", .segments = {}};
    for (const std::string& id : ids) {
      what.segments.push_back({static_cast<std::uint8_t>(what.segments.size() + 1), id});
    }
    cancels().take(std::move(what), has_bind, now_,
                   [this](const CancelReport& report) { reports_.push_back(report); });
  }
  // The ids that are asked for now.
  std::vector<std::string> asked() {
    cancels().ask(session_, 0, now_);
    const protocol::Octets octets = written();
    std::vector<std::string> ids;
    for (std::size_t at = 0; at < octets.size();) {
      const auto pdu = std::span(octets).subspan(at);
      const std::size_t size = *protocol::front_pdu_octets(pdu);
      const auto cancel = protocol::decode_cancel_sm(pdu.first(size));
      EXPECT_TRUE(cancel);
      EXPECT_EQ(cancel->source.digits, "SHOP");
      EXPECT_EQ(cancel->destination.digits, "79161234567");
      EXPECT_EQ(cancel->destination.numbering.ton, 1);
      EXPECT_EQ(cancel->service_type, "");
      ids.emplace_back(cancel->message_id);
      sequences_.push_back(protocol::decode_header(pdu).sequence_number);
      at += size;
    }
    return ids;
  }
  void answer(std::size_t question, CommandStatus status) {
    protocol::Octets octets;
    protocol::append_bare(octets, protocol::CommandId::cancel_sm_resp, status,
                          sequences_[question]);
    session_.on_octets(octets, now_);
  }

  std::optional<CarrierCancels> cancels_;
  std::vector<std::uint32_t> sequences_;
  std::vector<std::string> answers_;
  std::vector<CancelReport> reports_;
};

using Texts = std::vector<std::string>;

TEST_F(CarrierCancelsTest, AsksForEachSegmentAndCountsWhatComes) {
  order({"4F", "50"});
  EXPECT_EQ(asked(), (Texts{"4F", "50"})) << "spelt as the carrier gave it";
  EXPECT_TRUE(asked().empty()) << "once";

  answer(0, CommandStatus::ok);
  EXPECT_TRUE(reports_.empty()) << "one answer is still due";
  answer(1, kRefused);

  EXPECT_EQ(answers_, (Texts{"4F/crm ok", "50/crm refused"}));
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].asked, 2u);
  EXPECT_EQ(reports_[0].cancelled, 1u);
  EXPECT_EQ(reports_[0].refused, 1u);
  EXPECT_EQ(reports_[0].last_refusal, 0x11u);
}

TEST_F(CarrierCancelsTest, TakesATenthOfTheWindowAtMost) {
  order({"1", "2", "3"});
  EXPECT_EQ(asked(), (Texts{"1", "2"}));
  answer(0, CommandStatus::ok);
  EXPECT_EQ(asked(), (Texts{"3"}));
}

TEST_F(CarrierCancelsTest, AsksNoMoreWhereTheCarrierDoesNotKnowTheQuestion) {
  order({"1"});
  (void)asked();
  answer(0, CommandStatus::invalid_command_id);
  order({"2"});

  EXPECT_TRUE(asked().empty());
  ASSERT_EQ(reports_.size(), 2u);
  EXPECT_EQ(reports_[1].outcome, CancelReport::Outcome::not_known);
}

TEST_F(CarrierCancelsTest, AsksNothingWhereTheConfigurationSaysSo) {
  carrier_.wire.cancel_sm = false;
  order({"1"});
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].outcome, CancelReport::Outcome::not_known);
}

TEST_F(CarrierCancelsTest, AnswersAtOnceWithoutABindOrWithTooMany) {
  order({"1"}, false);
  order(Texts(CarrierCancels::kSegmentsMax, "7"));
  order({"2"});

  ASSERT_EQ(reports_.size(), 2u);
  EXPECT_EQ(reports_[0].outcome, CancelReport::Outcome::no_bind);
  EXPECT_EQ(reports_[1].outcome, CancelReport::Outcome::too_many);
}

TEST_F(CarrierCancelsTest, CountsWhatIsNeverAnsweredOrNeverAsked) {
  order({"1", "2", "3"});
  ASSERT_EQ(asked().size(), 2u);
  cancels().on_link_lost(1);
  EXPECT_TRUE(answers_.empty()) << "another bind";
  cancels().on_link_lost(0);
  EXPECT_EQ(answers_.size(), 2u);
  cancels().on_time(now_ + 59s);
  EXPECT_TRUE(reports_.empty());
  cancels().on_time(now_ + 60s);

  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].unanswered, 3u);
  EXPECT_FALSE(cancels().is_waiting());
}

// The session ends the question after response_timeout, and says 0xFF.
TEST_F(CarrierCancelsTest, TakesSilenceForNoAnswer) {
  order({"1"});
  (void)asked();
  now_ += 60s;
  session_.on_time(now_);

  EXPECT_EQ(answers_, Texts{"1/crm none"});
}

}  // namespace
}  // namespace stentor::daemon
