#include "daemon/config/config.h"

#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <utility>

#include "daemon/config/callback_reader.h"
#include "daemon/config/carrier_config.h"
#include "daemon/config/document.h"
#include "daemon/config/file_text.h"
#include "daemon/config/opt_out_reader.h"
#include "daemon/config/route_config.h"
#include "daemon/config/section.h"
#include "daemon/config/units.h"
#include "daemon/config/upstream_reader.h"

namespace stentor::daemon {
namespace {

using namespace config_file;

using namespace std::chrono_literals;

// A thousand carriers fit in a tenth of it; what is larger is not a configuration.
constexpr std::size_t kFileOctetsMax = 1U << 20;
constexpr std::size_t kPathOctetsMax = 4095;  // PATH_MAX less its NUL
constexpr std::size_t kSocketPathOctetsMax = sizeof(sockaddr_un::sun_path) - 1;
// More threads than cores serve nobody, and each keeps buffers; large machines have 256.
constexpr std::int64_t kShardsMax = 256;
// A commit is a write of up to 256 KiB and its bookkeeping; below this not even one would fit.
constexpr std::uint64_t kMemoryMin = 16ULL << 20;
constexpr std::uint64_t kSizeMax = 1ULL << 50;

constexpr std::pair<std::string_view, JournalIo> kJournalIo[] = {
    {"auto", JournalIo::automatic}, {"uring", JournalIo::uring}, {"threads", JournalIo::threads}};

void read_socket(Section& section, SocketConfig& socket) {
  std::string path = socket.path;
  section.text("path", path, kSocketPathOctetsMax);
  if (path.empty()) section.mistake("path", "must name a path");
  socket.path = path;
  std::string mode;
  section.text("mode", mode, 16);
  if (section.find("mode") != nullptr && !section.has_mistake("mode")) {
    if (const auto bits = parse_mode(mode)) {
      socket.mode = *bits;
    } else {
      section.mistake("mode", "must be permission bits in octal, such as \"0660\"");
    }
  }
  section.text("group", socket.group, 64);
  section.finish();
}

void read_metrics(Section& section, MetricsConfig& metrics) {
  std::string listen;
  section.text("listen", listen, 300);
  if (section.find("listen") != nullptr && !section.has_mistake("listen")) {
    if (auto address = parse_host_port(listen)) {
      metrics.host = std::move(address->host);
      metrics.port = address->port;
    } else {
      section.mistake("listen", fmt::format("\"{}\" is not address:port with a port of 1 to "
                                            "65535; an IPv6 address stands in brackets",
                                            listen));
    }
  }
  section.finish();
}

void read_journal(Section& section, JournalConfig& journal) {
  // A client waits this long for its "accepted".
  // Carriers wait a second for the answer to a receipt, which may be due two commits later.
  section.duration("commit_delay", journal.commit_delay, 0ms, 250ms);
  section.duration("retention", journal.retention, 0s, 24h * 3660);
  section.size("retention_size", journal.retention_octets, 0, kSizeMax);
  section.size("min_free", journal.free_octets_min, 0, kSizeMax);
  section.size("checkpoint", journal.checkpoint_octets, 0, kSizeMax);
  section.choice("io", journal.io, kJournalIo);
  section.finish();
}

void read_queue(Section& section, QueueConfig& queue) {
  section.size("memory", queue.memory_octets, kMemoryMin, kSizeMax);
  section.duration("guard", queue.guard, 1s, 24h * 31);
  section.duration("order_hold", queue.order_hold, 0ms, 1h);
  const Value* shards = section.find("shards");
  const auto* word = shards == nullptr ? nullptr : std::get_if<std::string>(&shards->is);
  if (word == nullptr) {
    section.number("shards", queue.shards, 1, kShardsMax);
  } else if (*word != "auto") {
    section.mistake("shards", fmt::format("must be \"auto\" or a number of 1 to {}", kShardsMax));
  }
  section.finish();
}

template <class Into>
void read_table(Section& top, std::string_view key, Into& into, void (*read)(Section&, Into&)) {
  if (auto section = top.table(key, std::string(key))) read(*section, into);
}

std::vector<CarrierConfig> read_carriers(std::vector<Section> sections,
                                         const SecretSources& secrets) {
  std::vector<CarrierConfig> carriers;
  std::map<std::string, std::uint32_t> said;
  std::map<std::string, std::uint32_t> listening;
  for (Section& section : sections) {
    carriers.push_back(read_carrier(section, secrets));
    if (const auto& outbind = carriers.back().outbind; outbind && !outbind->listen.empty()) {
      const auto [first, is_new] = listening.emplace(outbind->listen, section.line_of("outbind"));
      if (!is_new) {
        section.mistake("outbind", fmt::format("line {} has a carrier that listens on {} already",
                                               first->second, outbind->listen));
      }
    }
    const std::string& name = carriers.back().name;
    if (name.empty()) continue;
    const auto [first, is_new] = said.emplace(name, section.line_of("name"));
    if (!is_new) {
      section.mistake("name",
                      fmt::format("line {} has a carrier \"{}\" already", first->second, name));
    }
  }
  return carriers;
}

// Keys and values come from a file that may hold anything; a log line must stay one line.
std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7f) {
      fmt::format_to(std::back_inserter(shown), "\\x{:02x}", octet);
    } else {
      shown.push_back(c);
    }
  }
  return shown;
}

}  // namespace

