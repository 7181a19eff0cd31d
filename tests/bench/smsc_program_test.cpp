// The real stentor-smsc, driven over a real socket by octets written by hand.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "bench/load/child_process.h"
#include "tests/temporary_directory.h"
#include "wire.h"

namespace stentor {
namespace {

using wire::kResponse;

class SmscProgram : public testing::Test {
 protected:
  void start(std::vector<std::string> options) {
    options.insert(options.begin(), {STENTOR_SMSC_PROGRAM, "--listen", "127.0.0.1:0", "--capture",
                                     capture().string(), "--json"});
    program_ = std::make_unique<load::ChildProcess>(options, "");
    const std::string line = program_->read_line().value_or("");
    const std::size_t colon = line.rfind(':');
    ASSERT_NE(colon, std::string::npos) << line;
    port_ = static_cast<std::uint16_t>(std::atoi(line.c_str() + colon + 1));
  }
  [[nodiscard]] std::filesystem::path capture() const { return folder_.path() / "capture"; }

  // Stops the program; its last line has the totals.
  std::string totals() {
    EXPECT_EQ(program_->stop(std::chrono::seconds(10)), 0);
    std::string last;
    while (const auto line = program_->read_line()) last = *line;
    return last;
  }
  [[nodiscard]] int captured(const std::string& type, const std::string& also = "") const {
    std::ifstream file(capture());
    int count = 0;
    for (std::string line; std::getline(file, line);) {
      const bool is_it = line.starts_with("{\"type\":\"" + type + "\"");
      if (is_it && line.find(also) != std::string::npos) ++count;
    }
    return count;
  }

  const stentor::test::TemporaryDirectory folder_;
  std::unique_ptr<load::ChildProcess> program_;
  std::uint16_t port_ = 0;
};

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(const wire::Octets& octets) {
    EXPECT_EQ(::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(octets.size()));
  }
  // Reads until `count` PDUs are there, or the end.
  std::vector<wire::Pdu> receive(std::size_t count) {
    std::vector<wire::Pdu> pdus;
    while (pdus.size() < count) {
      wire::Octets octets(65536);
      const ssize_t size = ::recv(socket_, octets.data(), octets.size(), 0);
      if (size <= 0) break;
      octets.resize(static_cast<std::size_t>(size));
      pending_.insert(pending_.end(), octets.begin(), octets.end());
      for (wire::Pdu& pdu : wire::take_pdus(pending_)) pdus.push_back(std::move(pdu));
    }
    return pdus;
  }
  // What is left when the other side has closed.
  std::size_t receive_to_end() {
    (void)receive(SIZE_MAX);
    return pending_.size();
  }

