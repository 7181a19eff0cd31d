// One message on its way through a bind: reserved, being sent, waiting for its answers.
//
// Owns     A copy of its accepted record; `accepted` and `subject` view it.
// Threads  The shard's thread.
#pragma once

#include <algorithm>
#include <bitset>
#include <boost/container/small_vector.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/delivery/addresses.h"
#include "daemon/delivery/coding.h"
#include "daemon/delivery/refusal_counts.h"
#include "daemon/records/records.h"
#include "encoding/segmenter.h"
#include "protocol/pdu.h"
#include "queue/lanes.h"

namespace stentor::daemon {

/// Which parts of a message the carrier has taken. Most messages have one part, all fit 255.
using PartSet = boost::container::small_vector<bool, encoding::kPartsInline>;

/// What is remembered of a message between two attempts.
struct Retry {
  std::uint8_t attempts = 0;          ///< made so far, of any class, throttled ones not counted
  bool possible_duplicate = false;    ///< a segment of it may have arrived without our knowing
  PartSet taken;                      ///< parts the carrier has accepted: not sent again
  std::optional<std::uint16_t> bind;  ///< that took the last of these: the others follow it
  RefusalCounts refusals;

  [[nodiscard]] bool is_worth_keeping() const {
    return attempts > 0 || !refusals.is_empty() || may_have_arrived();
  }
  /// Something of it may be over there already.
  [[nodiscard]] bool may_have_arrived() const {
    return possible_duplicate || std::ranges::find(taken, true) != taken.end();
  }
  /// Events and the journal show the number in one octet.
  void charge() noexcept {
    if (attempts < UINT8_MAX) ++attempts;
  }
  [[nodiscard]] std::uint8_t next_attempt() const noexcept {
    return static_cast<std::uint8_t>(std::min(attempts + 1, UINT8_MAX));
  }
};

struct Sending {
  PartSet doubtful;  ///< answered by a status that may mean acceptance
  queue::Lanes::Pick pick;
  std::vector<std::uint8_t> record;
  std::vector<std::uint8_t> own_subject;  ///< where it differs from the record's: it has moved
  Accepted accepted;
  Subject subject;
  Content content;
  MessagePlan plan;
  WireAddress source;
  WireAddress destination;
  std::uint16_t link = 0;
  std::uint64_t intent_batch = 0;
  std::uint64_t turn = 0;  ///< in which it was reserved: its place among the ready ones
  Retry retry;
  std::uint16_t next_part = 0;         ///< index of the first part not looked at yet
  std::uint16_t in_flight = 0;         ///< parts submitted and not answered
  std::uint16_t taken = 0;             ///< parts the carrier has accepted, ever
  std::uint32_t response_ms = 0;       ///< how long the latest answer took
  std::bitset<kRetryClasses> counted;  ///< classes whose tries have this turn already
  bool was_unbound = false;            ///< it was told in this turn that the bind is wrong
  bool stopped = false;                ///< a part was refused: send no more of it now
  std::uint16_t refused_part = 0;      ///< index of the part it stopped at
  std::uint32_t refusal_status = 0;    ///< of the refused part
  std::string_view refusal_code;
  std::uint64_t retry_at_ms = 0;  ///< when a temporarily refused message goes again
  bool gave_up = false;           ///< the refusal was the last word
  bool is_charged = false;        ///< the refusal counts as an attempt
  bool is_final = false;          ///< its verdict is written
  bool is_under_way = false;      ///< counted among the keys under way
  bool is_ahead = false;          ///< reserved, and nothing of it written in this turn
  boost::container::small_vector<std::chrono::steady_clock::time_point, encoding::kPartsInline>
      submitted_at;
  boost::container::small_vector<std::uint32_t, encoding::kPartsInline> sequence_numbers;
  boost::container::small_vector<std::uint16_t, 4> again;  ///< throttled parts, to go first

  /// Nothing of it is written since it was reserved, or nothing at all is over there, each part
  /// that was written having been refused for now: it may still go back, or end. What has begun
  /// goes on: half a text helps nobody.
  [[nodiscard]] bool may_go_back() const noexcept {
    if (in_flight > 0 || stopped) return false;
    return again.empty() ? next_part == 0 : taken == 0;
  }
};

}  // namespace stentor::daemon
