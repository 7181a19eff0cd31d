#include "daemon/ctl/live_screen.h"

#include <poll.h>
#include <signal.h>  // sigaction and sig_atomic_t
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "daemon/ctl/shown.h"

namespace stentor::ctl {
namespace {

volatile sig_atomic_t leave = 0;  // set by the handler, read between pictures

void on_signal(int /*number*/) {
  leave = 1;
}

void handle(void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;  // no SA_RESTART: poll() shall end at once
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

void put(std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, octets.data(), octets.size());
    if (count < 0 && errno != EINTR) return;
    if (count > 0) octets.remove_prefix(static_cast<std::size_t>(count));
  }
}

struct Size {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

Size size_of_terminal() {
  winsize asked{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &asked) != 0 || asked.ws_row == 0 || asked.ws_col == 0) {
    return {};
  }
  return {.rows = asked.ws_row, .columns = asked.ws_col};
}

}  // namespace

LiveScreen::LiveScreen() {
  leave = 0;
  handle(on_signal);
  has_settings_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
  if (has_settings_) {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  put("\x1b[?1049h\x1b[?25l");  // the other screen, no cursor
}

LiveScreen::~LiveScreen() {
  put("\x1b[?25h\x1b[?1049l");
  if (has_settings_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  handle(SIG_DFL);
}

void LiveScreen::draw(const std::vector<std::string>& lines) const {
  const Size size = size_of_terminal();
  std::string picture = "\x1b[H";  // home; each line wipes its own rest, so nothing flickers
  const std::size_t count = std::min(lines.size(), size.rows - 1);
  for (std::size_t i = 0; i < count; ++i) {
    picture.append(cut(lines[i], size.columns)).append("\x1b[K\n");
  }
  picture.append("\x1b[J").append(cut("q leaves", size.columns));
  put(picture);
}

bool LiveScreen::rest(std::chrono::milliseconds interval) {
  using std::chrono::steady_clock;
  const auto until = steady_clock::now() + interval;
  pollfd keys{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  nfds_t watched = 1;
  while (leave == 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now());
    if (left.count() <= 0) return true;
    if (::poll(&keys, watched, static_cast<int>(left.count())) <= 0) continue;
    std::array<char, 64> typed;
    const ssize_t count = ::read(STDIN_FILENO, typed.data(), typed.size());
    if (count <= 0) {
      watched = 0;  // no keys here: a closed standard input would be ready for ever
      continue;
    }
    const std::string_view text(typed.data(), static_cast<std::size_t>(count));
    if (text.find_first_of("qQ") != std::string_view::npos) return false;
  }
  return false;
}

}  // namespace stentor::ctl
