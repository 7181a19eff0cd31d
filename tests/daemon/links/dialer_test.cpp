// Dialling against sockets on loopback and name servers that the test plays.
#include "daemon/links/dialer.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <optional>

namespace stentor::daemon {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using namespace std::chrono_literals;

class DialerTest : public testing::Test {
 protected:
  // What a dial waits for here comes without any waiting, or never.
  static constexpr Dialer::Patience kPatience{.look_up = 1ms, .connect = 1min, .tls = 1min};

  std::unique_ptr<Dialer> dialer(Dialer::LookUp look_up, Dialer::Patience patience = kPatience) {
    return std::make_unique<Dialer>(
        context_, carrier_, tls_, stream_, true,
        [this](std::string trouble) { troubles_.push_back(std::move(trouble)); },
        std::move(look_up), patience);
  }

  void begin(Dialer& dialer, const HostPort& host) {
    result_.reset();
    asio::co_spawn(context_, dialer.dial(host, attempts_),
                   [this](std::exception_ptr, bool is_connected) { result_ = is_connected; });
  }

  /// True when it connected; runs until the dial is over.
  bool dial(Dialer& dialer, const HostPort& host) {
    begin(dialer, host);
    context_.restart();
    while (!result_ && context_.run_one() > 0) {
    }
    return result_.value_or(false);
  }

  [[nodiscard]] HostPort here(std::string host = "127.0.0.1") const {
    return {.host = std::move(host), .port = acceptor_.local_endpoint().port()};
  }

  Dialer::LookUp finds_us() {
    return [this](const HostPort&, const Dialer::OnFound& on_found) {
      is_looking_up_ = true;
      asio::post(context_, [this, on_found] { on_found({}, {acceptor_.local_endpoint()}); });
    };
  }

