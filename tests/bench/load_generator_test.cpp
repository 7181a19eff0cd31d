// The load generator against a small server that answers as the daemon would.
#include "bench/load/load_generator.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <system_error>

#include "fake_daemon.h"

namespace stentor::load {
namespace {

constexpr std::string_view kAccepted =
    R"({"status":"accepted","id":"01J0000000","segments":1,"encoding":"gsm7"})";

TEST(LoadGenerator, SendsSoManyAndTimesEveryAnswer) {
  std::mutex lock;
  std::set<std::string> lines;
  FakeDaemon daemon(3, [&](const std::string& line) {
    const std::scoped_lock guard(lock);
    lines.insert(line);
    return std::string(kAccepted);
  });

  const LoadResult result =
      run_load({.socket = daemon.path(), .messages = 10'000, .window = 100, .connections = 3});

  EXPECT_EQ(result.sent, 10'000u);
  EXPECT_EQ(result.accepted, 10'000u);
  EXPECT_EQ(result.unanswered, 0u);
  EXPECT_EQ(result.latency.count(), 10'000u);
  EXPECT_EQ(lines.size(), 10'000u) << "every request has a number and a ref of its own";
}

TEST(LoadGenerator, KeepsTheWindow) {
  // The server answers nothing until it has seen a window's worth, and then all of it.
  constexpr std::uint64_t kWindow = 50;
  std::uint64_t unanswered = 0;
  bool was_exceeded = false;
  FakeDaemon daemon(1, [&](const std::string&) -> std::string {
    was_exceeded = was_exceeded || ++unanswered > kWindow;
    if (unanswered < kWindow) return std::string(kNoAnswer);
    std::string replies(kAccepted);
    for (; unanswered > 1; --unanswered) (replies += "\n") += kAccepted;
    unanswered = 0;
    return replies;
  });

  const LoadResult result = run_load(
      {.socket = daemon.path(), .messages = 10 * kWindow, .window = kWindow, .connections = 1});

  EXPECT_FALSE(was_exceeded);
  EXPECT_EQ(result.accepted, 10 * kWindow);
}

TEST(LoadGenerator, CountsRejectionsByCode) {
  std::atomic<int> asked{0};
  FakeDaemon daemon(1, [&](const std::string&) {
    return ++asked % 10 == 0
               ? R"({"status":"rejected","error":{"code":"no_route","detail":"none"}})"
               : std::string(kAccepted);
  });

  const LoadResult result = run_load({.socket = daemon.path(), .messages = 1000, .connections = 1});

  EXPECT_EQ(result.accepted, 900u);
  EXPECT_EQ(result.rejected.at("no_route"), 100u);
}

TEST(LoadGenerator, TellsHowManyWereNeverAnswered) {
  std::atomic<int> asked{0};
  FakeDaemon daemon(
      1, [&](const std::string&) { return ++asked > 10 ? std::string() : std::string(kAccepted); });

  const LoadResult result =
      run_load({.socket = daemon.path(), .messages = 100, .window = 20, .connections = 1});

  EXPECT_GT(result.unanswered, 0u);
  EXPECT_EQ(result.sent, result.accepted + result.unanswered);
}

TEST(LoadGenerator, SpreadsARateEvenly) {
  FakeDaemon daemon(2, [&](const std::string&) { return std::string(kAccepted); });

  const LoadResult result =
      run_load({.socket = daemon.path(), .messages = 1000, .rate = 10'000, .connections = 2});

  EXPECT_EQ(result.accepted, 1000u);
  EXPECT_GE(result.seconds(), 0.099) << "the thousandth falls due after 99.9 ms";
}

TEST(LoadGenerator, SaysThatNobodyListens) {
  EXPECT_THROW((void)run_load({.socket = "/nowhere/stentor.sock", .messages = 1}),
               std::system_error);
}

}  // namespace
}  // namespace stentor::load
