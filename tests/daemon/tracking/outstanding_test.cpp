#include "daemon/tracking/outstanding.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/temporary_directory.h"

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kNow = 1'790'000'000;
constexpr std::size_t kAll = 1'000'000;

OutstandingSegment segment(std::uint32_t file, std::uint16_t minute = 100) {
  OutstandingSegment made;
  made.at = queue::Locator(file, 64, 1);
  made.expires_minute = minute;
  return made;
}

TEST(Outstanding, FindsASegmentByItsCarriersIdUntilItIsErased) {
  Outstanding outstanding({}, kNow);
  outstanding.put("8f00", segment(1));
  ASSERT_TRUE(outstanding.find("8f00"));
  EXPECT_EQ(outstanding.find("8f00")->at, segment(1).at);
  EXPECT_FALSE(outstanding.find("8f01"));

  outstanding.erase("8f00");
  outstanding.erase("8f00");
  EXPECT_FALSE(outstanding.find("8f00"));
  EXPECT_EQ(outstanding.size(), 0u);
}

TEST(Outstanding, AnIdGivenTwiceMeansTheLaterSegmentAndTheEarlierComesBack) {
  Outstanding outstanding({}, kNow);
  EXPECT_FALSE(outstanding.put("1", segment(1)));
  const auto earlier = outstanding.put("1", segment(2));
  ASSERT_TRUE(earlier);
  EXPECT_EQ(earlier->at, segment(1).at);
  EXPECT_EQ(outstanding.size(), 1u);
  EXPECT_EQ(outstanding.find("1")->at.file(), 2u);
}

TEST(Outstanding, TakesExpiredSegmentsOutInOneRoundOfItsMaps) {
  Outstanding outstanding({}, kNow);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    outstanding.put(std::to_string(i),
                    segment(1, outstanding.minute_of(kNow + i % 2 * 3600, kNow)));
  }
  std::size_t taken = 0;
  const auto round = [&](std::uint64_t now) {
    for (std::size_t i = 0; i < Outstanding::kMaps; ++i) {
      outstanding.take_expired(
          now, kAll, [&](const Outstanding::Fingerprint&, OutstandingSegment) { ++taken; });
    }
  };

  round(kNow + 59);
  EXPECT_EQ(taken, 0u);
  round(kNow + 600);
  EXPECT_EQ(taken, 500u);
  EXPECT_EQ(outstanding.size(), 500u);
}

TEST(Outstanding, KeepsOnlyTheMessagesThatLive) {
  Outstanding outstanding({}, kNow);
  outstanding.put("a", segment(1));
  outstanding.put("b", segment(2));
  outstanding.keep_only(
      [](const SegmentKey&, OutstandingSegment& kept) { return kept.at.file() == 2; });
  EXPECT_FALSE(outstanding.find("a"));
  EXPECT_TRUE(outstanding.find("b"));
  EXPECT_EQ(outstanding.size(), 1u);
}

TEST(Outstanding, ExpiryIsBoundedToWhatAMinuteCountHolds) {
  const Outstanding outstanding({}, kNow);
  EXPECT_EQ(outstanding.minute_of(kNow, kNow), 0);
  EXPECT_EQ(outstanding.minute_of(kNow + 60, kNow), 2);
  EXPECT_EQ(outstanding.minute_of(kNow - 60, kNow + 60), 2) << "never before now";
  EXPECT_EQ(outstanding.minute_of(kNow + 100'000'000, kNow), 20 * 24 * 60 + 1);
}

/// How many of an index's segments are taken out by one look at all of it.
std::size_t expired_at(Outstanding& outstanding, std::uint64_t now) {
  std::size_t taken = 0;
  for (std::size_t i = 0; i < Outstanding::kMaps; ++i) {
    outstanding.take_expired(now, kAll,
                             [&](const Outstanding::Fingerprint&, OutstandingSegment) { ++taken; });
  }
  return taken;
}

