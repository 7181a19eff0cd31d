// Asks a carrier by cancel_sm to call back segments that it has taken, and counts what it answers.
//
// An order names the segments of one message. Each of them is asked for once; a refusal, a bind
// that is lost and an answer that does not come in time end it for that segment.
//
// Units    Segments; time is steady_clock.
// Owns     What waits to be asked for, at most kSegmentsMax, and what was asked.
// Errors   A carrier that does not know cancel_sm is not asked again; full is an ordinary "no".
// Threads  The shard's thread.
// Spec     SMPP 3.4 section 4.9; docs/carriers.md, "Calling back"
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/delivery/addresses.h"
#include "protocol/session.h"
#include "queue/locator.h"

namespace stentor::daemon {

struct CancelOrder {
  struct Segment {
    std::uint8_t part = 1;
    std::string message_id;  ///< as the carrier gave it
  };
  queue::Locator at;   ///< the message's accepted record
  std::string client;  ///< who asks
  std::vector<Segment> segments;
};

/// What came of an order.
struct CancelReport {
  enum class Outcome : std::uint8_t {
    asked,      ///< the counts tell
    not_known,  ///< the carrier does not know cancel_sm, or is not to be asked
    no_bind,    ///< none that could carry the question now
    too_many,   ///< others wait to be asked for
    no_carrier  ///< it is no longer in the configuration
  };
  Outcome outcome = Outcome::asked;
  std::uint32_t asked = 0;
  std::uint32_t cancelled = 0;
  std::uint32_t refused = 0;
  std::uint32_t unanswered = 0;
  std::uint32_t last_refusal = 0;  ///< command_status; 0: none
};

struct CancelStats {
  std::uint64_t asked = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t refused = 0;
  std::uint64_t unanswered = 0;
};

class CarrierCancels {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Done = std::function<void(const CancelReport&)>;

  /// Some ten thousand messages at once: who calls back more cancels a campaign.
  static constexpr std::size_t kSegmentsMax = 10'000;

  /// The addresses that the message had on the wire; nothing when it cannot be read.
  struct Addresses {
    WireAddress source;
    WireAddress destination;
  };
  using AddressesOf = std::function<std::optional<Addresses>(queue::Locator)>;

  /// Nothing for a status: no answer came. Views are valid during the call.
  struct Answer {
    queue::Locator at;
    std::uint8_t part = 1;
    std::string_view message_id;
    std::string_view client;
    std::optional<protocol::CommandStatus> status;
  };
  using OnAnswer = std::function<void(const Answer&)>;

  /// `carrier` outlives this.
  CarrierCancels(const CarrierConfig& carrier, AddressesOf addresses_of, OnAnswer on_answer);

  /// `done` is called once, when the last segment has its end; at once where nothing is asked.
  void take(CancelOrder order, bool has_bind, TimePoint now, Done done);
  /// Asks for what waits over this bind, within a tenth of its window.
  void ask(protocol::Session& session, std::uint16_t link, TimePoint now);
  void on_answer(std::uint64_t cookie, protocol::CommandStatus status, TimePoint now);
  void on_link_lost(std::uint16_t link);
  /// Gives up what could not be asked for in time. Call now and then.
  void on_time(TimePoint now);

  /// on_time() and ask() have something to do.
  [[nodiscard]] bool is_waiting() const noexcept { return !waiting_.empty(); }
  [[nodiscard]] const CancelStats& stats() const noexcept { return stats_; }

 private:
  struct Order {
    CancelOrder what;
    CancelReport report;
    std::size_t missing = 0;
    Done done;
  };
  struct Entry {
    std::shared_ptr<Order> order;
    std::size_t segment = 0;
    TimePoint since;         ///< it waits, or was asked for
    std::uint16_t link = 0;  ///< once asked for
  };
  void end(const Entry& entry, std::optional<protocol::CommandStatus> status);

  const CarrierConfig& carrier_;
  AddressesOf addresses_of_;
  OnAnswer on_answer_;
  bool is_known_;
  std::deque<Entry> waiting_;
  boost::unordered_flat_map<std::uint64_t, Entry> asked_;  // by cookie
  std::uint64_t next_cookie_ = 1;
  CancelStats stats_;
};

}  // namespace stentor::daemon
