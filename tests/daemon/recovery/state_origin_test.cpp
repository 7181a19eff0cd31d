#include "daemon/recovery/state_origin.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/temporary_directory.h"

namespace stentor::daemon {
namespace {

namespace fs = std::filesystem;

class StateOriginTest : public testing::Test {
 protected:
  StateOrigin origin(const MachineMarks& marks) const { return origin_of(state_, marks).value(); }
  void claim(const MachineMarks& marks) const { ASSERT_TRUE(claim_state(state_, marks)); }
  // As a backup that is restored: the same octets in another file.
  void copy_origin() const {
    fs::copy_file(state_ / "origin", state_ / "restored");
    fs::rename(state_ / "restored", state_ / "origin");
  }
  void write_origin(const std::string& text) const { std::ofstream(state_ / "origin") << text; }

  const MachineMarks here_{.id = "here", .keeps_inodes = true};
  const MachineMarks there_{.id = "there", .keeps_inodes = true};
  const stentor::test::TemporaryDirectory directory_;
  const fs::path& state_ = directory_.path();
};

TEST_F(StateOriginTest, NobodyHasClaimedAStateThatSaysNothing) {
  EXPECT_EQ(origin(here_), StateOrigin::unclaimed);
}

TEST_F(StateOriginTest, TheMachineThatClaimedItFindsItsOwn) {
  claim(here_);
  EXPECT_EQ(origin(here_), StateOrigin::own);
  claim(here_);  // again, over the first
  EXPECT_EQ(origin(here_), StateOrigin::own);
}

TEST_F(StateOriginTest, AnotherMachineDoesNotUntilItClaimsItToo) {
  claim(here_);
  EXPECT_EQ(origin(there_), StateOrigin::other_machine);
  claim(there_);
  EXPECT_EQ(origin(there_), StateOrigin::own);
  EXPECT_EQ(origin(here_), StateOrigin::other_machine);
}

TEST_F(StateOriginTest, ACopyIsToldByItsInode) {
  claim(here_);
  copy_origin();
  EXPECT_EQ(origin(here_), StateOrigin::copied);
}

TEST_F(StateOriginTest, WhatIsNotKnownIsNotCompared) {
  claim(here_);
  copy_origin();
  EXPECT_EQ(origin({.id = "here", .keeps_inodes = false}), StateOrigin::own);
  EXPECT_EQ(origin({.id = "", .keeps_inodes = false}), StateOrigin::own);
  claim({.id = "", .keeps_inodes = false});
  copy_origin();
  EXPECT_EQ(origin(there_), StateOrigin::own);
}

TEST_F(StateOriginTest, AFileOfAnotherKindIsRefusedByName) {
  for (const char* text :
       {"", "stentor-origin 2\nmachine a\nfile 1\n", "stentor-origin 1\n",
        "stentor-origin 1\nmachine here\n", "stentor-origin 1\nmachine \nfile 1\n"}) {
    write_origin(text);
    const auto found = origin_of(state_, here_);
    ASSERT_FALSE(found) << text;
    EXPECT_NE(found.error().find((state_ / "origin").string()), std::string::npos) << text;
  }
}

TEST_F(StateOriginTest, AClaimThatWasCutOffLeavesWhatWas) {
  claim(here_);
  std::ofstream(state_ / "origin.new") << "stent";
  EXPECT_EQ(origin(here_), StateOrigin::own);
  claim(there_);
  EXPECT_EQ(origin(there_), StateOrigin::own);
}

TEST_F(StateOriginTest, AStateThatCannotBeWrittenIsNamed) {
  const auto claimed = claim_state(state_ / "not there", here_);
  ASSERT_FALSE(claimed);
  EXPECT_NE(claimed.error().find("not there"), std::string::npos) << claimed.error();
}

TEST(MachineMarks, DoNotGiveTheMachinesIdAway) {
  const MachineMarks marks = MachineMarks::of("/");
  std::string machine_id;
  std::ifstream file("/etc/machine-id");
  if (!std::getline(file, machine_id) || machine_id.size() != 32) {
    EXPECT_EQ(marks.id, "");
    return;
  }
  EXPECT_EQ(marks.id.size(), 64u);
  EXPECT_EQ(marks.id.find(machine_id), std::string::npos);
  EXPECT_EQ(MachineMarks::of("/tmp").id, marks.id);
}

}  // namespace
}  // namespace stentor::daemon
