// Reads a Prometheus text page: sums over labels, and percentiles of a histogram.
//
// Units    As the page has them.
// Owns     The page.
// Errors   What is not on the page is nothing (nullopt).
// Threads  Plain values; fetch_metrics() blocks, at most ten seconds.
// Spec     Prometheus text format 0.0.4.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace stentor::load {

class MetricsPage {
 public:
  explicit MetricsPage(std::string text) : text_(std::move(text)) {}

  /// The sum of all samples of that name, whatever their labels.
  [[nodiscard]] std::optional<double> sum(std::string_view name) const;
  /// The `share` quantile of histogram `name`, all labels together, interpolated within its bucket
  /// as Prometheus does.
  [[nodiscard]] std::optional<double> quantile(std::string_view name, double share) const;

 private:
  template <class Each>
  void for_each_sample(std::string_view name, Each&& each) const;

  std::string text_;
};

/// GET `path` from 127.0.0.1:`port`; the body of a 200, else a phrase.
[[nodiscard]] std::expected<std::string, std::string> http_get(std::uint16_t port,
                                                               const std::string& path);

}  // namespace stentor::load
