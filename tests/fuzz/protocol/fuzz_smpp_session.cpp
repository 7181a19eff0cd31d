// A session against a peer of any manners: a script of its octets, in any pieces, mixed with what
// the daemon may do at any time.
//
// Each step is an octet for what, an octet for how much, and what it needs of the rest. After each
// step the session keeps its promises: the window is not exceeded, no cookie is answered twice or
// unasked, what it writes is whole PDUs, and nobody is called again at once.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <span>
#include <vector>

#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "protocol/session.h"

namespace {

using namespace stentor::protocol;
using namespace std::chrono_literals;

void require(bool holds) {
  if (!holds) std::abort();
}

class Script final : public SessionHandler {
 public:
  explicit Script(std::span<const std::uint8_t> octets) : rest_(octets) {
    SessionConfig config;
    const auto kind = next();
    config.bind = static_cast<BindType>(kind % 3);
    if (kind >= 128) config.limits.inactive_for = 20s;
    config.first_sequence_number = next() % 2 == 0 ? 1 : kSequenceNumberMax - 3;
    config.limits.window = 1 + next() % 8;
    config.limits.pdu_octets = 2048;
    window_ = config.limits.window;
    first_number_ = config.first_sequence_number;
    session_.emplace(config, *this);
  }

  void run() {
    session_->on_connected(now_);
    while (!rest_.empty()) {
      step();
      require(session_->in_flight() == waiting_.size());
      require(session_->in_flight() + session_->window_free() <= window_);
      require(session_->stats().alerts == alerts_);
    }
    read_outgoing();
    session_->on_disconnected();
    session_->on_never_transmitted(lost_octets_);
    for (const auto& unanswered : session_->take_unanswered()) {
      require(waiting_.erase(unanswered.cookie) == 1);
    }
    require(waiting_.empty());
  }

  void on_bound() override { require(session_->is_bound()); }
  void on_submit_resp(std::uint64_t cookie, CommandStatus, std::string_view) override {
    require(waiting_.erase(cookie) == 1);
    if (cookie % 3 == 0) submit();
  }
  void on_deliver(std::uint32_t sequence_number, const DeliverSm& deliver) override {
    (void)user_data_of(deliver);
    if (sequence_number % 2 == 0) {
      session_->answer(sequence_number, CommandStatus::ok);
    } else {
      unanswered_.push_back(sequence_number);
    }
  }
  void on_query_resp(std::uint64_t cookie, CommandStatus, const QueryResp&) override {
    require(asides_.erase(cookie) == 1);
  }
  void on_cancel_resp(std::uint64_t cookie, CommandStatus) override {
    require(asides_.erase(cookie) == 1);
  }
  void on_alert(const AlertNotification& alert) override {
    (void)alert.tlvs.find(tag::kMsAvailabilityStatus);
    ++alerts_;
  }

 private:
  std::uint8_t next() {
    if (rest_.empty()) return 0;
    const std::uint8_t octet = rest_.front();
    rest_ = rest_.subspan(1);
    return octet;
  }

  void step() {
    const std::uint8_t what = next();
    const std::uint8_t much = next();
    switch (what % 32 < kSteps ? what % 32 : what % 16) {
      case 0:
      case 1:
      case 2: {  // octets of the peer's own
        const auto octets = rest_.first(std::min<std::size_t>(much, rest_.size()));
        rest_ = rest_.subspan(octets.size());
        session_->on_octets(octets, now_);
        break;
      }
      case 3: submit(); break;
      case 4: {  // a response with a number that may be ours
        Octets pdu;
        (void)append_submit_resp(pdu, number(much), CommandStatus::ok, "4f");
        session_->on_octets(pdu, now_);
        break;
      }
      case 5: {  // one without a body, of any kind
        Octets pdu;
        append_bare(pdu, static_cast<CommandId>(0x80000000U | next()), CommandStatus{next()},
                    number(much));
        session_->on_octets(pdu, now_);
        break;
      }
      case 6: {
        Octets pdu;
        append_bare(pdu, static_cast<CommandId>(next()), CommandStatus::ok, much);
        session_->on_octets(pdu, now_);
        break;
      }
      case 7: now_ += much * 1s; [[fallthrough]];
      case 8: {
        const bool was_due = session_->deadline() <= now_;
        session_->on_time(now_);
        if (was_due) require(session_->ended() || session_->deadline() > now_);
        break;
      }
      case 9: now_ += much * 10ms; break;
      case 10:
        if (!unanswered_.empty()) {
          session_->answer(unanswered_.back(), CommandStatus{much});
          unanswered_.pop_back();
        }
        break;
      case 11: read_outgoing(); break;
      case 12: session_->on_reading(much % 2 == 0, now_); break;
      case 13:
        if (much > 250) session_->unbind(now_);
        break;
      case 14: ask(much); break;
      case 16: say(much, append_deliver_sm); break;
      case 17: say(much, append_data_sm); break;
      case 18: {  // query_sm_resp with a body
        Octets pdu;
        (void)append_query_resp(pdu, number(much), CommandStatus{next()},
                                {.message_id = "4f", .message_state = next()});
        session_->on_octets(pdu, now_);
        break;
      }
      case 19: {
        Octets pdu;
        append_data_resp(pdu, number(much), CommandStatus{next()});
        session_->on_octets(pdu, now_);
        break;
      }
      case 20: say_in_octets(CommandId::alert_notification, much); break;
      case 21: say_in_octets(CommandId::outbind, much); break;
      case 22: submit_data(); break;
      case 23:  // the kernel takes a part
        take_outgoing();
        written_ += std::min<std::uint64_t>(much, taken_ - written_);
        session_->on_written(written_);
        break;
      case 24: lost_octets_ = much; break;
      default: {  // a bind response
        Octets pdu;
        (void)append_bind_resp(pdu, first_number_, static_cast<BindType>(much % 3),
                               CommandStatus{much > 250 ? 1U : 0U}, {"SMSC", 0x34});
        session_->on_octets(pdu, now_);
      }
    }
  }

