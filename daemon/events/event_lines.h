// What upstream is told of a record: none, one or two events, as lines of JSON.
//
// Units    Times are RFC 3339 with milliseconds.
// Owns     Nothing.
// Errors   A record that does not decode has no events.
// Threads  Pure functions.
// Spec     docs/protocol.md, "Events"
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/records/records.h"
#include "queue/record_batch.h"

namespace stentor::daemon {

/// The events of one record: at most a part's own and the message's.
struct RecordEvents {
  std::optional<Subject> subject;
  std::span<const std::uint8_t> subject_octets{};  ///< with what few have: subject_extras.h
  std::array<std::string_view, 2> types{};         ///< sub 1 and 2; empty where there is none
  std::optional<PartAnswered> part{};              ///< where it is one: nearly all are these two,
  std::optional<ReceiptCame> receipt{};            ///< with two events each, and decoded once
  std::uint8_t count = 0;
};
[[nodiscard]] RecordEvents events_of(const queue::Record& record);

/// Appends event `sub` (from 1) of the record, without its newline.
void append_event(const queue::Record& record, const RecordEvents& events, std::uint8_t sub,
                  std::string_view cursor, std::string& out);

inline constexpr std::size_t kEventTypes = 12;
/// Which of the protocol's event types it is, below kEventTypes; nothing when it is none.
[[nodiscard]] std::optional<std::size_t> event_type_of(std::string_view type) noexcept;

}  // namespace stentor::daemon
