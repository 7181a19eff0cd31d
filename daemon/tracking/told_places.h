// Where it was written that a message ended as `unknown`, or with a part that is: from that record
// a late receipt can correct it when retention has taken the accepted one, which is older by the
// message's whole life.
//
// Units    Entries.
// Owns     Its entries, at most kEntriesMax: the oldest goes first. It can then be corrected as
//          long as its accepted record is there.
// Errors   None.
// Threads  One thread.
#pragma once

#include <cstdint>
#include <optional>

#include "daemon/tracking/newest_by_key.h"
#include "queue/locator.h"
#include "queue/ticket.h"

namespace stentor::daemon {

struct ToldPlace {
  queue::Locator at;     ///< of the record that told so
  queue::Flow flow = 0;  ///< the message's
};

class ToldPlaces {
 public:
  /// Where receipts come at all, one message in a hundred stays without: those of a carrier with
  /// 400 messages a second, for three days. 32 MiB when full. Where none come there is nothing to
  /// correct by.
  static constexpr std::size_t kEntriesMax = NewestByKey<ToldPlace>::kEntriesMax;

  void put(queue::Locator message, ToldPlace told) { entries_.put(message.bits(), told); }
  [[nodiscard]] std::optional<ToldPlace> find(queue::Locator message) const {
    return entries_.find(message.bits());
  }

 private:
  NewestByKey<ToldPlace> entries_;
};

}  // namespace stentor::daemon
