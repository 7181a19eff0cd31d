// Ten million references, in memory that has room for a few: all are known, no stranger is, and the
// memory they take stays below its bound.
//
// An ordinary run has 300,000 in as much less memory. STENTOR_REFERENCES=10000000 has them all, in
// some minutes of a debug build, and says what it took.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "daemon/references/reference_index.h"
#include "queue/journal_format.h"
#include "tests/temporary_directory.h"

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kNowMs = 1'800'000'000'000;
constexpr std::uint64_t kDayMs = 86'400'000;
constexpr std::uint64_t kHandful = 300'000;

std::uint64_t references_wanted() {
  const char* wanted =
      std::getenv("STENTOR_REFERENCES");  // NOLINT(concurrency-mt-unsafe): no thread yet
  return wanted == nullptr ? kHandful : std::stoull(wanted);
}

std::uint64_t resident_octets() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  unsigned long long all = 0;
  unsigned long long resident = 0;
  const int read = std::fscanf(file, "%llu %llu", &all, &resident);
  std::fclose(file);
  return read == 2 ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

// Records of 256 octets, as many to a file as it holds.
queue::Locator place_of(std::uint64_t number) {
  constexpr std::uint64_t kPerFile = (128u << 20) / 256;
  return {static_cast<std::uint32_t>(1 + number / kPerFile),
          static_cast<std::uint32_t>(queue::kFirstBlock + number % kPerFile * 256), 0};
}

class ReferenceBound : public testing::Test {
 protected:
  void SetUp() override {
    auto files = queue::make_posix_file_system(queue::IoBackend::threads);
    ASSERT_TRUE(files.has_value());
    files_ = std::move(*files);
  }

  void open(std::uint64_t memory) {
    index_.reset();
    // As the daemon divides `[queue] memory` (control/recovering.cpp).
    entries_max_ = memory / 16 / ReferenceTable::kOctetsPerEntry;
    filters_max_ = memory / 8;
    auto opened =
        ReferenceIndex::open(*files_, folder_.path() / "references", folder_.path() / "journal",
                             {.seed = 7,
                              .guard_ms = kDayMs,
                              .entries_max = entries_max_,
                              .filter_octets_max = filters_max_,
                              .now_ms = kNowMs});
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    index_ = std::move(*opened);
    index_->set_on_trouble([](const std::string& what) { FAIL() << what; });
  }

  // The table, the one being written, the filters, and eight octets a page of 255 for the fences.
  [[nodiscard]] std::uint64_t bound(std::uint64_t references) const {
    return 2 * (entries_max_ + 1) * ReferenceTable::kOctetsPerEntry + filters_max_ +
           references / 255 * 8 + (64u << 10);
  }
  [[nodiscard]] std::uint64_t key(std::uint64_t number) const {
    return index_->key_of("crm", std::to_string(number));
  }

  const stentor::test::TemporaryDirectory folder_;
  std::unique_ptr<queue::FileSystem> files_;
  std::unique_ptr<ReferenceIndex> index_;
  std::uint64_t entries_max_ = 0;
  std::uint64_t filters_max_ = 0;
};

TEST_F(ReferenceBound, AllAreKnownAndNoStrangerInMemoryThatHasRoomForAFew) {
  const std::uint64_t references = references_wanted();
  const std::uint64_t memory =
      references * 6;  // 64 MiB for ten millions: their hashes alone are 80
  const std::uint64_t resident_before = resident_octets();
  open(memory);
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t most = 0;
  for (std::uint64_t i = 0; i < references; ++i) {
    const std::uint64_t now = kNowMs + i / 100;  // 100,000 a second
    index_->put_durable(key(i), place_of(i), now);
    if (i % 4096 != 0) continue;
    index_->tend({}, now);
    most = std::max(most, index_->memory_octets());
    // The disk keeps up with what a daemon accepts; a loop without one may be faster.
    if (index_->memory_octets() > bound(i)) index_->settle();
  }
  const std::chrono::duration<double> put = std::chrono::steady_clock::now() - began;
  index_->settle();
  const std::uint64_t resident = resident_octets() - resident_before;

  EXPECT_EQ(index_->size(), references);
  EXPECT_LE(index_->memory_octets(), bound(references));
  const std::uint64_t step = std::max<std::uint64_t>(1, references / 100'000);
  const auto asked = std::chrono::steady_clock::now();
  std::uint64_t looked_up = 0;
  const auto expect_all = [&] {
    for (std::uint64_t i = 0; i < references; i += step, ++looked_up) {
      const auto found = index_->find(key(i));
      ASSERT_TRUE(found.has_value()) << found.error().message();
      ASSERT_TRUE(found->has_value()) << i << " is forgotten";
      ASSERT_EQ((*found)->durable, place_of(i));
    }
  };
  expect_all();
  const std::uint64_t asked_for = looked_up;
  const std::chrono::duration<double> find = std::chrono::steady_clock::now() - asked;
  std::uint64_t strangers = 0;
  for (std::uint64_t i = references; i < references + 10'000; ++i) {
    const auto found = index_->find(key(i));
    ASSERT_TRUE(found.has_value());
    strangers += found->has_value() ? 1 : 0;
  }
  EXPECT_EQ(strangers, 0u) << "a hash of 64 bits is not met twice";

  // The places of those that no run has yet come from the journal, at a start.
  const std::uint64_t durable = index_->durable_to().bits();
  open(memory);
  for (std::uint64_t i = 0; i < references; ++i) {
    if (place_of(i).bits() >= durable) index_->restore(key(i), place_of(i), kNowMs);
  }
  expect_all();
  EXPECT_LE(index_->memory_octets(), bound(references));

  fmt::print(
      "{} references in {} runs: {:.1f} MiB by their own count ({:.1f} at most), {:.1f} "
      "resident, {:.1f} are the bound; {:.2f} us to put one, {:.2f} us to find one\n",
      references, index_->runs(), static_cast<double>(index_->memory_octets()) / (1 << 20),
      static_cast<double>(most) / (1 << 20), static_cast<double>(resident) / (1 << 20),
      static_cast<double>(bound(references)) / (1 << 20),
      put.count() * 1e6 / static_cast<double>(references),
      find.count() * 1e6 / static_cast<double>(asked_for));
}

}  // namespace
}  // namespace stentor::daemon
