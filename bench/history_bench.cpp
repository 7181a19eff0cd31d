// How long does it take to find a message in the index for histories?
//
// Two indexes, asked in turn:
//   real       MESSAGES (argument 2, default 1,000,000; 0: none) in index files of 200,000 in
//   FOLDER
//              (argument 1): warm, and cold, with what the kernel kept of them dropped before each
//              question.
//   synthetic  1,000,000,000 messages (argument 3): fences and granules are real and in memory,
//              entries are made up when they are read: what a question costs but for the disk, and
//              how many reads it takes.
// A message has four records and three names (number, reference, carrier's id). Asked are one that
// is there, by sequence and by name, and a name that is nowhere: the worst, since each file is
// read. Timed      finding the places of a message's records; not reading those records, some five
// reads. Reads as   microseconds, median and the slowest of 200; CPU of this thread.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "daemon/history/index_file.h"

namespace stentor::daemon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kPerFile = 200'000;
constexpr std::uint64_t kRecordsEach = 4;
constexpr std::uint64_t kNamesEach = 3;
constexpr std::uint64_t kNames = kPerFile * kNamesEach;
constexpr std::uint64_t kStep = ~std::uint64_t{0} / kNames;  // between two names of a file
constexpr std::uint64_t kLow = 0xffffffff;                   // the octets in which files differ
constexpr int kQuestions = 200;

std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  return (value ^ value >> 27) * 0x94d049bb133111eb;
}

/// The name in this place of a file, in order within it.
std::uint64_t name_of(std::uint64_t file, std::uint64_t place) {
  return (place * kStep & ~kLow) | (mixed(file << 32 | place) & kLow);
}

/// A file system of index files that were never written.
class MadeUp final : public queue::FileSystem {
 public:
  std::uint64_t reads = 0;
  std::vector<std::uint8_t> head;  // of every file alike, without entries
  std::vector<std::uint8_t> tail;

  static constexpr std::uint64_t kHead = 64;
  static constexpr std::uint64_t kEntries =
      kPerFile * (kRecordsEach + kNamesEach) * sizeof(IndexEntry);

  class One final : public queue::File {
   public:
    One(MadeUp& all, std::uint64_t number) : all_(all), number_(number) {}
    queue::result<void> write(std::uint64_t at, std::span<const std::uint8_t> octets) override {
      if (at == 0) all_.head.assign(octets.begin(), octets.end());
      if (at >= kHead + kEntries) all_.tail.insert(all_.tail.end(), octets.begin(), octets.end());
      return {};
    }
    queue::result<std::size_t> read(std::uint64_t at, std::span<std::uint8_t> octets) override {
      if (at == 0 || at >= kHead + kEntries) {
        const auto& from = at == 0 ? all_.head : all_.tail;
        std::memcpy(octets.data(), from.data() + (at == 0 ? 0 : at - kHead - kEntries),
                    octets.size());
        return octets.size();
      }
      ++all_.reads;
      const std::uint64_t first = (at - kHead) / sizeof(IndexEntry);
      for (std::size_t i = 0; i < octets.size() / sizeof(IndexEntry); ++i) {
        const IndexEntry entry = all_.entry(number_, first + i);
        std::memcpy(octets.data() + i * sizeof entry, &entry, sizeof entry);
      }
      return octets.size();
    }
    queue::result<std::uint64_t> size() override { return kHead + kEntries + all_.tail.size(); }
    queue::result<void> sync() override { return {}; }
    queue::result<void> allocate(std::uint64_t) override { return {}; }
    queue::result<void> truncate(std::uint64_t) override { return {}; }
    queue::result<void> write_durable(std::uint64_t,
                                      std::span<const std::span<const std::uint8_t>>) override {
      return {};
    }

   private:
    MadeUp& all_;
    std::uint64_t number_;
  };

  /// Sequences are those of file 0, so that granules are the same in all.
  IndexEntry entry(std::uint64_t file, std::uint64_t place) const {
    if (place < kPerFile * kRecordsEach) return {place / kRecordsEach, file << 32 | place};
    place -= kPerFile * kRecordsEach;
    return {file == 0 ? place * kStep & ~kLow : name_of(file, place), file << 32 | place};
  }

