// One bind to a carrier: the TCP connection with its reconnecting, around a protocol session.
//
// The only place where a socket and an SMPP session meet.
//
// Units    Octets; time is steady_clock.
// Owns     The socket, the session of the current connection, and its timers.
// Errors   Whatever goes wrong ends the connection; the owner hears why and what was in flight, and
//          the link comes back by itself.
// Threads  The shard's thread.
// Spec     SMPP 3.4 section 2.2; pauses: reconnect.h
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/links/dialer.h"
#include "daemon/links/host_choice.h"
#include "daemon/links/link_notes.h"
#include "daemon/links/progress_watch.h"
#include "daemon/links/reconnect.h"
#include "daemon/links/wire_stream.h"
#include "daemon/links/wire_trace.h"
#include "protocol/session.h"

namespace stentor::daemon {

class SmscLink;

/// Why what was submitted on a link has no answer.
enum class LinkLoss : std::uint8_t {
  lost,       ///< the connection ended, or was ended, with answers due
  timed_out,  ///< it stood, and in time no answer came, or nothing at all
  stopped     ///< we stop, and it ended before all was answered
};

/// What a link tells the delivery of its carrier.
class LinkOwner {
 public:
  virtual void on_link_bound(SmscLink& link) = 0;
  /// The connection is gone; `unanswered` is in sending order.
  virtual void on_link_lost(SmscLink& link, LinkLoss loss,
                            const std::vector<protocol::Session::Unanswered>& unanswered) = 0;
  virtual void on_submit_resp(SmscLink& link, std::uint64_t cookie, protocol::CommandStatus status,
                              std::string_view message_id) = 0;
  virtual void on_deliver(SmscLink& link, std::uint32_t sequence_number,
                          const protocol::DeliverSm& deliver) = 0;
  /// The answer to a query_sm.
  virtual void on_query_resp(SmscLink& /*link*/, std::uint64_t /*cookie*/,
                             protocol::CommandStatus /*status*/,
                             const protocol::QueryResp& /*response*/) {}
  /// The answer to a cancel_sm.
  virtual void on_cancel_resp(SmscLink& /*link*/, std::uint64_t /*cookie*/,
                              protocol::CommandStatus /*status*/) {}
  /// It was bound and had answers due, and none came, or left ours unread: it is bound again.
  virtual void on_link_stuck(SmscLink& /*link*/) {}
  /// Something waits that could go by this bind now, wherever it stands. Asked while no answer is
  /// due on it.
  [[nodiscard]] virtual bool has_work(const SmscLink& /*link*/) const { return false; }
  /// Something moved: read, written, or answered.
  virtual void on_link_activity() = 0;
  /// False while what this link has read is more than its owner can keep: it reads on later.
  [[nodiscard]] virtual bool may_read(const SmscLink& link) const = 0;

 protected:
  ~LinkOwner() = default;
};

enum class LinkState : std::uint8_t { down, connecting, binding, bound, unbinding, stopped };
[[nodiscard]] std::string_view name_of(LinkState state) noexcept;

struct LinkStats {
  std::uint64_t connects = 0;
  std::uint64_t losses = 0;
  std::uint64_t pdus_in = 0;
  std::uint64_t pdus_out = 0;
  std::uint64_t malformed = 0;
  std::uint64_t unexpected_responses = 0;
  std::uint64_t stuck = 0;   ///< bound, and nothing moved that should have: bound again
  std::uint64_t alerts = 0;  ///< alert_notification
};

/// What the links of one carrier have in common.
struct CarrierLinks {
  SharedInbox& inbox;
  AttemptLimiter attempts;
  AttemptLimiter outbinds{};  ///< of binds over connections that the SMSC has opened
  /// The account was refused: no bind that was not let in before tries earlier.
  std::chrono::steady_clock::time_point account_rests_until{};
  std::shared_ptr<TlsContext> tls;   ///< nothing: plain text
  std::unique_ptr<WireTrace> trace;  ///< nothing: nobody looks
};

class SmscLink final : public protocol::SessionHandler {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  SmscLink(boost::asio::io_context& context, const CarrierConfig& carrier, std::uint16_t number,
           protocol::BindType type, LinkOwner& owner, CarrierLinks& shared, std::uint64_t seed);
  SmscLink(const SmscLink&) = delete;
  SmscLink& operator=(const SmscLink&) = delete;
  ~SmscLink();

  /// Connects, and goes on doing so until stopped.
  void start();
  /// A connection that the SMSC has opened, whose outbind was heard: the next bind goes over it,
  /// instead of what this link waits for. False, and left alone, when it has no use for it: it has
  /// a session, receives nothing, or is stopped.
  [[nodiscard]] bool offer(WireStream::Socket& socket);
  /// Unbinds when the window has drained, and does not come back.
  void drain();
  /// Closes at once.
  void stop();
  /// Closes this connection and comes back after the usual pause; `why` is logged.
  void rebind(std::string_view why);
  /// The same with a goodbye: sends nothing new, awaits what is unanswered (response_timeout at
  /// most), and unbinds. While it does, it is unbinding.
  void unbind_and_return(std::string_view why);