TEST(Outstanding, ExpiryIsTheSameHoweverLongTheProcessHasRun) {
  constexpr std::uint64_t kWeeks = 20ull * 86'400;
  for (const std::uint64_t days : {0u, 22u, 23u, 45u, 46u, 91u, 200u}) {
    Outstanding outstanding({}, kNow);
    const std::uint64_t now = kNow + days * 86'400;
    outstanding.put("hour", segment(1, outstanding.minute_of(now + 3600, now)));
    outstanding.put("weeks", segment(2, outstanding.minute_of(now + kWeeks, now)));
    EXPECT_EQ(expired_at(outstanding, now + 3540), 0u) << days;
    EXPECT_EQ(expired_at(outstanding, now + 3600 + 120), 1u) << days;
    EXPECT_EQ(expired_at(outstanding, now + kWeeks - 60), 0u) << days;
    EXPECT_TRUE(outstanding.find("weeks")) << days;
    EXPECT_EQ(expired_at(outstanding, now + kWeeks + 120), 1u) << days;
  }
}

/// A folder of the test's own for what spills.
class SpillFolder {
 public:
  SpillFolder() {
    auto files = queue::make_posix_file_system(queue::IoBackend::threads);
    if (!files) throw std::runtime_error("no file system: " + files.error().message());
    files_ = std::move(*files);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }
  [[nodiscard]] std::unique_ptr<SegmentSpill> spill() {
    return std::make_unique<SegmentSpill>(*files_, path(), "north", Outstanding::kMaps);
  }

 private:
  stentor::test::TemporaryDirectory directory_;
  std::unique_ptr<queue::FileSystem> files_;
};

// Some ten thousand segments of which a tenth may be in memory, against a plain map.
TEST(Outstanding, BeyondItsBoundItKeepsSegmentsOnDiskAndForgetsNone) {
  SpillFolder folder;
  Outstanding outstanding({}, kNow);
  outstanding.spill_to(folder.spill(), 4000);
  std::map<std::string, std::uint32_t> model;
  const auto seed = std::random_device{}();
  std::mt19937_64 random(seed);
  for (int i = 0; i < 60'000; ++i) {
    const std::string id = std::to_string(random() % 100'000);
    const auto file = static_cast<std::uint32_t>(1 + random() % 1'000'000);
    if (random() % 4 == 0) {
      outstanding.erase(id);
      model.erase(id);
    } else {
      outstanding.put(id, segment(file, static_cast<std::uint16_t>(file % 1000)));
      model[id] = file;
    }
  }
  ASSERT_EQ(outstanding.size(), model.size()) << "seed " << seed;
  EXPECT_LT(outstanding.in_memory(), 6000u);
  for (int id = 0; id < 100'000; ++id) {
    const auto found = outstanding.find(std::to_string(id));
    const auto known = model.find(std::to_string(id));
    ASSERT_EQ(found.has_value(), known != model.end()) << "seed " << seed << ", id " << id;
    if (found) {
      ASSERT_EQ(found->at.file(), known->second);
    }
  }

  std::size_t expired = 0;
  for (std::size_t i = 0; i < Outstanding::kMaps; ++i) {
    outstanding.take_expired(kNow + 500 * 60, kAll,
                             [&](const Outstanding::Fingerprint&, OutstandingSegment taken) {
                               EXPECT_LT(taken.expires_minute, 500);
                               ++expired;
                             });
  }
  std::erase_if(model, [](const auto& entry) { return entry.second % 1000 < 500; });
  EXPECT_EQ(outstanding.size(), model.size());

  outstanding.keep_only([](const SegmentKey&, OutstandingSegment& kept) {
    kept.is_told = 1;
    return kept.at.file() % 2 == 0;
  });
  std::erase_if(model, [](const auto& entry) { return entry.second % 2 != 0; });
  ASSERT_EQ(outstanding.size(), model.size());
  for (const auto& [id, file] : model) {
    const auto found = outstanding.find(id);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->is_told);
    outstanding.erase(id);
  }
  EXPECT_EQ(outstanding.size(), 0u);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "spilled files have no names";
}

