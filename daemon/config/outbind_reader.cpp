#include "daemon/config/outbind_reader.h"

#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>

#include "daemon/config/network_text.h"
#include "daemon/config/password_reader.h"
#include "daemon/config/units.h"

namespace stentor::daemon::config_file {
namespace {

constexpr std::size_t kListenOctets = 64;  // an IPv6 address in brackets, and a port
constexpr std::size_t kNetworksMax = 16;   // as many as hosts; searched for each connection

bool is_address(const std::string& text) {
  boost::system::error_code is_none;
  (void)boost::asio::ip::make_address(text, is_none);
  return !is_none;
}

void read_listen(Section& table, std::string& listen) {
  table.text("listen", listen, kListenOctets);
  if (table.find("listen") == nullptr) {
    return table.mistake("", "needs listen, such as listen = \"127.0.0.1:2776\"");
  }
  if (table.has_mistake("listen")) return;
  const auto parsed = parse_host_port(listen);
  if (parsed && is_address(parsed->host)) return;
  table.mistake("listen", fmt::format("\"{}\" is not address:port with a port of 1 to 65535; an "
                                      "IPv6 address stands in brackets",
                                      listen));
}

// What an outbind must say; "" would look like a check and be none.
constexpr std::string_view kEmpty = "is empty; leave it out to take any";

void read_system_id(Section& table, std::string& system_id) {
  table.text("system_id", system_id, kSystemIdOctets);
  if (table.find("system_id") == nullptr || table.has_mistake("system_id")) return;
  if (system_id.empty()) table.mistake("system_id", std::string(kEmpty));
  if (system_id.contains('\0')) table.mistake("system_id", "contains a NUL");
}

void read_its_password(Section& table, const SecretSources& secrets, const std::string& carrier,
                       std::string& password) {
  const std::string credential = carrier.empty() ? "" : carrier + ".outbind_password";
  const PasswordFound found = read_password(table, secrets, credential, password);
  if (found == PasswordFound::taken && password.empty()) {
    table.mistake("", fmt::format("its password {}", kEmpty));
  }
}

void read_allow(Section& table, const std::vector<HostPort>& hosts, OutbindConfig& outbind) {
  if (table.find("allow") == nullptr) {
    for (const HostPort& host : hosts) {
      const auto address = parse_network(host.host);
      if (!address) {
        return table.mistake("", fmt::format("{} in hosts is a name, not an address: say in allow "
                                             "which addresses may connect",
                                             host.host));
      }
      outbind.allow.push_back(*address);
      outbind.allow_text.push_back(host.host);
    }
    return;
  }
  table.texts("allow", outbind.allow_text);
  if (table.has_mistake("allow")) return;
  if (outbind.allow_text.empty()) return table.mistake("allow", "names nobody");
  if (outbind.allow_text.size() > kNetworksMax) {
    return table.mistake("allow", fmt::format("may name at most {}", kNetworksMax));
  }
  for (const std::string& text : outbind.allow_text) {
    if (const auto network = parse_network(text)) {
      outbind.allow.push_back(*network);
    } else {
      table.mistake("allow", fmt::format("\"{}\" is no network such as 10.0.0.0/8", text));
    }
  }
}

}  // namespace

void read_outbind(Section& section, const SecretSources& secrets, CarrierConfig& carrier) {
  auto table = section.table("outbind", "outbind");
  if (!table) return;
  OutbindConfig outbind;
  read_listen(*table, outbind.listen);
  read_system_id(*table, outbind.system_id);
  read_its_password(*table, secrets, carrier.name, outbind.password);
  read_allow(*table, carrier.hosts, outbind);
  table->flag("connect", outbind.connect);
  table->finish();
  if (carrier.tls.enabled) {
    section.mistake("outbind", "not with tls = true: what the SMSC opens is plain text");
  }
  if (carrier.binds.transceivers + carrier.binds.receivers == 0) {
    section.mistake("outbind", "asks for a bind that receives: add a receiver or a transceiver");
  }
  carrier.outbind = std::move(outbind);
}

}  // namespace stentor::daemon::config_file
