#include "bench/load/smsc_ceiling.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <memory>
#include <span>
#include <stdexcept>

#include "protocol/decoder.h"
#include "protocol/encoder.h"

namespace stentor::load {
namespace {

using protocol::CommandId;
using std::chrono::steady_clock;

constexpr std::size_t kInboxOctets = 256 << 10;
constexpr std::size_t kSequenceAt = 12;  // section 3.2

class Client {
 public:
  explicit Client(const CeilingSettings& settings)
      : settings_(settings), inbox_(std::make_unique<std::uint8_t[]>(kInboxOctets)) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(settings.port);
    if (socket_ < 0 || ::inet_pton(AF_INET, settings.host.c_str(), &address.sin_addr) != 1 ||
        ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      ::close(socket_);
      throw std::runtime_error(settings.host + ": cannot be connected");
    }
    const int yes = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void bind();
  void submit_all();
  [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_; }
  [[nodiscard]] std::uint64_t receipts() const noexcept { return receipts_; }

 private:
  void compose_batch(std::uint64_t count);
  void write_out();
  void read_some();

  CeilingSettings settings_;
  int socket_;
  protocol::Octets out_;
  protocol::Octets submit_;
  std::unique_ptr<std::uint8_t[]> inbox_;
  std::size_t left_over_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t accepted_ = 0;
  std::uint64_t receipts_ = 0;
  bool is_bound_ = false;
};

void Client::bind() {
  const protocol::Bind request{.system_id = settings_.system_id, .password = settings_.password};
  if (!protocol::append_bind(out_, 1, request)) {
    throw std::runtime_error("system_id or password too long");
  }
  write_out();
  while (!is_bound_) read_some();

  constexpr std::string_view kText =
      "Your order has been shipped and will reach you tomorrow between 10:00 and 14:00. Track it "
      "at https://shop.example/t/7F3K9Q";
  protocol::SubmitSm submit;
  submit.source = {.numbering = {.ton = 5, .npi = 0}, .digits = "SHOP"};
  submit.destination = {.numbering = {.ton = 1, .npi = 1}, .digits = "79161234567"};
  submit.registered_delivery = settings_.asks_for_receipts ? 1 : 0;
  submit.short_message = {reinterpret_cast<const std::uint8_t*>(kText.data()), kText.size()};
  if (!protocol::append_submit_sm(submit_, 0, submit)) throw std::logic_error("it fits");
}

void Client::submit_all() {
  const std::uint64_t receipts = settings_.asks_for_receipts ? settings_.messages : 0;
  while (answered_ < settings_.messages || receipts_ < receipts) {
    const std::uint64_t free = settings_.window - (sent_ - answered_);
    compose_batch(std::min(free, settings_.messages - sent_));
    write_out();
    read_some();
  }
}

// One PDU, copied, with the next sequence_number patched in.
void Client::compose_batch(std::uint64_t count) {
  for (; count > 0; --count) {
    const std::uint32_t number = htonl(static_cast<std::uint32_t>(++sent_ + 1));
    std::memcpy(submit_.data() + kSequenceAt, &number, sizeof number);
    out_.insert(out_.end(), submit_.begin(), submit_.end());
  }
}

// Reads while it cannot write: the carrier stops reading when its answers are not read.
void Client::write_out() {
  std::size_t written = 0;
  while (written < out_.size()) {
    const ssize_t count =
        ::send(socket_, out_.data() + written, out_.size() - written, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(written));
      written = 0;
      read_some();
    } else {
      throw std::runtime_error("the carrier closed the connection");
    }
  }
  out_.clear();
}

void Client::read_some() {
  const ssize_t count = ::recv(socket_, inbox_.get() + left_over_, kInboxOctets - left_over_, 0);
  if (count <= 0) throw std::runtime_error("the carrier closed the connection");
  std::span octets(inbox_.get(), left_over_ + static_cast<std::size_t>(count));
  for (;;) {
    const auto size = protocol::front_pdu_octets(octets);
    if (!size) throw std::runtime_error("the carrier sent what is no SMPP");
    if (*size == 0 || *size > octets.size()) break;
    const protocol::Header header = protocol::decode_header(octets);
    octets = octets.subspan(*size);
    const bool is_ok = header.command_status == protocol::CommandStatus::ok;
    if (header.command_id == CommandId::submit_sm_resp) {
      ++answered_;
      accepted_ += is_ok ? 1 : 0;
    } else if (header.command_id == CommandId::deliver_sm) {
      ++receipts_;
      protocol::append_deliver_resp(out_, header.sequence_number, protocol::CommandStatus::ok);
    } else if (header.command_id == CommandId::bind_transceiver_resp) {
      if (!is_ok) throw std::runtime_error("the carrier refused the bind");
      is_bound_ = true;
    } else if (header.command_id == CommandId::enquire_link) {
      protocol::append_bare(out_, CommandId::enquire_link_resp, protocol::CommandStatus::ok,
                            header.sequence_number);
    }
  }
  left_over_ = octets.size();
  std::memmove(inbox_.get(), octets.data(), left_over_);
}

}  // namespace

Report run_ceiling(const CeilingSettings& settings) {
  Client client(settings);
  client.bind();
  timespec cpu_before{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_before);
  const auto began = steady_clock::now();
  client.submit_all();
  const std::chrono::duration<double> passed = steady_clock::now() - began;
  timespec cpu{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  const double seconds = static_cast<double>(cpu.tv_sec - cpu_before.tv_sec) +
                         static_cast<double>(cpu.tv_nsec - cpu_before.tv_nsec) * 1e-9;

  const auto messages = static_cast<double>(settings.messages);
  Report report;
  report.count("submit_sm", settings.messages);
  report.count("accepted", client.accepted());
  report.count("receipts", client.receipts());
  report.count("window", settings.window);
  report.number("submit_sm/s", messages / passed.count(), "");
  report.number("CPU of this client per submit_sm", seconds * 1e9 / messages, "ns");
  return report;
}

}  // namespace stentor::load