TEST(Outstanding, ExpiresOnDiskHoweverLongTheProcessHasRun) {
  SpillFolder folder;
  for (const std::uint64_t days : {0u, 45u, 46u, 200u}) {
    Outstanding outstanding({}, kNow);
    outstanding.spill_to(folder.spill(), 4096);
    const std::uint64_t now = kNow + days * 86'400;
    for (int i = 0; i < 20'000; ++i) {
      const std::uint64_t expires = now + (i % 2 == 0 ? 3600 : 3 * 86'400);
      outstanding.put(std::to_string(i), segment(1, outstanding.minute_of(expires, now)));
    }
    ASSERT_GT(outstanding.on_disk(), 10'000u);
    EXPECT_EQ(expired_at(outstanding, now + 3540), 0u) << days;
    EXPECT_EQ(expired_at(outstanding, now + 3720), 10'000u) << days;
    EXPECT_TRUE(outstanding.find("1")) << days;
    EXPECT_EQ(expired_at(outstanding, now + 3 * 86'400 + 120), 10'000u) << days;
    EXPECT_EQ(outstanding.size(), 0u) << days;
  }
}

TEST(Outstanding, TakesNoMoreThanItIsToldAtOnceAndForgetsNone) {
  constexpr std::size_t kAtOnce = 3;
  SpillFolder folder;
  Outstanding outstanding({}, kNow);
  outstanding.spill_to(folder.spill(), 4096);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t expires = kNow + (i % 2 == 0 ? 3600 : 3 * 86'400);
    outstanding.put(std::to_string(i), segment(1, outstanding.minute_of(expires, kNow)));
  }
  ASSERT_GT(outstanding.on_disk(), 10'000u);
  std::size_t taken = 0;
  for (std::size_t swept = 0; swept < Outstanding::kMaps;) {
    std::size_t given = 0;
    const std::size_t took =
        outstanding.take_expired(kNow + 3720, kAtOnce, [&](const auto&, auto) { ++given; });
    ASSERT_EQ(given, took);
    ASSERT_LE(took, kAtOnce);
    taken += took;
    if (took < kAtOnce) ++swept;
  }
  EXPECT_EQ(taken, 10'000u) << "in one round";
  EXPECT_EQ(outstanding.size(), 10'000u);
  EXPECT_TRUE(outstanding.find("1"));
}

TEST(Outstanding, GivesBackWhatAnIdMeantAlsoFromDisk) {
  SpillFolder folder;
  Outstanding outstanding({}, kNow);
  outstanding.spill_to(folder.spill(), 4096);
  for (std::uint32_t i = 1; i <= 20'000; ++i) outstanding.put(std::to_string(i), segment(i));
  ASSERT_GT(outstanding.on_disk(), 10'000u);
  for (std::uint32_t i = 1; i <= 20'000; ++i) {
    const auto earlier = outstanding.put(std::to_string(i), segment(20'000 + i));
    ASSERT_TRUE(earlier) << i;
    EXPECT_EQ(earlier->at.file(), i);
  }
  EXPECT_EQ(outstanding.size(), 20'000u);
}

TEST(Outstanding, KeepsInMemoryWhatTheDiskDoesNotTake) {
  auto files = queue::make_posix_file_system(queue::IoBackend::threads);
  ASSERT_TRUE(files);
  Outstanding outstanding({}, kNow);
  outstanding.spill_to(
      std::make_unique<SegmentSpill>(**files, "/proc/nowhere", "north", Outstanding::kMaps), 1024);
  for (int i = 0; i < 5000; ++i) outstanding.put(std::to_string(i), segment(1));
  EXPECT_EQ(outstanding.in_memory(), 5000u);
  EXPECT_TRUE(outstanding.find("4999"));
  EXPECT_TRUE(outstanding.find("0"));
}

}  // namespace
}  // namespace stentor::daemon
