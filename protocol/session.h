// One SMPP client session as a state machine without sockets or clocks.
//
// The daemon feeds it octets and the time; it answers by calling its handler and by growing its
// outgoing octets. Reconnecting, TLS and timers live in daemon/links/.
//
// Units    Octets on the wire; time is std::chrono::steady_clock.
// Owns     A copy of octets it has not parsed yet (at most one PDU), the outgoing octets, and the
//          table of unanswered requests.
// Errors   A fault in the peer's octets, or a peer that stays silent, ends the session: ended()
//          says why. Nothing throws but bad_alloc. submit() does not allocate once the caller's
//          spent buffers have grown to what a turn takes (swap_outgoing).
// Threads  One session belongs to one thread at a time; sessions are independent.
// Spec     SMPP 3.4 section 2.2 (states), 2.7 (requests and responses), 4.11 (enquire_link),
//          7.2 (timers).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/command_status.h"
#include "protocol/error.h"
#include "protocol/pdu.h"

namespace stentor::protocol {

using TimePoint = std::chrono::steady_clock::time_point;

struct Limits {
  std::size_t pdu_octets = kPduOctetsMax;            ///< a longer command_length ends the session
  std::size_t window = 100;                          ///< unanswered submit_sm allowed at once
  std::chrono::milliseconds bind_within{10000};      ///< no bind response by then: ended
  std::chrono::milliseconds enquire_after{30000};    ///< silence before we ask if the peer lives
  std::chrono::milliseconds response_within{60000};  ///< silence after any request: ended
  std::chrono::milliseconds unbind_within{5000};     ///< for unbind_resp, then we close anyway
  std::chrono::milliseconds inactive_for{0};  ///< without a message, so long: unbind; 0: never
};

struct SessionConfig {
  BindType bind = BindType::transceiver;
  std::string system_id{};
  std::string password{};
  std::string system_type{};
  std::string address_range{};
  Numbering address_numbering{};
  std::uint8_t interface_version = 0x34;
  std::uint32_t first_sequence_number = 1;  ///< 1 to kSequenceNumberMax; another one for tests
  Limits limits{};
};

/// Why a session ended, in the order of how bad it is for the operator.
enum class Ending : std::uint8_t {
  unbound,        ///< both sides said goodbye
  inactive,       ///< the same, as no message had passed for inactive_for
  peer_unbound,   ///< the SMSC sent unbind: reconnect after the usual pause
  bind_refused,   ///< bind_status() has the reason; 0x0d, 0x0e, 0x0f, 0x53: back off slowly
  bind_timeout,   ///< connected, but no bind response came
  silent,         ///< nothing was heard, or no answer to enquire_link, in time
  unanswered,     ///< it answers enquire_link, and a submit_sm that is overdue it does not
  broken_framing  ///< octets that are not SMPP, or a PDU over the limit
};

/// What is known of a request that never got its response (reliability.md section 5.2).
enum class Certainty : std::uint8_t {
  unsent,   ///< not one whole PDU of it was handed to the kernel: may go again freely
  in_doubt  ///< it may have arrived
};

class SessionHandler {
 public:
  virtual void on_bound() = 0;
  /// `message_id` is empty where the SMSC sent none. `status` is the header's.
  virtual void on_submit_resp(std::uint64_t cookie, CommandStatus status,
                              std::string_view message_id) = 0;
  /// A deliver_sm or data_sm, receipt or reply. Answer later by Session::answer(sequence_number):
  /// only when what it says is durable. Views are valid during the call.
  virtual void on_deliver(std::uint32_t sequence_number, const DeliverSm& deliver) = 0;
  /// The answers to query() and cancel(). `response` is empty where the SMSC refused.
  virtual void on_query_resp(std::uint64_t /*cookie*/, CommandStatus /*status*/,
                             const QueryResp& /*response*/) {}
  virtual void on_cancel_resp(std::uint64_t /*cookie*/, CommandStatus /*status*/) {}
  /// A handset can be reached again. Views are valid during the call.
  virtual void on_alert(const AlertNotification& /*alert*/) {}

