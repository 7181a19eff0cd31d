#include "daemon/events/event_stream.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cassert>
#include <cstring>

#include "daemon/events/event_server.h"
#include "daemon/failpoints/failpoint.h"
#include "daemon/ingress/admission.h"
#include "daemon/ingress/json.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto kIdleAfter = 30s;                      // protocol: {"type":"idle"}
constexpr std::size_t kUnsentOctetsMax = 256u << 10;  // protocol: no more unread than this
// Only our answers to lines that are no acknowledgement fill more than that: a peer that sends such
// lines and reads nothing is read no further. An honest one, whose acknowledgements would wait
// behind events that it has no time to read, never comes here.
constexpr std::size_t kUnsentToReadMax = 2 * kUnsentOctetsMax;
constexpr std::size_t kInboxOctets = 4096;  // acknowledgements are short
constexpr std::size_t kAckLineMax = 1024;
// A program has one consumer, or one for each of its parts: a client that makes a name at each
// start stops here, and leaves nine tenths of all names to others.
constexpr std::size_t kConsumersOfClientMax = Consumers::kConsumersMax / 10;
// One stream reads this many records before the others get their turn.
constexpr int kRecordsAtOnce = 2000;

std::string_view name_of(MissedBound bound) {
  switch (bound) {
    case MissedBound::exact: return "missed";
    case MissedBound::at_least: return "missed_at_least";
    case MissedBound::at_most: return "missed_at_most";
  }
  return {};
}

}  // namespace

EventStream::EventStream(EventServer& server, EventsHandover handover)
    : server_(server),
      socket_(server.context()),
      idle_(server.context()),
      peer_(std::move(handover.peer)),
      request_(std::move(handover.request)),
      in_(std::move(handover.already_read)),
      inbox_(kInboxOctets) {
  boost::system::error_code ignored;  // a socket that cannot be taken fails at its first use
  socket_.assign(boost::asio::local::stream_protocol(), handover.socket, ignored);
}

void EventStream::start() {
  request_.append(kLinePaddingOctets, '\0');
  const std::string_view line(request_.data(), request_.size() - kLinePaddingOctets);
  auto parsed = server_.parser().parse(line);
  const auto* request = parsed ? std::get_if<EventsRequest>(&*parsed) : nullptr;
  if (request == nullptr) return refuse("bad_field", "not an events request");
  for (const std::string_view type : request->types) {
    if (!event_type_of(type)) return refuse("bad_field", "types: not a type of event");
    types_.emplace_back(type);
  }
  if (request->consumer.starts_with('@')) {
    return refuse("bad_field", "consumer: names that begin with @ are stentor's own");
  }
  campaign_ = request->campaign;
  key_ = {peer_.client, std::string(request->consumer)};
  const auto kept = server_.consumers().find(key_);
  auto position = kept;
  const bool is_new = !position;
  if (is_new && server_.consumers().size() >= Consumers::kConsumersMax) {
    return refuse("busy", "consumer: there are too many consumers");
  }
  if (is_new && consumers_of_client() >= kConsumersOfClientMax) {
    return refuse("busy", "consumer: this client has too many consumers");
  }
  reader_ = server_.make_reader();
  if (request->from == "oldest") {
    position = EventPosition{reader_->oldest().value_or(queue::Locator{}), 0};
  } else if (!request->from.empty()) {
    position = parse_cursor(request->from);
    if (!position) return refuse("bad_field", "from: neither \"oldest\" nor a cursor");
    if (position->record > server_.durable_end()) {
      return refuse("bad_field", "from: a cursor of the future");
    }
  } else if (is_new) {
    position = EventPosition{server_.durable_end(), 0};
  }
  // A program that keeps its cursors itself mostly names the one that it acknowledged.
  MissedEvents missed;
  if (position != kept) {
    missed = missed_from(*position, kept, server_.consumers().missed(key_),
                         reader_->oldest().value_or(queue::Locator{}));
    // From here on it is counted of the campaign that it asks for now.
    if (missed.bound == MissedBound::at_least && missed.campaign.empty()) {
      missed.campaign = campaign_;
    }
  }
  skip_to_ = given_ = acknowledged_ = *position;
  next_ = position->record;
  // A new consumer exists from its first request on, whether or not it ever acknowledges.
  if (is_new || !request->from.empty()) server_.acknowledge(key_, *position);
  if (!missed.to.is_nowhere()) server_.set_missed(key_, missed);
  server_.remember_campaign(key_, campaign_);
  open();
}

