// Which orphans a checkpoint carries: those that a start would keep of all that the journal has.
//
// Of each carrier the newest, within the bounds of EarlyReceipts, those that name no id in a share
// of their own. None that a receipt of its id followed: it was told then.
//
// Units    Milliseconds of Unix time; octets of payloads.
// Owns     A hash and a place of each, some 150 octets: 3 MiB for a carrier that fills its shares.
// Errors   What does not decode is kept.
// Threads  One thread.
// Spec     docs/journal.md, "Checkpoints"
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "queue/locator.h"
#include "queue/record_batch.h"

namespace stentor::daemon {

class KeptOrphans {
 public:
  /// Those that came before `since_ms` are over.
  explicit KeptOrphans(std::uint64_t since_ms) : since_ms_(since_ms) {}

  // All records that there are, in the order of the journal, before anything is asked.
  void note_orphan(const queue::Record& record);
  void note_receipt(const queue::Record& record);

  [[nodiscard]] bool contains(const queue::Record& orphan) const;

 private:
  // By their ids: the places of those that are kept. A chance meeting of two among 20,000 costs
  // one of them its place in the list, once in 10^11 checkpoints.
  using Places = std::multimap<std::uint64_t, queue::Locator>;
  struct Entry {
    Places::iterator by_id;  ///< the end for one that names none
    std::uint64_t octets = 0;
    bool is_final = false;
  };
  struct Share {
    std::map<queue::Locator, Entry> entries;  // the oldest first
    std::uint64_t octets = 0;
  };
  struct Carrier {
    std::array<Share, 2> shares;
    Places by_id;
  };
  static constexpr std::size_t kNamed = 0;
  static constexpr std::size_t kUnnamed = 1;

  static void drop(Carrier& carrier, Share& share, std::map<queue::Locator, Entry>::iterator entry);

  const std::uint64_t since_ms_;
  std::map<std::string, Carrier, std::less<>> carriers_;
};

}  // namespace stentor::daemon