 protected:
  ~SessionHandler() = default;
};

struct SessionStats {
  std::uint64_t pdus_in = 0;
  std::uint64_t pdus_out = 0;
  std::uint64_t malformed = 0;             ///< answered with an error, session kept
  std::uint64_t unknown_commands = 0;      ///< answered with generic_nack
  std::uint64_t unexpected_responses = 0;  ///< late, twice, or never asked for; passed over
  std::uint64_t alerts = 0;                ///< alert_notification
};

class Session {
 public:
  /// The handler must outlive the session and must not call back into it from within a callback,
  /// save submit(), answer() and what only asks.
  Session(SessionConfig config, SessionHandler& handler);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// The connection stands: queues the bind request.
  void on_connected(TimePoint now);
  /// Takes whatever the socket delivered: part of a PDU, one, or several.
  void on_octets(std::span<const std::uint8_t> octets, TimePoint now);
  /// Call when deadline() has passed: enquire_link, time-outs. Calling early does no harm.
  void on_time(TimePoint now);
  /// TimePoint::max() when nothing is waited for.
  [[nodiscard]] TimePoint deadline() const noexcept;
  /// The daemon stops reading the socket (false), or reads again (true). What the peer may have
  /// said meanwhile is not held against it: its time to answer begins anew when reading resumes.
  void on_reading(bool is_reading, TimePoint now);
  /// The connection is gone. Where one side had said goodbye already the session ends as that;
  /// otherwise ended() stays empty and the loss is the daemon's to name.
  void on_disconnected() noexcept;

  [[nodiscard]] bool is_bound() const noexcept;
  /// The octets so far ended with a PDU: what comes next begins one.
  [[nodiscard]] bool is_between_pdus() const noexcept;
  [[nodiscard]] std::size_t in_flight() const noexcept;    ///< unanswered submit_sm and data_sm
  [[nodiscard]] std::size_t window_free() const noexcept;  ///< 0 when not bound or unbinding

  /// Queues a submit_sm under the next sequence_number and returns that number. Nothing when the
  /// window is full or the session is not bound for sending. Fails with field_too_long when a
  /// field of ours does not fit. `cookie` comes back with the response.
  [[nodiscard]] result<std::optional<std::uint32_t>> submit(const SubmitSm& submit,
                                                            std::uint64_t cookie, TimePoint now);
  /// The same by data_sm, whose response comes by on_submit_resp too.
  [[nodiscard]] result<std::optional<std::uint32_t>> submit_data(const ShortMessage& message,
                                                                 std::uint64_t cookie,
                                                                 TimePoint now);
  /// Asks for the state of a message, or asks to cancel it. Each takes a place in the window
  /// while it waits: some SMSCs count every request. Not on the hot path (control_pdu.h).
  [[nodiscard]] result<std::optional<std::uint32_t>> query(const QuerySm& query,
                                                           std::uint64_t cookie, TimePoint now);
  [[nodiscard]] result<std::optional<std::uint32_t>> cancel(const CancelSm& cancel,
                                                            std::uint64_t cookie, TimePoint now);
  /// Queues the response to a deliver_sm or data_sm. A farewell may have waited for it: look at
  /// deadline() again.
  void answer(std::uint32_t sequence_number, CommandStatus status);
  /// Stop sending, let the window drain and answer what was delivered before (not longer than
  /// response_within), then unbind. Before the bind is answered there is nothing to drain:
  /// the session ends at once.
  void unbind(TimePoint now);

  /// Octets to write, appended to since the last call; take them by swapping, so that the caller's
  /// spent buffer is used again.
  void swap_outgoing(std::vector<std::uint8_t>& empty) noexcept;
  [[nodiscard]] bool has_outgoing() const noexcept;
  /// How much waits to be taken. A peer that asks and never reads makes it grow: stop reading
  /// from it when this exceeds what the daemon is ready to hold.
  [[nodiscard]] std::size_t outgoing_octets() const noexcept;
  /// How many octets of this session, in total, the kernel has taken: decides Certainty.
  void on_written(std::uint64_t octets_total) noexcept;
  /// After the connection failed: so many octets at the end of what was written were never
  /// transmitted, and never will be. They count as not written.
  void on_never_transmitted(std::uint64_t octets) noexcept;

  /// Set once the session is over; the socket may be closed when outgoing octets are written.
  [[nodiscard]] std::optional<Ending> ended() const noexcept;
  [[nodiscard]] CommandStatus bind_status() const noexcept;
  [[nodiscard]] std::uint8_t peer_interface_version() const noexcept;  ///< 0 when not told

  struct Unanswered {
    std::uint64_t cookie = 0;
    std::uint32_t sequence_number = 0;
    Certainty certainty = Certainty::in_doubt;
  };
  /// After the connection is gone: what was submitted and never answered, in sending order. The
  /// session forgets it. Queries and cancellations are not among it: they change nothing.
  [[nodiscard]] std::vector<Unanswered> take_unanswered();

  [[nodiscard]] const SessionStats& stats() const noexcept;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace stentor::protocol
