#include "bench/load/metrics_page.h"

#include <gtest/gtest.h>

namespace stentor::load {
namespace {

constexpr const char* kPage = R"(# HELP stentor_wait_seconds From accept to submit.
# TYPE stentor_wait_seconds histogram
stentor_wait_seconds_count{carrier="a"} 80
stentor_wait_seconds_sum{carrier="a"} 1.5
stentor_wait_seconds_bucket{carrier="a",le="0.001"} 20
stentor_wait_seconds_bucket{carrier="a",le="0.01"} 80
stentor_wait_seconds_bucket{carrier="a",le="+Inf"} 80
stentor_wait_seconds_bucket{carrier="b",le="0.001"} 20
stentor_wait_seconds_bucket{carrier="b",le="0.01"} 20
stentor_wait_seconds_bucket{carrier="b",le="+Inf"} 20
stentor_commits_total 42
stentor_commits_total_other 1
)";

TEST(MetricsPage, SumsOverLabels) {
  const MetricsPage page(kPage);
  EXPECT_EQ(page.sum("stentor_commits_total"), 42);
  EXPECT_EQ(page.sum("stentor_wait_seconds_bucket"), 240);
  EXPECT_EQ(page.sum("stentor_nothing"), std::nullopt);
}

TEST(MetricsPage, InterpolatesQuantilesOverAllLabels) {
  const MetricsPage page(kPage);
  EXPECT_DOUBLE_EQ(page.quantile("stentor_wait_seconds", 0.2).value_or(-1), 0.0005);
  EXPECT_DOUBLE_EQ(page.quantile("stentor_wait_seconds", 0.4).value_or(-1), 0.001);
  EXPECT_DOUBLE_EQ(page.quantile("stentor_wait_seconds", 0.7).value_or(-1), 0.0055);
  EXPECT_EQ(page.quantile("stentor_nothing", 0.5), std::nullopt);
}

}  // namespace
}  // namespace stentor::load
