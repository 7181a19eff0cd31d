#include "daemon/links/dialer.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <memory>
#include <mutex>
#include <utility>

#include "daemon/as_result.h"
#include "daemon/links/private_address.h"
#include "daemon/log.h"
#include "daemon/outliving_calls.h"

namespace stentor::daemon {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

std::string text_of(const HostPort& host) {
  return fmt::format("{}:{}", host.host, host.port);
}

std::string text_of(std::chrono::milliseconds time) {
  return fmt::format("{} s", std::chrono::duration<double>(time).count());
}

// One look-up at a time for each dialer, so a name server that is silent holds as many threads as
// there are binds to names it should know.
class SystemLookUp {
 public:
  explicit SystemLookUp(asio::io_context& context) : context_(context) {}

  void look_up(const HostPort& host, Dialer::OnFound on_found) {
    const std::lock_guard lock(calls_.guard());
    if (std::exchange(is_awaited_, true)) {
      return post(std::move(on_found), {asio::error::host_not_found_try_again, {}});
    }
    const auto tell = [this, on_found](Found found) {
      is_awaited_ = false;
      post(on_found, std::move(found));
    };
    if (!calls_.begin([host] { return find(host); }, tell)) tell({asio::error::no_memory, {}});
  }

 private:
  struct Found {
    boost::system::error_code error;
    std::vector<Dialer::Endpoint> endpoints;
  };

  static Found find(const HostPort& host) {
    asio::io_context unused;
    Found found;
    for (const auto& entry :
         tcp::resolver(unused).resolve(host.host, std::to_string(host.port), found.error)) {
      found.endpoints.push_back(entry.endpoint());
    }
    return found;
  }
  void post(Dialer::OnFound on_found, Found found) {
    asio::post(context_, [on_found = std::move(on_found), found = std::move(found)] {
      on_found(found.error, found.endpoints);
    });
  }

  asio::io_context& context_;
  bool is_awaited_ = false;  ///< by a thread
  OutlivingCalls calls_;
};

Dialer::LookUp system_look_up(asio::io_context& context) {
  return [look_up = std::make_shared<SystemLookUp>(context)](const HostPort& host,
                                                             Dialer::OnFound on_found) {
    look_up->look_up(host, std::move(on_found));
  };
}

}  // namespace

Dialer::Dialer(asio::io_context& context, const CarrierConfig& carrier,
               std::shared_ptr<TlsContext>& tls, WireStream& stream, bool is_first,
               OnTrouble on_trouble)
    : Dialer(context, carrier, tls, stream, is_first, std::move(on_trouble),
             system_look_up(context), Patience{}) {}

Dialer::Dialer(asio::io_context& context, const CarrierConfig& carrier,
               std::shared_ptr<TlsContext>& tls, WireStream& stream, bool is_first,
               OnTrouble on_trouble, LookUp look_up, Patience patience)
    : carrier_(carrier),
      tls_(tls),
      stream_(stream),
      is_first_(is_first),
      on_trouble_(std::move(on_trouble)),
      look_up_(std::move(look_up)),
      patience_(patience),
      timer_(context) {}

Dialer::~Dialer() = default;

asio::awaitable<bool> Dialer::dial(const HostPort& host, AttemptLimiter& attempts) {
  given_up_ = false;
  const std::vector<Endpoint> endpoints = co_await find(host);
  bool is_first = true;
  for (const Endpoint& endpoint : endpoints) {
    if (!std::exchange(is_first, false) && !given_up_) {
      co_await wait_until(attempts.reserve(std::chrono::steady_clock::now()));
    }
    if (given_up_) co_return false;
    const bool is_connected = co_await connect(endpoint, host);
    // Given up between a success and our hearing of it, it is none.
    if (is_connected) co_return !given_up_;
  }
  co_return false;
}

asio::awaitable<void> Dialer::wait_until(std::chrono::steady_clock::time_point at) {
  timer_.expires_at(at);
  (void)co_await timer_.async_wait(kAsResult);
}

void Dialer::give_up() {
  given_up_ = true;
  timer_.cancel();
  stream_.close();
}

bool Dialer::take(WireStream::Socket socket, const Endpoint& from) {
  given_up_ = false;
  const std::string peer = fmt::format("{}:{}", from.address().to_string(), from.port());
  if (!may_speak_plainly(from, peer)) return false;
  stream_.adopt(std::move(socket));
  stream_.set_options();
  tell_plain_text(from, peer);
  return true;
}

void Dialer::tell(std::string trouble) {
  if (!given_up_) on_trouble_(std::move(trouble));
}

