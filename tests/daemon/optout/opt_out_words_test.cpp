#include "daemon/optout/opt_out_words.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

OptOutWish wish(std::string_view text, const OptOutConfig& config = {}) {
  return OptOutWords(config).wish_of(first_word(text));
}

TEST(OptOutWords, HearStopInSeveralLanguages) {
  for (const char* text : {"STOP", "Stop.", "Stop. Thank you", "СТОП!", "стоп!!! спасибо", "стоп",
                           "Opt-out", "ARRÊT", "Baja", "отписаться пожалуйста", "退订", "REVOKE"}) {
    EXPECT_EQ(wish(text), OptOutWish::stop) << text;
  }
}

TEST(OptOutWords, HearWordsOfEverydayOnlyAlone) {
  EXPECT_EQ(wish("Cancel!"), OptOutWish::stop);
  EXPECT_EQ(wish("Cancel my appointment on Monday"), OptOutWish::none);
}

TEST(OptOutWords, HearStartAndNothingElse) {
  EXPECT_EQ(wish("Start again"), OptOutWish::start);
  EXPECT_EQ(wish("stopped by, nobody home"), OptOutWish::none);
  EXPECT_EQ(wish("please stop"), OptOutWish::none);
  EXPECT_EQ(wish("?"), OptOutWish::none);
}

TEST(OptOutWords, AreTheConfigurations) {
  OptOutConfig config;
  config.stop = {"Genug"};
  EXPECT_EQ(wish("genug!", config), OptOutWish::stop);
  EXPECT_EQ(wish("stop", config), OptOutWish::none);
}

}  // namespace
}  // namespace stentor::daemon
