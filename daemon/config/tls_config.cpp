#include "daemon/config/tls_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>

#include "daemon/config/file_text.h"
#include "daemon/links/private_address.h"

namespace stentor::daemon::config_file {
namespace {

constexpr std::size_t kPathOctets = 4096;     // PATH_MAX
constexpr std::size_t kPemOctets = 4u << 20;  // a system's whole bundle of authorities is 200 KiB
constexpr std::size_t kPinsMax = 8;           // one, and some for the next change of keys
constexpr std::size_t kPinCharacters = 44;    // SHA-256 in base64

void read_file_name(Section& section, std::string_view key, std::string& path) {
  section.text(key, path, kPathOctets);
  if (path.empty()) return;
  const auto file = read_file_text(path, kPemOctets);
  if (!file) {
    section.mistake(key, fmt::format("cannot read {}: {}", path, file.error().message()));
  } else if (key == "key" && file->open_to_others) {
    section.mistake(key, fmt::format("{0} is readable by others (mode {1:04o}); chmod 600 {0}",
                                     path, file->mode));
  }
}

bool is_pin(std::string_view text) {
  const auto is_base64 = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  };
  return text.size() == kPinCharacters && text.ends_with('=') &&
         std::ranges::all_of(text.substr(0, kPinCharacters - 1), is_base64);
}

}  // namespace

void read_tls(Section& section, TlsConfig& tls) {
  section.flag("tls", tls.enabled);
  tls.is_stated = section.find("tls") != nullptr;
  read_file_name(section, "ca", tls.ca);
  read_file_name(section, "cert", tls.cert);
  read_file_name(section, "key", tls.key);
  const Value* pin = section.find("pin");
  if (pin != nullptr && std::holds_alternative<std::string>(pin->is)) {
    tls.pins = {std::get<std::string>(pin->is)};
  } else {
    section.texts("pin", tls.pins);
  }
  if (!std::ranges::all_of(tls.pins, is_pin)) {
    section.mistake("pin",
                    "must be the SHA-256 of the carrier's public key in base64, 44 characters");
  } else if (tls.pins.size() > kPinsMax) {
    section.mistake("pin", fmt::format("may name at most {}", kPinsMax));
  }
  if (tls.cert.empty() != tls.key.empty()) {
    section.mistake(tls.cert.empty() ? "key" : "cert", "cert and key go together");
  }
  if (tls.enabled) return;
  for (const std::string_view needs_it : {"ca", "cert", "key", "pin"}) {
    if (section.find(needs_it) != nullptr) section.mistake(needs_it, "goes with tls = true only");
  }
}

void check_plain_text(Section& section, const std::vector<HostPort>& hosts, const TlsConfig& tls) {
  if (tls.is_stated) return;
  for (const HostPort& host : hosts) {
    boost::system::error_code is_name;
    const auto address = boost::asio::ip::make_address(host.host, is_name);
    if (is_name || is_private(address)) continue;
    return section.mistake(
        "hosts", fmt::format("{} is not a private address: say tls = true, or tls = false for "
                             "plain text that can be read on the way",
                             host.host));
  }
}

}  // namespace stentor::daemon::config_file
