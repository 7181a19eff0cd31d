#include "daemon/ingress/timestamp.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

// Expected values come from `date -u -d … +%s`.
TEST(Rfc3339, IsReadInUtcAndInOtherZones) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), 0u);
  EXPECT_EQ(parse_rfc3339("2026-11-21T02:08:51Z"), 1795226931000u);
  EXPECT_EQ(parse_rfc3339("2026-11-21t05:08:51.5+03:00"), 1795226931500u);
  EXPECT_EQ(parse_rfc3339("2026-11-20T21:08:51.123456-05:00"), 1795226931123u);
  EXPECT_EQ(parse_rfc3339("2024-02-29 00:00:00Z"), 1709164800000u);
}

TEST(Rfc3339, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "tomorrow", "2026-11-21", "2026-11-21T02:08:51", "2026-13-01T00:00:00Z",
        "2025-02-29T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T02:60:00Z",
        "2026-11-21T02:08:61Z", "2026-11-21T02:08:51.Z", "2026-11-21T02:08:51+3:00",
        "2026-11-21T02:08:51Zx", "1969-12-31T23:59:59Z", "26-11-21T02:08:51Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(Rfc3339, IsWrittenWithMilliseconds) {
  std::string out;
  append_rfc3339(1795226931007, out);
  EXPECT_EQ(out, "2026-11-21T02:08:51.007Z");
}

}  // namespace
}  // namespace stentor::daemon
