#include "bench/smsc/account.h"

#include <gtest/gtest.h>

#include "bench/smsc/session.h"
#include "bench/smsc/smsc.h"
#include "wire.h"

namespace stentor::smsc {
namespace {

TEST(Account, HasNoDeadlineWhileNobodyCanTakeWhatIsDue) {
  const Now now{.steady = TimePoint{} + std::chrono::hours(1), .wall_nanoseconds = 1};
  Smsc smsc({.first_id = 1}, nullptr, now);
  Account* const account = smsc.account_of("stentor");
  ASSERT_TRUE(account->keep({.due = now.steady}));
  EXPECT_EQ(account->deadline(), now.steady);

  account->deliver_due(now);

  EXPECT_EQ(account->deadline(), TimePoint::max());
  EXPECT_EQ(account->waiting(), 1u);
}

TEST(Account, TakesTurnsWhereAnyBindWillDo) {
  const Now now{.steady = TimePoint{} + std::chrono::hours(1), .wall_nanoseconds = 1};
  Smsc smsc({.first_id = 1, .receipts_to_any_bind = true}, nullptr, now);
  Session first(smsc, 1, now);
  Session second(smsc, 2, now);
  for (Session* const session : {&first, &second}) {
    const auto octets = wire::bind(wire::kTransceiver, 1);
    ASSERT_EQ(session->on_octets(octets, now), octets.size());
    session->on_written(session->outgoing().size());
  }
  const auto octets = wire::submit(2);
  for (int i = 0; i < 4; ++i) ASSERT_EQ(first.on_octets(octets, now), octets.size());
  first.on_written(first.outgoing().size());

  smsc.deliver_due(now);

  EXPECT_EQ(first.outgoing().size(), second.outgoing().size());
  EXPECT_FALSE(first.outgoing().empty());
}

TEST(Account, KeepsNamesApart) {
  Smsc smsc({.first_id = 1}, nullptr, {});
  EXPECT_NE(smsc.account_of("a"), smsc.account_of("b"));
  EXPECT_EQ(smsc.account_of("a"), smsc.account_of("a"));
}

}  // namespace
}  // namespace stentor::smsc
