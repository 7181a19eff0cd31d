// What passes between stentor and one carrier for a while, decoded, a line of JSON for each PDU.
//
// Numbers show their first and last two digits and texts only their size, unless all is asked for;
// passwords are never shown. Off, it costs a link one branch for each read and write.
//
// Units    Lines and octets of them; time is steady_clock.
// Owns     Its lines until they are handed over, and the unfinished PDU of each bind.
// Errors   What does not decode is shown by its header. Beyond the bounds it ends early.
// Threads  The shard's thread.
// Spec     docs/protocol.md, "carrier"; SMPP 3.4 section 4
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "protocol/pdu_stream.h"

namespace stentor::daemon {

struct TraceOrder {
  std::chrono::seconds within{10};
  std::uint64_t lines_max = 1000;
  bool clear = false;  ///< numbers and texts as they are
};

class WireTrace {
 public:
  /// `done` is called once, with the lines and the one that ends them: when time or room is over.
  WireTrace(boost::asio::io_context& context, TraceOrder order,
            std::function<void(std::string)> done);
  ~WireTrace();
  WireTrace(const WireTrace&) = delete;
  WireTrace& operator=(const WireTrace&) = delete;

  /// `is_aligned`: the session stood between two PDUs before these octets.
  void on_read(std::uint16_t bind, std::span<const std::uint8_t> octets, bool is_aligned);
  /// Whole PDUs, as a session hands them out.
  void on_written(std::uint16_t bind, std::span<const std::uint8_t> octets);
  /// What an SMSC said first on a connection that it opened: no bind goes over it yet.
  void on_outbind(std::span<const std::uint8_t> pdu) { add({}, "in", pdu); }
  /// A connection began or ended: what was unfinished is forgotten.
  void on_connection(std::uint16_t bind) { unfinished_.erase(bind); }

 private:
  void add(std::optional<std::uint16_t> bind, std::string_view way,
           std::span<const std::uint8_t> pdu);
  void finish();

  const TraceOrder order_;
  std::function<void(std::string)> done_;
  boost::asio::steady_timer until_;
  std::map<std::uint16_t, protocol::PduStream> unfinished_;
  std::string lines_;
  std::uint64_t count_ = 0;
};

/// One PDU as a JSON object. `clear` shows numbers and texts; a password never.
[[nodiscard]] std::string describe_pdu(std::span<const std::uint8_t> pdu, bool clear);

}  // namespace stentor::daemon
