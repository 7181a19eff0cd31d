#include "daemon/inbound/first_word.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

TEST(FirstWord, IsOneWordHoweverAPersonTypesIt) {
  for (const char* text : {"stop", "STOP", "Stop.", "  \"Stop\"!!! thanks", "😡 stop", "stop\n"}) {
    EXPECT_EQ(first_word(text).word, "stop") << text;
  }
  for (const char* text : {"СТОП!", "стоп", "стоп!!! спасибо", "«Стоп»"}) {
    EXPECT_EQ(first_word(text).word, "стоп") << text;
  }
  EXPECT_EQ(first_word("Opt-Out please").word, "optout");
  EXPECT_EQ(first_word("ARRÊT").word, "arrêt");
}

TEST(FirstWord, IsOneWordHoweverAPhoneWritesIt) {
  for (const char* text : {"İptal", "İPTAL", "iptal", "IPTAL!"}) {
    EXPECT_EQ(first_word(text).word, "iptal") << text;
  }
  EXPECT_EQ(first_word("arre\u0302t").word, "arrêt") << "its accent by itself";
  EXPECT_EQ(first_word("ＳＴＯＰ").word, "stop") << "of full width";
  EXPECT_EQ(first_word("إلغاء.").word, "إلغاء");
}

TEST(FirstWord, IsNotTheBeginningOfALongerOne) {
  EXPECT_EQ(first_word("stopped by yesterday").word, "stopped");
}

TEST(FirstWord, SaysWhetherAnythingFollows) {
  EXPECT_TRUE(first_word("End.").is_alone);
  EXPECT_FALSE(first_word("End of the month?").is_alone);
}

TEST(FirstWord, OfNothingIsNothing) {
  EXPECT_EQ(first_word("").word, "");
  EXPECT_EQ(first_word("?!").word, "");
  EXPECT_FALSE(first_word("").is_alone);
  EXPECT_EQ(first_word(std::string(129, 'a')).word, "");
  EXPECT_EQ(first_word(std::string(128, 'a')).word, std::string(128, 'a'));
}

TEST(FirstWord, EndsAtOctetsThatAreNoText) {
  EXPECT_EQ(first_word("ab\xff").word, "ab");
}

}  // namespace
}  // namespace stentor::daemon
