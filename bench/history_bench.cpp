// How long does it take to find a message in the index for histories?
//
// Two indexes, asked in turn:
//   real       MESSAGES (argument 2, default 1,000,000; 0: none) in index files of 200,000 in
//   FOLDER
//              (argument 1), their names brought together as the daemon does: warm, and cold, with
//              what the kernel kept of them dropped before each question.
//   synthetic  1,000,000,000 messages (argument 3): the tables that their names would lie in, with
//              real fences in memory and entries that are made up when they are read: what a
//              question costs but for the disk, and how many reads it takes.
// A message has four records and three names (number, reference, carrier's id). Asked is one that
// is there, by sequence and by name; the latter looks through all tables, the worst there is.
// Timed      finding the places of a message's records; not reading those records, some five reads.
// Reads as   microseconds, median and the slowest of the questions; CPU of this thread.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "daemon/history/index_file.h"
#include "daemon/history/name_runs.h"

namespace stentor::daemon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kPerFile = 200'000;
constexpr std::uint64_t kRecordsEach = 4;
constexpr std::uint64_t kNamesEach = 3;
constexpr std::uint64_t kNames = kPerFile * kNamesEach;
constexpr std::size_t kNamesAtOnce = 8192;
constexpr int kQuestions = 200;
constexpr int kColdQuestions = 50;

std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  return (value ^ value >> 27) * 0x94d049bb133111eb;
}

/// The name in this place of a table of `names`, in order within it.
std::uint64_t name_of(std::uint64_t table, std::uint64_t place, std::uint64_t names = kNames) {
  const std::uint64_t step = ~std::uint64_t{0} / names;  // between two names
  const std::uint64_t low = std::bit_floor(step) - 1;    // the bits in which tables differ
  return (place * step & ~low) | (mixed(table << 40 | place) & low);
}

/// A table of names that was never written.
class MadeUp final : public queue::File {
 public:
  MadeUp(std::uint64_t number, std::uint64_t names, std::uint64_t& reads)
      : number_(number), names_(names), reads_(reads) {}
  queue::result<std::size_t> read(std::uint64_t at, std::span<std::uint8_t> octets) override {
    ++reads_;
    const std::uint64_t first = at / sizeof(IndexEntry);
    for (std::size_t i = 0; i < octets.size() / sizeof(IndexEntry); ++i) {
      const IndexEntry entry{name_of(number_, first + i, names_), number_ << 44 | (first + i)};
      std::memcpy(octets.data() + i * sizeof entry, &entry, sizeof entry);
    }
    return octets.size();
  }
  [[nodiscard]] NameTable table() const {
    std::vector<std::uint64_t> fences;
    for (std::uint64_t i = 0; i < names_; i += NameTable::kPageEntries) {
      fences.push_back(name_of(number_, i, names_));
    }
    return {0, names_, std::move(fences)};
  }
  queue::result<void> write(std::uint64_t, std::span<const std::uint8_t>) override { return {}; }
  queue::result<std::uint64_t> size() override { return names_ * sizeof(IndexEntry); }
  queue::result<void> sync() override { return {}; }
  queue::result<void> allocate(std::uint64_t) override { return {}; }
  queue::result<void> truncate(std::uint64_t) override { return {}; }
  queue::result<void> write_durable(std::uint64_t,
                                    std::span<const std::span<const std::uint8_t>>) override {
    return {};
  }

 private:
  std::uint64_t number_;
  std::uint64_t names_;
  std::uint64_t& reads_;
};

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_THREAD, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

void ask(const std::string& what, int questions, const std::function<void()>& before,
         const std::function<std::size_t(int)>& question) {
  std::vector<double> took;
  std::size_t found = 0;
  double cpu = 0;
  for (int i = 0; i < questions; ++i) {
    before();
    const double cpu_before = cpu_seconds();
    const auto start = Clock::now();
    found += question(i);
    took.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    cpu += cpu_seconds() - cpu_before;
  }
  std::ranges::sort(took);
  fmt::print("  {}: {:.0f} us median, {:.0f} us slowest of {}, CPU {:.0f} us, {:.1f} places\n",
             what, took[took.size() / 2], took.back(), questions, cpu / questions * 1e6,
             static_cast<double>(found) / questions);
}