  asio::io_context context_;
  tcp::acceptor acceptor_{context_, {asio::ip::address_v4::loopback(), 0}};
  CarrierConfig carrier_;
  std::shared_ptr<TlsContext> tls_;
  SharedInbox inbox_;
  WireStream stream_{context_, inbox_};
  std::vector<std::string> troubles_;
  AttemptLimiter attempts_;
  std::optional<bool> result_;
  bool is_looking_up_ = false;
};

const Dialer::LookUp kNeverAnswers = [](const HostPort&, const Dialer::OnFound&) {};

TEST_F(DialerTest, AnAddressAsksNoNameServer) {
  bool was_asked = false;
  const auto dialer =
      this->dialer([&](const HostPort&, const Dialer::OnFound&) { was_asked = true; });
  EXPECT_TRUE(dial(*dialer, here()));
  EXPECT_FALSE(was_asked);
  EXPECT_TRUE(troubles_.empty());
}

TEST_F(DialerTest, ANameIsConnectedAtTheFirstAddressThatTakesUs) {
  tcp::acceptor closed(context_, {asio::ip::address_v4::loopback(), 0});
  const auto nobody = closed.local_endpoint();
  closed.close();
  const auto dialer = this->dialer([&](const HostPort&, const Dialer::OnFound& on_found) {
    on_found({}, {nobody, acceptor_.local_endpoint()});
  });
  EXPECT_TRUE(dial(*dialer, here("smsc.example")));
  EXPECT_EQ(stream_.socket().remote_endpoint(), acceptor_.local_endpoint());
  ASSERT_EQ(troubles_.size(), 1u) << "the address that did not";
  EXPECT_TRUE(troubles_.front().starts_with("smsc.example:")) << troubles_.front();
}

TEST_F(DialerTest, ThisMachinesOwnResolverIsAskedBesideTheThread) {
  Dialer dialer(context_, carrier_, tls_, stream_, true,
                [this](std::string trouble) { troubles_.push_back(std::move(trouble)); });
  EXPECT_TRUE(dial(dialer, here("localhost")));
  EXPECT_FALSE(dial(dialer, here("no-such-host.invalid"))) << "RFC 6761: there is none";
  ASSERT_FALSE(troubles_.empty());
  EXPECT_TRUE(troubles_.back().starts_with("no-such-host.invalid:")) << troubles_.back();
}

TEST_F(DialerTest, ANameServerThatNeverAnswersIsGivenUp) {
  const auto dialer = this->dialer(kNeverAnswers);
  EXPECT_FALSE(dial(*dialer, {.host = "smsc.example", .port = 2775}));
  EXPECT_EQ(troubles_,
            std::vector<std::string>{"smsc.example:2775: the name was not found in 0.001 s"});
}

TEST_F(DialerTest, AnAnswerThatComesAfterItsTimeIsOfNoEffect) {
  Dialer::OnFound late;
  const auto dialer =
      this->dialer([&](const HostPort&, Dialer::OnFound on_found) { late = std::move(on_found); });
  EXPECT_FALSE(dial(*dialer, here("smsc.example")));
  late({}, {acceptor_.local_endpoint()});
  EXPECT_FALSE(stream_.is_open());
  EXPECT_TRUE(dial(*dialer, here())) << "and the next dial is whole";
}

TEST_F(DialerTest, ANameThatIsNotThereIsToldInWords) {
  const auto dialer = this->dialer([](const HostPort&, const Dialer::OnFound& on_found) {
    on_found(asio::error::host_not_found, {});
  });
  EXPECT_FALSE(dial(*dialer, {.host = "smsc.example", .port = 2775}));
  ASSERT_EQ(troubles_.size(), 1u);
  EXPECT_TRUE(troubles_.front().starts_with("smsc.example:2775: Host not found"))
      << troubles_.front();
}

TEST_F(DialerTest, EachFurtherAddressTakesATurnOfItsCarrier) {
  const auto finds = [this](std::size_t closed) {
    return [this, closed](const HostPort&, const Dialer::OnFound& on_found) {
      const tcp::acceptor gone(context_, {asio::ip::address_v4::loopback(), 0});
      std::vector<Dialer::Endpoint> found(closed, gone.local_endpoint());
      found.push_back(acceptor_.local_endpoint());
      asio::post(context_, [on_found, found] { on_found({}, found); });
    };
  };
  constexpr Dialer::Patience kPatient{.look_up = 1min, .connect = 1min, .tls = 1min};
  const AttemptLimiter::TimePoint long_ago{};
  EXPECT_TRUE(dial(*dialer(finds(0), kPatient), here("smsc.example")));
  EXPECT_EQ(AttemptLimiter(attempts_).reserve(long_ago), long_ago) << "the first has its own";
  EXPECT_TRUE(dial(*dialer(finds(1), kPatient), here("smsc.example")));
  EXPECT_GT(attempts_.reserve(long_ago), long_ago);
}

TEST_F(DialerTest, PlainTextGoesToNoPublicAddressUnlessThatIsStated) {
  const auto dialer = this->dialer(kNeverAnswers);
  EXPECT_FALSE(dial(*dialer, {.host = "192.0.2.1", .port = 2775}));
  ASSERT_EQ(troubles_.size(), 1u);
  EXPECT_NE(troubles_.front().find("not a private address"), std::string::npos);
  EXPECT_FALSE(stream_.is_open());
}

// A stop or an outbind may come between any two steps, also between a success and its being heard.
TEST_F(DialerTest, GivenUpAfterAnyNumberOfStepsItHasNoConnectionAndSaysNothing) {
  const auto dialer = this->dialer(finds_us(), {.look_up = 1min, .connect = 1min, .tls = 1min});
  const HostPort host = here("smsc.example");
  int steps = 0;
  for (bool was_over = false; !was_over; ++steps) {
    ASSERT_LT(steps, 1000) << "a dial ends";
    begin(*dialer, host);
    context_.restart();
    is_looking_up_ = false;
    while (!is_looking_up_) context_.run_one();  // now it is on its way
    for (int i = 0; i < steps && !result_; ++i) context_.run_one();
    was_over = result_.has_value();
    if (was_over) continue;
    dialer->give_up();
    while (!result_ && context_.run_one() > 0) {
    }
    EXPECT_EQ(result_, false) << "after " << steps << " steps";
    EXPECT_TRUE(dialer->was_given_up());
    EXPECT_FALSE(stream_.is_open());
  }
  EXPECT_EQ(result_, true) << "not given up it connects";
  EXPECT_GT(steps, 2);
  EXPECT_TRUE(troubles_.empty());
}

}  // namespace
}  // namespace stentor::daemon
