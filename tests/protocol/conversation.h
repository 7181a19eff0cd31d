// A session and the test that plays its SMSC: what the session writes is taken with sent(), what
// its handler is told is kept as lines of text with told(). The test owns the clock.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/session.h"
#include "tests/protocol/wire.h"

namespace stentor::protocol::test {

using namespace std::chrono_literals;

class Conversation final : public SessionHandler {
 public:
  static constexpr TimePoint kStart{1000h};

  explicit Conversation(SessionConfig config = {}) : session(std::move(config), *this) {}
  virtual ~Conversation() = default;

  /// Connects, and answers the bind as a transceiver's SMSC does.
  void bind() {
    session.on_connected(kStart);
    const Octets request = sent();
    hear(pdu(0x80000000U | request[7], 0, request[15], octets_of("SMSC") + Octets{0}), kStart);
    (void)told();
  }

  void hear(const Octets& octets, TimePoint now) { session.on_octets(octets, now); }

  /// What the session wrote since the last call. It counts as taken by the kernel.
  Octets sent() {
    Octets octets;
    session.swap_outgoing(octets);
    total_ += octets.size();
    session.on_written(total_);
    return octets;
  }

  /// What the handler was told since the last call.
  std::vector<std::string> told() { return std::exchange(told_, {}); }

  /// Submits one message; 0 when the session declined.
  std::uint32_t submit(std::uint64_t cookie, TimePoint now) {
    static const Octets kText = octets_of("hi");
    const auto sequence_number = session.submit({.source = {{5, 0}, "SHOP"},
                                                 .destination = {{1, 1}, "79161234567"},
                                                 .registered_delivery = 1,
                                                 .short_message = kText},
                                                cookie, now);
    return sequence_number ? sequence_number->value_or(0) : 0;
  }

  void on_bound() override { tell("bound"); }
  void on_submit_resp(std::uint64_t cookie, CommandStatus status,
                      std::string_view message_id) override {
    tell("resp " + std::to_string(cookie) + " " + number(status) + " " + std::string(message_id));
    if (after_resp) after_resp();
  }
  void on_deliver(std::uint32_t sequence_number, const DeliverSm& deliver) override {
    tell("deliver " + std::to_string(sequence_number) + " " + text_of(user_data_of(deliver)));
  }
  void on_query_resp(std::uint64_t cookie, CommandStatus status,
                     const QueryResp& response) override {
    tell("query " + std::to_string(cookie) + " " + number(status) + " " +
         std::string(response.message_id) + " " + std::to_string(response.message_state));
  }
  void on_cancel_resp(std::uint64_t cookie, CommandStatus status) override {
    tell("cancel " + std::to_string(cookie) + " " + number(status));
  }

  void on_alert(const AlertNotification& alert) override {
    const auto availability = alert.tlvs.find(tag::kMsAvailabilityStatus).value;
    tell("alert " + std::string(alert.source.digits) + " " + std::string(alert.esme.digits) + " " +
         (availability.empty() ? "-" : std::to_string(availability[0])));
  }

  Session session;
  std::function<void()> after_resp;

 private:
  static std::string number(CommandStatus status) {
    return std::to_string(static_cast<std::uint32_t>(status));
  }
  void tell(std::string line) { told_.push_back(std::move(line)); }

  std::vector<std::string> told_;
  std::uint64_t total_ = 0;
};

/// A deliver_sm with this text.
inline Octets deliver_sm(std::uint32_t sequence_number, std::string_view text,
                         std::uint8_t esm_class = 0) {
  Octets body = hex("00 0101373900 050053484f5000");
  body.push_back(esm_class);
  body = body + hex("0000 0000 00000000");
  body.push_back(static_cast<std::uint8_t>(text.size()));
  return pdu(0x05, 0, sequence_number, body + octets_of(text));
}

/// submit_sm_resp with this id.
inline Octets submit_resp(std::uint32_t sequence_number, std::string_view id,
                          std::uint32_t status = 0) {
  return pdu(0x80000004, status, sequence_number, octets_of(id) + Octets{0});
}

using Lines = std::vector<std::string>;

}  // namespace stentor::protocol::test
