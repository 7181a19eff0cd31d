#include "daemon/metrics/exposition.h"

#include <prometheus/text_serializer.h>

#include <limits>

namespace stentor::daemon {
namespace {

prometheus::MetricFamily family_of(std::string_view name, std::string_view help,
                                   prometheus::MetricType type) {
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

prometheus::ClientMetric& new_metric(prometheus::MetricFamily& family, Labels labels) {
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  metric.label.reserve(labels.size());
  for (const auto& [name, value] : labels) {
    metric.label.push_back({.name = std::string(name), .value = std::string(value)});
  }
  return metric;
}

}  // namespace

prometheus::MetricFamily counter_family(std::string_view name, std::string_view help) {
  return family_of(name, help, prometheus::MetricType::Counter);
}

prometheus::MetricFamily gauge_family(std::string_view name, std::string_view help) {
  return family_of(name, help, prometheus::MetricType::Gauge);
}

prometheus::MetricFamily histogram_family(std::string_view name, std::string_view help) {
  return family_of(name, help, prometheus::MetricType::Histogram);
}

void add_sample(prometheus::MetricFamily& family, Labels labels, double value) {
  prometheus::ClientMetric& metric = new_metric(family, labels);
  if (family.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

void add_sample(prometheus::MetricFamily& family, Labels labels, const Histogram& histogram) {
  prometheus::ClientMetric::Histogram& out = new_metric(family, labels).histogram;
  out.bucket.reserve(Histogram::kBounds + 1);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < Histogram::kBounds; ++i) {
    below += histogram.count_in(i);
    out.bucket.push_back({.cumulative_count = below, .upper_bound = Histogram::bound_seconds(i)});
  }
  below += histogram.count_in(Histogram::kBounds);
  out.bucket.push_back(
      {.cumulative_count = below, .upper_bound = std::numeric_limits<double>::infinity()});
  out.sample_count = below;
  out.sample_sum = histogram.sum_seconds();
}

Exposition::Families Exposition::Collect() const {
  return collect_();
}

std::string Exposition::text() const {
  return prometheus::TextSerializer().Serialize(Collect());
}

}  // namespace stentor::daemon
