#include "daemon/control/figures.h"

#include <sys/statvfs.h>

#include <atomic>
#include <fstream>
#include <mutex>

#include "daemon/ingress/json.h"
#include "daemon/version.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

std::uint64_t resident_octets() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  statm >> pages >> resident;
  return resident * 4096;
}

std::uint64_t free_octets_of(const std::filesystem::path& directory) {
  struct statvfs disk{};
  if (::statvfs(directory.c_str(), &disk) != 0) return 0;
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

// A carrier is up when all its binds are, partly up when some are.
std::string_view state_of(const CarrierSnapshot& carrier, std::size_t bound) {
  if (bound == carrier.links.size()) return "up";
  if (bound > 0) return "partly up";
  for (const LinkSnapshot& link : carrier.links) {
    if (link.state == LinkState::connecting || link.state == LinkState::binding) {
      return name_of(link.state);
    }
  }
  return "down";
}

void append_carrier(const CarrierSnapshot& carrier, std::string& out) {
  std::size_t bound = 0;
  std::size_t in_flight = 0;
  std::string_view last_error;
  for (const LinkSnapshot& link : carrier.links) {
    if (link.state == LinkState::bound) ++bound;
    in_flight += link.in_flight;
    if (!link.last_error.empty()) last_error = link.last_error;
  }
  const std::size_t lanes = carrier.waiting_urgent + carrier.waiting_normal + carrier.waiting_bulk;
  std::optional<std::uint32_t> oldest;
  for (const auto& since : carrier.oldest_since) {
    if (since && (!oldest || *since < *oldest)) oldest = since;
  }
  const auto now = static_cast<std::uint32_t>(wall_clock_ms() / 1000);
  out.push_back('{');
  append_member("name", carrier.name, out);
  append_member("state", state_of(carrier, bound), out);
  append_member("binds", carrier.links.size(), out);
  append_member("bound", bound, out);
  append_member("window", carrier.window, out);
  append_member("in_flight", in_flight, out);
  append_member("reserved", carrier.reserved, out);
  append_member("waiting", lanes + carrier.waiting_timers, out);
  append_member("waiting_urgent", carrier.waiting_urgent, out);
  append_member("waiting_normal", carrier.waiting_normal, out);
  append_member("waiting_bulk", carrier.waiting_bulk, out);
  append_member("waiting_timers", carrier.waiting_timers, out);
  append_member("oldest_seconds", oldest && *oldest < now ? now - *oldest : 0, out);
  append_member("rate", carrier.rate_configured, out);
  append_member("rate_current", carrier.rate_current, out);
  append_member("outstanding", carrier.outstanding, out);
  append_member("submitted", carrier.stats.submitted, out);
  append_member("segments_sent", carrier.stats.segments_accepted, out);
  append_member("segments_gsm7", carrier.stats.segments_gsm7, out);
  append_member("segments_ucs2", carrier.stats.segments_ucs2, out);
  append_member("segments_other", carrier.stats.segments_other, out);
  append_member("sent", carrier.stats.messages_sent, out);
  append_member("delivered", carrier.stats.messages_delivered, out);
  append_member("failed", carrier.stats.messages_failed, out);
  append_member("throttled", carrier.stats.throttled, out);
  append_member("retries", carrier.stats.retries_messages, out);
  append_member("uncertain", carrier.stats.uncertain_crash + carrier.stats.uncertain_link_lost,
                out);
  append_member("unmatched_receipts", carrier.stats.receipts_unmatched, out);
  append_key("last_error", out);
  append_json_untrusted(last_error, 256, out);
  out.push_back('}');
}

}  // namespace

FigureCollector::FigureCollector(const Config& config, const CommitThread& commit)
    : config_(config), commit_(commit) {}

void FigureCollector::add(std::function<void(std::function<void()>)> post,
                          std::function<void(Figures&)> fill) {
  parts_.push_back({std::move(post), std::move(fill)});
}

void FigureCollector::collect(std::function<void(const Figures&)> done) const {
  struct Shared {
    std::mutex guard;
    Figures figures;
    std::size_t missing = 0;
    std::function<void(const Figures&)> done;
  };
  auto shared = std::make_shared<Shared>();
  shared->missing = parts_.size();
  shared->done = std::move(done);
  shared->figures.commit = commit_.snapshot();
  shared->figures.carriers.resize(config_.carriers.size());
  shared->figures.uptime =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started_);
  shared->figures.memory_octets = resident_octets();
  shared->figures.free_octets = free_octets_of(config_.state_dir);
  for (const Part& part : parts_) {
    part.post([shared, fill = part.fill] {
      bool is_last = false;
      {
        const std::lock_guard lock(shared->guard);
        fill(shared->figures);
        is_last = --shared->missing == 0;
      }
      if (is_last) shared->done(shared->figures);
    });
  }
}

std::string status_reply(const Figures& figures) {
  const Ledger& ledger = figures.commit.ledger;
  std::uint64_t waiting = 0;
  for (const CarrierSnapshot& carrier : figures.carriers) {
    waiting += carrier.waiting_urgent + carrier.waiting_normal + carrier.waiting_bulk +
               carrier.waiting_timers;
  }
  std::string out = "{";
  append_member("status", "ok", out);
  append_member("version", kVersion, out);
  append_member("protocol", std::uint64_t{1}, out);
  append_member("uptime", static_cast<std::uint64_t>(figures.uptime.count()), out);
  append_member("accepted", ledger.accepted, out);
  append_member("sent", ledger.sent, out);
  append_member("delivered", ledger.delivered, out);
  append_member("failed", ledger.failed, out);
  append_member("expired", ledger.expired, out);
  append_member("cancelled", ledger.cancelled, out);
  append_member("unknown", ledger.unknown, out);
  append_member("sent_final", ledger.sent_final, out);
  append_member("live", figures.commit.live, out);
  append_member("waiting", waiting, out);
  append_key("journal", out);
  out.push_back('{');
  append_member("commits", figures.commit.journal.commits, out);
  append_member("octets", figures.commit.journal.octets, out);
  append_member("files", figures.commit.journal.files, out);
  append_member("octets_on_disk", figures.commit.journal.octets_on_disk, out);
  append_member("free_octets", figures.free_octets, out);
  out.push_back('}');
  append_member("clients", figures.ingress.connections, out);
  append_member("duplicates", figures.ingress.admission.duplicates, out);
  append_member("memory_octets", figures.memory_octets, out);
  append_key("carriers", out);
  out.push_back('[');
  for (const CarrierSnapshot& carrier : figures.carriers) {
    if (out.back() != '[') out.push_back(',');
    append_carrier(carrier, out);
  }
  out.append("]}");
  return out;
}

}  // namespace stentor::daemon
