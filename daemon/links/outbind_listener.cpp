#include "daemon/links/outbind_listener.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <stdexcept>

#include "daemon/as_result.h"
#include "daemon/config/network_text.h"
#include "daemon/config/units.h"
#include "daemon/log.h"
#include "protocol/decoder.h"

namespace stentor::daemon {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// An SMSC says its outbind as soon as it is connected, and adds a connection for each bind: some at
// once are real. Whoever says nothing holds so many descriptors for bind_timeout, and no more.
constexpr std::size_t kGreetingsMax = 8;
// Out of descriptors: connections wait in the kernel meanwhile.
constexpr auto kAcceptPause = 100ms;
// What protocol/ reads of a credential, beyond the 15 and 8 octets of the specification.
constexpr std::size_t kCredentialMax = 64;
constexpr std::size_t kOutbindOctetsMax = protocol::kHeaderOctets + 2 * (kCredentialMax + 1);

// In a time that does not tell how much of it is right.
bool is_same(std::string_view said, std::string_view wanted) {
  std::array<char, kCredentialMax> left{};
  std::array<char, kCredentialMax> right{};
  std::copy_n(said.begin(), std::min(said.size(), left.size()), left.begin());
  std::copy_n(wanted.begin(), std::min(wanted.size(), right.size()), right.begin());
  const bool same = ::CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
  return same && said.size() == wanted.size();
}

std::string text_of(const tcp::endpoint& peer) {
  const auto address = peer.address();
  return fmt::format(fmt::runtime(address.is_v6() ? "[{}]:{}" : "{}:{}"), address.to_string(),
                     peer.port());
}

std::string_view reason_of(OutbindOutcome outcome) {
  switch (outcome) {
    case OutbindOutcome::taken: return "outbind heard";
    case OutbindOutcome::stranger: return "closed: the address is not in outbind.allow";
    case OutbindOutcome::crowded: return "closed: too many connections without an outbind";
    case OutbindOutcome::silent: return "closed: no outbind came in bind_timeout";
    case OutbindOutcome::malformed: return "closed: what came first is no outbind";
    case OutbindOutcome::credentials: return "outbind refused: other system_id or password";
    case OutbindOutcome::unneeded: return "outbind refused: no bind that receives is free";
  }
  return {};
}

}  // namespace

struct OutbindListener::Greeting {
  Greeting(Socket accepted, tcp::endpoint from)
      : socket(std::move(accepted)), peer(std::move(from)), late(socket.get_executor()) {}

  void close() {
    boost::system::error_code ignored;  // it is going either way
    socket.close(ignored);
  }

  Socket socket;
  tcp::endpoint peer;
  asio::steady_timer late;
  std::array<std::uint8_t, kOutbindOctetsMax> pdu{};
};

OutbindListener::OutbindListener(asio::io_context& context, const CarrierConfig& carrier,
                                 const OutbindConfig& outbind, Offer offer, Heard heard)
    : context_(context),
      carrier_(carrier),
      config_(outbind),
      offer_(std::move(offer)),
      heard_(std::move(heard)),
      acceptor_(context),
      pause_(context) {
  try {
    const auto listen = config_file::parse_host_port(config_.listen);
    if (!listen) throw std::runtime_error("is no address:port");
    acceptor_ = tcp::acceptor(context, {asio::ip::make_address(listen->host), listen->port});
  } catch (const std::exception& error) {
    throw std::runtime_error(fmt::format("carrier {}: cannot listen for outbind on {}: {}",
                                         carrier.name, config_.listen, error.what()));
  }
}

OutbindListener::~OutbindListener() = default;

void OutbindListener::start() {
  asio::co_spawn(context_, accept(), asio::detached);
}

void OutbindListener::stop() {
  boost::system::error_code ignored;  // it is going either way
  acceptor_.close(ignored);
  pause_.cancel();
  for (const auto& greeting : greetings_) greeting->close();
}

