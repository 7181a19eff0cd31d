// What the receipts of one carrier account came to, counted plainly on its own thread.
//
// Units    Segments unless a name says messages; histograms in microseconds.
// Threads  One thread counts; others get copies made there.
#pragma once

#include <cstdint>

#include "daemon/metrics/histogram.h"
#include "daemon/records/records.h"

namespace stentor::daemon {

struct TrackingStats {
  std::uint64_t messages_delivered = 0;
  std::uint64_t messages_failed = 0;
  std::uint64_t messages_expired = 0;
  std::uint64_t messages_unknown = 0;
  std::uint64_t messages_corrected = 0;  ///< told unknown, and a late receipt knew better
  std::uint64_t receipts_delivered = 0;
  std::uint64_t receipts_failed = 0;
  std::uint64_t receipts_expired = 0;
  std::uint64_t receipts_unknown = 0;
  std::uint64_t receipts_intermediate = 0;
  std::uint64_t receipts_unmatched = 0;  ///< at first sight; some match later
  std::uint64_t receipts_matched_late = 0;
  std::uint64_t receipts_by_reference = 0;  ///< matched by user_message_reference, not by id
  std::uint64_t receipts_unparsed = 0;
  std::uint64_t receipts_duplicate = 0;    ///< a second copy: answered, not told again
  std::uint64_t receipts_conflicting = 0;  ///< another final after a final
  std::uint64_t confirmed_duplicates = 0;  ///< segments that the carrier took twice
  std::uint64_t receipts_unread = 0;       ///< kept until their message's record can be read
  std::uint64_t records_unreadable = 0;
  Histogram receipt_after;
  Histogram first_receipt_after;  ///< of each message of several parts
  Histogram last_receipt_after;   ///< likewise: of the part whose receipt came last

  void count_verdict(State state) noexcept {
    if (state == State::delivered) ++messages_delivered;
    if (state == State::failed) ++messages_failed;
    if (state == State::expired) ++messages_expired;
    if (state == State::unknown) ++messages_unknown;
  }
};

}  // namespace stentor::daemon
