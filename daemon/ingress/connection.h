// One upstream connection: lines in, replies out, in order, and nothing unbounded in between.
//
// A reply to a send may leave only when its batch is durable. Replies are written into one buffer
// in the order of the requests; marks say up to where it may be sent.
//
// Units    Octets.
// Owns     The socket, the unparsed input, the unsent replies.
// Errors   Whatever is wrong with a line is a reply. The connection ends when the peer goes, when
//          a line stays unfinished for kLinePatience, or when a batch it waits for failed.
// Threads  The ingress thread.
// Spec     docs/protocol.md
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/campaigns/campaign_report.h"
#include "daemon/ingress/peer.h"
#include "daemon/ingress/request.h"

namespace stentor::daemon {

class Ingress;

/// Protocol: a request is one line of at most this.
inline constexpr std::size_t kLineOctetsMax = 64u << 10;
/// Protocol: with more replies unread, stentor stops reading requests.
inline constexpr std::size_t kUnreadOctetsMax = 256u << 10;
/// Protocol: an unfinished line older than this cuts the connection.
inline constexpr std::chrono::seconds kLinePatience{10};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  using TimePoint = std::chrono::steady_clock::time_point;

  Connection(Ingress& ingress, Socket socket, Peer peer);

  void start();
  /// Batches up to this one are durable: their replies may leave. True while it waits for more.
  [[nodiscard]] bool on_durable(std::uint64_t batch);
  /// A batch it waits for may have failed: ends without those replies when it did wait.
  void on_failed(std::uint64_t batch);
  /// Goes on with what it held back, if it can now.
  void resume();
  /// The answer to a request that another thread worked on.
  void complete(std::string_view reply);
  void close();

  [[nodiscard]] bool is_waiting() const noexcept { return !marks_.empty(); }
  [[nodiscard]] bool is_held_back() const noexcept { return held_back_; }
  /// Since when its input ends in the middle of a line; nothing when it does not.
  [[nodiscard]] std::optional<TimePoint> unfinished_since() const noexcept {
    return unfinished_since_;
  }
  [[nodiscard]] const Peer& peer() const noexcept { return peer_; }
  /// Nothing is left to say or to hear.
  [[nodiscard]] bool is_quiet() const noexcept;

 private:
  struct Mark {
    std::uint64_t batch;  ///< must be durable …
    std::uint64_t end;    ///< … before replies up to here may leave
  };

  void read();
  void on_read(std::size_t octets);
  void process();
  [[nodiscard]] bool take_line(std::string_view& line);
  void handle(std::string_view line);
  void handle(const SendRequest& request);
  void handle(const PreviewRequest& request);
  void handle(const MessageRequest& request);
  void handle(const EventsRequest& request);
  void handle(const AckRequest& request);
  void handle(const StatusRequest& request);
  void handle(const CampaignRequest& request);
  void handle(const CarrierRequest& request);
  void handle(const RouteRequest& request);
  void handle(const OptOutRequest& request);
  void handle(const CallbacksRequest& request);
  void handle(const DaemonRequest& request);
  void handle(const CancelRequest& request);
  void handle(const PauseRequest& request);
  void handle(const ResolveRequest& request);
  /// The next request waits until what this gives out is called, once, from any thread.
  [[nodiscard]] std::function<void(std::string)> answer_later();
  void ask_for_piece(ReportPlace place);
  void on_piece(CampaignReport::Piece piece);
  void go_on_with_report();
  void refuse(const Refusal& refusal);
  void reply_ends(std::uint64_t batch);
  [[nodiscard]] bool must_hold_back() const;
  void write();
  void hand_over_when_quiet();
  void close_when_quiet();

  Ingress& ingress_;
  Socket socket_;
  Peer peer_;

  std::vector<char> in_;
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  bool skipping_ = false;  // to the end of an over-long line
  bool reading_ = false;
  bool at_eof_ = false;
  bool closed_ = false;
  bool held_back_ = false;
  bool asked_elsewhere_ = false;       // another thread works on a request: the next one waits
  std::optional<ReportPlace> report_;  // goes on here when its client has read what it got
  std::optional<TimePoint> unfinished_since_;

  std::string out_;             // replies not yet handed to the socket
  std::uint64_t out_base_ = 0;  // octets ever written before out_[0]
  std::uint64_t released_ = 0;  // up to here replies may leave
  std::deque<Mark> marks_;
  std::string writing_;

  std::string handover_;  // an events request, as it came: the last this side hears
};

}  // namespace stentor::daemon