std::string to_string(const ConfigMistake& mistake) {
  std::string line = printable(mistake.file);
  if (mistake.line != 0) fmt::format_to(std::back_inserter(line), ":{}", mistake.line);
  if (!mistake.key.empty()) line.append(": ").append(printable(mistake.key));
  return line.append(": ").append(printable(mistake.what));
}

std::expected<Config, std::vector<ConfigMistake>> load_config(const std::filesystem::path& file) {
  Mistakes mistakes(file.string());
  const auto content = read_file_text(file, kFileOctetsMax);
  if (!content) {
    mistakes.add(0, "", fmt::format("cannot read it: {}", content.error().message()));
    return std::unexpected(mistakes.take());
  }
  const auto document = parse_document(content->text);
  if (!document) {
    mistakes.add(document.error().line, "", document.error().what);
    return std::unexpected(mistakes.take());
  }

  SecretSources secrets{.config_file = file,
                        .config_mode = content->mode,
                        .config_open_to_others = content->open_to_others,
                        .credentials_dir = {}};
  // Read before any thread starts, in a process that sets no variable.
  if (const char* dir = std::getenv("CREDENTIALS_DIRECTORY")) {  // NOLINT(concurrency-mt-unsafe)
    secrets.credentials_dir = dir;
  }

  Config config;
  Section top(*document, 0, "", "", mistakes);
  top.number("node", config.node, 0, 1023);
  std::string state_dir = config.state_dir;
  top.text("state_dir", state_dir, kPathOctetsMax);
  if (state_dir.empty()) top.mistake("state_dir", "must name a directory");
  config.state_dir = state_dir;
  read_table(top, "socket", config.socket, read_socket);
  read_table(top, "metrics", config.metrics, read_metrics);
  read_table(top, "journal", config.journal, read_journal);
  read_table(top, "queue", config.queue, read_queue);

  config.carriers = read_carriers(top.tables("carrier"), secrets);
  if (top.find("carrier") == nullptr) top.mistake("", "needs at least one [[carrier]]");
  std::vector<std::string> names;
  names.reserve(config.carriers.size());
  for (const CarrierConfig& carrier : config.carriers) names.push_back(carrier.name);

  config.clients = read_clients(top.tables("client"), names, secrets);
  config.routes = read_routes(top.tables("route"), names);
  // Without a word about routes every number goes to the carriers in the order they stand in.
  if (config.routes.empty()) {
    config.routes.push_back({.prefixes = {}, .is_default = true, .carriers = names, .from = {}});
  }
  std::vector<std::string> client_names;
  for (const ClientConfig& client : config.clients) client_names.push_back(client.name);
  config.inbound = read_inbound(top.tables("inbound"), client_names);
  read_table(top, "callbacks", config.callbacks, read_callbacks);
  if (auto section = top.table("opt_out", "opt_out")) {
    read_opt_out(*section, client_names, config.opt_out);
  }
  top.finish();

  if (!mistakes.empty()) return std::unexpected(mistakes.take());
  return config;
}

std::uint16_t weight_of_client(const Config& config, std::string_view name) noexcept {
  const auto found = std::ranges::find(config.clients, name, &ClientConfig::name);
  return found == config.clients.end() ? std::uint16_t{1} : found->weight;
}

}  // namespace stentor::daemon
