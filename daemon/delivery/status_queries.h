// Which segments a carrier is to be asked about, as no receipt has come for them, and when.
//
// Units    Time is steady_clock.
// Owns     A copy of the id of every segment it knows: at most kSegmentsMax.
// Errors   A segment beyond the bound is not asked about: put() says so.
// Threads  One thread.
// Spec     SMPP 3.4 section 4.8 (query_sm); docs/carriers.md, "Asking".
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "queue/locator.h"

namespace stentor::daemon {

class StatusQueries {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// A carrier that owes a million receipts has other troubles; some 100 MiB when full.
  static constexpr std::size_t kSegmentsMax = 1'000'000;

  explicit StatusQueries(std::size_t segments_max = kSegmentsMax) : segments_max_(segments_max) {}

  struct Segment {
    queue::Locator at;  ///< its message's accepted record
    std::uint8_t part = 1;
    std::string message_id;     ///< as the carrier gave it
    std::uint8_t refusals = 0;  ///< how often it was refused for now, or not answered
    /// An answer to a later question would come after the verdict.
    TimePoint last_chance = TimePoint::max();
  };

  /// Asked about at `due`, unless forgotten before. False when there are too many.
  [[nodiscard]] bool put(const Segment& segment, TimePoint due);
  /// Its receipt came.
  void forget(queue::Locator at, std::uint8_t part);
  /// The next one that is due; it is forgotten with that.
  [[nodiscard]] std::optional<Segment> take_due(TimePoint now);

  [[nodiscard]] std::size_t size() const noexcept { return ids_.size(); }

 private:
  struct Due {
    TimePoint at;
    TimePoint last_chance;
    std::uint64_t message;
    std::uint8_t part;
    std::uint8_t refusals;
  };
  static bool is_later(const Due& a, const Due& b) noexcept { return a.at > b.at; }
  [[nodiscard]] static std::uint64_t key_of(std::uint64_t message, std::uint8_t part) noexcept;
  void drop_forgotten();

  std::size_t segments_max_;
  boost::unordered_flat_map<std::uint64_t, std::string> ids_;
  std::vector<Due> heap_;  // with entries of segments that were forgotten meanwhile
};

}  // namespace stentor::daemon
