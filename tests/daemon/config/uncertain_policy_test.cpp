#include "daemon/config/uncertain_policy.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

TEST(UncertainPolicy, ReadsItsWords) {
  EXPECT_EQ(parse_uncertain("resend", false)->policy, UncertainPolicy::resend);
  EXPECT_EQ(parse_uncertain("hold", false)->policy, UncertainPolicy::hold);
  EXPECT_EQ(parse_uncertain("fail", false)->policy, UncertainPolicy::fail);
  const auto wait = parse_uncertain("wait-dlr:300", false);
  EXPECT_EQ(wait->policy, UncertainPolicy::wait_dlr);
  EXPECT_EQ(wait->seconds, 300u);
  EXPECT_EQ(wait->then, UncertainPolicy::resend);
  EXPECT_EQ(parse_uncertain("wait-dlr:300,hold", true)->then, UncertainPolicy::hold);
  EXPECT_EQ(parse_uncertain("wait-dlr:604800", true)->seconds, 604800u);
}

TEST(UncertainPolicy, RefusesOthers) {
  for (const char* wrong :
       {"", "Resend", "wait-dlr", "wait-dlr:", "wait-dlr:0", "wait-dlr:604801", "wait-dlr:-1",
        "wait-dlr:3x", "wait-dlr:3,", "wait-dlr:3,wait-dlr:3", "wait-dlr:99999999999"}) {
    EXPECT_FALSE(parse_uncertain(wrong, true)) << wrong;
  }
  EXPECT_FALSE(parse_uncertain("wait-dlr:300,hold", false));
}

TEST(UncertainPolicy, IsWrittenAsItIsRead) {
  for (const char* text : {"resend", "hold", "fail", "wait-dlr:60", "wait-dlr:60,fail"}) {
    EXPECT_EQ(to_string(*parse_uncertain(text, true)), text);
  }
}

TEST(UncertainPolicy, AMessagesOwnGoesBeforeItsCarriers) {
  const UncertainWish carrier{.policy = UncertainPolicy::hold};
  EXPECT_EQ(decide(std::nullopt, carrier), carrier);
  EXPECT_EQ(decide(parse_uncertain("resend", false), carrier).policy, UncertainPolicy::resend);
  EXPECT_EQ(decide(parse_uncertain("wait-dlr:5", false), carrier).then, UncertainPolicy::hold);
  EXPECT_EQ(
      decide(parse_uncertain("wait-dlr:5", false), *parse_uncertain("wait-dlr:9,fail", true)).then,
      UncertainPolicy::fail);
}

}  // namespace
}  // namespace stentor::daemon
