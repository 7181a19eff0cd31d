// What is posted, to whom, and what becomes of it, without a network: the test is the other end.
#include "daemon/callbacks/callback_target.h"

#include <gtest/gtest.h>

#include "daemon/records/subject_extras.h"
#include "tests/daemon/journal_on_disk.h"
#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kNowMs = 1'790'000'000'000;
using test::kStart;

class CallbackTargetTest : public testing::Test {
 protected:
  using TimePoint = CallbackTarget::TimePoint;

  void SetUp() override {
    config_.url = "http://well.example/hook";
    feed_ = std::make_unique<CommitFeed>(journal_.commit(), false, 0, [] {});
    journal_.start();  // a feed comes before the thread that serves it
  }

  /// Events of so many messages, one each; `callback`: the URL that they name.
  void deliver(std::size_t messages, std::string_view callback = {},
               std::string_view detail = "stat:DELIVRD") {
    FieldWriter fields;
    for (std::size_t i = 0; i < messages; ++i) {
      Subject subject;
      subject.id = MessageId::make(0, 0, 0, ++sequence_);
      subject.client = "crm";
      subject.to = "+79161234567";
      FieldWriter octets;
      encode(subject, octets);
      append_callback(callback, octets);
      Verdict verdict;
      verdict.of.subject = octets.octets();
      verdict.of.time_ms = kNowMs;
      verdict.of.state = State::failed;
      verdict.code = "no_receipt";
      verdict.detail = detail;
      fields.clear();
      encode(verdict, fields);
      feed_->open().records.add(static_cast<std::uint8_t>(RecordKind::verdict), fields.octets());
      if (i % 1000 == 999) JournalOnDisk::settle(*feed_);
    }
    JournalOnDisk::settle(*feed_);
  }
  /// One message's, in a block of its own; where that lies.
  queue::Locator deliver_one_apart() {
    const queue::Locator at = journal_.commit().durable_end();
    deliver(1);
    return at;
  }
  /// The disk no longer gives the block that begins there.
  void lose(queue::Locator at) { journal_.spoil(queue::Locator(at.file(), at.block(), 0)); }

  [[nodiscard]] std::unique_ptr<CallbackTarget> target() {
    return std::make_unique<CallbackTarget>(
        "crm", config_, "",
        std::make_unique<queue::JournalReader>(
            journal_.files(), journal_.journal(),
            queue::ReaderOptions{.recent_octets_max = 0, .blocks_octets_max = 1u << 20}),
        EventPosition{queue::Locator(1, 0, 0), 0});
  }

  void fill(CallbackTarget& target) {
    while (target.fill(journal_.commit().durable_end(), 0)) {
    }
  }

  /// Posts until nothing may go: what goes to this host fails, all else is taken. How many requests
  /// there were.
  std::size_t post_all(CallbackTarget& target, std::string_view failing, TimePoint now = kStart) {
    std::size_t requests = 0;
    while (true) {
      fill(target);
      const auto request = target.next_request(++token_, now, kNowMs, has_room_);
      if (!request) return requests;
      ++requests;
      const bool is_well = !request->url.starts_with(failing);
      (void)target.on_done(token_, {.well = is_well, .status = is_well ? 200 : 503, .why = "503"},
                           now, kNowMs);
    }
  }
  JournalOnDisk journal_;
  CallbackConfig config_;
  std::unique_ptr<CommitFeed> feed_;
  std::uint64_t sequence_ = 0;
  std::uint64_t token_ = 0;
  CallbackTarget::HasRoom has_room_ = [](std::string_view) { return true; };
};

TEST_F(CallbackTargetTest, OneEventThatNobodyTakesHoldsUpNoNumberOfOthers) {
  constexpr std::size_t kMany = 2 * CallbackTarget::kWindowEvents;
  deliver(1, "http://dead.example/");
  deliver(kMany);
  const auto target = this->target();

  post_all(*target, "http://dead.example");
  EXPECT_EQ(target->figures().posted, kMany);
  EXPECT_EQ(target->figures().waiting, 1u);
  const auto behind = target->progress();
  EXPECT_FALSE(behind && behind->sub > 0) << "nothing is dealt with that is behind the first";

  post_all(*target, "nobody", kStart + 10s);
  EXPECT_EQ(target->figures().posted, kMany + 1);
  const auto all = target->progress();
  ASSERT_TRUE(all);
  EXPECT_GE(all->record, journal_.commit().durable_end());
}

TEST_F(CallbackTargetTest, ManyEventsThatNobodyTakesWaitInTheJournal) {
  deliver(CallbackTarget::kWindowEvents + 10, "http://dead.example/");
  const auto target = this->target();
  EXPECT_EQ(post_all(*target, "http://dead.example"), 1u);
  EXPECT_EQ(target->figures().waiting, CallbackTarget::kWindowEvents);
}

