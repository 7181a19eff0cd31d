#include "daemon/commit/carry_desk.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

TEST(CarryDesk, FindsAProposalCompleteThatHasAllThatLives) {
  CarryDesk desk;
  desk.propose(7, 10);
  EXPECT_EQ(desk.answer(), CarryDesk::Answer::open);
  desk.judge([](std::uint32_t before) {
    EXPECT_EQ(before, 7u);
    return 10;
  });
  EXPECT_EQ(desk.answer(), CarryDesk::Answer::complete);
}

TEST(CarryDesk, FindsAProposalLackingWhereOneMoreLives) {
  CarryDesk desk;
  desk.propose(7, 10);
  desk.judge([](std::uint32_t) { return 11; });
  EXPECT_EQ(desk.answer(), CarryDesk::Answer::lacking);
}

TEST(CarryDesk, JudgesAProposalOnceAndTheNextAnew) {
  CarryDesk desk;
  desk.judge([](std::uint32_t) -> std::uint64_t {
    ADD_FAILURE() << "nothing is proposed";
    return 0;
  });
  desk.propose(7, 10);
  desk.judge([](std::uint32_t) { return 11; });
  desk.judge([](std::uint32_t) { return 0; });
  EXPECT_EQ(desk.answer(), CarryDesk::Answer::lacking);
  desk.propose(7, 10);
  EXPECT_EQ(desk.answer(), CarryDesk::Answer::open);
}

TEST(CarryDesk, ForgetsWhatWasOfferedWhenNothingIsNeededAnyMore) {
  CarryDesk desk;
  desk.offer({.before = 7, .octets = 100, .messages = 3});
  EXPECT_EQ(desk.taken().before, 0u) << "the journal does not say it yet";
  desk.take(desk.offered());
  EXPECT_EQ(desk.taken().before, 7u);
  EXPECT_EQ(desk.offered().before, 7u);
  desk.take({});
  EXPECT_EQ(desk.taken().before, 0u);
  EXPECT_EQ(desk.offered().before, 0u) << "or it would be taken again";
}

}  // namespace
}  // namespace stentor::daemon
