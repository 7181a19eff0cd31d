#include "daemon/ingress/connection.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstring>
#include <type_traits>

#include "daemon/delivery/route_answer.h"
#include "daemon/failpoints/failpoint.h"
#include "daemon/ingress/ingress.h"
#include "daemon/ingress/preview.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

// A new connection starts small: thousands may be idle. It grows as its lines and bursts do.
constexpr std::size_t kInboxOctetsMin = 8u << 10;
// Room for the longest line and as much again, so that a burst is read in few calls.
constexpr std::size_t kInboxOctetsMax = 4 * kLineOctetsMax;

// What needs no client's name: it belongs to nobody, or asks for a role, or is refused to all.
template <class Asked>
constexpr bool kIsAnybodys =
    std::is_same_v<Asked, PreviewRequest> || std::is_same_v<Asked, RouteRequest> ||
    std::is_same_v<Asked, StatusRequest> || std::is_same_v<Asked, CarrierRequest> ||
    std::is_same_v<Asked, DaemonRequest> || std::is_same_v<Asked, AckRequest>;

bool is_anybodys(const Request& request) {
  return std::visit([]<class Asked>(const Asked&) { return kIsAnybodys<Asked>; }, request);
}

std::string ref_of(const Request& request) {
  const auto* send = std::get_if<SendRequest>(&request);
  return send == nullptr ? std::string() : std::string(send->ref);
}

}  // namespace

Connection::Connection(Ingress& ingress, Socket socket, Peer peer)
    : ingress_(ingress), socket_(std::move(socket)), peer_(std::move(peer)) {
  in_.resize(kInboxOctetsMin);
}

void Connection::start() {
  read();
}

bool Connection::is_quiet() const noexcept {
  return out_.empty() && writing_.empty();
}

void Connection::read() {
  if (reading_ || at_eof_ || closed_ || held_back_ || !handover_.empty()) return;
  // What is left of the input moves to the front; the padding behind the end stays readable.
  if (in_begin_ > 0) {
    std::memmove(in_.data(), in_.data() + in_begin_, in_end_ - in_begin_);
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  if (in_.size() - in_end_ < in_.size() / 2 && in_.size() < kInboxOctetsMax) {
    in_.resize(in_.size() * 2);
  }
  reading_ = true;
  const auto room = in_.size() - in_end_ - kLinePaddingOctets;
  socket_.async_read_some(
      boost::asio::buffer(in_.data() + in_end_, room),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t octets) {
        self->reading_ = false;
        if (self->closed_) return;
        if (error == boost::asio::error::eof) {
          self->at_eof_ = true;
        } else if (error) {
          self->close();
          return;
        }
        self->on_read(octets);
      });
}

void Connection::on_read(std::size_t octets) {
  in_end_ += octets;
  process();
}

void Connection::process() {
  std::string_view line;
  while (!closed_ && handover_.empty()) {
    if (ingress_.is_full()) {
      held_back_ = true;
      ingress_.wait_for_room(shared_from_this());
      break;
    }
    if (must_hold_back()) {  // write() or complete() goes on from here
      held_back_ = true;
      break;
    }
    if (!take_line(line)) break;
    handle(line);
    ingress_.flush_when_large();
  }
  if (closed_) return;
  ingress_.flush();
  const bool unfinished = in_begin_ < in_end_ && !held_back_ && handover_.empty();
  if (!unfinished && !skipping_) {
    unfinished_since_.reset();
  } else if (!unfinished_since_) {
    unfinished_since_ = std::chrono::steady_clock::now();
  }
  write();
  hand_over_when_quiet();
  if (at_eof_ && !held_back_) return close_when_quiet();
  read();
}

