// An SMSC for one bind on the loopback interface: it binds whoever comes, says that it lives, keeps
// what is submitted, and answers a submit_sm only when the test says so.
//
// Owns     Its listening socket and one connection.
// Threads  The io_context's, which the test polls.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/decoder.h"
#include "protocol/encoder.h"

namespace stentor::daemon::test {

class LoopbackSmsc {
 public:
  explicit LoopbackSmsc(boost::asio::io_context& context)
      : acceptor_(context, {boost::asio::ip::address_v4::loopback(), 0}), socket_(context) {
    accept();
  }

  struct Submitted {
    std::uint32_t sequence_number;
    std::string pdu;  ///< its octets: the text stands in them
  };
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] const std::vector<Submitted>& submitted() const noexcept { return submitted_; }
  /// How often it was asked whether it lives, and said so.
  [[nodiscard]] std::size_t enquired() const noexcept { return enquired_; }
  [[nodiscard]] bool has(std::string_view text) const {
    return std::ranges::any_of(submitted_,
                               [text](const Submitted& one) { return one.pdu.contains(text); });
  }

  void answer(std::size_t index, protocol::CommandStatus status, std::string_view message_id = "") {
    protocol::Octets answer;
    EXPECT_TRUE(protocol::append_submit_resp(answer, submitted_[index].sequence_number, status,
                                             message_id));
    write(answer);
  }
  /// A receipt.
  void deliver(std::string_view receipt) {
    protocol::Octets deliver;
    EXPECT_TRUE(protocol::append_deliver_sm(
        deliver, ++delivered_,
        {.esm_class = 0x04,  // a delivery receipt (SMPP 3.4 section 5.2.12)
         .short_message = {reinterpret_cast<const std::uint8_t*>(receipt.data()),
                           receipt.size()}}));
    write(deliver);
  }
  /// One that gives the user_message_reference (0x0204) back.
  void deliver(std::string_view receipt, std::string_view source, std::uint16_t reference) {
    protocol::Octets tlvs;
    protocol::append_tlv_u16(tlvs, 0x0204, reference);
    protocol::Octets deliver;
    EXPECT_TRUE(protocol::append_deliver_sm(
        deliver, ++delivered_,
        {.source = {.numbering = {}, .digits = source},
         .esm_class = 0x04,
         .short_message = {reinterpret_cast<const std::uint8_t*>(receipt.data()), receipt.size()},
         .tlvs = protocol::Tlvs(tlvs)}));
    write(deliver);
  }
  /// How many were answered.
  [[nodiscard]] std::size_t deliver_answers() const noexcept { return deliver_answers_; }
  /// Whoever is bound; who tries again is bound again.
  void drop() { socket_.close(); }
  /// What each bind is answered from now on.
  void answer_binds(protocol::CommandStatus status) noexcept { bind_status_ = status; }
  /// For good: who tries again finds nobody.
  void go_away() {
    acceptor_.close();
    socket_.close();
  }

 private:
  void accept() {
    acceptor_.async_accept(
        [this](const boost::system::error_code& error, boost::asio::ip::tcp::socket socket) {
          if (error) return;
          socket_ = std::move(socket);
          octets_.clear();
          read();
          accept();
        });
  }
  void read() {
    socket_.async_read_some(boost::asio::buffer(inbox_),
                            [this](const boost::system::error_code& error, std::size_t count) {
                              if (error) return;
                              octets_.insert(octets_.end(), inbox_.begin(), inbox_.begin() + count);
                              take_pdus();
                              read();
                            });
  }
  void take_pdus() {
    while (true) {
      const auto size = protocol::front_pdu_octets(octets_);
      if (!size || *size == 0 || octets_.size() < *size) return;
      take(std::span(octets_).first(*size));
      octets_.erase(octets_.begin(), octets_.begin() + static_cast<std::ptrdiff_t>(*size));
    }
  }
  void take(std::span<const std::uint8_t> pdu) {
    using protocol::CommandId;
    const auto header = protocol::decode_header(pdu);
    const CommandId command = header.command_id;
    protocol::Octets answer;
    if (command == CommandId::bind_transceiver) {
      EXPECT_TRUE(protocol::append_bind_resp(answer, header.sequence_number,
                                             protocol::BindType::transceiver, bind_status_,
                                             {.system_id = "SMSC", .interface_version = 0x34}));
    } else if (command == CommandId::submit_sm) {
      submitted_.push_back({header.sequence_number, {pdu.begin(), pdu.end()}});
    } else if (command == CommandId::enquire_link) {
      ++enquired_;
      protocol::append_bare(answer, CommandId::enquire_link_resp, protocol::CommandStatus::ok,
                            header.sequence_number);
    } else if (command == CommandId::deliver_sm_resp) {
      ++deliver_answers_;
    } else if (command == CommandId::unbind) {
      protocol::append_bare(answer, CommandId::unbind_resp, protocol::CommandStatus::ok,
                            header.sequence_number);
    }
    if (!answer.empty()) write(answer);
  }
  void write(const protocol::Octets& octets) {
    boost::system::error_code gone;  // then whoever was bound is told by the end of the connection
    boost::asio::write(socket_, boost::asio::buffer(octets), gone);
  }

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::tcp::socket socket_;
  std::array<std::uint8_t, 4096> inbox_{};
  std::vector<std::uint8_t> octets_;
  std::vector<Submitted> submitted_;
  std::size_t enquired_ = 0;
  protocol::CommandStatus bind_status_ = protocol::CommandStatus::ok;
  std::uint32_t delivered_ = 0;
  std::size_t deliver_answers_ = 0;
};

}  // namespace stentor::daemon::test