 private:
  int socket_;
  wire::Octets pending_;
};

TEST_F(SmscProgram, BindsTakesMessagesAndSendsReceipts) {
  start({"--system-id", "stentor", "--password", "secret", "--id-style", "hex-decimal",
         "--first-id", "255", "--receipt-delay", "5ms"});
  Client client(port_);
  client.send(wire::bind(wire::kTransceiver, 1));
  ASSERT_EQ(client.receive(1).at(0).status, 0u);
  client.send(wire::submit(2));
  client.send(wire::submit(3, "79161234568", "Second"));

  const auto pdus = client.receive(4);

  ASSERT_EQ(pdus.size(), 4u);
  EXPECT_EQ(pdus[0].text(), "ff");
  EXPECT_EQ(pdus[1].text(), "100");
  EXPECT_NE(pdus[2].body.find("id:255 "), std::string::npos);
  EXPECT_NE(pdus[3].body.find("id:256 "), std::string::npos);
  for (const auto& pdu : {pdus[2], pdus[3]}) {
    client.send(wire::pdu(wire::kDeliver | kResponse, pdu.sequence, {0}));
  }
  client.send(wire::pdu(wire::kUnbind, 4));
  EXPECT_EQ(client.receive(1).at(0).command_id, wire::kUnbind | kResponse);

  const std::string counted = totals();
  EXPECT_NE(counted.find(R"("submit_sm":2,"accepted":2)"), std::string::npos) << counted;
  EXPECT_NE(counted.find(R"("receipts_acknowledged":2)"), std::string::npos) << counted;
  EXPECT_EQ(captured("bind_transceiver", R"("system_id":"stentor","status":0)"), 1);
  EXPECT_EQ(captured("submit_sm", R"("short_message":"48656c6c6f")"), 1);
  EXPECT_EQ(captured("submit_sm", R"("message_id":"100","answered":true)"), 1);
  EXPECT_EQ(captured("deliver_sm", R"("message_id":"255","stat":"DELIVRD")"), 1);
  EXPECT_EQ(captured("deliver_sm_resp", R"("message_id":"256","status":0)"), 1);
  EXPECT_EQ(captured("unbind"), 1);
  EXPECT_EQ(captured("close"), 1);
}

TEST_F(SmscProgram, KeepsReceiptsUntilAReceiverComes) {
  start({});
  {
    Client transmitter(port_);
    transmitter.send(wire::bind(wire::kTransmitter, 1));
    transmitter.send(wire::submit(2));
    ASSERT_EQ(transmitter.receive(2).size(), 2u);
  }
  Client receiver(port_);
  receiver.send(wire::bind(wire::kReceiver, 1));

  const auto pdus = receiver.receive(2);

  ASSERT_EQ(pdus.size(), 2u);
  EXPECT_EQ(pdus[1].command_id, wire::kDeliver);
}

TEST_F(SmscProgram, CutsTheConnectionInTheMiddleOfAPdu) {
  start({"--disconnect-every", "2", "--cut-mid-pdu", "--no-receipts"});
  Client client(port_);
  client.send(wire::bind(wire::kTransceiver, 1));
  client.send(wire::submit(2));
  client.send(wire::submit(3));

  EXPECT_GT(client.receive_to_end(), 0u);

  (void)totals();
  EXPECT_EQ(captured("submit_sm", R"("sequence":3)"), 1);
  EXPECT_EQ(captured("submit_sm", R"("answered":false)"), 1);
}

TEST_F(SmscProgram, NotesResponsesThatNeverWentOut) {
  start({"--latency", "1h", "--no-receipts"});
  {
    Client client(port_);
    client.send(wire::bind(wire::kTransceiver, 1));
    client.send(wire::submit(2));
    client.send(wire::pdu(wire::kEnquire, 3));
    ASSERT_EQ(client.receive(2).size(), 2u);
  }
  (void)totals();
  EXPECT_EQ(captured("unanswered", R"("sequence":2)"), 1);
}

TEST_F(SmscProgram, ServesManyAtOnceAndAFloodOfThem) {
  start({});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<Client>(port_));
    clients.back()->send(wire::bind(wire::kTransceiver, 1));
    wire::Octets batch;
    for (std::uint32_t sequence = 2; sequence < 502; ++sequence) {
      const wire::Octets one = wire::submit(sequence);
      batch.insert(batch.end(), one.begin(), one.end());
    }
    clients.back()->send(batch);
  }
  for (const auto& client : clients) {
    const auto pdus = client->receive(1 + 500 + 500);
    std::uint32_t next_response = 2;
    for (const auto& pdu : pdus) {
      if (pdu.command_id == (wire::kSubmit | kResponse)) {
        EXPECT_EQ(pdu.sequence, next_response++);
      }
    }
    EXPECT_EQ(next_response, 502u);
  }
  EXPECT_NE(totals().find(R"("submit_sm":4000,)"), std::string::npos);
  EXPECT_EQ(captured("submit_sm"), 4000);
}

TEST_F(SmscProgram, TellsWhyItCannotStart) {
  load::ChildProcess bad({STENTOR_SMSC_PROGRAM, "--error", "0x58=200%"}, "");
  EXPECT_NE(bad.stop(std::chrono::seconds(10)), 0);
}

}  // namespace
}  // namespace stentor
