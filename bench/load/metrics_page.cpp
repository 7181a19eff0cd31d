#include "bench/load/metrics_page.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <system_error>

namespace stentor::load {
namespace {

double number_of(std::string_view text) {
  if (text.starts_with("+Inf")) return std::numeric_limits<double>::infinity();
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

// Calls `each` with the labels and the value of every sample of that name.
template <class Each>
void MetricsPage::for_each_sample(std::string_view name, Each&& each) const {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!line.starts_with(name) || line.size() == name.size()) continue;
    const char next = line[name.size()];
    if (next != '{' && next != ' ') continue;
    const std::size_t space = next == ' ' ? name.size() : line.find("} ") + 1;
    if (space == 0 || space >= line.size()) continue;
    each(line.substr(name.size(), space - name.size()), number_of(line.substr(space + 1)));
  }
}

std::optional<double> MetricsPage::sum(std::string_view name) const {
  std::optional<double> total;
  for_each_sample(name, [&](std::string_view, double value) { total = total.value_or(0) + value; });
  return total;
}

std::optional<double> MetricsPage::quantile(std::string_view name, double share) const {
  std::map<double, double> cumulative;  // by the bucket's upper end
  for_each_sample(std::string(name) + "_bucket", [&](std::string_view labels, double value) {
    constexpr std::string_view kUpperEnd = "le=\"";
    const std::size_t at = labels.find(kUpperEnd);
    if (at != std::string_view::npos) {
      cumulative[number_of(labels.substr(at + kUpperEnd.size()))] += value;
    }
  });
  if (cumulative.empty() || cumulative.rbegin()->second <= 0) return std::nullopt;
  const double rank = share * cumulative.rbegin()->second;
  double lower_end = 0;
  double below = 0;
  for (const auto& [upper_end, count] : cumulative) {
    if (count >= rank) {
      if (upper_end == std::numeric_limits<double>::infinity()) return lower_end;
      return lower_end + (upper_end - lower_end) * (rank - below) / (count - below);
    }
    lower_end = upper_end;
    below = count;
  }
  return lower_end;
}

std::expected<std::string, std::string> http_get(std::uint16_t port, const std::string& path) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval within{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &within, sizeof within);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
  std::string answer;
  bool is_read = false;
  if (socket >= 0 &&
      ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size())) {
    std::array<char, 65536> octets;
    for (ssize_t count = 1; count > 0;) {
      count = ::recv(socket, octets.data(), octets.size(), 0);
      if (count > 0) answer.append(octets.data(), static_cast<std::size_t>(count));
      is_read = count == 0;
    }
  }
  const int error = errno;
  ::close(socket);
  if (!is_read) return std::unexpected(path + ": " + std::generic_category().message(error));
  const std::size_t body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 200") || body == std::string::npos) {
    return std::unexpected(path + ": " + answer.substr(0, answer.find('\r')));
  }
  return answer.substr(body + 4);
}

}  // namespace stentor::load
