#include "daemon/config/url_check.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace stentor::daemon {
namespace {

constexpr std::array<std::string_view, 7> kPlaces = {"client", "campaign", "type", "id",
                                                     "ref",    "to",       "from"};

std::string usual_form(const in_addr& address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  return inet_ntop(AF_INET, &address, text.data(), text.size());
}

// One that stands for an IPv4 address is that host.
std::string usual_form(const in6_addr& address) {
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    in_addr mapped{};
    std::copy_n(address.s6_addr + 12, sizeof mapped.s_addr,
                reinterpret_cast<std::uint8_t*>(&mapped.s_addr));
    return usual_form(mapped);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  return "[" + std::string(inet_ntop(AF_INET6, &address, text.data(), text.size())) + "]";
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::optional<std::string> check_url_template(std::string_view url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return "must begin with https:// or http://";
  }
  const std::string origin = origin_of(url);
  if (origin.ends_with("://")) return "names no host";
  if (origin.find_first_of("{}@") != std::string::npos) {
    return "its host must be written out, without user and places";
  }
  if (origin.find('%') != std::string::npos) return "has a percent sign in its host";
  if (std::ranges::any_of(url, [](char c) { return (c >= 0 && c <= ' ') || c == 0x7f; })) {
    return "has a space or a control character";
  }
  for (std::size_t at = 0; (at = url.find_first_of("{}", at)) != std::string_view::npos;) {
    const auto end = url.find('}', at);
    if (url[at] == '}' || end == std::string_view::npos)
      return "has a brace without its other half";
    const std::string_view place = url.substr(at + 1, end - at - 1);
    if (std::ranges::find(kPlaces, place) == kPlaces.end()) {
      return "{" + std::string(place) +
             "} is none of {client} {campaign} {type} {id} {ref} {to} {from}";
    }
    at = end + 1;
  }
  return std::nullopt;
}

std::string origin_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  const std::size_t host = scheme + 3;
  std::string origin(url.substr(0, url.find_first_of("/?#", host)));
  for (char& c : origin) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  std::string port;
  const auto colon = origin.rfind(':');
  const bool is_in_brackets = origin.find(']', host) != std::string::npos &&
                              origin.rfind(']') > colon;  // an IPv6 address without a port
  if (colon >= host && !is_in_brackets) {
    port = origin.substr(colon + 1);
    port.erase(0, port.find_first_not_of('0'));
    origin.resize(colon);
  }
  if (origin.size() > host && origin.ends_with('.')) origin.pop_back();
  const std::string_view own = origin.starts_with("https:") ? "443" : "80";
  if (!port.empty() && port != own) origin.append(":").append(port);
  return origin;
}

std::string host_of_origin(std::string_view origin) {
  const auto scheme = origin.find("://");
  if (scheme != std::string_view::npos) origin.remove_prefix(scheme + 3);
  const auto bracket = origin.find(']');
  if (bracket != std::string_view::npos) {
    std::string host(origin.substr(0, bracket + 1));
    in6_addr address{};
    const std::string inside = host.substr(1, host.size() - 2);
    return inet_pton(AF_INET6, inside.c_str(), &address) == 1 ? usual_form(address) : host;
  }
  std::string host(origin.substr(0, origin.find(':')));
  in_addr address{};
  // An HTTP client takes what inet_aton() does; no name of the DNS begins its last label so.
  const bool may_be_address = !host.empty() && is_digit(host[host.rfind('.') + 1]);
  return may_be_address && inet_aton(host.c_str(), &address) != 0 ? usual_form(address) : host;
}

}  // namespace stentor::daemon
