// What a handset sends in parts, from the deliver_sm to the event. The test owns the time.
#include "daemon/inbound/reply_intake.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "daemon/events/event_lines.h"
#include "tests/daemon/journal_on_disk.h"
#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

using test::kStart;

class ReplyIntakeTest : public testing::Test {
 protected:
  void SetUp() override { journal_.start(); }

  /// Part `number` of two, under one reference, is written and durable.
  void come(std::uint8_t number, std::string_view text, ReplyIntake::TimePoint now) {
    std::vector<std::uint8_t> octets{5, 0, 3, 77, 2, number};
    octets.insert(octets.end(), text.begin(), text.end());
    protocol::DeliverSm deliver;
    deliver.source = {.numbering = {1, 1}, .digits = "79161234567"};
    deliver.destination = {.numbering = {3, 0}, .digits = "1234"};
    deliver.esm_class = 0x40;
    deliver.short_message = octets;
    intake_.take(deliver, now);
    settle();
  }
  /// A reply of one part is written and durable.
  void say(std::string_view text, const protocol::Address& from, const protocol::Address& to,
           ReplyIntake::TimePoint now = kStart) {
    const std::vector<std::uint8_t> octets(text.begin(), text.end());
    protocol::DeliverSm deliver;
    deliver.source = from;
    deliver.destination = to;
    deliver.short_message = octets;
    intake_.take(deliver, now);
    settle();
  }
  void pass_to(ReplyIntake::TimePoint now) {
    intake_.on_time(now);
    settle();
  }
  [[nodiscard]] ReplyStats stats() const { return intake_.stats(); }
  [[nodiscard]] bool is_waiting() const { return intake_.is_waiting(); }

  /// What upstream was told: each event from its `parts` on.
  std::vector<std::string> told_;
  std::vector<OptOutNotice> wishes_;
  CarrierConfig& carrier() { return config_.carriers[0]; }
  OptOutConfig& rules() { return config_.opt_out; }

 private:
  void settle() {
    JournalOnDisk::settle(feed_, [this](const BatchPointer& batch) {
      const queue::RecordBatch& records = batch->records;
      for (std::size_t offset = 0; offset < records.octets().size();) {
        const auto record = records.record(records.at(static_cast<std::uint32_t>(offset)));
        offset = static_cast<std::size_t>(record.payload.data() + record.payload.size() -
                                          records.octets().data());
        const RecordEvents events = events_of(record);
        if (events.count == 0) continue;
        std::string line;
        append_event(record, events, 1, "c", line);
        if (const auto parts = line.find("\"parts\""); parts != std::string::npos) {
          told_.push_back(line.substr(parts));
        }
      }
    });
  }
  static Config one_carrier() {
    Config config;
    config.carriers.emplace_back().name = "north";
    return config;
  }

  JournalOnDisk journal_;
  Config config_ = one_carrier();
  const InboundServices services_{
      .config = config_,
      .router = InboundRouter(config_),
      .commit = journal_.commit(),
      .incarnation = 7,
      .words = OptOutWords(config_.opt_out),
      .on_opt_out = [this](OptOutNotice wish) { wishes_.push_back(std::move(wish)); },
      .opt_outs = nullptr};
  CommitFeed feed_{journal_.commit(), false, 0, [] {}};
  ReplyIntake intake_{services_, config_.carriers[0], 0, feed_};
};

using Lines = std::vector<std::string>;

TEST_F(ReplyIntakeTest, PartsThatComeInTimeAreOneReply) {
  come(2, "two", kStart);
  EXPECT_EQ(told_, Lines{});
  come(1, "one ", kStart + Reassembly::kPatience - 1ms);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0], R"("parts":2,"text":"one two"})");
  EXPECT_EQ(stats().messages, 1u);
  EXPECT_EQ(stats().incomplete, 0u);
  EXPECT_FALSE(is_waiting());
}