  queue::result<std::unique_ptr<queue::File>> open(const Path& path, Mode) override {
    return std::make_unique<One>(*this, std::strtoull(path.c_str(), nullptr, 10));
  }
  queue::result<void> rename(const Path&, const Path&) override { return {}; }
  queue::result<void> remove(const Path&) override { return {}; }
  queue::result<void> make_directory(const Path&) override { return {}; }
  queue::result<void> sync_directory(const Path&) override { return {}; }
  queue::result<std::vector<std::string>> list(const Path&) override {
    return std::vector<std::string>{};
  }
  queue::result<std::uint64_t> free_octets(const Path&) override { return 0; }
  queue::result<std::unique_ptr<queue::File>> lock(const Path& path) override {
    return open(path, Mode::read);
  }
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

void ask_all(std::vector<IndexFile>& files, const std::string& how, bool of_own_sequences,
             const std::function<void()>& before) {
  std::mt19937_64 random(1);
  const auto file_of = [&] { return random() % files.size(); };
  std::vector<std::uint64_t> places;
  const auto everywhere = [&](auto&& find) {
    places.clear();
    for (auto file = files.rbegin(); file != files.rend(); ++file) find(*file);
    return places.size();
  };
  const int questions = before ? 50 : kQuestions;
  const auto prepare = before ? before : [] {};
  if (of_own_sequences) {
    ask(how + ", by sequence", questions, prepare, [&](int) {
      const std::uint64_t wanted = file_of() * kPerFile + random() % kPerFile;
      return everywhere([&](IndexFile& file) { file.find_sequence(wanted, places); });
    });
  }
  ask(how + ", by name", questions, prepare, [&](int) {
    const std::uint64_t wanted = name_of(1 + file_of() % (files.size() - 1), random() % kNames);
    return everywhere([&](IndexFile& file) { file.find_name(wanted, places); });
  });
}

void real(const std::filesystem::path& folder, std::uint64_t messages) {
  auto files = queue::make_posix_file_system(queue::IoBackend::threads);
  if (!files) return;
  std::filesystem::create_directories(folder);
  std::vector<IndexFile> indexes;
  std::vector<std::filesystem::path> paths;
  const auto start = Clock::now();
  for (std::uint64_t file = 0; file * kPerFile < messages; ++file) {
    std::vector<IndexEntry> sequences;
    std::vector<IndexEntry> names;
    sequences.reserve(kPerFile * kRecordsEach);
    names.reserve(kNames);
    for (std::uint64_t i = 0; i < kPerFile * kRecordsEach; ++i) {
      sequences.push_back({file * kPerFile + i / kRecordsEach, file << 32 | i});
    }
    for (std::uint64_t i = 0; i < kNames; ++i) names.push_back({name_of(file, i), file << 32 | i});
    const auto path = folder / fmt::format("{:08}.index", file);
    if (!IndexFile::write(**files, path, 1, 77, sequences, names)) {
      fmt::print("real: cannot write {}\n", path.string());
      return;
    }
    if (auto index = IndexFile::open(**files, path, 1, 77)) indexes.push_back(std::move(*index));
    paths.push_back(path);
  }
  if (indexes.size() < 2) return;
  fmt::print("real: {} messages in {} files, written in {:.1f} s\n", indexes.size() * kPerFile,
             indexes.size(), std::chrono::duration<double>(Clock::now() - start).count());
  ask_all(indexes, "warm", true, {});
  ask_all(indexes, "cold", true, [&] {
    for (const auto& path : paths) {
      const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
      if (file < 0) continue;
      (void)posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
      close(file);
    }
  });
  for (const auto& path : paths) std::filesystem::remove(path);
}

void synthetic(std::uint64_t messages) {
  MadeUp files;
  std::vector<IndexEntry> sequences;
  std::vector<IndexEntry> names;
  sequences.reserve(kPerFile * kRecordsEach);
  names.reserve(kNames);
  for (std::uint64_t i = 0; i < kPerFile * kRecordsEach; ++i) {
    sequences.push_back(files.entry(0, i));
  }
  for (std::uint64_t i = 0; i < kNames; ++i) {
    names.push_back(files.entry(0, kPerFile * kRecordsEach + i));
  }
  if (!IndexFile::write(files, "0", 1, 77, sequences, names)) return;
  std::vector<IndexFile> indexes;
  for (std::uint64_t file = 0; file * kPerFile < messages; ++file) {
    if (auto index = IndexFile::open(files, fmt::format("{}", file), 1, 77)) {
      indexes.push_back(std::move(*index));
    }
  }
  if (indexes.size() < 2) return;
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  fmt::print("synthetic: {} messages in {} files, {} MiB resident\n", indexes.size() * kPerFile,
             indexes.size(), used.ru_maxrss / 1024);
  files.reads = 0;
  ask_all(indexes, "without a disk", false, {});
  fmt::print("  {:.1f} reads for a question\n", static_cast<double>(files.reads) / kQuestions);
}

int run(int count, char** arguments) {
  if (count < 2) {
    fmt::print("usage: history_bench FOLDER [MESSAGES [SYNTHETIC]]\n");
    return 2;
  }
  real(arguments[1], count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1'000'000);
  synthetic(count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 1'000'000'000);
  return 0;
}

}  // namespace
}  // namespace stentor::daemon

int main(int count, char** arguments) {
  return stentor::daemon::run(count, arguments);
}