bool Connection::take_line(std::string_view& line) {
  while (true) {
    const char* begin = in_.data() + in_begin_;
    const std::size_t size = in_end_ - in_begin_;
    const auto* newline = size == 0 ? nullptr : static_cast<const char*>(memchr(begin, '\n', size));
    if (newline == nullptr) {
      if (skipping_) {
        in_begin_ = in_end_ = 0;
        return false;
      }
      if (size > kLineOctetsMax) {
        skipping_ = true;
        in_begin_ = in_end_ = 0;
        refuse({"line_too_long", "a line is longer than 64 KiB", {}});
        return false;
      }
      if (!at_eof_ || size == 0) return false;
      in_begin_ = in_end_;  // a complete object before end-of-file counts without its newline
      line = {begin, size};
      return true;
    }
    const auto octets = static_cast<std::size_t>(newline - begin);
    in_begin_ += octets + 1;
    unfinished_since_.reset();
    if (skipping_) {
      skipping_ = false;
      continue;
    }
    if (octets > kLineOctetsMax) {
      refuse({"line_too_long", "a line is longer than 64 KiB", {}});
      continue;
    }
    line = {begin, octets};
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    return true;
  }
}

void Connection::handle(std::string_view line) {
  ingress_.count_request();
  auto request = ingress_.parser().parse(line);
  if (!request) return refuse(request.error());
  if (!peer_.is_client && !is_anybodys(*request)) {
    return refuse({"not_permitted",
                   peer_.is_hidden
                       ? "this user is not mapped into the user namespace that stentord runs in"
                       : "no [[client]] in the configuration is this user or group",
                   ref_of(*request)});
  }
  if (std::holds_alternative<EventsRequest>(*request)) handover_ = line;
  std::visit([this](const auto& asked) { handle(asked); }, *request);
}

void Connection::handle(const SendRequest& request) {
  const auto refuse_send = [&](std::string_view code, std::string detail) {
    refuse({code, std::move(detail), std::string(request.ref)});
  };
  if (!peer_.may_submit) return refuse_send("not_permitted", "this client may not send");
  if (ingress_.is_draining()) return refuse_send("draining", "the daemon is stopping");
  if (ingress_.storage().is_low()) {
    return refuse_send("unavailable", "too little disk space is left");
  }
  if (ingress_.storage().is_at_end()) {
    return refuse_send("unavailable", "the journal has no file number left for new messages");
  }
  const Admission::Answer answer = ingress_.admission().send(request, peer_, wall_clock_ms(), out_);
  if (!answer.refused.empty()) ingress_.count_refusal(answer.refused);
  reply_ends(answer.waits_for);
}

void Connection::handle(const PreviewRequest& request) {
  if (auto refusal = append_preview(request, ingress_.config(), ingress_.routing(), out_)) {
    return refuse(*refusal);
  }
  reply_ends(0);
}

void Connection::handle(const MessageRequest& request) {
  MessageQuestion question{.id = std::string(request.id),
                           .ref = std::string(request.ref),
                           .to = std::string(request.to),
                           .carrier_id = std::string(request.carrier_id),
                           .place = std::nullopt};
  if (!request.ref.empty()) {  // within the guard time it is known where it lies
    question.place = ingress_.admission().find(peer_.client, request.ref);
  } else if (!request.id.empty() && !MessageId::parse(request.id)) {
    return refuse({"not_found", "id: no such message", {}});
  }
  ingress_.helpers().history(std::move(question), peer_, answer_later());
}

void Connection::handle(const EventsRequest& /*request*/) {}  // hand_over_when_quiet() does it

void Connection::handle(const AckRequest& /*request*/) {
  refuse({"bad_field", "ack: no event stream is open on this connection", {}});
}

void Connection::handle(const RouteRequest& request) {
  auto answer = route_answer(request, ingress_.config(), ingress_.routing());
  if (!answer) return refuse(answer.error());
  out_.append(*answer);
  reply_ends(0);
}

void Connection::handle(const StatusRequest& /*request*/) {
  ingress_.helpers().status(answer_later());
}

void Connection::handle(const CarrierRequest& request) {
  const bool only_looks =
      request.action == CarrierRequest::Action::list ||
      request.action == CarrierRequest::Action::show ||
      request.action == CarrierRequest::Action::doubts ||
      (request.action == CarrierRequest::Action::orphans && !request.message_id);
  if (only_looks ? !peer_.may_observe : !peer_.is_admin) {
    return refuse({"not_permitted",
                   only_looks ? "looking at carriers needs the role observe"
                              : "changing a carrier needs the role admin",
                   {}});
  }
  if (request.action == CarrierRequest::Action::doubts) ingress_.note_look(peer_, "carrier doubts");
  ingress_.helpers().carrier(request, peer_, answer_later());
}

