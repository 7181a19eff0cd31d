// When the commit thread waits, by a clock that is the test's: for more to commit, for a witness of
// what was committed last, for files to grow old.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/commit/commit_feed.h"
#include "queue/journal_format.h"
#include "queue/journal_recovery.h"
#include "tests/daemon/commit/owned_commit_clock.h"
#include "tests/queue/sim_file_system.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using queue::test::SimFileSystem;

constexpr std::string_view kJournal = "/journal";
constexpr auto kKept = 72h;

/// One commit thread on a simulated disk. What happens when it has nothing to do, the test says;
/// where it says nothing, the thread's life ends.
class CommitTime : public testing::Test {
 protected:
  void write(std::size_t octets) {
    const std::vector<std::uint8_t> payload(octets, 'x');
    feed_->open().records.add(99, payload);
    feed_->flush();
  }
  /// Starts it with something written and waits for its end.
  void live(
      const std::function<void()>& begin,
      const std::function<bool()>& on_idle = [] { return false; }) {
    auto recovered = queue::recover(files_, kJournal, {}, [](const queue::Record&) {});
    ASSERT_TRUE(recovered) << recovered.error().detail;
    commit_ = std::make_unique<CommitThread>(CommitThread::Options{
        .delay = {}, .retention = {.age = kKept, .octets = 1ull << 40}, .clock = &clock_});
    feed_ = std::make_unique<CommitFeed>(*commit_, true, 0, [this] {
      feed_->collect([this](const BatchPointer& batch) {
        EXPECT_FALSE(batch->failure);
        durable_at_.push_back(clock_.now() - test::kStart);
        last_ = batch->records.base();
      });
      if (on_durable_) on_durable_();
    });
    clock_.set_on_idle([this, on_idle] {
      if (!is_over_ && on_idle()) return true;
      is_over_ = true;
      is_over_.notify_one();
      return false;
    });
    auto writer =
        queue::JournalWriter::start(files_,
                                    {.directory = kJournal,
                                     .file_octets = 64u << 10,
                                     .prepares_in_background = false,
                                     .make_epoch = [this] { return ++epochs_; }},
                                    recovered->end, [this] { return commit_->make_preamble(); });
    ASSERT_TRUE(writer);
    commit_->adopt(std::move(*writer));
    begin();
    commit_->start();
    is_over_.wait(false);
  }

  SimFileSystem files_{1};
  OwnedCommitClock clock_;
  std::unique_ptr<CommitThread> commit_;
  std::unique_ptr<CommitFeed> feed_;
  std::function<void()> on_durable_;  // on the commit thread
  std::vector<CommitClock::Duration> durable_at_;
  queue::Locator last_;
  std::atomic<bool> is_over_{false};
  std::uint64_t epochs_ = 0;
};

TEST_F(CommitTime, AfterIdleTheFirstCommitGoesAtOnce) {
  live([this] { write(100); });
  EXPECT_EQ(durable_at_, std::vector<CommitClock::Duration>{0ns});
  EXPECT_EQ(clock_.slept(), 0ns);
}

// A sync takes no time here, so what passes is what it waited for.
TEST_F(CommitTime, UnderLoadTheNextStartsHalfAMillisecondAfterTheOneBefore) {
  int left = 3;
  on_durable_ = [&] {
    if (left-- > 0) write(100);
  };
  live([this] { write(100); });
  EXPECT_EQ(durable_at_, (std::vector<CommitClock::Duration>{0us, 500us, 1000us, 1500us}));
}

TEST_F(CommitTime, AQuarterOfAMebibyteDoesNotWait) {
  int left = 3;
  on_durable_ = [&] {
    if (left-- <= 0) return;
    for (int i = 0; i < 3; ++i) feed_->open().records.add(99, std::vector<std::uint8_t>(100'000));
    feed_->flush();
  };
  live([this] { write(100); });
  EXPECT_EQ(durable_at_, (std::vector<CommitClock::Duration>(4, 0us)));
}

// Damage behind a watermark is no torn tail (reliability.md section 4, rule 2).
TEST_F(CommitTime, TheLastCommitHasAWitnessWithinASecond) {
  int idle = 0;
  live([this] { write(100); }, [&] { return ++idle <= 2; });
  EXPECT_LE(clock_.now() - test::kStart, 2s) << "that is when it was idle for the third time";
  const std::uint64_t operations = files_.operations();

  const auto path = std::filesystem::path(kJournal) / queue::file_name(last_.file());
  auto octets = files_.content(path);
  octets.at(last_.block() + queue::kBlockHeaderOctets + 20) ^= 1;
  files_.set_content(path, std::move(octets));
  SimFileSystem& as_after_a_kill = files_;  // nothing was said to it at a stop
  EXPECT_EQ(as_after_a_kill.operations(), operations);
  auto recovered = queue::recover(files_, kJournal, {}, [](const queue::Record&) {});
  ASSERT_FALSE(recovered);
  EXPECT_NE(recovered.error().detail.find(queue::file_name(last_.file())), std::string::npos)
      << recovered.error().detail;
}

TEST_F(CommitTime, AnIdleThreadWritesOneWitnessAndNoMore) {
  int idle = 0;
  std::vector<std::uint64_t> operations;
  live([this] { write(100); },
       [&] {
         operations.push_back(files_.operations());
         return ++idle <= 20;
       });
  ASSERT_EQ(operations.size(), 21u);
  EXPECT_LT(operations[0], operations[1]);
  EXPECT_EQ(operations[1], operations[20]) << "a disk may sleep";
}

TEST_F(CommitTime, AFileGoesWhenItIsOldAndNotBefore) {
  constexpr auto kBefore = 1min;
  std::vector<std::uint64_t> oldest;
  int left = 10;  // more than a file holds
  on_durable_ = [&] {
    if (left-- > 0) write(10'000);
  };
  int idle = 0;
  live([this] { write(100); },
       [&] {
         switch (++idle) {
           case 1: clock_.pass(kKept - kBefore); return true;
           case 2: oldest.push_back(commit_->snapshot().oldest_file); return true;
           case 3: clock_.pass(2 * kBefore); return true;
           case 4: write(100); return true;
           default: oldest.push_back(commit_->oldest_file()); return false;
         }
       });
  ASSERT_EQ(oldest.size(), 2u);
  EXPECT_EQ(oldest[0], 1u);
  EXPECT_GT(oldest[1], 1u);
  EXPECT_FALSE(files_.exists(std::filesystem::path(kJournal) / queue::file_name(1)));
}

}  // namespace
}  // namespace stentor::daemon
