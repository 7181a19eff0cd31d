// One place that a client's events are posted to: a consumer of the event stream like any other,
// with a window of events, retries, and an end to its patience.
//
// Events of one message are never in two requests at once, so their order is kept; others overtake
// a request that is being tried again.
//
// Units    Events; wall time in milliseconds for how old an event is, steady_clock for retries.
// Owns     A journal reader and at most kWindowEvents events.
// Errors   What the other end does wrong is waited out, then given up: a DeadLetter.
// Threads  The callbacks' thread.
// Spec     docs/protocol.md, "HTTP callbacks"
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "daemon/callbacks/callback_figures.h"
#include "daemon/callbacks/http_client.h"
#include "daemon/config/config.h"
#include "daemon/events/consumers.h"
#include "daemon/events/event_lines.h"
#include "queue/journal_reader.h"

namespace stentor::daemon {

class CallbackTarget {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// 10,000 events are a hundred requests ahead; more wait in the journal, where they cost nothing.
  static constexpr std::size_t kWindowEvents = 10'000;

  /// `campaign` empty: all of the client's events that no campaign's target takes.
  CallbackTarget(std::string client, const CallbackConfig& config, std::string campaign,
                 std::unique_ptr<queue::JournalReader> reader, EventPosition position);

  [[nodiscard]] static std::string name_of(const std::string& campaign);
  [[nodiscard]] Consumers::Key key() const { return {client_, name_}; }
  [[nodiscard]] std::string_view origin() const noexcept { return origin_; }

  /// Reads on as far as the window and `end` allow; true when it should be called again at once.
  bool fill(queue::Locator end, std::uint32_t oldest_file);
  /// The next request, when one may go now. `token` comes back in on_done().
  [[nodiscard]] std::optional<HttpRequest> next_request(std::uint64_t token, TimePoint now,
                                                        std::uint64_t now_ms);
  struct Dead {
    EventPosition at;
    std::string reason;
  };
  /// Events that are given up by what happened to this request.
  [[nodiscard]] std::vector<Dead> on_done(std::uint64_t token, const HttpOutcome& outcome,
                                          TimePoint now, std::uint64_t now_ms);
  /// How far all is dealt with, when that has moved since the last call.
  [[nodiscard]] std::optional<EventPosition> progress();
  /// When something may be sent again; nothing while nothing waits.
  [[nodiscard]] std::optional<TimePoint> next_try() const;

  [[nodiscard]] CallbackFigures figures() const;

 private:
  struct Waiting {
    EventPosition at;
    MessageId id;
    std::uint64_t time_ms = 0;  ///< of its record: how old it is
    std::string url;
    std::string line;
    bool is_in_flight = false;
    bool is_done = false;
  };
  [[nodiscard]] bool is_for_us(const RecordEvents& events, std::uint8_t sub) const;
  [[nodiscard]] std::chrono::milliseconds pause() const;

  const std::string client_;
  const CallbackConfig& config_;
  const std::string campaign_;
  const std::string name_;
  const std::string url_;
  const std::string origin_;
  std::unique_ptr<queue::JournalReader> reader_;
  queue::Locator next_;
  EventPosition skip_to_;
  EventPosition acknowledged_;
  std::deque<Waiting> window_;
  std::uint64_t first_number_ = 0;  ///< of the window's first event
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> requests_;  // token → numbers
  unsigned failures_ = 0;                                                   ///< in a row
  TimePoint retry_at_{};
  std::uint64_t posted_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t dead_ = 0;
  std::string last_error_;
};

}  // namespace stentor::daemon
