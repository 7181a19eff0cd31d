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
  const std::string_view origin = origin_of(url);
  if (origin.ends_with("://")) return "names no host";
  if (origin.find_first_of("{}@") != std::string_view::npos) {
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

std::string_view origin_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return url;
  return url.substr(0, url.find_first_of("/?#", scheme + 3));
}

}  // namespace stentor::daemon
