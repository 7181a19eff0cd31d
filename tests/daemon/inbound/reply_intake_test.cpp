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
  void pass_to(ReplyIntake::TimePoint now) {
    intake_.on_time(now);
    settle();
  }
  [[nodiscard]] ReplyStats stats() const { return intake_.stats(); }
  [[nodiscard]] bool is_waiting() const { return intake_.is_waiting(); }

  /// What upstream was told: each event from its `parts` on.
  std::vector<std::string> told_;

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
        told_.push_back(line.substr(line.find("\"parts\"")));
      }
    });
  }
  static Config one_carrier() {
    Config config;
    config.carriers.emplace_back().name = "north";
    return config;
  }

  JournalOnDisk journal_;
  const Config config_ = one_carrier();
  const InboundServices services_{.config = config_,
                                  .router = InboundRouter(config_),
                                  .commit = journal_.commit(),
                                  .incarnation = 7,
                                  .words = OptOutWords(config_.opt_out),
                                  .on_opt_out = {},
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

}  // namespace
}  // namespace stentor::daemon
