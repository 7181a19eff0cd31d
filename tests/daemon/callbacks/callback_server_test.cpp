// What is told at a start of events whose files went while they waited in memory.
#include "daemon/callbacks/callback_server.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "tests/daemon/journal_on_disk.h"

namespace stentor::daemon {
namespace {

class CallbackServerTest : public testing::Test {
 protected:
  void SetUp() override {
    config_.state_dir = journal_.folder();
    config_.clients.resize(1);
    config_.clients[0].name = "crm";
    config_.clients[0].callback.emplace().url = "http://192.0.2.1/hook";  // the guard refuses it
  }

  void TearDown() override { journal_.commit().stop(); }  // it wakes the servers until then

  /// Fills files of 4 MiB up to this one.
  void fill_to(std::uint32_t file) {
    CommitFeed& feed = *feed_;
    const std::string much(64'000, 'x');
    FieldWriter fields;
    fields.text(much);
    while (journal_.commit().durable_end().file() < file) {
      for (int i = 0; i < 16; ++i) feed.open().records.add(200, fields.octets());
      JournalOnDisk::settle(feed);
    }
  }

  [[nodiscard]] CallbackServer& server() {
    return *servers_.emplace_back(
        std::make_unique<CallbackServer>(config_, journal_.commit(), consumers_, journal_.files()));
  }

  JournalOnDisk journal_;
  Config config_;
  Consumers consumers_;
  const Consumers::Key key_{"crm", "@callback"};
  std::vector<std::unique_ptr<CallbackServer>> servers_;
  std::unique_ptr<CommitFeed> feed_ =
      std::make_unique<CommitFeed>(journal_.commit(), false, 0, [] {});
};

TEST_F(CallbackServerTest, WhatWaitedInMemoryAloneAtTheEndIsDeadAndToldOnce) {
  CallbackServer& first = server();
  CallbackServer& second = server();
  journal_.start();
  fill_to(3);
  consumers_.set(key_, {queue::Locator(1, 4096, 0), 1});
  MissedEvents missed;
  missed.to = queue::Locator(2, 0, 0);
  for (int i = 0; i < 7; ++i) missed.counts.add(0, true);
  consumers_.set_missed(key_, missed);
  for (const auto& entry : std::filesystem::directory_iterator(journal_.journal())) {
    if (entry.path().filename().string().find("00000001") != std::string::npos) {
      std::filesystem::remove(entry.path());
    }
  }

  first.start();
  const auto dead = first.dead_letters();
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0].client, "crm");
  EXPECT_EQ(dead[0].target, "@callback");
  EXPECT_EQ(dead[0].reason,
            "retention took 7 events, and a restart the memory that they waited in");
  while (first.figures().empty()) std::this_thread::yield();
  EXPECT_EQ(first.figures()[0].dead, 7u);
  first.stop();

  second.start();
  EXPECT_TRUE(second.dead_letters().empty());
  second.stop();
}

TEST_F(CallbackServerTest, WhatCannotBeReadIsADeadLetter) {
  CallbackServer& server = this->server();
  journal_.start();
  fill_to(2);
  journal_.spoil(queue::Locator(1, queue::kFirstBlock, 0));
  consumers_.set(key_, {queue::Locator(1, queue::kFirstBlock, 0), 0});

  server.start();
  while (server.dead_letters().empty()) std::this_thread::yield();
  while (server.figures().empty() || server.figures()[0].unread == 0) std::this_thread::yield();
  const auto dead = server.dead_letters();
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0].target, "@callback");
  EXPECT_EQ(dead[0].reason,
            "the journal before it cannot be read: of how many events, nobody knows");
  server.stop();
}

// Nothing behind it was acknowledged, so that its place is not on record.
TEST_F(CallbackServerTest, AStartThatReadsOverABadStretchAgainListsItNoSecondTime) {
  CallbackServer& first = server();
  CallbackServer& second = server();
  journal_.start();
  fill_to(2);
  journal_.spoil(queue::Locator(1, queue::kFirstBlock, 0));
  const EventPosition start{queue::Locator(1, queue::kFirstBlock, 0), 0};
  const auto read_over = [&](CallbackServer& server) {
    consumers_.set(key_, start);
    server.start();
    while (server.figures().empty() || server.figures()[0].unread == 0) std::this_thread::yield();
    server.stop();
    return server.dead_letters();
  };
  const auto dead = read_over(first);
  ASSERT_EQ(dead.size(), 1u);
  DeadLetter letter;
  letter.position = dead[0].event.record.bits();
  letter.sub = dead[0].event.sub;
  letter.client = dead[0].client;
  letter.target = dead[0].target;
  letter.reason = dead[0].reason;
  second.restore(letter);
  EXPECT_EQ(read_over(second).size(), 1u);
}

TEST_F(CallbackServerTest, WhatIsStillThereToBeReadIsNotDead) {
  CallbackServer& server = this->server();
  journal_.start();
  consumers_.set(key_, {queue::Locator(1, 4096, 0), 1});
  MissedEvents missed;
  missed.to = queue::Locator(2, 0, 0);
  missed.counts.add(0, true);
  consumers_.set_missed(key_, missed);

  server.start();
  EXPECT_TRUE(server.dead_letters().empty());
  server.stop();
}

}  // namespace
}  // namespace stentor::daemon