  [[nodiscard]] bool may_send() const noexcept {
    return type_ != protocol::BindType::receiver && state_ == LinkState::bound;
  }
  [[nodiscard]] LinkState state() const noexcept { return state_; }
  /// In milliseconds of Unix time.
  [[nodiscard]] std::uint64_t state_since_ms() const noexcept { return state_since_ms_; }
  /// "host:port" that it is connected to, or tries.
  [[nodiscard]] std::string host() const;
  [[nodiscard]] std::uint16_t number() const noexcept { return number_; }
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] protocol::BindType type() const noexcept { return type_; }
  /// True while there is a session.
  [[nodiscard]] bool is_connected() const noexcept { return session_ != nullptr; }
  /// The session of the current connection.
  [[nodiscard]] protocol::Session& session() noexcept { return *session_; }
  [[nodiscard]] std::size_t in_flight() const noexcept;
  [[nodiscard]] LinkStats stats() const noexcept;
  /// The SMPP version that the carrier told when we bound: 0x34, 0x50; 0 where it told none.
  [[nodiscard]] std::uint8_t peer_version() const noexcept {
    return session_ ? session_->peer_interface_version() : std::uint8_t{0};
  }
  [[nodiscard]] const std::string& last_error() const noexcept { return notes_.last(); }
  /// The carrier refused our account at the latest bind: somebody has to act.
  [[nodiscard]] bool credentials_refused() const noexcept { return refused_; }
  /// When the first certificate of this connection ends, in seconds of Unix time.
  [[nodiscard]] std::optional<std::int64_t> certificate_end() const noexcept {
    return stream_.certificate_end();
  }

  /// The latest, oldest first.
  [[nodiscard]] std::vector<LinkError> errors() const { return notes_.all(); }

  /// Sends what the session has queued: call after a round of submits or answers.
  void flush();

 private:
  void on_bound() override;
  void on_submit_resp(std::uint64_t cookie, protocol::CommandStatus status,
                      std::string_view message_id) override;
  void on_deliver(std::uint32_t sequence_number, const protocol::DeliverSm& deliver) override;
  void on_query_resp(std::uint64_t cookie, protocol::CommandStatus status,
                     const protocol::QueryResp& response) override;
  void on_cancel_resp(std::uint64_t cookie, protocol::CommandStatus status) override;

  boost::asio::awaitable<void> run();
  [[nodiscard]] bool only_waits() const noexcept;
  boost::asio::awaitable<void> wait_for_turn();
  boost::asio::awaitable<void> wait_for_offer();
  [[nodiscard]] bool adopt_offered();
  boost::asio::awaitable<bool> connect();
  boost::asio::awaitable<void> converse();
  boost::asio::awaitable<boost::system::error_code> read_to_the_end();
  boost::asio::awaitable<void> hold_back();
  boost::asio::awaitable<void> finish_writing();
  void tell_ending(const boost::system::error_code& why);
  [[nodiscard]] LinkLoss loss() const;
  void settle_connection();
  boost::asio::awaitable<void> pause();
  void arm_alarm();
  void close_when_written();
  void on_alarm();
  void observe_progress(TimePoint now);
  void leave_stuck(TimePoint now);
  void give_memory_back();
  void enter(LinkState state);

  boost::asio::io_context& context_;
  const CarrierConfig& carrier_;
  const std::uint16_t number_;
  const protocol::BindType type_;
  LinkOwner& owner_;
  CarrierLinks& shared_;
  Reconnect reconnect_;
  WireStream stream_;
  LinkNotes notes_;
  Dialer dialer_;
  boost::asio::steady_timer alarm_;
  boost::asio::steady_timer patience_;  // between attempts, and for a last write
  ProgressWatch progress_;
  std::optional<TimePoint> left_for_work_;  // the latest connection that was, with nothing due
  std::unique_ptr<protocol::Session> session_;
  LinkState state_ = LinkState::down;
  std::uint64_t state_since_ms_ = 0;
  HostChoice hosts_;
  std::optional<WireStream::Socket> offered_;
  std::string peer_;  // of a connection that the SMSC has opened
  std::uint32_t epoch_ = 0;
  bool stopping_ = false;
  bool closing_ = false;     // we end this connection, and have said why
  bool refused_ = false;     // our account, by the latest bind that was answered
  bool was_let_in_ = false;  // by the latest bind that was answered
  bool was_bound_ = false;   // this connection
  bool was_dead_ = false;    // this connection: it ended since nothing moved any more
  bool unbind_due_ = false;  // as soon as the session has told of all that it read
  TimePoint alarm_at_{};
  std::vector<std::uint8_t> outbox_;
  bool closes_when_written_ = false;  // the session is over, and its last octets are on their way
  bool writing_ = false;
  boost::asio::steady_timer* written_signal_ = nullptr;  // who waits for the write to end
  std::uint64_t written_ = 0;
  std::size_t never_transmitted_ = 0;
  std::uint64_t answers_ = 0;
  LinkStats stats_;
};

}  // namespace stentor::daemon