void Connection::handle(const OptOutRequest& request) {
  if (ingress_.is_draining()) return refuse({"draining", "the daemon is stopping", {}});
  const auto answered = ingress_.opt_outs().answer(request, peer_, out_);
  if (!answered) return refuse(answered.error());
  if (request.action == OptOutRequest::Action::list && (peer_.may_observe || peer_.is_admin)) {
    ingress_.note_look(peer_, "optout list");
  }
  reply_ends(*answered);
}

void Connection::handle(const CallbacksRequest& /*request*/) {
  out_.append(ingress_.helpers().callbacks(peer_));
  reply_ends(0);
}

void Connection::handle(const DaemonRequest& request) {
  const std::string op(request.op);
  if (!peer_.is_admin) return refuse({"not_permitted", op + ": needs the role admin", {}});
  refuse({"not_supported", op + ": not by this version; a signal or a restart does it", {}});
}

std::function<void(std::string)> Connection::answer_later() {
  asked_elsewhere_ = true;
  return [self = shared_from_this()](std::string reply) {
    boost::asio::post(self->ingress_.context(),
                      [self, reply = std::move(reply)] { self->complete(reply); });
  };
}

void Connection::handle(const CampaignRequest& request) {
  if (request.action == CampaignAction::report) {
    const auto campaign = ingress_.campaigns().find(request, peer_);
    if (!campaign) return refuse(campaign.error());
    if ((*campaign)->client != peer_.client) ingress_.note_look(peer_, "campaign report");
    asked_elsewhere_ = true;
    ReportPlace place;
    place.client = (*campaign)->client;
    place.campaign = (*campaign)->name;
    return ask_for_piece(std::move(place));
  }
  ingress_.campaigns().answer(request, peer_, wall_clock_ms(), answer_later());
}

void Connection::ask_for_piece(ReportPlace place) {
  ingress_.helpers().report(
      std::move(place), [self = shared_from_this()](CampaignReport::Piece piece) {
        boost::asio::post(self->ingress_.context(), [self, piece = std::move(piece)]() mutable {
          self->on_piece(std::move(piece));
        });
      });
}

void Connection::on_piece(CampaignReport::Piece piece) {
  if (closed_) return;
  if (piece.is_last) return complete(piece.text);
  if (!piece.text.empty()) {
    out_.append(piece.text);
    reply_ends(0);
  }
  report_ = std::move(piece.place);
  write();
  go_on_with_report();
}

void Connection::go_on_with_report() {
  if (!report_ || closed_ || out_.size() + writing_.size() > kUnreadOctetsMax / 2) return;
  ReportPlace place = std::move(*report_);
  report_.reset();
  ask_for_piece(std::move(place));
}

void Connection::handle(const CancelRequest& request) {
  if (!peer_.may_submit && !peer_.is_admin) {
    return refuse({"not_permitted", "cancel: this client may only look", {}});
  }
  std::optional<queue::Locator> place;
  if (!request.ref.empty()) {
    place = ingress_.admission().find(peer_.client, request.ref);
    if (!place) return refuse({"not_found", "cancel: no such message", {}});
  } else if (!MessageId::parse(request.id)) {
    return refuse({"not_found", "cancel: no such message", {}});
  }
  ingress_.helpers().cancel(
      {.id = std::string(request.id), .place = place, .at_carrier = request.at_carrier}, peer_,
      answer_later());
}

void Connection::handle(const PauseRequest& request) {
  const std::string_view op = request.pauses ? "pause" : "resume";
  if (!peer_.may_submit && !peer_.is_admin) {
    return refuse({"not_permitted", fmt::format("{}: this client may only look", op), {}});
  }
  std::optional<queue::Locator> place;
  if (!request.ref.empty()) place = ingress_.admission().find(peer_.client, request.ref);
  if (request.ref.empty() ? !MessageId::parse(request.id) : !place) {
    return refuse({"not_found", fmt::format("{}: no such message", op), {}});
  }
  ingress_.helpers().pause(
      {.id = std::string(request.id), .place = place, .pauses = request.pauses}, peer_,
      answer_later());
}

