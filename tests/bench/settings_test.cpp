#include "bench/smsc/settings.h"

#include <gtest/gtest.h>

namespace stentor::smsc {
namespace {

using namespace std::chrono_literals;

TEST(Settings, ReadsTimesWithTheirUnits) {
  EXPECT_EQ(parse_duration("250us"), 250us);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("20"), 20ms);
  EXPECT_EQ(parse_duration("2m"), 2min);
  EXPECT_FALSE(parse_duration("10 parsecs"));
  EXPECT_FALSE(parse_duration("-1s"));
  EXPECT_FALSE(parse_duration("1000000h"));
  EXPECT_FALSE(parse_duration(""));
}

TEST(Settings, ReadsJitterBehindAPlus) {
  EXPECT_EQ(parse_delay("10ms+5ms")->base, 10ms);
  EXPECT_EQ(parse_delay("10ms+5ms")->jitter, 5ms);
  EXPECT_EQ(parse_delay("10ms")->jitter, 0ms);
  EXPECT_FALSE(parse_delay("10ms+"));
}

TEST(Settings, ReadsErrorsByStatus) {
  const auto errors = parse_errors("0x58=5%,8=0.01").value();

  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].status, 0x58u);
  EXPECT_DOUBLE_EQ(errors[0].share, 0.05);
  EXPECT_EQ(errors[1].status, 8u);
  EXPECT_DOUBLE_EQ(errors[1].share, 0.01);
  EXPECT_FALSE(parse_errors("0x58=60%,0x08=50%"));
  EXPECT_FALSE(parse_errors("0x58"));
  EXPECT_FALSE(parse_errors("throttled=5%"));
}

TEST(Settings, ScalesOutcomesToOne) {
  const auto outcomes = parse_outcomes("DELIVRD=3,NONE=1").value();

  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_DOUBLE_EQ(outcomes[0].share, 0.75);
  EXPECT_EQ(outcomes[1].outcome, Outcome::none);
  EXPECT_FALSE(parse_outcomes("DELIVERED=1"));
  EXPECT_FALSE(parse_outcomes("DELIVRD=0"));
}

TEST(Settings, TellsCountsFromTimes) {
  EXPECT_EQ(parse_after("500")->submits, 500u);
  EXPECT_EQ(parse_after("5s")->time, 5s);
  EXPECT_EQ(parse_after("5s")->submits, 0u);
  EXPECT_FALSE(parse_after("soon"));
}

TEST(Settings, ReadsIdStylesAloneAndInPairs) {
  EXPECT_EQ(parse_id_styles("padded")->receipt, IdStyle::padded);
  EXPECT_EQ(parse_id_styles("hex-decimal")->response, IdStyle::hex);
  EXPECT_EQ(parse_id_styles("hex-decimal")->receipt, IdStyle::decimal);
  EXPECT_EQ(parse_id_styles("HEX-hex")->response, IdStyle::hex_upper);
  EXPECT_EQ(parse_id_styles("oversize")->receipt, IdStyle::oversize);
  EXPECT_FALSE(parse_id_styles("mixed-hex"));
  EXPECT_FALSE(parse_id_styles("octal"));
}

TEST(Settings, ReadsGarbageWithItsCount) {
  EXPECT_EQ(parse_garbage("length-2gb")->first, Garbage::length_2gb);
  EXPECT_EQ(parse_garbage("half-pdu:3")->second, 3u);
  EXPECT_FALSE(parse_garbage("noise"));
}

TEST(Settings, ReadsAddresses) {
  EXPECT_EQ(parse_listen("127.0.0.1:2775")->second, 2775);
  EXPECT_EQ(parse_listen("[::1]:0")->first, "::1");
  EXPECT_FALSE(parse_listen("2775"));
  EXPECT_FALSE(parse_listen("127.0.0.1:70000"));
}

}  // namespace
}  // namespace stentor::smsc