asio::awaitable<void> OutbindListener::accept() {
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(kAsResult);
    if (!acceptor_.is_open()) co_return;
    if (error) {
      pause_.expires_after(kAcceptPause);
      (void)co_await pause_.async_wait(kAsResult);
      continue;
    }
    const tcp::endpoint peer = socket.remote_endpoint(error);
    if (error) {
      tell(OutbindOutcome::silent, peer);
    } else if (!is_allowed(peer.address())) {
      tell(OutbindOutcome::stranger, peer);
    } else if (greetings_.size() == kGreetingsMax) {
      tell(OutbindOutcome::crowded, peer);
    } else {
      greetings_.push_back(std::make_shared<Greeting>(std::move(socket), peer));
      asio::co_spawn(context_, greet(greetings_.back()), asio::detached);
    }
  }
}

asio::awaitable<void> OutbindListener::greet(std::shared_ptr<Greeting> greeting) {
  greeting->late.expires_after(carrier_.bind_timeout);
  greeting->late.async_wait([greeting](const boost::system::error_code& stopped) {
    if (!stopped) greeting->close();
  });
  auto outcome = co_await hear(*greeting);
  greeting->late.cancel();
  std::erase(greetings_, greeting);
  if (!acceptor_.is_open()) co_return;  // stopped
  if (outcome == OutbindOutcome::taken && !greeting->socket.is_open()) {
    outcome = OutbindOutcome::silent;  // it came as its time was over
  }
  if (outcome == OutbindOutcome::taken && !offer_(greeting->socket)) {
    outcome = OutbindOutcome::unneeded;
  }
  tell(outcome, greeting->peer);
  // Left behind by offer_ when it was taken; the timer may still hold the greeting.
  if (outcome != OutbindOutcome::taken) greeting->close();
}

// Not an octet more than the outbind is read: what follows is the session's.
asio::awaitable<OutbindOutcome> OutbindListener::hear(Greeting& greeting) {
  const auto header = asio::buffer(greeting.pdu.data(), protocol::kHeaderOctets);
  const auto [no_header, header_octets] =
      co_await asio::async_read(greeting.socket, header, kAsResult);
  if (no_header) co_return OutbindOutcome::silent;
  const std::span<const std::uint8_t> octets(greeting.pdu);
  const auto size = protocol::front_pdu_octets(octets.first(header_octets), kOutbindOctetsMax);
  if (!size || protocol::decode_header(octets).command_id != protocol::CommandId::outbind) {
    co_return OutbindOutcome::malformed;
  }
  const auto body =
      asio::buffer(greeting.pdu.data() + protocol::kHeaderOctets, *size - protocol::kHeaderOctets);
  const auto [no_body, body_octets] = co_await asio::async_read(greeting.socket, body, kAsResult);
  if (no_body) co_return OutbindOutcome::silent;
  const auto pdu = octets.first(header_octets + body_octets);
  heard_(pdu);
  const auto outbind = protocol::decode_outbind(pdu);
  if (!outbind) co_return OutbindOutcome::malformed;
  const bool is_system =
      config_.system_id.empty() || is_same(outbind->system_id, config_.system_id);
  const bool is_password = config_.password.empty() || is_same(outbind->password, config_.password);
  if (!is_system || !is_password) co_return OutbindOutcome::credentials;
  co_return OutbindOutcome::taken;
}

bool OutbindListener::is_allowed(const asio::ip::address& address) const {
  const auto as_v6 = address.is_v6()
                         ? address.to_v6()
                         : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4());
  const auto octets = as_v6.to_bytes();
  std::array<std::uint8_t, 16> written{};
  std::ranges::copy(octets, written.begin());
  return std::ranges::any_of(config_.allow,
                             [&](const Network& network) { return contains(network, written); });
}

void OutbindListener::tell(OutbindOutcome outcome, const tcp::endpoint& peer) {
  ++stats_.of(outcome);
  const auto left_out = log_limit_.let_through(Clock::now());
  if (!left_out) return;
  const auto level = outcome == OutbindOutcome::taken ? log::Level::info : log::Level::warn;
  log::write(level, with_left_out(fmt::format("carrier {}: {}: {}", carrier_.name, text_of(peer),
                                              reason_of(outcome)),
                                  *left_out));
}

}  // namespace stentor::daemon
