#include "daemon/metrics/exposition.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "daemon/metrics/histogram.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, ABoundBelongsToItsOwnBucket) {
  Histogram histogram;
  histogram.record(10us);
  histogram.record(10us + 1ns);
  histogram.record(1h);
  histogram.record(1h + 1ns);

  EXPECT_EQ(histogram.count_in(0), 1U);
  EXPECT_EQ(histogram.count_in(1), 1U);
  EXPECT_EQ(histogram.count_in(Histogram::kBounds - 1), 1U);
  EXPECT_EQ(histogram.count_in(Histogram::kBounds), 1U);
}

TEST(Histogram, EachBoundAndItsNeighboursFallWhereASearchFindsThem) {
  for (std::size_t i = 0; i + 1 < Histogram::kBounds; ++i) {
    const auto bound = std::chrono::nanoseconds(std::llround(Histogram::bound_seconds(i) * 1e9));
    Histogram histogram;
    histogram.record(bound);
    histogram.record(bound + 1ns);

    EXPECT_EQ(histogram.count_in(i), 1U) << i;
    EXPECT_EQ(histogram.count_in(i + 1), 1U) << i;
  }
}

TEST(Histogram, TakesTheExtremes) {
  Histogram histogram;
  histogram.record(0ns);
  histogram.record(-5s);
  histogram.record(std::chrono::nanoseconds::max());

  EXPECT_EQ(histogram.count_in(0), 2U);
  EXPECT_EQ(histogram.count_in(Histogram::kBounds), 1U);
  EXPECT_EQ(histogram.count(), 3U);
}

TEST(Histogram, AddsAnothersCounts) {
  Histogram left;
  Histogram right;
  left.record(1ms);
  right.record(1ms);
  right.record(2s);

  left.add(right);

  EXPECT_EQ(left.count(), 3U);
  EXPECT_NEAR(left.sum_seconds(), 2.002, 1e-9);
}

TEST(Exposition, WritesWhatTheCallbackSaysAtEachScrape) {
  double accepted = 1;
  const Exposition exposition([&] {
    Exposition::Families families;
    families.push_back(counter_family("stentor_accepted_total", "Messages accepted."));
    add_sample(families.back(), {}, accepted);
    families.push_back(gauge_family("stentor_queue_messages", "Messages waiting."));
    add_sample(families.back(), {{"carrier", "north"}, {"priority", "bulk"}}, 7);
    return families;
  });

  EXPECT_EQ(exposition.text(),
            "# HELP stentor_accepted_total Messages accepted.\n"
            "# TYPE stentor_accepted_total counter\n"
            "stentor_accepted_total 1\n"
            "# HELP stentor_queue_messages Messages waiting.\n"
            "# TYPE stentor_queue_messages gauge\n"
            "stentor_queue_messages{carrier=\"north\",priority=\"bulk\"} 7\n");

  accepted = 9007199254740992;  // 2^53: a counter keeps every digit up to here
  EXPECT_NE(exposition.text().find("stentor_accepted_total 9007199254740992\n"), std::string::npos);
}

TEST(Exposition, WritesAHistogramCumulatively) {
  Histogram histogram;
  histogram.record(15us);
  histogram.record(40us);
  histogram.record(2h);
  const Exposition exposition([&] {
    Exposition::Families families{histogram_family("stentor_submit_seconds", "Response time.")};
    add_sample(families.back(), {{"carrier", "north"}}, histogram);
    return families;
  });

  const std::string text = exposition.text();

  for (const std::string_view line : {
           "stentor_submit_seconds_count{carrier=\"north\"} 3\n",
           "stentor_submit_seconds_bucket{carrier=\"north\",le=\"1e-05\"} 0\n",
           "stentor_submit_seconds_bucket{carrier=\"north\",le=\"2e-05\"} 1\n",
           "stentor_submit_seconds_bucket{carrier=\"north\",le=\"5e-05\"} 2\n",
           "stentor_submit_seconds_bucket{carrier=\"north\",le=\"3600\"} 2\n",
           "stentor_submit_seconds_bucket{carrier=\"north\",le=\"+Inf\"} 3\n",
       }) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(Exposition, EscapesALabel) {
  const Exposition exposition([] {
    Exposition::Families families{gauge_family("stentor_link_up", "Bound.")};
    add_sample(families.back(), {{"carrier", "a\"b\\c\nd"}}, 1);
    return families;
  });

  EXPECT_NE(exposition.text().find("{carrier=\"a\\\"b\\\\c\\nd\"} 1\n"), std::string::npos);
}

}  // namespace
}  // namespace stentor::daemon
