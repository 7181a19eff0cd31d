// Metric families made of plain counters at the moment of a scrape, and their text.
//
// The only header that shows prometheus-cpp. Nothing here is kept between scrapes: the daemon
// counts in structs of its own, and a scrape asks for what they hold then.
//
// Units    Base units in the name: _seconds, _bytes, _total.
// Owns     Families own their texts. An Exposition owns the callback only.
// Errors   None but std::bad_alloc.
// Threads  Collect() calls the callback on the thread of the scrape; the callback sees to the rest.
// Spec     Prometheus text exposition format 0.0.4.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/metrics/histogram.h"

namespace stentor::daemon {

/// Few, with few values: a carrier, a bind, a status. Never a number, an id or a text.
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

[[nodiscard]] prometheus::MetricFamily counter_family(std::string_view name, std::string_view help);
[[nodiscard]] prometheus::MetricFamily gauge_family(std::string_view name, std::string_view help);
[[nodiscard]] prometheus::MetricFamily histogram_family(std::string_view name,
                                                        std::string_view help);

/// One sample of a counter or gauge family.
void add_sample(prometheus::MetricFamily& family, Labels labels, double value);
/// One sample of a histogram family.
void add_sample(prometheus::MetricFamily& family, Labels labels, const Histogram& histogram);

class Exposition final : public prometheus::Collectable {
 public:
  using Families = std::vector<prometheus::MetricFamily>;

  explicit Exposition(std::function<Families()> collect) : collect_(std::move(collect)) {}

  [[nodiscard]] Families Collect() const override;  // NOLINT(readability-identifier-naming)

  /// What GET /metrics answers.
  [[nodiscard]] std::string text() const;

 private:
  std::function<Families()> collect_;
};

}  // namespace stentor::daemon
