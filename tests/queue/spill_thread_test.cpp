// Spilling on a thread of its own, on real files.
#include "queue/spill_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "queue/lanes.h"
#include "tests/queue/random_numbers.h"
#include "tests/temporary_directory.h"

namespace stentor::queue::test {
namespace {

TEST(SpillThread, CarriesABacklogThroughTheDiskInOrder) {
  constexpr std::uint64_t kSeed = 5;
  constexpr std::uint64_t kCount = 300'000;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  RandomNumbers random(kSeed);
  const stentor::test::TemporaryDirectory scratch;
  const auto files = make_posix_file_system(IoBackend::threads).value();
  std::atomic<bool> is_told{false};
  SpillThread io(*files, scratch.path() / "spill", [&] { is_told.store(true); });
  SpillStore store(io, 0);
  Lanes lanes(store, 20'000);
  std::uint64_t pushed[2] = {0, 0};
  std::uint64_t popped[2] = {0, 0};

  while (popped[0] + popped[1] < 2 * kCount) {
    const auto flow = static_cast<Flow>(random.below(2));
    for (std::uint64_t i = random.below(4000); i > 0 && pushed[flow] < kCount; --i) {
      const Ticket one{Locator(++pushed[flow]), 4'000'000'000, flow};
      lanes.push(Priority::normal, flow, one, 0);
    }
    bool was_short = false;
    for (std::uint64_t i = random.below(2000); i > 0; --i) {
      const auto pick = lanes.pop();
      if (!pick) {
        was_short = true;
        break;
      }
      ASSERT_EQ(pick->ticket.at, Locator(++popped[pick->flow]));
    }
    if (is_told.exchange(false)) (void)io.collect();
    if (was_short) std::this_thread::yield();
  }

  EXPECT_EQ(lanes.waiting(), 0u);
  EXPECT_GT(store.stats().writes, 10u);
  EXPECT_EQ(store.stats().failed_writes + store.stats().failed_reads, 0u);
}

TEST(SpillThread, EndsWithJobsUnderWay) {
  const stentor::test::TemporaryDirectory scratch;
  const auto files = make_posix_file_system(IoBackend::threads).value();
  {
    SpillThread io(*files, scratch.path() / "spill", [] {});
    SpillStore store(io, 0);
    for (int i = 0; i < 50; ++i) (void)store.put(std::vector<std::uint8_t>(kSpillLargeOctets, 1));
  }
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()) ||
              std::filesystem::is_empty(scratch.path() / "spill"));
}

}  // namespace
}  // namespace stentor::queue::test
