// One client's connection: octets in, octets out, and whatever the carrier is told to do wrong.
//
// The server reads and writes; this decides. It knows no socket and no clock.
//
// Units    Octets on the wire; submit_sm counted per connection.
// Owns     What is to be written, responses that are held back, deliver_sm not yet answered.
// Errors   A fault in the client's octets ends the connection: parting() says so.
// Threads  One thread.
// Spec     SMPP 3.4 section 2.2 (states), section 4 (PDUs).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "bench/smsc/account.h"
#include "bench/smsc/delivery.h"
#include "bench/smsc/due_queue.h"
#include "bench/smsc/smsc.h"
#include "protocol/encoder.h"
#include "protocol/pdu.h"

namespace stentor::smsc {

/// What the server does with the connection once everything to be written is written.
enum class Parting : std::uint8_t { stay, close, reset };

class Session {
 public:
  /// `smsc` outlives the session. Numbers are never used twice.
  Session(Smsc& smsc, std::uint32_t number, const Now& now);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }

  /// Takes whole PDUs off the front of `octets` and answers how many octets those were; what is
  /// left comes again with what follows it.
  [[nodiscard]] std::size_t on_octets(std::span<const std::uint8_t> octets, const Now& now);
  /// Responses that were held back, faults by the clock, enquire_link.
  void on_time(const Now& now);
  [[nodiscard]] TimePoint deadline() const noexcept;
  /// The connection is gone: unanswered deliveries go back to the account.
  void on_closed(const Now& now);

  /// What is to be written, and then on_written() with how much of it was.
  [[nodiscard]] std::span<const std::uint8_t> outgoing() const noexcept;
  void on_written(std::size_t octets);
  [[nodiscard]] Parting parting() const noexcept { return parting_; }
  /// False while the client must wait: it does not read, or we play dead.
  [[nodiscard]] bool wants_octets() const noexcept;

  /// Whether deliver() may be called now.
  [[nodiscard]] bool has_room() const noexcept;
  void deliver(const Delivery& delivery, const Now& now);

 private:
  enum class State : std::uint8_t { open, bound, unbinding };
  struct HeldResponse {
    TimePoint due;
    std::uint64_t message_number = 0;
    std::uint32_t sequence_number = 0;
    std::uint32_t status = 0;
    protocol::CommandId command_id{};
  };

  void on_pdu(std::span<const std::uint8_t> pdu, const Now& now);
  void on_bind(const protocol::Header& header, std::span<const std::uint8_t> pdu, const Now& now);
  void on_query(const protocol::Header& header, std::span<const std::uint8_t> pdu, const Now& now);
  void on_cancel(const protocol::Header& header, std::span<const std::uint8_t> pdu, const Now& now);
  void on_submit(const protocol::Header& header, std::span<const std::uint8_t> pdu, const Now& now);
  void on_deliver_resp(const protocol::Header& header, const Now& now);
  void on_broken_framing(const Now& now);
  [[nodiscard]] std::uint32_t judge(const protocol::ShortMessage& message, const Now& now);
  [[nodiscard]] bool spoils_answer(std::size_t answer_begins);
  void respond(const HeldResponse& response, const Now& now);
  void disconnect(const Now& now);
  void note(const Now& now, std::string_view type, std::string_view detail = {});
  [[nodiscard]] std::uint32_t sequence_of(std::uint64_t count) const noexcept;

  // A client that does not read: this much is kept for it, then we do not read from it either.
  static constexpr std::size_t kUnsentOctetsMax = 1 << 20;

  Smsc& smsc_;
  Account* account_ = nullptr;
  std::uint32_t number_;
  State state_ = State::open;
  protocol::BindType bind_type_{};
  Parting parting_ = Parting::stay;
  bool is_mute_ = false;     ///< takes everything, answers nothing
  bool is_stalled_ = false;  ///< does not even read
  bool is_final_ = false;    ///< nothing more is appended to what is to be written
  bool was_asked_ = false;   ///< enquire_link sent, and not a word since

  TimePoint opened_;
  TimePoint last_heard_;
  std::uint64_t submits_ = 0;
  std::uint64_t answers_ = 0;  ///< all of them, the bind's included

  protocol::Octets out_;
  std::size_t written_ = 0;   ///< of out_; out_ always begins where a PDU begins
  std::size_t trickled_ = 0;  ///< octets that may be written now, where they trickle
  TimePoint next_trickle_{};
  DueQueue<HeldResponse> held_;
  std::uint64_t unanswered_ = 0;        ///< submit_sm whose response is not wholly written
  std::uint64_t responses_in_out_ = 0;  ///< submit_sm_resp in out_ not counted as written

  GrowingRing<Delivery> delivered_;    ///< sent, in order; answered ones leave at the front
  std::uint64_t first_delivered_ = 0;  ///< the count of the ring's front; counts start at 0
};

}  // namespace stentor::smsc
