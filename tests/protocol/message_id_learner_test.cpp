#include "protocol/message_id_learner.h"

#include <gtest/gtest.h>

#include <string>

namespace stentor::protocol {
namespace {

// A receipt that says `id` matched a message whose submit_sm_resp said it by this rule.
bool match(MessageIdLearner& learner, std::string_view id, MessageIdRule rule) {
  const Spellings spellings = learner.in_order(spellings_of(id, MessageIdRule::automatic));
  for (std::uint8_t i = 0; i < spellings.count; ++i) {
    if (spellings.rules[i] == rule) return learner.on_match(spellings, i);
  }
  ADD_FAILURE() << id << " has no such spelling";
  return false;
}

void teach(MessageIdLearner& learner, MessageIdRule rule) {
  for (std::uint32_t i = 0; i < MessageIdLearner::kMatchesMin; ++i) {
    (void)match(learner, std::to_string(439041101 + i), rule);
  }
}

TEST(MessageIdLearner, LearnsARuleFromMatchesInARow) {
  for (const auto rule : {MessageIdRule::verbatim, MessageIdRule::decimal, MessageIdRule::hex}) {
    MessageIdLearner learner;
    for (std::uint32_t i = 1; i < MessageIdLearner::kMatchesMin; ++i) {
      EXPECT_FALSE(match(learner, std::to_string(439041101 + i), rule));
      EXPECT_FALSE(learner.learnt());
    }
    EXPECT_TRUE(match(learner, "439041101", rule));
    EXPECT_EQ(learner.learnt(), rule);
    EXPECT_FALSE(match(learner, "439041102", rule)) << "said once";
  }
}

TEST(MessageIdLearner, OneMatchOfAnotherKindBeginsTheCountAnew) {
  MessageIdLearner learner;
  for (int i = 0; i < 100; ++i) {
    (void)match(learner, std::to_string(439041101 + i),
                i % 7 == 6 ? MessageIdRule::verbatim : MessageIdRule::decimal);
  }
  EXPECT_FALSE(learner.learnt());
}

TEST(MessageIdLearner, TriesWhatItHasLearntFirstAndTheOthersStill) {
  MessageIdLearner learner;
  const Spellings before = learner.in_order(spellings_of("439041101", MessageIdRule::automatic));
  EXPECT_EQ(before.rules[0], MessageIdRule::verbatim);

  teach(learner, MessageIdRule::hex);
  const Spellings after = learner.in_order(spellings_of("439041101", MessageIdRule::automatic));
  ASSERT_EQ(after.count, 3);
  EXPECT_EQ(after.rules[0], MessageIdRule::hex);
  EXPECT_EQ(after.candidates[0].text(), "18136436993") << "0x439041101";
  EXPECT_EQ(after.candidates[1].text(), "439041101");
  EXPECT_EQ(after.candidates[2].text(), "1a2b3c4d");
  EXPECT_EQ(learner.in_order(spellings_of("no-number", MessageIdRule::automatic)).count, 1);
}

TEST(MessageIdLearner, UnlearnsOnContradiction) {
  MessageIdLearner learner;
  teach(learner, MessageIdRule::decimal);
  EXPECT_TRUE(match(learner, "439041101", MessageIdRule::verbatim));
  EXPECT_FALSE(learner.learnt());
  teach(learner, MessageIdRule::verbatim);
  EXPECT_EQ(learner.learnt(), MessageIdRule::verbatim);
}

TEST(MessageIdLearner, LearnsNothingFromAnIdThatIsTheSameInEveryBase) {
  MessageIdLearner learner;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(match(learner, "7", MessageIdRule::verbatim));
  EXPECT_FALSE(learner.learnt());
}

TEST(MessageIdLearner, LearnsThatIdsAreNoNumbers) {
  MessageIdLearner learner;
  for (std::uint32_t i = 0; i < MessageIdLearner::kMatchesMin; ++i) {
    (void)match(learner, "1101c1-c9d03d-f00" + std::to_string(i), MessageIdRule::verbatim);
  }
  EXPECT_EQ(learner.learnt(), MessageIdRule::verbatim);
}

}  // namespace
}  // namespace stentor::protocol
