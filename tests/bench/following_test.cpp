// What follows a running daemon, its status and its events, against a small server.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>

#include "bench/load/event_consumer.h"
#include "bench/load/status_probe.h"
#include "fake_daemon.h"

namespace stentor::load {
namespace {

using namespace std::chrono_literals;

std::string status_line(int delivered, int live) {
  return R"({"status":"ok","version":"0.1.0","protocol":1,"accepted":10,"sent":9,"delivered":)" +
         std::to_string(delivered) + R"(,"failed":1,"sent_final":0,"live":)" +
         std::to_string(live) +
         R"(,"journal":{"commits":3,"octets":4096},"carriers":[{"name":"a","bound":2},)"
         R"({"name":"b","bound":1}]})";
}

TEST(StatusProbe, ReadsWhatItNeeds) {
  FakeDaemon daemon(1, [](const std::string&) { return status_line(6, 3); });

  const DaemonStatus status = StatusProbe(daemon.path()).ask();

  EXPECT_EQ(status.accepted, 10u);
  EXPECT_EQ(status.sent, 9u);
  EXPECT_EQ(status.delivered, 6u);
  EXPECT_EQ(status.finished, 7u);
  EXPECT_EQ(status.live, 3u);
  EXPECT_EQ(status.commits, 3u);
  EXPECT_EQ(status.journal_octets, 4096u);
  EXPECT_EQ(status.bound, 3u);
}

TEST(StatusProbe, SaysThatItCannotReadTheAnswer) {
  FakeDaemon daemon(1, [](const std::string&) { return R"({"status":"rejected"})"; });
  StatusProbe probe(daemon.path());
  EXPECT_THROW((void)probe.ask(), std::runtime_error);
}

TEST(DaemonFollower, WaitsUntilNothingIsLive) {
  std::atomic<int> asked{0};
  FakeDaemon daemon(1, [&](const std::string&) {
    const int delivered = std::min(++asked, 9);
    return status_line(delivered, 9 - delivered);
  });
  DaemonFollower follower(daemon.path(), 1ms);

  EXPECT_TRUE(follower.wait_until_finished(10, 10s));

  EXPECT_EQ(follower.sight().status.finished, 10u);
  EXPECT_GE(asked, 9);
}

TEST(DaemonFollower, GivesUpWhenTheDaemonGoes) {
  std::atomic<int> asked{0};
  FakeDaemon daemon(
      1, [&](const std::string&) { return ++asked > 3 ? std::string() : status_line(1, 8); });
  DaemonFollower follower(daemon.path(), 1ms);

  EXPECT_FALSE(follower.wait_until_finished(10, 10s));

  EXPECT_FALSE(follower.sight().failure.empty());
}

TEST(EventConsumer, CountsEventsAndAcknowledgesTheLast) {
  std::mutex lock;
  std::string last_ack;
  FakeDaemon daemon(1, [&](const std::string& line) -> std::string {
    if (line.find("\"ack\"") != std::string::npos) {
      const std::scoped_lock guard(lock);
      last_ack = line;
      return std::string(kNoAnswer);
    }
    return R"({"status":"ok","consumer":"c","cursor":"0"})"
           "\n"
           R"({"cursor":"1","id":"a","type":"sent"})"
           "\n"
           R"({"type":"idle"})"
           "\n"
           R"({"cursor":"2","id":"a","type":"delivered","meta":{"x":"\"type\":\"failed\""}})"
           "\n"
           R"({"cursor":"3","id":"b","type":"failed"})";
  });
  {
    EventConsumer consumer(daemon.path(), "c");

    EXPECT_TRUE(consumer.wait_for_finals(2, 10s));

    EXPECT_EQ(consumer.sight().events, 3u);
    EXPECT_EQ(consumer.sight().delivered, 1u);
    while (true) {
      const std::scoped_lock guard(lock);
      if (last_ack == R"({"op":"ack","cursor":"3"})") break;
      std::this_thread::yield();
    }
  }
}

TEST(EventConsumer, AsksForTheOldestWhenToldTo) {
  std::mutex lock;
  std::string asked;
  FakeDaemon daemon(1, [&](const std::string& line) {
    const std::scoped_lock guard(lock);
    asked = line;
    return R"({"status":"ok","consumer":"c","cursor":"0"})";
  });
  {
    EventConsumer consumer(daemon.path(), "c", EventConsumer::From::oldest);
  }
  const std::scoped_lock guard(lock);
  EXPECT_EQ(asked, R"({"op":"events","consumer":"c","from":"oldest"})");
}

TEST(EventConsumer, SaysThatItWasRefused) {
  FakeDaemon daemon(1, [](const std::string&) {
    return R"({"status":"rejected","error":{"code":"not_permitted","detail":"no"}})";
  });
  EXPECT_THROW(EventConsumer(daemon.path(), "c"), std::runtime_error);
}

}  // namespace
}  // namespace stentor::load