// What is an address already needs no resolver.
asio::awaitable<std::vector<Dialer::Endpoint>> Dialer::find(const HostPort& host) {
  boost::system::error_code is_name;
  const asio::ip::address address = asio::ip::make_address(host.host, is_name);
  if (!is_name) co_return std::vector{Endpoint(address, host.port)};

  struct Search {
    bool is_awaited = true;
    boost::system::error_code error = asio::error::timed_out;
    std::vector<Endpoint> found{};
  };
  const auto search = std::make_shared<Search>();  // the answer may come when we have gone
  timer_.expires_after(patience_.look_up);
  look_up_(host,
           [this, search](const boost::system::error_code& error, std::vector<Endpoint> found) {
             if (!search->is_awaited) return;
             search->error = error;
             search->found = std::move(found);
             timer_.cancel();
           });
  // An answer that came before the wait began has not ended it.
  if (search->error == asio::error::timed_out) (void)co_await timer_.async_wait(kAsResult);
  search->is_awaited = false;
  if (search->error == asio::error::timed_out) {
    tell(
        fmt::format("{}: the name was not found in {}", text_of(host), text_of(patience_.look_up)));
  } else if (search->error) {
    tell(fmt::format("{}: {}", text_of(host), search->error.message()));
  }
  co_return std::move(search->found);
}

// The timer closes the socket, which ends what waits on it: nothing is raced.
void Dialer::close_when_late(std::chrono::milliseconds within) {
  timer_.expires_after(within);
  timer_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) stream_.close();
  });
}

asio::awaitable<bool> Dialer::connect(const Endpoint& endpoint, const HostPort& host) {
  if (!may_speak_plainly(endpoint, text_of(host))) co_return false;
  stream_.reset();
  close_when_late(patience_.connect);
  const auto [error] = co_await stream_.socket().async_connect(endpoint, kAsResult);
  timer_.cancel();
  if (error || !stream_.is_open()) {
    const bool was_late = !error || error == asio::error::operation_aborted;
    tell(fmt::format("{}: {}", text_of(host),
                     was_late ? "no answer in " + text_of(patience_.connect) : error.message()));
    co_return false;
  }
  stream_.set_options();
  if (!tls_) {
    tell_plain_text(endpoint, text_of(host));
    co_return true;
  }
  const bool is_proved = co_await begin_tls(host);
  co_return is_proved;
}

asio::awaitable<bool> Dialer::begin_tls(const HostPort& host) {
  renew_tls();
  close_when_late(patience_.tls);
  const auto refused = co_await stream_.begin_tls(tls_, host.host);
  timer_.cancel();
  // Closed by ourselves it is late, and what the handshake says of that is of no use. One that
  // succeeded before this coroutine heard of it has no refusal.
  const auto too_late = [this] {
    return fmt::format("tls: the handshake was not over in {}", text_of(patience_.tls));
  };
  const bool is_late = !stream_.is_open();
  if (!refused && !is_late) co_return true;
  tell(fmt::format("{}: {}", text_of(host), is_late ? too_late() : refused.value_or("")));
  stream_.close();
  co_return false;
}

// Certificates are renewed while we run: each connection goes by the files as they are now. While
// they do not fit together, as in the middle of a change, what was read before serves on.
void Dialer::renew_tls() {
  if (!tls_->is_outdated()) return;
  auto fresh = TlsContext::create(carrier_);
  if (!fresh) {
    tell(fmt::format("tls: the files have changed and cannot be used: {}", fresh.error()));
    return;
  }
  tls_ = std::move(*fresh);
  log::info("carrier {}: tls: the files have changed and were read again", carrier_.name);
}

// Plain text on a public network is for those who say that they want it.
bool Dialer::may_speak_plainly(const Endpoint& endpoint, const std::string& host) {
  if (tls_ || carrier_.tls.is_stated || is_private(endpoint.address())) return true;
  tell(fmt::format(
      "{}: not a private address: plain text there needs tls = false in the configuration", host));
  return false;
}

// Once for each carrier, so by its first bind.
void Dialer::tell_plain_text(const Endpoint& endpoint, const std::string& host) {
  if (!is_first_ || told_plain_text_) return;
  told_plain_text_ = true;
  if (is_private(endpoint.address())) {
    log::info("carrier {}: plain text (tls = false) to {}", carrier_.name, host);
  } else {
    log::warn(
        "carrier {}: plain text (tls = false) to {}, which is not a private address: messages and "
        "password can be read on the way",
        carrier_.name, host);
  }
}

}  // namespace stentor::daemon
