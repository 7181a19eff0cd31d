// How many records a second one journal makes durable, and what a commit costs.
//
// Timed: filling batches on a producer thread, handing them over by a ring, group commit with
// write and fdatasync on this thread, preparing files ahead, dropping old ones. Not timed: start,
// and the recovery at the end that counts the records back.
//
// With RATE the producer offers that many records a second, in batches of half a millisecond as the
// daemon does; without, as many as go.
//
// usage: journal_sync_bench [DIRECTORY [SECONDS [RECORD_OCTETS [BATCH_OCTETS [RATE]]]]]
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "queue/journal_recovery.h"
#include "queue/journal_writer.h"
#include "queue/spsc_ring.h"

namespace {

using namespace stentor::queue;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatchesInFlight = 8;
constexpr std::size_t kGatherMax = 3u << 20;
constexpr std::uint32_t kFilesKept = 3;  // so that the run needs no more disk than that

struct Settings {
  std::filesystem::path directory = "journal_sync_bench.tmp";
  double seconds = 3;
  std::size_t record_octets = 200;
  std::size_t batch_octets = 256u << 10;
  double rate = 0;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "journal_sync_bench: %s\n", what.c_str());
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): nothing here runs at exit
}

/// Fills batches as long as they come back.
void produce(const Settings& settings, SpscRing<RecordBatch*>& empty, SpscRing<RecordBatch*>& full,
             const std::atomic<bool>& stop) {
  const std::vector<std::uint8_t> payload(settings.record_octets, 0x5a);
  const auto start = Clock::now();
  double sent = 0;
  while (!stop.load(std::memory_order_relaxed)) {  // a hint; the ring orders what matters
    auto batch = empty.try_pop();
    if (!batch) {
      std::this_thread::sleep_for(std::chrono::microseconds(20));
      continue;
    }
    (*batch)->clear();
    double due = 1e18;
    if (settings.rate > 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(500));
      due = settings.rate * std::chrono::duration<double>(Clock::now() - start).count();
    }
    while (sent < due && (*batch)->octets().size() + payload.size() + 4 <= settings.batch_octets) {
      (*batch)->add(1, payload);
      ++sent;
    }
    while (!full.try_push(std::move(*batch))) std::this_thread::yield();
  }
}

void measure(const Settings& settings, IoBackend backend, const char* name) {
  auto files = make_posix_file_system(backend);
  if (!files) {
    std::printf("%-8s not available: %s\n", name, files.error().message().c_str());
    return;
  }
  std::filesystem::remove_all(settings.directory);
  auto recovered = recover(**files, settings.directory, {}, [](const Record&) {});
  if (!recovered) give_up(recovered.error().detail);
  auto writer = JournalWriter::start(**files, {.directory = settings.directory}, recovered->end,
                                     [] { return JournalWriter::Preamble{}; });
  if (!writer) give_up(writer.error().message());

  std::vector<std::unique_ptr<RecordBatch>> batches;
  SpscRing<RecordBatch*> empty(kBatchesInFlight);
  SpscRing<RecordBatch*> full(kBatchesInFlight);
  for (std::size_t i = 0; i < kBatchesInFlight; ++i) {
    batches.push_back(std::make_unique<RecordBatch>(settings.batch_octets));
    (void)empty.try_push(batches.back().get());
  }
  std::atomic<bool> stop{false};
  std::thread producer([&] { produce(settings, empty, full, stop); });

  std::vector<double> commit_us;
  std::vector<RecordBatch*> gathered;
  std::uint64_t octets = 0;
  const double cpu_before = cpu_seconds();
  const auto start = Clock::now();
  const auto end = start + std::chrono::duration<double>(settings.seconds);
  auto now = start;
  while (now < end) {
    gathered.clear();
    std::size_t gathered_octets = 0;
    while (gathered_octets < kGatherMax) {
      const auto batch = full.try_pop();
      if (!batch) break;
      gathered.push_back(*batch);
      gathered_octets += (*batch)->octets().size();
    }
    if (gathered.empty()) {
      std::this_thread::sleep_for(std::chrono::microseconds(20));
      now = Clock::now();
      continue;
    }
    const auto before = Clock::now();
    if (const auto committed = (*writer)->commit(gathered); !committed) {
      give_up("commit: " + committed.error().message());
    }
    now = Clock::now();
    commit_us.push_back(std::chrono::duration<double, std::micro>(now - before).count());
    octets += gathered_octets;
    for (RecordBatch* batch : gathered) (void)empty.try_push(std::move(batch));
    const std::uint32_t file = (*writer)->durable_end().file();
    if (file > kFilesKept) (void)(*writer)->drop_before(file - kFilesKept);
  }
  const double elapsed = std::chrono::duration<double>(now - start).count();
  const double cpu = cpu_seconds() - cpu_before;
  stop = true;
  producer.join();

  const std::size_t stored = settings.record_octets + (settings.record_octets > 127 ? 3 : 2);
  const double records = static_cast<double>(octets) / static_cast<double>(stored);
  std::ranges::sort(commit_us);
  const auto at = [&](double part) {
    return commit_us[static_cast<std::size_t>(part * static_cast<double>(commit_us.size() - 1))];
  };
  std::printf(
      "%-8s %9.0f records/s  %5.0f MB/s  %6zu commits of %4.0f KiB: p50 %4.0f us  p99 %5.0f us  "
      "max %6.0f us  %.2f CPU s per million  %llu files\n",
      name, records / elapsed, static_cast<double>(octets) / elapsed / 1e6, commit_us.size(),
      static_cast<double>(octets) / 1024 / static_cast<double>(commit_us.size()), at(0.5), at(0.99),
      commit_us.back(), cpu / records * 1e6,
      static_cast<unsigned long long>((*writer)->stats().files));

  const std::uint64_t octets_written = (*writer)->stats().octets;
  writer->reset();
  recovered->lock.reset();
  const auto before = Clock::now();
  const auto again = recover(**files, settings.directory, {}, [](const Record&) {});
  if (!again) give_up(again.error().detail);
  const double seconds = std::chrono::duration<double>(Clock::now() - before).count();
  std::printf("         recovery of the last %zu files: %.1f million records, %.2f s, %.0f MB/s\n",
              again->files.size(), static_cast<double>(again->records) / 1e6, seconds,
              static_cast<double>(again->octets) / seconds / 1e6);
  if (again->octets > octets_written + 64 * again->files.size()) give_up("more than was written");
  std::filesystem::remove_all(settings.directory);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  if (argc > 1) settings.directory = argv[1];
  if (argc > 2) settings.seconds = std::atof(argv[2]);
  if (argc > 3) settings.record_octets = std::strtoul(argv[3], nullptr, 10);
  if (argc > 4) settings.batch_octets = std::strtoul(argv[4], nullptr, 10);
  if (argc > 5) settings.rate = std::atof(argv[5]);
  settings.batch_octets = std::max(settings.batch_octets, settings.record_octets + 4);
  std::printf("records of %zu octets in batches of %zu octets\n", settings.record_octets,
              settings.batch_octets);
  measure(settings, IoBackend::threads, "threads");
  measure(settings, IoBackend::uring, "uring");
  return 0;
}