void Connection::handle(const ResolveRequest& request) {
  const auto id = request.ref.empty() ? MessageId::parse(request.id)
                                      : ingress_.admission().id_of(peer_.client, request.ref);
  if (!id) return refuse({"not_found", "resolve: no such message", {}});
  if (!peer_.may_submit && !peer_.is_admin) {
    return refuse({"not_permitted", "resolve: this client may only look", {}});
  }
  ingress_.helpers().resolve(*id, request.as, peer_, answer_later());
}

void Connection::complete(std::string_view reply) {
  if (closed_) return;
  asked_elsewhere_ = false;
  out_.append(reply);
  reply_ends(0);
  held_back_ = false;
  process();
}

void Connection::refuse(const Refusal& refusal) {
  ingress_.count_refusal(refusal.code);
  append_rejection(refusal, out_);
  reply_ends(0);
}

void Connection::reply_ends(std::uint64_t batch) {
  out_.push_back('\n');
  const std::uint64_t end = out_base_ + out_.size();
  if (batch <= ingress_.settled()) batch = 0;
  if (batch == 0 && marks_.empty()) {
    released_ = end;
  } else if (!marks_.empty() && (batch == 0 || marks_.back().batch >= batch)) {
    marks_.back().end = end;  // leaves together with the one before it
  } else {
    if (marks_.empty()) ingress_.wait_for_durable(shared_from_this());
    marks_.push_back({batch, end});
  }
}

bool Connection::on_durable(std::uint64_t batch) {
  while (!marks_.empty() && marks_.front().batch <= batch) {
    released_ = marks_.front().end;
    marks_.pop_front();
  }
  write();
  return !marks_.empty() && !closed_;
}

void Connection::on_failed(std::uint64_t batch) {
  if (!marks_.empty() && marks_.front().batch <= batch) close();
}

void Connection::resume() {
  if (!held_back_ || closed_ || asked_elsewhere_) return;
  held_back_ = false;
  process();
}

bool Connection::must_hold_back() const {
  return asked_elsewhere_ || out_.size() + writing_.size() > kUnreadOctetsMax || ingress_.is_full();
}

void Connection::write() {
  if (closed_ || !writing_.empty() || released_ == out_base_) return;
  const auto octets = static_cast<std::size_t>(released_ - out_base_);
  if (octets == out_.size()) {
    writing_.swap(out_);
  } else {
    writing_.assign(out_, 0, octets);
    out_.erase(0, octets);
  }
  out_base_ = released_;
  failpoint(Failpoint::answer_before_write);
  boost::asio::async_write(
      socket_, boost::asio::buffer(writing_),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
        self->writing_.clear();
        if (error) return self->close();
        failpoint(Failpoint::answer_after_write);
        self->write();
        self->go_on_with_report();
        self->resume();
        self->hand_over_when_quiet();
        if (self->at_eof_ && !self->held_back_) self->close_when_quiet();
      });
}

void Connection::hand_over_when_quiet() {
  if (handover_.empty() || closed_ || !is_quiet() || reading_) return;
  EventsHandover handover;
  handover.peer = peer_;
  handover.request = std::move(handover_);
  handover.already_read.assign(in_.data() + in_begin_, in_end_ - in_begin_);
  boost::system::error_code error;
  handover.socket = socket_.release(error);
  closed_ = true;
  ingress_.forget(shared_from_this());
  if (!error) ingress_.helpers().events(std::move(handover));
}

void Connection::close_when_quiet() {
  if (is_quiet() && marks_.empty() && !asked_elsewhere_) close();
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  marks_.clear();
  boost::system::error_code ignored;  // it is going either way
  socket_.close(ignored);
  ingress_.forget(shared_from_this());
}

}  // namespace stentor::daemon
