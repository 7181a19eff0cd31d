// The requests of one session that still wait for their response, found by sequence_number.
//
// A table with a place for each number modulo its size: no search, no allocation after
// construction. Where a late straggler still holds a place, that number is skipped: numbers need
// only grow (section 2.7), and with twice the places a free one is always near.
//
// Units    Capacity counts requests.
// Owns     Its entries.
// Threads  One at a time.
#pragma once

#include <bit>
#include <cassert>
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/pdu.h"
#include "protocol/session.h"

namespace stentor::protocol {

enum class RequestKind : std::uint8_t { submit_sm, data_sm, query_sm, cancel_sm };

/// Whether it carries a message, whose fate hangs on the response.
[[nodiscard]] constexpr bool is_submit(RequestKind kind) noexcept {
  return kind == RequestKind::submit_sm || kind == RequestKind::data_sm;
}

struct PendingRequest {
  std::uint64_t cookie = 0;
  std::uint64_t end_octet = 0;  ///< where its PDU ends, counted over the whole session
  TimePoint sent_at;
  std::uint32_t sequence_number = 0;  ///< 0 marks a free place
  RequestKind kind{};
};

class PendingRequests {
 public:
  explicit PendingRequests(std::size_t capacity)
      : places_(std::bit_ceil(2 * capacity)), mask_(places_.size() - 1), capacity_(capacity) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t free() const noexcept { return capacity_ - size_; }
  [[nodiscard]] bool has_place_for(std::uint32_t sequence_number) const noexcept {
    return places_[sequence_number & mask_].sequence_number == 0;
  }

  void add(const PendingRequest& request) noexcept {
    assert(size_ < capacity_ && "the window is never exceeded");
    assert(has_place_for(request.sequence_number) && "a number is used once at a time");
    places_[request.sequence_number & mask_] = request;
    ++size_;
  }

  /// Nothing when no such request waits: answered before, or never asked.
  [[nodiscard]] const PendingRequest* find(std::uint32_t sequence_number) const noexcept {
    const PendingRequest& place = places_[sequence_number & mask_];
    return sequence_number != 0 && place.sequence_number == sequence_number ? &place : nullptr;
  }

  void remove(std::uint32_t sequence_number) noexcept {
    assert(find(sequence_number) != nullptr && "only what waits can be answered");
    places_[sequence_number & mask_].sequence_number = 0;
    --size_;
  }

  /// Visits every entry, in no order. Takes time in proportion to the capacity.
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for (const PendingRequest& place : places_) {
      if (place.sequence_number != 0) visit(place);
    }
  }

  void clear() noexcept {
    for (PendingRequest& place : places_) place.sequence_number = 0;
    size_ = 0;
  }

 private:
  std::vector<PendingRequest> places_;
  std::size_t mask_;
  std::size_t capacity_;
  std::size_t size_ = 0;
};

}  // namespace stentor::protocol
