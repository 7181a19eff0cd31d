#include "daemon/events/read_trouble.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

TEST(ReadTrouble, NamesTheFileAtOnceAndAgainWhileItLasts) {
  const queue::Locator place(17, 64, 0);
  const auto why = std::make_error_code(std::errc::io_error);
  const ReadTrouble::TimePoint start{};
  ReadTrouble trouble;
  const auto first = trouble.line_of("events", place, why, start);
  ASSERT_TRUE(first.has_value());
  EXPECT_NE(first->find("journal-00000017.stj"), std::string::npos) << *first;
  EXPECT_NE(first->find(why.message()), std::string::npos) << *first;
  for (int second = 1; second < 60; ++second) {
    EXPECT_FALSE(trouble.line_of("events", place, why, start + std::chrono::seconds(second)));
  }
  EXPECT_TRUE(trouble.line_of("events", place, why, start + ReadTrouble::kSaidEvery));
}

}  // namespace
}  // namespace stentor::daemon
