#include "daemon/ingress/peer.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace stentor::daemon {
namespace {

// Both ends are this process: who asks is whoever runs the test.
class PeerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()), 0);
    const passwd* entry = ::getpwuid(::geteuid());
    if (entry == nullptr) GTEST_SKIP() << "this user has no name";
    me_ = entry->pw_name;
  }
  void TearDown() override {
    for (const int end : ends_) ::close(end);
  }

  void add_client(std::string name, std::vector<std::string> users) {
    ClientConfig client;
    client.name = std::move(name);
    client.users = std::move(users);
    client.may_submit = true;
    config_.clients.push_back(std::move(client));
  }
  [[nodiscard]] Peer identify() const { return identify_peer(ends_[0], config_, ids_); }

  std::array<int, 2> ends_{-1, -1};
  std::string me_;
  Config config_;
  IdMaps ids_{.users = IdMap("0 0 4294967295"), .groups = IdMap("0 0 4294967295")};
};

TEST_F(PeerTest, IsItsUserWhereNoClientsAreConfigured) {
  const Peer peer = identify();
  EXPECT_EQ(peer.client, me_);
  EXPECT_TRUE(peer.is_client);
  EXPECT_TRUE(peer.may_submit);
  EXPECT_TRUE(peer.is_admin);
}

TEST_F(PeerTest, IsTheClientThatListsItsUser) {
  add_client("other", {"nobody-of-this-name"});
  add_client("mine", {me_});
  const Peer peer = identify();
  EXPECT_EQ(peer.client, "mine");
  EXPECT_TRUE(peer.is_client);
  EXPECT_TRUE(peer.may_submit);
  EXPECT_EQ(peer.config, &config_.clients[1]);
}

TEST_F(PeerTest, IsNotTheClientThatMerelyHasItsUsersName) {
  add_client(me_, {"nobody-of-this-name"});
  const Peer peer = identify();
  EXPECT_EQ(peer.client, "uid:" + std::to_string(::geteuid()));
  EXPECT_FALSE(peer.is_client);
  EXPECT_FALSE(peer.may_submit || peer.may_observe || peer.is_admin);
  EXPECT_EQ(peer.config, nullptr);
}

TEST_F(PeerTest, IsNobodyWhereItsUserCannotBeToldFromOthers) {
  ids_.users = IdMap(std::to_string(::geteuid() + 1) + " 0 1");
  const auto is_nobody = [this] {
    const Peer peer = identify();
    return !peer.is_client && !peer.may_submit && !peer.may_observe && !peer.is_admin &&
           peer.config == nullptr && peer.client.contains(':');
  };
  EXPECT_TRUE(is_nobody()) << "not even where whoever connects may send";
  add_client("mine", {me_});
  EXPECT_TRUE(is_nobody()) << "not even where its name is listed";
  EXPECT_FALSE(knows_itself(ids_));
}

TEST_F(PeerTest, KnowsItselfWhereItsUserIsMapped) {
  EXPECT_TRUE(knows_itself(ids_));
}

}  // namespace
}  // namespace stentor::daemon