  // A request of the peer's that is well-formed, but for what the script's octets make of its body.
  template <class Append>
  void say(std::uint8_t much, Append&& append) {
    const auto body = rest_.first(std::min<std::size_t>(much % 64, rest_.size()));
    rest_ = rest_.subspan(body.size());
    Octets tlvs;
    append_tlv(tlvs, tag::kMessagePayload, body);
    Octets pdu;
    (void)append(pdu, much,
                 {.source = {{1, 1}, "79161234567"},
                  .esm_class = next(),
                  .data_coding = next(),
                  .tlvs = Tlvs(tlvs)});
    session_->on_octets(pdu, now_);
  }
  // The same, its whole body as the script has it.
  void say_in_octets(CommandId command_id, std::uint8_t much) {
    const auto body = rest_.first(std::min<std::size_t>(much, rest_.size()));
    rest_ = rest_.subspan(body.size());
    Octets pdu;
    append_bare(pdu, command_id, CommandStatus::ok, much);
    pdu.insert(pdu.end(), body.begin(), body.end());
    pdu[2] = static_cast<std::uint8_t>(pdu.size() >> 8);
    pdu[3] = static_cast<std::uint8_t>(pdu.size());
    session_->on_octets(pdu, now_);
  }

  [[nodiscard]] std::uint32_t number(std::uint8_t much) const {
    return much < 200 ? (first_number_ + much - 1) % kSequenceNumberMax + 1 : much;
  }

  void submit() {
    static constexpr std::uint8_t kText[] = {'h', 'i'};
    waiting_.insert(++cookie_);
    const auto submitted = session_->submit(
        {.destination = {{1, 1}, "79161234567"}, .short_message = kText}, cookie_, now_);
    require(submitted.has_value());
    if (!*submitted) waiting_.erase(cookie_);
  }

  void submit_data() {
    waiting_.insert(++cookie_);
    const auto submitted =
        session_->submit_data({.destination = {{1, 1}, "79161234567"}}, cookie_, now_);
    require(submitted.has_value());
    if (!*submitted) waiting_.erase(cookie_);
  }

  void ask(std::uint8_t much) {
    asides_.insert(++cookie_);
    const auto asked = much % 2 == 0 ? session_->query({.message_id = "4f"}, cookie_, now_)
                                     : session_->cancel({.message_id = "4f"}, cookie_, now_);
    require(asked.has_value());
    if (!*asked) asides_.erase(cookie_);
  }

  // Everything that is written is whole PDUs.
  void take_outgoing() {
    Octets outgoing;
    session_->swap_outgoing(outgoing);
    taken_ += outgoing.size();
    std::span<const std::uint8_t> octets(outgoing);
    while (!octets.empty()) {
      const auto length = front_pdu_octets(octets);
      require(length.has_value() && *length != 0 && *length <= octets.size());
      octets = octets.subspan(*length);
    }
  }

  void read_outgoing() {
    take_outgoing();
    written_ = taken_;
    session_->on_written(written_);
  }

  static constexpr int kSteps = 25;
  std::span<const std::uint8_t> rest_;
  std::optional<Session> session_;
  TimePoint now_{1000h};
  std::set<std::uint64_t> waiting_;
  std::set<std::uint64_t> asides_;
  std::vector<std::uint32_t> unanswered_;
  std::uint64_t cookie_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t lost_octets_ = 0;
  std::uint64_t alerts_ = 0;
  std::size_t window_ = 0;
  std::uint32_t first_number_ = 1;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script({data, size}).run();
  return 0;
}
