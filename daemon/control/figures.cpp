#include "daemon/control/figures.h"

#include <sys/statvfs.h>

#include <atomic>
#include <fstream>
#include <mutex>

#include "daemon/control/carrier_report.h"
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
  append_member("paused", figures.paused, out);
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
  open_list("carriers", out);
  for (const CarrierSnapshot& carrier : figures.carriers) {
    if (out.back() != '[') out.push_back(',');
    append_carrier_line(carrier, out);
  }
  out.append("]}");
  return out;
}

}  // namespace stentor::daemon
