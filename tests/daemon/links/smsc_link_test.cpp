// A link and its SMSC on loopback, with an owner that has what the test says.
#include "daemon/links/smsc_link.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/daemon/delivery/loopback_smsc.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

class PlayedOwner final : public LinkOwner {
 public:
  void on_link_bound(SmscLink& /*link*/) override { ++bound; }
  void on_link_lost(SmscLink& /*link*/, LinkLoss how,
                    const std::vector<protocol::Session::Unanswered>& /*unanswered*/) override {
    ++lost;
    loss = how;
  }
  void on_submit_resp(SmscLink& /*link*/, std::uint64_t /*cookie*/,
                      protocol::CommandStatus /*status*/,
                      std::string_view /*message_id*/) override {}
  void on_deliver(SmscLink& /*link*/, std::uint32_t /*sequence_number*/,
                  const protocol::DeliverSm& /*deliver*/) override {}
  void on_link_stuck(SmscLink& /*link*/) override { ++stuck; }
  [[nodiscard]] bool has_work(const SmscLink& /*link*/) const override { return work; }
  void on_link_activity() override {}
  [[nodiscard]] bool may_read(const SmscLink& /*link*/) const override { return true; }

  bool work = false;
  int bound = 0;
  int lost = 0;
  LinkLoss loss = LinkLoss::lost;
  int stuck = 0;
};

class SmscLinkTest : public testing::Test {
 protected:
  explicit SmscLinkTest(std::vector<HostPort> other_hosts = {})
      : other_hosts_(std::move(other_hosts)) {}

  static CarrierConfig quick(std::uint16_t port, const std::vector<HostPort>& others) {
    CarrierConfig carrier;
    carrier.name = "north";
    carrier.hosts = {{"127.0.0.1", port}};
    carrier.hosts.insert(carrier.hosts.end(), others.begin(), others.end());
    carrier.enquire_link = 50ms;
    carrier.response_timeout = 200ms;
    return carrier;
  }
  /// Runs the loop until it is so.
  ::testing::AssertionResult run_until(const std::function<bool()>& is_so) {
    const auto patience = std::chrono::steady_clock::now() + 30s;
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > patience) {
        return ::testing::AssertionFailure() << "not within 30 s";
      }
      context_.run_for(1ms);
      context_.restart();
    }
    return ::testing::AssertionSuccess();
  }
  [[nodiscard]] std::string errors() const {
    std::string all;
    for (const LinkError& error : link_.errors()) all += error.what + "\n";
    return all;
  }

  std::vector<HostPort> other_hosts_;
  boost::asio::io_context context_;
  test::LoopbackSmsc smsc_{context_};
  CarrierConfig carrier_ = quick(smsc_.port(), other_hosts_);
  PlayedOwner owner_;
  SharedInbox inbox_;
  CarrierLinks shared_{.inbox = inbox_, .attempts = {}, .tls = {}, .trace = {}};
  SmscLink link_{context_, carrier_, 0, protocol::BindType::transceiver, owner_, shared_, 1};
};

// It says that it lives each time it is asked, and nothing goes: another bind, once.
TEST_F(SmscLinkTest, IsBoundAgainWhenWorkThatMayGoStaysWhereItIs) {
  owner_.work = true;
  link_.start();
  ASSERT_TRUE(run_until([&] { return owner_.lost == 1; }));
  EXPECT_GT(smsc_.enquired(), 0u);
  EXPECT_EQ(link_.stats().stuck, 1u);
  EXPECT_TRUE(errors().contains("stuck: bound, work waits that may go, and nothing moved"))
      << errors();
  EXPECT_EQ(owner_.stuck, 0) << "the carrier owes nothing";

  ASSERT_TRUE(run_until([&] { return owner_.bound == 2; }));
  // Asked every 50 ms: the 400 ms after which it would be left again pass.
  const std::size_t asked = smsc_.enquired();
  ASSERT_TRUE(run_until([&] { return smsc_.enquired() > asked + 12; }));
  EXPECT_EQ(owner_.lost, 1) << "a new bind did not help: the next one would not either";
  EXPECT_EQ(link_.stats().stuck, 1u);
}

TEST_F(SmscLinkTest, StaysBoundWhileNothingMayGo) {
  link_.start();
  ASSERT_TRUE(run_until([&] { return smsc_.enquired() > 12; }));
  EXPECT_EQ(owner_.lost, 0);
  EXPECT_EQ(link_.stats().stuck, 0u);
}

TEST_F(SmscLinkTest, SaysWhyNoAnswerCame) {
  link_.start();
  ASSERT_TRUE(run_until([&] { return owner_.bound == 1; }));
  ASSERT_TRUE(link_.session().submit({}, 0, std::chrono::steady_clock::now()));
  link_.flush();
  ASSERT_TRUE(run_until([&] { return owner_.lost == 1; }));
  EXPECT_EQ(owner_.loss, LinkLoss::timed_out) << "it says that it lives, and no more";

  ASSERT_TRUE(run_until([&] { return owner_.bound == 2; }));
  smsc_.drop();
  ASSERT_TRUE(run_until([&] { return owner_.lost == 2; }));
  EXPECT_EQ(owner_.loss, LinkLoss::lost);

  ASSERT_TRUE(run_until([&] { return owner_.bound == 3; }));
  link_.stop();
  ASSERT_TRUE(run_until([&] { return owner_.lost == 3; }));
  EXPECT_EQ(owner_.loss, LinkLoss::stopped);
}

TEST_F(SmscLinkTest, ARefusedAccountStaysOneWhateverTheStatusMeansOfASubmit) {
  smsc_.answer_binds(protocol::CommandStatus::bind_failed);
  carrier_.status = {{.command_status = 0x0d, .is = StatusClass::temporary, .code = {}}};
  link_.start();
  ASSERT_TRUE(run_until([&] { return owner_.lost == 1; }));
  EXPECT_TRUE(link_.credentials_refused()) << "the alarm, and a slow pause";
}

// An outbind comes while a bind of ours waits for its turn.
TEST_F(SmscLinkTest, AnOutbindTakesATurnOfItsOwn) {
  const AttemptLimiter::TimePoint long_ago{};
  (void)shared_.attempts.reserve(std::chrono::steady_clock::now() + 1h);
  link_.start();
  context_.poll();
  boost::asio::ip::tcp::socket socket(context_);
  socket.connect({boost::asio::ip::address_v4::loopback(), smsc_.port()});
  ASSERT_TRUE(link_.offer(socket));
  ASSERT_TRUE(run_until([&] { return owner_.bound == 1; }));
  EXPECT_GT(AttemptLimiter(shared_.outbinds).reserve(long_ago), long_ago);
}

class InactiveLinkTest : public SmscLinkTest {
 protected:
  InactiveLinkTest() : SmscLinkTest({{"127.0.0.1", 1}}) {  // nobody's
    carrier_.inactivity = 300ms;
  }
};

TEST_F(InactiveLinkTest, BindsAnewWhenNoMessagePassed) {
  link_.start();
  ASSERT_TRUE(run_until([&] { return owner_.bound == 2; }));
  EXPECT_EQ(owner_.lost, 1);
  EXPECT_EQ(owner_.stuck, 0) << "nobody is to blame";
  EXPECT_EQ(errors().find("refused"), std::string::npos) << "it is not left for the next host";
  EXPECT_EQ(link_.stats().stuck, 0u);
}

}  // namespace
}  // namespace stentor::daemon
