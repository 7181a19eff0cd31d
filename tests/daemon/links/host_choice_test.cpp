#include "daemon/links/host_choice.h"

#include <gtest/gtest.h>

#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

using test::kStart;

TEST(HostChoice, TakesOneAfterTheOtherWhileNoneLetsUsBind) {
  HostChoice hosts(3);
  for (const std::size_t next : {1u, 2u, 0u, 1u}) {
    hosts.on_failed();
    EXPECT_EQ(hosts.index(), next);
  }
}

TEST(HostChoice, LeavesAHostThatDropsTheBindSoon) {
  HostChoice hosts(2);
  hosts.on_bound(kStart);
  hosts.on_lost(kStart + 29s, false);
  EXPECT_EQ(hosts.index(), 1u);
}

TEST(HostChoice, PrefersTheFirstAfterABindThatStood) {
  HostChoice hosts(3);
  hosts.on_bound(kStart);
  hosts.on_lost(kStart + 30s, false);
  EXPECT_EQ(hosts.index(), 0u) << "the same again";

  hosts.on_failed();
  hosts.on_bound(kStart + 40s);
  hosts.on_lost(kStart + 70s, false);
  EXPECT_EQ(hosts.index(), 0u) << "back from the second";
}

TEST(HostChoice, LeavesAHostThatStoodAndThenMovedNothing) {
  HostChoice hosts(2);
  hosts.on_bound(kStart);
  hosts.on_lost(kStart + 1h, true);
  EXPECT_EQ(hosts.index(), 1u);
}

TEST(HostChoice, CountsNoBindTwice) {
  HostChoice hosts(2);
  hosts.on_bound(kStart);
  hosts.on_lost(kStart + 1h, false);
  hosts.on_lost(kStart + 2h, false);
  EXPECT_EQ(hosts.index(), 1u) << "this one was refused";
}

TEST(HostChoice, StaysWhereThereIsOne) {
  HostChoice hosts(1);
  hosts.on_failed();
  EXPECT_EQ(hosts.index(), 0u);
}

}  // namespace
}  // namespace stentor::daemon