TEST_F(ReplyIntakeTest, WhatCameIsToldAsIncompleteWhenTheTimeIsOverAndALatePartOnItsOwn) {
  come(2, "two", kStart);
  pass_to(kStart + Reassembly::kPatience - 1ms);
  EXPECT_EQ(told_, Lines{});
  EXPECT_TRUE(is_waiting());

  pass_to(kStart + Reassembly::kPatience);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0],
            R"("parts":2,"code":"incomplete","detail":"1 of 2 parts came","text":"two"})");
  EXPECT_EQ(stats().incomplete, 1u);
  EXPECT_FALSE(is_waiting());

  const auto late = kStart + Reassembly::kPatience + 1min;
  come(2, "two", late);  // a copy of what was told
  come(1, "one ", late);
  pass_to(late + Reassembly::kPatience);
  ASSERT_EQ(told_.size(), 2u);
  EXPECT_EQ(told_[1],
            R"("parts":2,"code":"incomplete","detail":"1 of 2 parts came","text":"one "})");
  EXPECT_EQ(stats().incomplete, 2u);
  EXPECT_EQ(stats().repeated, 1u);
}

constexpr protocol::Address kHandset{.numbering = {1, 1}, .digits = "79161234567"};
constexpr protocol::Address kNational{.numbering = {2, 1}, .digits = "89161234567"};
constexpr protocol::Address kShortCode{.numbering = {3, 0}, .digits = "1234"};

TEST_F(ReplyIntakeTest, AStopOfANationalNumberIsCountedAndToldAsOneThatFitsNoSend) {
  say("STOP", kNational, kShortCode);
  EXPECT_EQ(stats().stops_unmatched, 1u);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0],
            R"("parts":1,"code":"opt_out_unmatched",)"
            R"("detail":"no send fits its numbers as the carrier writes them","text":"STOP"})");
  ASSERT_EQ(wishes_.size(), 1u);
  EXPECT_EQ(wishes_[0].number, "89161234567") << "kept as it came";

  say("Hello", kNational, kShortCode);
  say("START", kNational, kShortCode);
  say("STOP", kHandset, kShortCode);
  EXPECT_EQ(stats().stops_unmatched, 1u) << "neither other words nor what fits";
}

TEST_F(ReplyIntakeTest, AStopOfANationalNumberIsOfTheInternationalOneWhereARuleLeadsToIt) {
  carrier().rewrite = {{"7", "8", true}};
  carrier().rewrite_source = {{"7", "8", true}};
  say("STOP", kNational, {.numbering = {2, 1}, .digits = "89990000001"});
  EXPECT_EQ(stats().stops_unmatched, 0u);
  ASSERT_EQ(wishes_.size(), 1u);
  EXPECT_EQ(wishes_[0].number, "+79161234567");
  EXPECT_EQ(wishes_[0].sender, "+79990000001");
}

TEST_F(ReplyIntakeTest, AStopToANumberThatNobodySendsFromFitsNoSendUnlessItIsForAll) {
  const protocol::Address ours{.numbering = {2, 1}, .digits = "0999000001"};
  say("STOP", kHandset, ours);
  EXPECT_EQ(stats().stops_unmatched, 1u);
  rules().for_all = true;
  say("STOP", kHandset, ours);
  EXPECT_EQ(stats().stops_unmatched, 1u);
  say("STOP", kNational, ours);
  say("STOP", {.numbering = {5, 0}, .digits = "SHOP"}, kShortCode);
  EXPECT_EQ(stats().stops_unmatched, 3u);
}

TEST_F(ReplyIntakeTest, StopsThatFitNoSendAreLoggedOnceInTenMinutesWithoutTheirNumbers) {
  testing::internal::CaptureStdout();
  for (const auto after : {0min, 1min, 9min, 10min, 11min}) {
    say("STOP", kNational, kShortCode, kStart + after);
  }
  const std::string log = testing::internal::GetCapturedStdout();
  EXPECT_NE(log.find("opt-outs that fit no send: 1;"), std::string::npos) << log;
  EXPECT_NE(log.find("opt-outs that fit no send: 3;"), std::string::npos) << log;
  EXPECT_EQ(log.find("opt-outs that fit no send: 2;"), std::string::npos) << log;
  EXPECT_EQ(log.find("9161234567"), std::string::npos) << log;
}

}  // namespace
}  // namespace stentor::daemon