TEST_F(CallbackTargetTest, LongEventsAreBoundedByTheirOctets) {
  config_.url = "http://well.example/" + std::string(60'000, 'x');
  deliver(400);
  const auto target = this->target();
  fill(*target);
  EXPECT_LE((target->figures().waiting - 1) * config_.url.size(), CallbackTarget::kWindowOctets);
  EXPECT_GE((target->figures().waiting + 1) * config_.url.size(), CallbackTarget::kWindowOctets);

  post_all(*target, "nobody");
  EXPECT_EQ(target->figures().posted, 400u);
}

TEST_F(CallbackTargetTest, WhatRetentionTakesBeforeItWasReadIsDeadAndCounted) {
  constexpr std::size_t kMany = 2 * CallbackTarget::kWindowEvents;
  deliver(kMany, "http://dead.example/", std::string(1000, 'x'));  // some files of 4 MiB
  const auto target = this->target();
  post_all(*target, "http://dead.example");
  const std::uint32_t last = journal_.commit().durable_end().file();
  ASSERT_GT(last, 1u);
  while (!target->pass_over(last)) {
  }
  const auto overtaken = target->take_overtaken();
  EXPECT_GT(overtaken.events, 0u);
  EXPECT_LT(overtaken.last.record, queue::Locator(last, 0, 0));
  EXPECT_EQ(target->figures().dead, overtaken.events);
  EXPECT_EQ(target->figures().waiting, CallbackTarget::kWindowEvents);

  EXPECT_TRUE(target->pass_over(last));
  EXPECT_EQ(target->take_overtaken().events, 0u);
  post_all(*target, "nobody", kStart + 10s);
  EXPECT_EQ(target->figures().posted + overtaken.events, kMany);
}

TEST_F(CallbackTargetTest, WhatCannotBeReadIsCountedAndToldAndTheRestIsPosted) {
  deliver(1);
  const queue::Locator bad = deliver_one_apart();
  deliver(1);
  lose(bad);
  const auto target = this->target();
  EXPECT_TRUE(target->take_unread().empty());
  post_all(*target, "nobody");
  EXPECT_EQ(target->figures().posted, 2u);
  EXPECT_EQ(target->figures().unread, 1u);
  const auto unread = target->take_unread();
  ASSERT_EQ(unread.size(), 1u);
  EXPECT_GT(unread[0].record, bad);
  EXPECT_TRUE(target->take_unread().empty()) << "once";
}

TEST_F(CallbackTargetTest, EachStretchThatCannotBeReadIsToldByItself) {
  std::vector<queue::Locator> bad;
  for (int i = 0; i < 2; ++i) {
    deliver(1);
    bad.push_back(deliver_one_apart());
  }
  deliver(1);
  for (const auto at : bad) lose(at);
  const auto target = this->target();
  post_all(*target, "nobody");
  EXPECT_EQ(target->figures().posted, 3u);
  const auto unread = target->take_unread();
  ASSERT_EQ(unread.size(), 2u);
  EXPECT_GT(unread[0].record, bad[0]);
  EXPECT_LE(unread[0].record, bad[1]);
  EXPECT_GT(unread[1].record, bad[1]);
}

TEST_F(CallbackTargetTest, WhatCannotBeReadOfAFileThatGoesIsCountedAndTold) {
  deliver(1);
  const queue::Locator bad = deliver_one_apart();
  deliver(1);
  lose(bad);
  const auto target = this->target();
  while (!target->pass_over(bad.file() + 1)) {
  }
  EXPECT_EQ(target->take_overtaken().events, 2u);
  EXPECT_EQ(target->figures().unread, 1u);
  EXPECT_EQ(target->take_unread().size(), 1u);
}

TEST_F(CallbackTargetTest, KnowsWhatWaitsInMemoryAloneSinceItsFileHasGone) {
  deliver(9000, "http://dead.example/", std::string(1000, 'x'));  // some files of 4 MiB
  const auto target = this->target();
  fill(*target);
  EXPECT_FALSE(target->in_memory_alone()) << "no file has gone";
  const std::uint32_t last = journal_.commit().durable_end().file();
  ASSERT_GT(last, 1u);
  while (!target->pass_over(last)) {
  }
  target->let_go(last);
  const auto failed = event_type_of("failed").value_or(0);
  const MissedEvents alone = target->in_memory_alone().value_or(MissedEvents{});
  EXPECT_EQ(alone.to, queue::Locator(last, 0, 0));
  EXPECT_GT(alone.counts.own[failed], 0u);
  EXPECT_LT(alone.counts.own[failed], 9000u) << "those of the last file are in the journal";
  EXPECT_FALSE(target->in_memory_alone()) << "it has not changed";

  const auto request = target->next_request(1, kStart, kNowMs, has_room_);
  ASSERT_TRUE(request.has_value());
  (void)target->on_done(1, {.well = true, .status = 200, .why = {}}, kStart, kNowMs);
  const MissedEvents fewer = target->in_memory_alone().value_or(MissedEvents{});
  EXPECT_EQ(fewer.counts.own[failed] + config_.batch, alone.counts.own[failed]);

  post_all(*target, "nobody");
  EXPECT_TRUE(target->in_memory_alone().value_or(alone).to.is_nowhere());
}

TEST_F(CallbackTargetTest, EachFailureDoublesThePauseUpToFiveMinutesAndOneSuccessEndsThat) {
  config_.give_up_after = 24h;
  deliver(1);
  const auto target = this->target();
  TimePoint now = kStart;
  for (const auto pause : {1s, 2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s, 300s, 300s}) {
    EXPECT_EQ(post_all(*target, "http://well.example", now), 1u);
    EXPECT_EQ(target->next_try(), now + pause);
    EXPECT_EQ(post_all(*target, "http://well.example", now + pause - 1ms), 0u);
    now += pause;
  }
  EXPECT_EQ(post_all(*target, "nobody", now), 1u);
  deliver(1);
  EXPECT_EQ(post_all(*target, "http://well.example", now), 1u);
  EXPECT_EQ(target->next_try(), now + 1s);
}

TEST_F(CallbackTargetTest, AsksNoHostTwiceWhereNoneTakesAnything) {
  deliver(500, "http://dead.example/");
  const auto target = this->target();
  fill(*target);
  int asked = 0;
  has_room_ = [&](std::string_view) {
    ++asked;
    return false;
  };
  EXPECT_FALSE(target->next_request(1, kStart, kNowMs, has_room_));
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace stentor::daemon
