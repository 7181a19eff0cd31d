// Which id the first receipt of a doubtful segment came under, so that one under another id proves
// that the carrier took it twice.
//
// A segment whose answer was lost and that went again has the id of its second attempt; that of the
// first was never told. Where both were accepted there are two receipts, and what they have in
// common is the user_message_reference. One receipt under a strange id proves nothing: some
// carriers write other ids into receipts than into submit_sm_resp.
//
// Owns     An id for each segment that may have gone twice and was reported on, kEntriesMax at
//          most: the oldest goes first.
// Errors   None.
// Threads  One thread.
// Spec     docs/carriers.md, "Doubt"
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/records/records.h"
#include "queue/locator.h"

namespace stentor::daemon {

class TakenTwiceWatch {
 public:
  /// A window of 1,000 and 64 binds are in doubt after a crash; their receipts come within hours.
  static constexpr std::size_t kEntriesMax = 65'536;

  /// Notes a receipt and what it said of the segment, `none` where that was not final. Returns the
  /// id that an earlier one came under, where the two cannot be spellings of one id and confirm()
  /// was not called.
  [[nodiscard]] std::optional<std::string> on_receipt(queue::Locator message, std::uint8_t part,
                                                      std::string_view message_id, State state);
  /// It has been told.
  void confirm(queue::Locator message, std::uint8_t part);
  /// What the first final receipt of the segment said that knew; nothing where none has come.
  [[nodiscard]] std::optional<State> said_of(queue::Locator message, std::uint8_t part) const;

 private:
  struct Entry {
    std::string message_id;
    State state = State::none;
    bool is_confirmed = false;
  };
  using Key = std::pair<std::uint64_t, std::uint8_t>;  // locator bits, part
  [[nodiscard]] Entry& entry_of(const Key& key);

  boost::unordered_flat_map<Key, Entry> entries_;
  std::vector<Key> order_;  // a ring of kEntriesMax once full
  std::size_t oldest_ = 0;
};

}  // namespace stentor::daemon