// Asked for once in a new consumer's life.
std::size_t EventStream::consumers_of_client() const {
  const auto all = server_.consumers().all();
  return static_cast<std::size_t>(std::ranges::count_if(
      all, [&](const auto& each) { return each.first.client == peer_.client; }));
}

void EventStream::open() {
  server_.replace(key_, shared_from_this());
  is_open_ = true;
  out_.push_back('{');
  append_member("status", "ok", out_);
  append_member("consumer", key_.name, out_);
  append_member("cursor", to_cursor(skip_to_), out_);
  out_.append("}\n");
  tell_gap();
  arm_idle();
  take_lines();
  read();
  pump();
}

void EventStream::refuse(std::string_view code, std::string_view detail) {
  append_rejection({code, std::string(detail), {}}, out_);
  out_.push_back('\n');
  closing_ = true;
  write();
}

// What retention took away is said, not passed over, with its number or a bound of it; where it is
// known that nothing was missed, there is nothing to say.
void EventStream::tell_gap() {
  const auto oldest = reader_->oldest();
  if (!oldest || next_.file() >= oldest->file() || next_.is_nowhere()) return;
  const MissedEvents counted = server_.consumers().missed(key_);
  // What was counted goes with it, though its files may be there for a moment.
  next_ = std::max(*oldest, counted.to);
  const auto missed =
      missed_by({.campaign = campaign_, .types = types_, .is_own_only = !peer_.may_observe},
                counted, next_.file());
  if (missed && missed->bound == MissedBound::exact && missed->events == 0) return;
  out_.push_back('{');
  append_member("type", "gap", out_);
  append_member("from", to_cursor(given_), out_);
  append_member("to", to_cursor({next_, 0}), out_);
  if (missed) append_member(name_of(missed->bound), missed->events, out_);
  out_.append("}\n");
}

// What the disk has lost, or salvaging has set aside, nobody can count.
void EventStream::tell_lost(queue::Locator before) {
  passed_over_ = reader_->passed_over();
  out_.push_back('{');
  append_member("type", "gap", out_);
  append_member("from", to_cursor(given_), out_);
  append_member("to", to_cursor({before, 0}), out_);
  append_member("reason", "unreadable", out_);
  out_.append("}\n");
}

bool EventStream::passes(const RecordEvents& events, std::uint8_t sub) const {
  assert(events.subject && "what is told is told of a message");
  const Subject& subject = *events.subject;
  if (!peer_.may_observe && subject.client != peer_.client) return false;
  if (!campaign_.empty() && subject.campaign != campaign_) return false;
  return types_.empty() || std::ranges::find(types_, events.types[sub - 1u]) != types_.end();
}

void EventStream::pump() {
  if (!is_open_ || closed_ || closing_) return;
  const queue::Locator end = server_.durable_end();
  if (next_.file() < server_.oldest_file()) tell_gap();  // retention overtook it
  bool told = false;
  for (int i = 0; i < kRecordsAtOnce && unsent_octets() < kUnsentOctetsMax; ++i) {
    const auto read = reader_->next(next_, end);
    const std::optional<queue::Record> record = read.value_or(std::nullopt);
    if (!read) {
      server_.on_unreadable(next_, read.error());
    } else if (reader_->passed_over() != passed_over_) {
      tell_lost(record ? record->at : next_);
      told = true;
    }
    if (!record) {
      reader_->forget_before(server_.oldest_file());
      if (told) arm_idle();
      return write();
    }
    const RecordEvents events = events_of(*record);
    for (std::uint8_t sub = 1; sub <= events.count; ++sub) {
      const EventPosition position{record->at, sub};
      if (position <= skip_to_ || !passes(events, sub)) continue;
      append_event(*record, events, sub, to_cursor(position), out_);
      out_.push_back('\n');
      given_ = position;
      told = true;
    }
  }
  if (told) arm_idle();
  write();
  if (unsent_octets() < kUnsentOctetsMax && !pumping_) {
    pumping_ = true;
    boost::asio::post(server_.context(), [self = shared_from_this()] {
      self->pumping_ = false;
      self->pump();
    });
  }
}

