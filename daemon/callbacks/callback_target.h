// What a client's events are posted by: to one URL, or to those that messages name. A consumer of
// the event stream like any other, with a window of events, retries, and an end to its patience.
//
// Events of one message are never in two requests at once, so their order is kept; others overtake
// a request that is being tried again. A host that fails is left alone for a while; others are not.
//
// Units    Events; wall time in milliseconds for how old an event is, steady_clock for retries.
// Owns     A journal reader, and events that wait: at most kWindowEvents, of some kWindowOctets.
// Errors   What the other end does wrong is waited out, then given up: a DeadLetter. So is what
//          retention takes before there was room for it in the window. What cannot be read of the
//          journal is counted by stretches, and a DeadLetter too: how many events, nobody knows.
// Threads  The callbacks' thread.
// Spec     docs/protocol.md, "HTTP callbacks"
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "daemon/callbacks/callback_figures.h"
#include "daemon/callbacks/http_client.h"
#include "daemon/config/config.h"
#include "daemon/events/consumers.h"
#include "daemon/events/event_lines.h"
#include "daemon/events/read_trouble.h"
#include "queue/journal_reader.h"

namespace stentor::daemon {

class CallbackTarget {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// 10,000 events that wait are a hundred requests ahead; more wait in the journal, where they
  /// cost nothing. What is dealt with behind one that waits takes no place: it is forgotten, and is
  /// posted again after a restart.
  static constexpr std::size_t kWindowEvents = 10'000;
  /// Of their lines and URLs: 1,600 octets for each, where some 400 are usual and a reply of many
  /// parts may have 64 KiB.
  static constexpr std::size_t kWindowOctets = 16u << 20;

  /// A message that names its host costs some 200 octets here while that host fails.
  static constexpr std::size_t kHostsMax = 1000;

  /// `campaign` empty: all of the client's events that no campaign's target takes, and those of
  /// messages that name a URL of their own.
  CallbackTarget(std::string client, const CallbackConfig& config, std::string campaign,
                 std::unique_ptr<queue::JournalReader> reader, EventPosition position);

  [[nodiscard]] static std::string name_of(const std::string& campaign);
  [[nodiscard]] Consumers::Key key() const { return {client_, name_}; }

  /// Reads on as far as the window and `end` allow; true when it should be called again at once.
  bool fill(queue::Locator end, std::uint32_t oldest_file);
  /// Reads over what it has not read of the files before `file`, which are about to go: true when
  /// all of it is counted as dead. What waits in the window is still posted.
  [[nodiscard]] bool pass_over(std::uint32_t file);
  struct Overtaken {
    EventPosition last;
    std::uint64_t events = 0;
  };
  /// What was passed over since the last call.
  [[nodiscard]] Overtaken take_overtaken() { return std::exchange(overtaken_, {}); }
  /// Where each stretch of the journal ends that could not be read, since the last call.
  [[nodiscard]] std::vector<EventPosition> take_unread() { return std::exchange(unread_at_, {}); }
  /// The files before `file` go, and those of the call before have gone: what waits in the window
  /// of their events is in memory alone.
  void let_go(std::uint32_t file);
  /// What is in memory alone, when that has changed since the last call: missed, should the daemon
  /// end before it is posted. `all` where those of the last let_go() have not gone, else `own`.
  [[nodiscard]] std::optional<MissedEvents> in_memory_alone();
  /// What was in memory alone when the daemon ended.
  void count_lost(std::uint64_t events) { dead_ += events; }
  /// The next request, when one may go now, to a host that has room. `token` comes back in
  /// on_done().
  using HasRoom = std::function<bool(std::string_view origin)>;
  [[nodiscard]] std::optional<HttpRequest> next_request(std::uint64_t token, TimePoint now,
                                                        std::uint64_t now_ms,
                                                        const HasRoom& has_room);
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
    std::size_t type = 0;       ///< of kEventTypes
    std::string url;
    std::string origin;
    std::string line;
    EventPosition before;  ///< of the one that was read before it
    bool is_in_flight = false;
    [[nodiscard]] std::size_t octets() const noexcept { return url.size() + line.size(); }
  };
  using Window = std::map<std::uint64_t, Waiting>;  // by number, in the journal's order
  /// How one host fares.
  struct Host {
    unsigned failures = 0;  ///< in a row
    std::size_t requests = 0;
    TimePoint retry_at{};
    std::string last_error;
  };
  struct Request {
    std::string origin;
    std::vector<std::uint64_t> events;  ///< their numbers
  };
  void take(const queue::Record& record);
  void on_unreadable(std::error_code why);
  void note_passed_over();
  void note_unread();
  [[nodiscard]] bool passes(const RecordEvents& events, std::uint8_t sub) const;
  [[nodiscard]] std::string_view url_for(const RecordEvents& events) const;
  [[nodiscard]] bool may_take(const std::string& origin, TimePoint now) const;
  [[nodiscard]] bool is_full() const noexcept {
    return window_.size() >= kWindowEvents || octets_ >= kWindowOctets;
  }
  void set_in_flight(Waiting& event, bool is_in_flight);
  Window::iterator remove(Window::iterator event);
  void forget_hosts(TimePoint now);

  const std::string client_;
  const CallbackConfig& config_;
  const std::string campaign_;
  const std::string name_;
  std::unique_ptr<queue::JournalReader> reader_;
  ReadTrouble trouble_;
  queue::Locator next_;
  EventPosition skip_to_;
  EventPosition acknowledged_;
  Overtaken overtaken_;
  EventPosition last_read_;  // the last event that came into the window
  MissedEvents alone_;       // in_memory_alone()
  queue::Locator gone_to_;   // of the let_go() before the last
  bool alone_has_changed_ = false;
  Window window_;
  std::uint64_t next_number_ = 0;
  std::size_t octets_ = 0;                                // of those in the window
  std::unordered_map<std::string, std::size_t> resting_;  // by origin: how many are not in flight
  std::unordered_map<std::uint64_t, Request> requests_;   // by token
  std::unordered_map<std::string, Host> hosts_;  // by origin; those that are not listed are well
  std::uint64_t posted_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t dead_ = 0;
  std::uint64_t unread_ = 0;
  std::vector<EventPosition> unread_at_;
  std::uint64_t passed_over_ = 0;  // by the reader, counted so far
};

}  // namespace stentor::daemon
