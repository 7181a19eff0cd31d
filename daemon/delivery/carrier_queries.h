// Asks a carrier by query_sm what became of segments whose receipts do not come in time.
//
// A segment is asked about `query_after` after it was taken, and at the latest shortly before it
// would become unknown; again after as long while the carrier says that it is on its way, and
// three times when it is refused for now or not answered. What says nothing final changes nothing.
//
// Units    Time is steady_clock; `expires` is seconds of Unix time.
// Owns     What waits to be asked about, and what was asked.
// Errors   A carrier that does not know query_sm is not asked again.
// Threads  The shard's thread.
// Spec     SMPP 3.4 section 4.8; docs/carriers.md, "Asking".
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/config/config.h"
#include "daemon/delivery/status_queries.h"
#include "protocol/receipt.h"
#include "protocol/session.h"

namespace stentor::daemon {

struct QueryStats {
  std::uint64_t asked = 0;
  std::uint64_t final = 0;    ///< answered with a final state: as good as a receipt
  std::uint64_t waiting = 0;  ///< answered: on its way, or unknown to the carrier too
  std::uint64_t refused = 0;
  std::uint64_t unanswered = 0;
  std::uint64_t unasked =
      0;  ///< never asked: too long an id, too many, or nobody knows who sent it
};

class CarrierQueries {
 public:
  using TimePoint = StatusQueries::TimePoint;

  /// Where the segment's message was sent from, as on the wire; nothing when it cannot be read.
  struct Sender {
    std::string digits;
    protocol::Numbering numbering;
  };
  using SenderOf = std::function<std::optional<Sender>(queue::Locator)>;

  /// `carrier` outlives this.
  CarrierQueries(const CarrierConfig& carrier, SenderOf sender_of,
                 std::size_t segments_max = StatusQueries::kSegmentsMax);

  [[nodiscard]] bool is_on() const noexcept { return is_on_; }
  /// The carrier took a segment; without a receipt it becomes unknown after `expires`.
  void on_taken(queue::Locator at, std::uint8_t part, std::string_view message_id,
                std::uint64_t expires, std::uint64_t now_seconds, TimePoint now);
  /// Its final receipt came.
  void on_settled(queue::Locator at, std::uint8_t part);

  /// Asks what is due over this bind, within a tenth of its window. Call now and then.
  void ask(protocol::Session& session, std::uint16_t link, TimePoint now);
  /// What the answer says, as a receipt would: nothing where it says nothing final. The id views
  /// this object until the next call.
  [[nodiscard]] std::optional<protocol::Receipt> on_answer(std::uint64_t cookie,
                                                           protocol::CommandStatus status,
                                                           const protocol::QueryResp& response,
                                                           TimePoint now);
  /// What was asked there goes back to be asked again.
  void on_link_lost(std::uint16_t link, TimePoint now);

  [[nodiscard]] bool is_waiting() const noexcept { return waiting_.size() > 0; }
  [[nodiscard]] const QueryStats& stats() const noexcept { return stats_; }

 private:
  struct Asked {
    StatusQueries::Segment segment;
    std::uint16_t link = 0;
    bool is_settled = false;  ///< its receipt came meanwhile: it is not asked about again
  };
  void ask_again(const StatusQueries::Segment& segment, TimePoint now);
  void put_back(const StatusQueries::Segment& segment, TimePoint due);

  const CarrierConfig& carrier_;
  SenderOf sender_of_;
  bool is_on_;
  StatusQueries waiting_;
  boost::unordered_flat_map<std::uint64_t, Asked> asked_;  // by cookie
  std::uint64_t next_cookie_ = 1;
  StatusQueries::Segment answered_;
  std::string stat_;
  std::string err_;
  QueryStats stats_;
};

}  // namespace stentor::daemon
