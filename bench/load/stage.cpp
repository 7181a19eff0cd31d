#include "bench/load/stage.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "bench/load/metrics_page.h"
#include "bench/load/status_probe.h"

namespace stentor::load {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kReadyWithin{60};  // recovery of a large state included
constexpr std::chrono::seconds kStopWithin{60};   // a drain may take its 30 s

// A free port of the loopback. Somebody might take it before we do; then the start fails and says
// so.
std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool is_found = socket >= 0 &&
                        ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(socket);
  if (!is_found) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

std::filesystem::path make_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "stentor-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), pattern);
  }
  return pattern;
}

}  // namespace

Stage::Stage(const EndToEndSettings& settings)
    : settings_(settings),
      folder_(settings.state_dir.empty() ? make_folder()
                                         : std::filesystem::path(settings.state_dir)),
      removes_folder_(settings.state_dir.empty() && !settings.keeps_state),
      smsc_port_(free_port()),
      metrics_port_(free_port()) {
  std::filesystem::create_directories(folder_);
  folder_ = std::filesystem::absolute(folder_);
  socket_ = (folder_ / "stentor.sock").string();
  write_configuration();
}

Stage::~Stage() {
  daemon_.reset();
  carrier_.reset();
  std::error_code ignored;  // what is left behind is in a temporary folder
  if (removes_folder_) std::filesystem::remove_all(folder_, ignored);
}

void Stage::write_configuration() const {
  const std::filesystem::path file = folder_ / "stentor.toml";
  std::filesystem::remove(file);
  std::ofstream out(file);
  // It holds a password, and the daemon refuses one that others may read.
  std::filesystem::permissions(
      file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  out << fmt::format(
      R"(node = 1
state_dir = "{0}/state"

[socket]
path = "{1}"

[metrics]
listen = "127.0.0.1:{2}"

[journal]
min_free = "64MiB"
{3}
[queue]
{4}
[[carrier]]
name = "rehearsal"
hosts = ["127.0.0.1:{5}"]
system_id = "stentor"
password = "secret"
binds = {{ transceiver = {6} }}
window = {7}
receipts = {8}

[[route]]
default = true
carriers = ["rehearsal"]
)",
      folder_.string(), socket_, metrics_port_,
      settings_.journal_io.empty() ? "" : fmt::format("io = \"{}\"\n", settings_.journal_io),
      settings_.queue_memory.empty() ? ""
                                     : fmt::format("memory = \"{}\"\n", settings_.queue_memory),
      smsc_port_, settings_.binds, settings_.window, settings_.receipts);
  out.close();
  std::filesystem::create_directories(folder_ / "state");
  if (!out) throw std::runtime_error(file.string() + ": cannot be written");
}

void Stage::start_carrier() {
  carrier_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{settings_.programs + "/stentor-smsc", "--listen",
                               fmt::format("127.0.0.1:{}", smsc_port_), "--system-id", "stentor",
                               "--password", "secret", "--latency", settings_.latency,
                               "--receipt-delay", settings_.receipt_delay, "--receipts-after",
                               settings_.receipts_after, "--json"},
      "");
  if (!carrier_->read_line()) throw std::runtime_error("stentor-smsc does not start");
}

CarrierTotals Stage::stop_carrier() {
  CarrierTotals totals;
  if (carrier_ == nullptr) return totals;
  carrier_->stop(std::chrono::seconds(10));
  std::string last;
  while (const auto line = carrier_->read_line()) last = *line;
  carrier_.reset();
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(last).get(object) != simdjson::SUCCESS) return totals;
  const auto read = [&](const char* name, auto& value) {
    if (object[name].get(value) != simdjson::SUCCESS) value = {};
  };
  read("submit_sm", totals.submit_sm);
  read("receipts_acknowledged", totals.receipts_acknowledged);
  read("window_peak", totals.window_peak);
  read("cpu_seconds", totals.cpu_seconds);
  return totals;
}

std::chrono::nanoseconds Stage::start_daemon(bool with_binds) {
  const auto began = steady_clock::now();
  daemon_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{settings_.programs + "/stentord", "--config",
                               (folder_ / "stentor.toml").string()},
      (folder_ / "stentord.log").string());
  std::string why = "not ready in time";
  while (steady_clock::now() - began < kReadyWithin) {
    if (!daemon_->is_running()) throw std::runtime_error("stentord ended:\n" + log_end());
    try {
      // Without a carrier the daemon accepts, though it may well not call itself ready.
      StatusProbe probe(socket_);
      if (probe.ask().bound >= (with_binds ? settings_.binds : 0)) {
        return steady_clock::now() - began;
      }
      why = "its binds do not come up";
    } catch (const std::exception& error) {
      why = error.what();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  throw std::runtime_error("stentord: " + why + "\n" + log_end());
}

std::string Stage::stop_daemon() {
  const auto status = daemon_->stop(kStopWithin);
  daemon_.reset();
  if (status == 0) return "";
  return status ? fmt::format("exit status {}", *status) : "ended by a signal";
}

std::string Stage::log_end() const {
  std::ifstream log(folder_ / "stentord.log");
  std::string end((std::istreambuf_iterator<char>(log)), std::istreambuf_iterator<char>());
  constexpr std::size_t kShownOctets = 2000;
  return end.size() > kShownOctets ? end.substr(end.size() - kShownOctets) : end;
}

}  // namespace stentor::load