void EventStream::read() {
  if (closed_ || reading_ || unsent_octets() > kUnsentToReadMax) return;  // written, it reads on
  reading_ = true;
  socket_.async_read_some(
      boost::asio::buffer(inbox_),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t octets) {
        self->reading_ = false;
        if (error) return self->close();
        self->in_.append(self->inbox_.data(), octets);
        self->take_lines();
        self->read();
      });
}

void EventStream::take_lines() {
  std::size_t newline = 0;
  while (!closed_ && (newline = in_.find('\n')) != std::string::npos) {
    std::string line = in_.substr(0, newline);
    in_.erase(0, newline + 1);
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) on_line(line);
  }
  if (in_.size() > kAckLineMax) {  // no acknowledgement is this long
    in_.clear();
    close();
  }
  write();
}

void EventStream::on_line(std::string_view line) {
  std::string padded(line);
  padded.append(kLinePaddingOctets, '\0');
  auto parsed = server_.parser().parse({padded.data(), line.size()});
  const auto complain = [this](std::string_view code, std::string_view detail) {
    out_.append(R"({"type":"error","error":{)");
    append_member("code", code, out_);
    append_member("detail", detail, out_);
    out_.append("}}\n");
  };
  if (!parsed) return complain(parsed.error().code, parsed.error().detail);
  const auto* ack = std::get_if<AckRequest>(&*parsed);
  if (ack == nullptr) return complain("bad_field", "only ack is allowed on an event stream");
  const auto position = parse_cursor(ack->cursor);
  if (!position || !was_given(*position)) {
    return complain("bad_field", "cursor: not one that was given on this stream");
  }
  if (*position <= acknowledged_) return;  // an older one says nothing new
  acknowledged_ = *position;
  server_.acknowledge(key_, *position);
}

// A cursor that this consumer was given names an event of the journal that passes its filter.
bool EventStream::was_given(EventPosition position) {
  if (position == skip_to_) return true;  // the one in the first reply
  if (position > given_ || position.sub == 0) return false;
  const auto record = reader_->read(position.record);
  if (!record) return false;
  const RecordEvents events = events_of(*record);
  return position.sub <= events.count && passes(events, position.sub);
}

void EventStream::write() {
  if (closed_ || !writing_.empty()) return;
  if (out_.empty()) {
    if (closing_) close();
    return;
  }
  writing_.swap(out_);
  failpoint(Failpoint::event_before_write);
  boost::asio::async_write(
      socket_, boost::asio::buffer(writing_),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
        self->writing_.clear();
        if (error) return self->close();
        failpoint(Failpoint::event_after_write);
        self->write();
        self->pump();
        if (self->is_open_) self->read();
      });
}

void EventStream::arm_idle() {
  idle_.expires_after(kIdleAfter);
  idle_.async_wait([self = shared_from_this()](const boost::system::error_code& stopped) {
    if (stopped || self->closed_ || self->closing_) return;
    // Who reads nothing needs no sign of life.
    if (self->out_.empty()) self->out_.append("{\"type\":\"idle\"}\n");
    self->write();
    self->arm_idle();
  });
}

void EventStream::end_replaced() {
  idle_.cancel();
  out_.append("{\"type\":\"replaced\"}\n");
  closing_ = true;
  write();
}

bool EventStream::is_quiet() const noexcept {
  return out_.empty() && writing_.empty();
}

void EventStream::close() {
  if (closed_) return;
  closed_ = true;
  idle_.cancel();
  boost::system::error_code ignored;  // it is going either way
  socket_.close(ignored);
  server_.forget(shared_from_this());
}

}  // namespace stentor::daemon