void ask_all(SealedIndexes& sealed, NameRuns& runs, const std::string& how,
             const std::function<void()>& before) {
  std::mt19937_64 random(1);
  const auto file_of = [&] { return 1 + random() % sealed.size(); };
  std::vector<std::uint64_t> places;
  const int questions = before ? kColdQuestions : kQuestions;
  const auto prepare = before ? before : [] {};
  ask(how + ", by sequence", questions, prepare, [&](int) {
    const std::uint64_t wanted = file_of() * kPerFile + random() % kPerFile;
    places.clear();
    for (auto& [number, file] : sealed) file.find_sequence(wanted, places);
    return places.size();
  });
  ask(how + ", by name", questions, prepare, [&](int) {
    std::size_t found = 0;
    runs.visit(sealed, name_of(file_of(), random() % kNames), [&](NameRuns::Places& some) {
      found += some.size();
      some.clear();
      return false;
    });
    return found;
  });
}

// Writes the index files of so many messages; false when the disk will not.
bool write_files(queue::FileSystem& files, const std::filesystem::path& folder,
                 std::uint64_t messages, SealedIndexes& sealed) {
  for (std::uint64_t file = 1; (file - 1) * kPerFile < messages; ++file) {
    std::vector<IndexEntry> sequences;
    std::vector<IndexEntry> names;
    sequences.reserve(kPerFile * kRecordsEach);
    names.reserve(kNames);
    for (std::uint64_t i = 0; i < kPerFile * kRecordsEach; ++i) {
      sequences.push_back({file * kPerFile + i / kRecordsEach, file << 44 | i});
    }
    for (std::uint64_t i = 0; i < kNames; ++i) names.push_back({name_of(file, i), file << 44 | i});
    const auto path = folder / fmt::format("{:08}.index", file);
    const auto number = static_cast<std::uint32_t>(file);
    if (!IndexFile::write(files, path, number, 77, sequences, names)) return false;
    auto index = IndexFile::open(files, path, number, 77);
    if (!index) return false;
    sealed.emplace(number, std::move(*index));
  }
  return true;
}

void real(const std::filesystem::path& folder, std::uint64_t messages) {
  auto files = queue::make_posix_file_system(queue::IoBackend::threads);
  if (!files || messages == 0) return;
  std::filesystem::create_directories(folder);
  SealedIndexes sealed;
  NameRuns runs(**files, folder);
  const auto start = Clock::now();
  if (!write_files(**files, folder, messages, sealed)) {
    fmt::print("real: cannot write to {}\n", folder.string());
    return;
  }
  const auto seconds = [](Clock::time_point since) {
    return std::chrono::duration<double>(Clock::now() - since).count();
  };
  fmt::print("real: {} messages in {} files, written in {:.1f} s\n", sealed.size() * kPerFile,
             sealed.size(), seconds(start));
  const auto merging = Clock::now();
  const double cpu_before = cpu_seconds();
  while (runs.merge_some(sealed, kNamesAtOnce)) {
  }
  fmt::print("  names brought together in {:.1f} s, {:.1f} s of CPU: {} runs\n", seconds(merging),
             cpu_seconds() - cpu_before, runs.size());
  ask_all(sealed, runs, "warm", {});
  ask_all(sealed, runs, "cold", [&] {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const int file = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
      if (file < 0) continue;
      (void)posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
      close(file);
    }
  });
  std::filesystem::remove_all(folder);
}

void synthetic(std::uint64_t messages) {
  std::uint64_t reads = 0;
  std::vector<MadeUp> files;
  std::uint64_t left = (messages + kPerFile - 1) / kPerFile;
  for (std::uint64_t each = NameRuns::kFilesMax; each > 0; each /= NameRuns::kNeighbours) {
    for (; left >= each; left -= each) files.emplace_back(files.size(), each * kNames, reads);
  }
  if (files.empty()) return;
  std::vector<NameTable> tables;
  for (const MadeUp& file : files) tables.push_back(file.table());
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  fmt::print("synthetic: {} messages in {} tables of names, {} MiB resident\n", messages,
             files.size(), used.ru_maxrss / 1024);
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> places;
  ask(
      "without a disk, by name", kQuestions, [] {},
      [&](int) {
        const std::uint64_t table = random() % files.size();
        const std::uint64_t names = tables[table].size();
        const std::uint64_t wanted = name_of(table, random() % names, names);
        places.clear();
        for (std::size_t i = 0; i < files.size(); ++i) tables[i].find(files[i], wanted, places);
        return places.size();
      });
  fmt::print("  {:.1f} reads for a question\n", static_cast<double>(reads) / kQuestions);
}

int run(int count, char** arguments) {
  if (count < 2) {
    fmt::print("usage: history_bench FOLDER [MESSAGES [SYNTHETIC]]\n");
    return 2;
  }
  // In a folder of its own, which goes afterwards.
  real(std::filesystem::path(arguments[1]) / "stentor-history-bench",
       count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1'000'000);
  synthetic(count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 1'000'000'000);
  return 0;
}

}  // namespace
}  // namespace stentor::daemon

int main(int count, char** arguments) {
  return stentor::daemon::run(count, arguments);
}
