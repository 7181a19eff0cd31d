// Whether "queue full" (0x14) is said of the carrier, or of one destination that alone is full.
//
// The status does not tell. What does is who hears it: where two destinations heard it in a row,
// and nothing was taken in between, the carrier is full. One destination that hears it again and
// again while others are taken, or while nobody else sends, speaks for itself alone.
//
// Threads  One thread.
// Spec     docs/carriers.md, "Statuses"
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace stentor::daemon {

class FullQueue {
 public:
  enum class Whose : std::uint8_t {
    carriers,
    not_known,     ///< the first word of this destination
    destinations,  ///< the latest that said so is the same: it was heeded then
  };

  /// The carrier took a segment. That to the destination that was full too: the queue has drained.
  void on_accepted(std::string_view destination) noexcept {
    is_in_a_row_ = false;
    is_carriers_ = false;
    if (latest_ && *latest_ == key_of(destination)) latest_.reset();
  }
  [[nodiscard]] Whose on_full(std::string_view destination) noexcept {
    const std::size_t heard = key_of(destination);
    const bool is_same = latest_ == heard;
    if (is_in_a_row_ && !is_same) is_carriers_ = true;
    is_in_a_row_ = true;
    latest_ = heard;
    if (is_carriers_) return Whose::carriers;
    return is_same ? Whose::destinations : Whose::not_known;
  }

 private:
  [[nodiscard]] static std::size_t key_of(std::string_view destination) noexcept {
    return std::hash<std::string_view>{}(destination);
  }

  std::optional<std::size_t> latest_;
  bool is_in_a_row_ = false;  // nothing was taken since
  bool is_carriers_ = false;
};

}  // namespace stentor::daemon
