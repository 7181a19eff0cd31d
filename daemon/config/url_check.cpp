#include "daemon/config/url_check.h"

#include <algorithm>
#include <array>

namespace stentor::daemon {
namespace {

constexpr std::array<std::string_view, 7> kPlaces = {"client", "campaign", "type", "id",
                                                     "ref",    "to",       "from"};

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

std::string_view host_of_origin(std::string_view origin) {
  const auto scheme = origin.find("://");
  if (scheme != std::string_view::npos) origin.remove_prefix(scheme + 3);
  const auto bracket = origin.find(']');
  if (bracket != std::string_view::npos) return origin.substr(0, bracket + 1);
  return origin.substr(0, origin.find(':'));
}

}  // namespace stentor::daemon
