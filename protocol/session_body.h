// What a Session is made of. session.cpp has what we do of our own accord (bind, submit, timers,
// unbind), session_inbound.cpp what we do about PDUs from the peer.
//
// Owns     All of the session's state.
// Threads  One at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/encoder.h"
#include "protocol/pdu_stream.h"
#include "protocol/peer_watch.h"
#include "protocol/pending_requests.h"
#include "protocol/session.h"

namespace stentor::protocol {

class Session::Body {
 public:
  enum class State : std::uint8_t {
    idle,       // not connected yet
    binding,    // bind request sent
    bound,      // both directions open, as the bind type allows
    draining,   // we want to leave: nothing new is sent, responses are awaited
    unbinding,  // our unbind is sent
    leaving,    // the peer has sent unbind: what it delivered is answered, and then that is;
                // responses that still come are taken
    ended
  };

  Body(SessionConfig config, SessionHandler& handler);

  void connect(TimePoint now);
  void receive(std::span<const std::uint8_t> octets, TimePoint now);
  void on_time(TimePoint now);
  [[nodiscard]] TimePoint deadline() const noexcept;
  void unbind(TimePoint now);
  void on_disconnected() noexcept;

  void on_reading(bool is_reading, TimePoint now);
  [[nodiscard]] std::size_t window_free() const noexcept;
  [[nodiscard]] bool is_between_pdus() const noexcept { return stream_.is_between_pdus(); }
  // Appends one request by `append(out, sequence_number) -> result<void>`.
  template <class Append>
  [[nodiscard]] result<std::optional<std::uint32_t>> request(RequestKind kind, std::uint64_t cookie,
                                                             TimePoint now, Append&& append);
  void answer(std::uint32_t sequence_number, CommandStatus status);
  [[nodiscard]] std::vector<Unanswered> take_unanswered();

  SessionConfig config;
  PeerWatch watch;
  std::vector<std::uint8_t> outgoing;
  std::uint64_t taken_octets = 0;    // handed out by swap_outgoing
  std::uint64_t written_octets = 0;  // taken by the kernel
  State state = State::idle;
  std::optional<Ending> ending;
  CommandStatus bind_status = CommandStatus::ok;
  std::uint8_t peer_interface_version = 0;
  std::size_t submits_waiting = 0;  // submit_sm and data_sm among `pending`
  SessionStats stats;

 private:
  // session_inbound.cpp
  [[nodiscard]] bool on_pdu(std::span<const std::uint8_t> pdu, TimePoint now);
  void dispatch(const Header& header, std::span<const std::uint8_t> pdu, TimePoint now);
  void on_bind_resp(const Header& header, std::span<const std::uint8_t> pdu, TimePoint now);
  void on_submit_resp(const Header& header, std::span<const std::uint8_t> pdu, RequestKind kind);
  void on_query_resp(const Header& header, std::span<const std::uint8_t> pdu);
  void on_cancel_resp(const Header& header);
  void on_deliver(const Header& header, std::span<const std::uint8_t> pdu);
  void on_alert(std::span<const std::uint8_t> pdu);
  void on_generic_nack(const Header& header);
  void on_enquire_link_resp(const Header& header);
  void on_peer_unbind(const Header& header, TimePoint now);
  void refuse(const Header& header);
  void refuse_delivery(const Header& header, CommandStatus status);

  // session.cpp
  [[nodiscard]] std::optional<PendingRequest> settle(std::uint32_t sequence_number,
                                                     RequestKind kind);
  void forget(const PendingRequest& request);
  void report(const PendingRequest& request, CommandStatus status);
  void expire_asides(TimePoint now);
  void send_bare(CommandId command_id, CommandStatus status, std::uint32_t sequence_number);
  void enquire(TimePoint now);
  void send_unbind(TimePoint now);
  void go_on_leaving(TimePoint now);
  [[nodiscard]] bool may_go_on_leaving() const noexcept;
  [[nodiscard]] TimePoint inactive_at() const noexcept;
  void end(Ending why) noexcept;
  [[nodiscard]] std::uint32_t next_sequence_number() noexcept;
  [[nodiscard]] PeerWatch::Oldest oldest_submit() const noexcept;

  SessionHandler& handler_;
  PduStream stream_;
  PendingRequests pending_;
  std::uint32_t next_sequence_number_;
  std::uint32_t bind_sequence_number_ = 0;  // 0: none waits
  std::uint32_t enquire_sequence_number_ = 0;
  std::uint32_t unbind_sequence_number_ = 0;
  TimePoint state_until_ = TimePoint::max();  // when the present state has taken too long
  TimePoint active_at_;  // when a message, a question or an answer to one last passed
  std::size_t deliveries_unanswered_ = 0;
  std::size_t deliveries_awaited_ = 0;        // of these, came before a farewell: it waits for them
  std::optional<std::uint32_t> peer_unbind_;  // the number of an unbind that waits for its answer
  Ending farewell_ = Ending::unbound;         // why we leave, when we do
  // Not later than the oldest waiting submit was sent. Kept cheaply, made exact when it matters.
  PeerWatch::Oldest submit_since_;
  PeerWatch::Oldest aside_since_;              // the same for query_sm and cancel_sm
  std::deque<std::uint32_t> data_unanswered_;  // sequence numbers that want data_sm_resp
};

template <class Append>
result<std::optional<std::uint32_t>> Session::Body::request(RequestKind kind, std::uint64_t cookie,
                                                            TimePoint now, Append&& append) {
  if (window_free() == 0) return std::nullopt;
  while (!pending_.has_place_for(next_sequence_number_)) (void)next_sequence_number();
  if (auto appended = append(outgoing, next_sequence_number_); !appended) {
    return std::unexpected(appended.error());
  }
  const std::uint32_t sequence_number = next_sequence_number();
  PeerWatch::Oldest& since = is_submit(kind) ? submit_since_ : aside_since_;
  if (!since) since = now;
  if (is_submit(kind)) ++submits_waiting;
  pending_.add({.cookie = cookie,
                .end_octet = taken_octets + outgoing.size(),
                .sent_at = now,
                .sequence_number = sequence_number,
                .kind = kind});
  active_at_ = now;
  ++stats.pdus_out;
  return sequence_number;
}

}  // namespace stentor::protocol
