#include "daemon/control/clock_note.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/temporary_directory.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

const ClockNote kBefore{.boot_id = "this-start", .up = 100s, .date = 1'790'000'000s};

TEST(ClockNote, SaysWhatTheDateOughtToBeByHowLongTheMachineHasBeenUp) {
  const ClockNote now{.boot_id = "this-start", .up = 160s, .date = 5s};
  EXPECT_EQ(expected_date(kBefore, now), kBefore.date + 60s);
}

TEST(ClockNote, SaysNothingOfAMachineThatWasStartedAnew) {
  EXPECT_FALSE(expected_date(kBefore, {.boot_id = "another", .up = 160s, .date = kBefore.date}));
  EXPECT_FALSE(expected_date(kBefore, {.boot_id = "this-start", .up = 99s, .date = kBefore.date}))
      << "nobody goes back";
}

TEST(ClockNote, IsReadAsItWasWritten) {
  const auto folder = stentor::test::make_temporary_directory();
  EXPECT_FALSE(read_clock_note(folder)) << "the first start of all";
  ASSERT_TRUE(write_clock_note(folder, {.boot_id = "another", .up = 1ms, .date = 2ms}));
  ASSERT_TRUE(write_clock_note(folder, kBefore));
  const auto read = read_clock_note(folder);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->boot_id, kBefore.boot_id);
  EXPECT_EQ(read->up, kBefore.up);
  EXPECT_EQ(read->date, kBefore.date);

  std::ofstream(folder / "clock") << "garbage";
  EXPECT_FALSE(read_clock_note(folder));
  std::filesystem::remove_all(folder);
}

TEST(ClockNote, OfNowIsOfThisStartAndGoesOn) {
  const auto first = clock_note_now(7ms);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->date, 7ms);
  const auto second = clock_note_now(8ms);
  ASSERT_TRUE(second);
  EXPECT_TRUE(expected_date(*first, *second));
}

}  // namespace
}  // namespace stentor::daemon
