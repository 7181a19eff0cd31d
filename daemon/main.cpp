// stentord: reads its configuration, starts the daemon, and says in one line why when it cannot.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/config/shared_accounts.h"
#include "daemon/control/daemon.h"
#include "daemon/failpoints/failpoint.h"
#include "daemon/links/tls_context.h"
#include "daemon/log.h"
#include "daemon/version.h"

namespace {

using namespace stentor::daemon;

constexpr int kExitUsage = 2;
constexpr int kExitCannotStart = 1;

// The state holds texts and numbers, the memory passwords: neither is for others to read.
void protect_process() {
  ::umask(0077);
  ::prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file-size limit then answers EFBIG, which is "disk full"
}

// What is larger goes back to the kernel when it is freed: the index of a journal file while it
// grows, tables. Of its own accord the C library would raise this bound to 32 MiB with the first
// such piece and keep the next ones in the arena of each thread. Batches and blocks are smaller.
constexpr int kMappedFrom = 2 << 20;
// How much may lie free at an arena's end. The C library keeps that at twice the bound above, until
// somebody sets either: then it stays at 128 KiB, and what a batch frees would go back to the
// kernel and be asked for again.
constexpr int kKeptFree = 2 * kMappedFrom;

void bound_what_the_allocator_keeps() {
  // NOLINTBEGIN(concurrency-mt-unsafe): no thread
  ::mallopt(M_MMAP_THRESHOLD, kMappedFrom);
  ::mallopt(M_TRIM_THRESHOLD, kKeptFree);
  // NOLINTEND(concurrency-mt-unsafe)
}

int report(const std::vector<ConfigMistake>& mistakes) {
  for (const ConfigMistake& mistake : mistakes) fmt::print(stderr, "{}\n", to_string(mistake));
  return kExitUsage;
}

// What OpenSSL finds wrong with the files a carrier names.
std::vector<ConfigMistake> tls_mistakes(const Config& config, const std::string& file) {
  std::vector<ConfigMistake> mistakes;
  for (std::size_t i = 0; i < config.carriers.size(); ++i) {
    if (!config.carriers[i].tls.enabled) continue;
    if (const auto tls = TlsContext::create(config.carriers[i]); !tls) {
      mistakes.push_back({file, 0, fmt::format("carrier[{}].tls", i), tls.error()});
    }
  }
  return mistakes;
}

// For tests alone (docs/journal.md, "Failpoints").
bool arm_failpoint_of_environment() {
  const char* place = std::getenv("STENTOR_FAILPOINT");  // NOLINT(concurrency-mt-unsafe): no thread
  if (place == nullptr) return true;
  if (const auto armed = arm_failpoint(place); !armed) {
    fmt::print(stderr, "STENTOR_FAILPOINT: {}\n", armed.error());
    return false;
  }
  log::warn("STENTOR_FAILPOINT={}: this process kills itself there; it is for tests", place);
  return true;
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): out of memory before anything began ends it as well
int main(int argc, char** argv) {
  CLI::App app{
      "stentor's delivery daemon: takes messages on a local socket, stores each durably, "
      "and delivers it over SMPP"};
  std::string config_file;
  std::string log_level = "info";
  bool check_config = false;
  StartWish wish;
  app.add_option("--config", config_file, "configuration file (TOML)")->required();
  app.add_flag("--check-config", check_config,
               "name every mistake of the configuration by file, line and key, and stop");
  app.add_flag("--salvage", wish.salvage,
               "start on a damaged journal: bad stretches are set aside in quarantine/ and listed");
  std::string adopt;
  app.add_option("--adopt", adopt,
                 "start on a state that is a copy. moved: its original was stopped before, go on; "
                 "copy: it was not, suspend every carrier and hold what is in doubt")
      ->check(CLI::IsMember({"moved", "copy"}));
  app.add_option("--log-level", log_level, "trace, debug, info, warning, error, critical")
      ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "critical"}))
      ->capture_default_str();
  app.set_version_flag("--version", std::string(kVersion));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& mistake) {
    return app.exit(mistake) == 0 ? 0 : kExitUsage;
  }

  if (!adopt.empty()) wish.adopt = adopt == "copy" ? Adoption::copy : Adoption::moved;

  protect_process();
  bound_what_the_allocator_keeps();
  auto config = load_config(config_file);
  if (!config) return report(config.error());
  if (const auto mistakes = tls_mistakes(*config, config_file); !mistakes.empty()) {
    return report(mistakes);
  }
  const auto doubtful = shared_accounts(config->carriers);
  if (check_config) {
    for (const std::string& note : doubtful) fmt::print("{}: {}\n", config_file, note);
    fmt::print("{}: good\n", config_file);
    return 0;
  }
  log::to_stderr(log_level);
  for (const std::string& note : doubtful) log::warn("{}", note);
  try {
    if (!arm_failpoint_of_environment()) return kExitUsage;
    Daemon daemon(std::move(*config), wish);
    return daemon.run();
  } catch (const JournalRefused& why) {
    log::critical("{}", why.what());
    return kExitJournalRefused;
  } catch (const std::exception& why) {
    log::critical("cannot start: {}", why.what());
    return kExitCannotStart;
  }
}
