// What is missed is counted when files really go, and of those who are still behind then.
#include "daemon/events/event_server.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "tests/daemon/journal_on_disk.h"

namespace stentor::daemon {
namespace {

constexpr std::size_t kTold = 10;

class EventServerTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path folder = fill_two_files();
    disk_ = std::make_unique<JournalOnDisk>(folder, std::chrono::milliseconds(0));
    std::map<std::uint32_t, FileUse> files;
    for (const std::uint32_t number : {1u, 2u, 3u}) {
      files[number] = {.live = 0, .last_ms = 1, .octets = 4u << 20, .has_totals = true};
    }
    disk_->commit().restore({}, files);
    config_.state_dir = folder;
    other_ = &disk_->commit().add_pin();
    other_->hold_from(1);
    last_ = &disk_->commit().add_pin(FilePin::Turn::posts);
    last_->hold_from(1);
    server_ = std::make_unique<EventServer>(context_, config_, disk_->commit(), consumers_,
                                            disk_->files());
    feed_ = std::make_unique<CommitFeed>(disk_->commit(), false, 0, [] {});
    disk_->start();
    consumers_.set(key_, {queue::Locator(1, queue::kFirstBlock, 0), 0});
    while (disk_->commit().retention_wants() < 3) turn();
  }
  void TearDown() override { disk_->commit().stop(); }

  /// In the first one lie kTold events.
  std::filesystem::path fill_two_files() {
    JournalOnDisk journal;
    journal.keep_folder();
    CommitFeed feed(journal.commit(), false, 0, [] {});
    journal.start();
    Subject subject;
    subject.client = key_.client;
    FieldWriter of;
    encode(subject, of);
    Verdict verdict;
    verdict.of = {.accepted = queue::Locator(1, queue::kFirstBlock, 0),
                  .subject = of.octets(),
                  .time_ms = 1,
                  .state = State::delivered};
    FieldWriter fields;
    encode(verdict, fields);
    std::vector<std::uint32_t> offsets;
    for (std::size_t i = 0; i < kTold; ++i) {
      offsets.push_back(
          feed.open().records.add(static_cast<std::uint8_t>(RecordKind::verdict), fields.octets()));
    }
    JournalOnDisk::settle(feed, [&](const BatchPointer& batch) {
      for (const std::uint32_t offset : offsets) told_.push_back(batch->records.at(offset));
    });
    fields.clear();
    fields.text(std::string(64'000, 'x'));
    while (journal.commit().durable_end().file() < 3) {
      for (int i = 0; i < 16; ++i) feed.open().records.add(200, fields.octets());
      JournalOnDisk::settle(feed);
    }
    return journal.folder();
  }
  /// A look at what may go, here and by the commit thread.
  void turn() {
    FieldWriter fields;
    fields.text("retention looks with each commit");
    feed_->open().records.add(200, fields.octets());
    JournalOnDisk::settle(*feed_);
    server_->look();
    context_.restart();
    context_.poll();
  }
  void acknowledge(std::size_t event) { server_->acknowledge(key_, {told_.at(event - 1), 1}); }
  [[nodiscard]] bool is_counted() const { return !consumers_.missed(key_).to.is_nowhere(); }
  [[nodiscard]] std::uint64_t missed() const {
    const MissedEvents missed = consumers_.missed(key_);
    EXPECT_EQ(missed.bound, MissedBound::exact);
    return std::accumulate(missed.counts.own.begin(), missed.counts.own.end(), std::uint64_t{0});
  }

  const Consumers::Key key_{"crm", "away"};
  std::vector<queue::Locator> told_;
  boost::asio::io_context context_;
  Config config_;
  Consumers consumers_;
  std::unique_ptr<JournalOnDisk> disk_;
  FilePin* other_ = nullptr;
  FilePin* last_ = nullptr;
  std::unique_ptr<EventServer> server_;
  std::unique_ptr<CommitFeed> feed_;
};

TEST_F(EventServerTest, WhatSomebodyElseKeepsIsNotMissedYet) {
  for (int i = 0; i < 3; ++i) turn();
  EXPECT_FALSE(is_counted()) << "a checkpoint may take its time";
  acknowledge(4);
  other_->hold_from(FilePin::kNothing);
  while (!is_counted()) turn();
  EXPECT_EQ(missed(), kTold - 4);
}

TEST_F(EventServerTest, AnAcknowledgementWhileItIsCountedHasItCountedAgain) {
  other_->hold_from(FilePin::kNothing);
  while (!is_counted()) turn();
  acknowledge(7);
  EXPECT_FALSE(is_counted()) << "it does not fit any more";
  last_->hold_from(FilePin::kNothing);
  while (disk_->commit().oldest_file() < 3) turn();
  EXPECT_TRUE(is_counted());
  EXPECT_EQ(missed(), kTold - 7);
}

}  // namespace
}  // namespace stentor::daemon
