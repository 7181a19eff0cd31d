#include "daemon/control/systemd_notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/temporary_directory.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

// A datagram socket in systemd's place. `name` as in $NOTIFY_SOCKET.
class FakeSystemd {
 public:
  explicit FakeSystemd(std::string_view name) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, name.data(), name.size());
    if (name.front() == '@') at.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(fd_, std::bit_cast<const sockaddr*>(&at), size), 0);
  }
  FakeSystemd(const FakeSystemd&) = delete;
  FakeSystemd& operator=(const FakeSystemd&) = delete;
  ~FakeSystemd() { ::close(fd_); }

  // Nothing is waited for: a datagram sent is a datagram here.
  std::string heard() {
    std::array<char, 4096> buffer;
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    return count < 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(count));
  }

 private:
  int fd_;
};

struct Directory : stentor::test::TemporaryDirectory {
  [[nodiscard]] std::string file(std::string_view name) const { return (path() / name).string(); }
};

TEST(SystemdNotify, SaysEachThingInSystemdsWords) {
  const Directory directory;
  FakeSystemd systemd(directory.file("notify"));
  SystemdNotify notify({.notify_socket = directory.file("notify")});

  EXPECT_TRUE(notify.is_wanted());
  EXPECT_FALSE(notify.ready("1 carrier"));
  EXPECT_EQ(systemd.heard(), "READY=1\nSTATUS=1 carrier");
  EXPECT_FALSE(notify.status("accepted 5"));
  EXPECT_EQ(systemd.heard(), "STATUS=accepted 5");
  EXPECT_FALSE(notify.watchdog());
  EXPECT_EQ(systemd.heard(), "WATCHDOG=1");
  EXPECT_FALSE(notify.extend_timeout(30s));
  EXPECT_EQ(systemd.heard(), "EXTEND_TIMEOUT_USEC=30000000");
  EXPECT_FALSE(notify.stopping("draining"));
  EXPECT_EQ(systemd.heard(), "STOPPING=1\nSTATUS=draining");
}

TEST(SystemdNotify, ReachesAnAbstractSocket) {
  const std::string name = "@stentor-test-" + std::to_string(::getpid());
  FakeSystemd systemd(name);
  SystemdNotify notify({.notify_socket = name});

  EXPECT_FALSE(notify.ready(""));
  EXPECT_EQ(systemd.heard(), "READY=1\nSTATUS=");
}

TEST(SystemdNotify, AStatusStaysOneLine) {
  const Directory directory;
  FakeSystemd systemd(directory.file("notify"));
  SystemdNotify notify({.notify_socket = directory.file("notify")});

  EXPECT_FALSE(notify.status("a\nREADY=1"));
  EXPECT_EQ(systemd.heard(), "STATUS=a READY=1");
}

TEST(SystemdNotify, DoesNothingWhenNobodyListens) {
  SystemdNotify notify({});

  EXPECT_FALSE(notify.is_wanted());
  EXPECT_FALSE(notify.ready("x"));
  EXPECT_FALSE(notify.watchdog_interval());
}

TEST(SystemdNotify, SaysWhatIsWrongWithTheAddress) {
  const Directory directory;
  EXPECT_EQ(SystemdNotify({.notify_socket = directory.file("absent")}).ready(""),
            std::errc::no_such_file_or_directory);
  EXPECT_EQ(SystemdNotify({.notify_socket = "/" + std::string(107, 'x')}).ready(""),
            std::errc::filename_too_long);
  EXPECT_EQ(SystemdNotify({.notify_socket = "vsock:2:1"}).ready(""),
            std::errc::address_family_not_supported);
}

TEST(SystemdNotify, PingsTwiceInTheTimeSystemdWaits) {
  const std::string us = std::to_string(::getpid());
  EXPECT_EQ(SystemdNotify({.watchdog_usec = "10000000", .watchdog_pid = us}).watchdog_interval(),
            5s);
  EXPECT_EQ(SystemdNotify({.watchdog_usec = "10000000"}).watchdog_interval(), 5s);
  EXPECT_FALSE(
      SystemdNotify({.watchdog_usec = "10000000", .watchdog_pid = "1"}).watchdog_interval());
  EXPECT_FALSE(SystemdNotify({.watchdog_usec = "0"}).watchdog_interval());
  EXPECT_FALSE(SystemdNotify({.watchdog_usec = "10s"}).watchdog_interval());
}

// Puts a socket where systemd would have put it, and whatever was there back afterwards.
class AtDescriptorThree {
 public:
  explicit AtDescriptorThree(int fd) : saved_(::dup(3)) {
    ::dup2(fd, 3);
    if (fd != 3) ::close(fd);
  }
  AtDescriptorThree(const AtDescriptorThree&) = delete;
  AtDescriptorThree& operator=(const AtDescriptorThree&) = delete;
  ~AtDescriptorThree() {
    if (saved_ >= 0) {
      ::dup2(saved_, 3);
      ::close(saved_);
    } else {
      ::close(3);
    }
  }

 private:
  int saved_;
};

int unix_socket(const std::string& path, int type, bool listening) {
  const int fd = ::socket(AF_UNIX, type, 0);
  if (fd < 0) throw std::runtime_error("no socket to test with");
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::memcpy(at.sun_path, path.data(), path.size());
  EXPECT_EQ(::bind(fd, std::bit_cast<const sockaddr*>(&at), sizeof at), 0);
  if (listening) {
    EXPECT_EQ(::listen(fd, 1), 0);
  }
  return fd;
}

SystemdEnvironment passing(std::string_view count) {
  return {.listen_fds = std::string(count), .listen_pid = std::to_string(::getpid())};
}

TEST(InheritedListener, IsTheOneThatSystemdListensOn) {
  const Directory directory;
  const AtDescriptorThree three(unix_socket(directory.file("s"), SOCK_STREAM, true));

  EXPECT_EQ(inherited_listener(passing("1")), 3);
}

TEST(InheritedListener, IsNoneWhenNoneWasPassedOrItWasForAnother) {
  EXPECT_EQ(inherited_listener({}), std::nullopt);
  EXPECT_EQ(inherited_listener(passing("0")), std::nullopt);
  EXPECT_EQ(inherited_listener({.listen_fds = "1", .listen_pid = "1"}), std::nullopt);
}

TEST(InheritedListener, RefusesWhatIsNotOneListeningStreamSocket) {
  const Directory directory;
  const auto refused = std::unexpected(make_error_code(std::errc::invalid_argument));
  EXPECT_EQ(inherited_listener(passing("2")), refused);
  EXPECT_EQ(inherited_listener(passing("x")), refused);
  {
    const AtDescriptorThree three(unix_socket(directory.file("d"), SOCK_DGRAM, false));
    EXPECT_EQ(inherited_listener(passing("1")), refused);
  }
  const AtDescriptorThree three(unix_socket(directory.file("s"), SOCK_STREAM, false));
  EXPECT_EQ(inherited_listener(passing("1")), refused);
}

}  // namespace
}  // namespace stentor::daemon
