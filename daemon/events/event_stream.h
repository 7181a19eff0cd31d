// One consumer's stream of events on one connection.
//
// Units    Octets.
// Owns     The socket and a journal reader.
// Errors   Whatever a peer sends that is no acknowledgement is answered by an `error` line;
//          one that does not read them is not read on.
// Threads  The event server's thread.
// Spec     docs/protocol.md, "events"
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "daemon/events/consumers.h"
#include "daemon/events/event_lines.h"
#include "daemon/ingress/peer.h"
#include "queue/journal_reader.h"

namespace stentor::daemon {

class EventServer;
struct EventsHandover;

class EventStream : public std::enable_shared_from_this<EventStream> {
 public:
  EventStream(EventServer& server, EventsHandover handover);

  /// Answers the request that opened it and begins to stream.
  void start();
  /// Reads on from the journal as far as the peer takes it.
  void pump();
  void end_replaced();
  void close();
  [[nodiscard]] const Consumers::Key& key() const noexcept { return key_; }
  /// All before this has been looked at, and given where the filter let it pass.
  [[nodiscard]] EventPosition read_to() const noexcept { return {next_, 0}; }
  /// It was given more than it has acknowledged.
  [[nodiscard]] bool has_unacknowledged() const noexcept { return given_ > acknowledged_; }
  [[nodiscard]] bool is_quiet() const noexcept;

 private:
  void open();
  void refuse(std::string_view code, std::string_view detail);
  [[nodiscard]] bool passes(const RecordEvents& events, std::uint8_t sub) const;
  [[nodiscard]] std::size_t consumers_of_client() const;
  void tell_gap();
  void tell_lost(queue::Locator before);
  void read();
  void take_lines();
  void on_line(std::string_view line);
  [[nodiscard]] bool was_given(EventPosition position);
  void write();
  void arm_idle();
  [[nodiscard]] std::size_t unsent_octets() const noexcept { return out_.size() + writing_.size(); }

  EventServer& server_;
  boost::asio::local::stream_protocol::socket socket_;
  boost::asio::steady_timer idle_;
  Peer peer_;
  std::string request_;
  std::string in_;
  std::vector<char> inbox_;
  Consumers::Key key_;
  std::string campaign_;
  std::vector<std::string> types_;
  std::unique_ptr<queue::JournalReader> reader_;
  queue::Locator next_;  // where reading goes on
  EventPosition given_;  // the last event written to the peer
  EventPosition acknowledged_;
  EventPosition skip_to_;  // events up to here are not sent again
  std::string out_;
  std::string writing_;
  std::uint64_t passed_over_ = 0;  // of the journal, by the reader: what the peer was told of
  bool is_open_ = false;
  bool pumping_ = false;
  bool reading_ = false;
  bool closing_ = false;  // when all is written
  bool closed_ = false;
};

}  // namespace stentor::daemon
