#include "daemon/ingress/read_audit.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

TEST(ReadAudit, SaysTheFirstLookAndCountsThoseOfTheMinuteBehindIt) {
  ReadAudit audit;
  const ReadAudit::TimePoint now{};
  EXPECT_EQ(audit.line_of("watch", "message", now),
            "audit: watch looked at other clients' messages (message)");
  EXPECT_FALSE(audit.line_of("watch", "message", now + std::chrono::seconds(59)));
  EXPECT_FALSE(audit.line_of("watch", "message", now + std::chrono::seconds(59)));
  EXPECT_TRUE(audit.line_of("watch", "events", now)) << "another kind";
  EXPECT_TRUE(audit.line_of("ops", "message", now)) << "another client";
  EXPECT_EQ(audit.line_of("watch", "message", now + ReadAudit::kSaidEvery),
            "audit: watch looked at other clients' messages (message); 2 times more since it was "
            "last said");
}

}  // namespace
}  // namespace stentor::daemon
