// The journal on real files, through both ways into the kernel.
#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "queue/file_system.h"
#include "queue/journal_reader.h"
#include "queue/journal_recovery.h"
#include "queue/journal_writer.h"
#include "tests/queue/journal_on_sim.h"
#include "tests/temporary_directory.h"

namespace stentor::queue::test {
namespace {

class PosixFileSystem : public testing::TestWithParam<IoBackend> {
 protected:
  void SetUp() override {
    auto files = make_posix_file_system(GetParam());
    if (!files) GTEST_SKIP() << "no ring here: " << files.error().message();
    files_ = std::move(*files);
  }

  std::expected<Recovered, RecoveryFault> recover(RecoveryOptions options = {}) {
    texts_.clear();
    return queue::recover(*files_, journal_directory(), options, [this](const Record& record) {
      texts_.push_back(text_of(record.payload));
    });
  }
  std::unique_ptr<JournalWriter> start(JournalEnd end, JournalOptions options = {}) {
    options.directory = journal_directory();
    return JournalWriter::start(*files_, options, end, [] { return JournalWriter::Preamble{}; })
        .value();
  }
  std::filesystem::path journal_directory() const { return directory_ / "journal"; }

  const stentor::test::TemporaryDirectory own_;
  const std::filesystem::path& directory_ = own_.path();
  std::unique_ptr<FileSystem> files_;
  std::vector<std::string> texts_;
};

/// The open rings of this process.
std::vector<int> rings() {
  std::vector<int> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code closed_meanwhile;
    const auto target = std::filesystem::read_symlink(entry.path(), closed_meanwhile);
    if (target == "anon_inode:[io_uring]") found.push_back(std::stoi(entry.path().filename()));
  }
  return found;
}

TEST(UringRing, LetsNobodyRegisterAnythingMoreWithIt) {
  const std::vector<int> before = rings();
  const auto files = make_posix_file_system(IoBackend::uring);
  if (!files) GTEST_SKIP() << "no ring here: " << files.error().message();
  std::vector<int> after = rings();
  std::erase_if(after,
                [&before](int ring) { return std::ranges::find(before, ring) != before.end(); });
  ASSERT_EQ(after.size(), 1u);
  int files_to_register = 0;
  const long answer =
      ::syscall(SYS_io_uring_register, after.front(), IORING_REGISTER_FILES, &files_to_register, 1);
  const int error = errno;
  EXPECT_EQ(answer, -1);
  EXPECT_EQ(error, EACCES) << "what is not allowed by a restriction";
}

TEST_P(PosixFileSystem, KeepsAJournalThroughARestart) {
  std::vector<std::string> expected;
  std::vector<Locator> places;
  {
    auto recovered = recover();
    ASSERT_TRUE(recovered) << recovered.error().detail;
    const auto writer = start(recovered->end, {.file_octets = 32u << 10});
    for (int i = 0; i < 200; ++i) {
      expected.push_back(std::string(static_cast<std::size_t>(i * 7), 'x') + std::to_string(i));
      places.push_back(commit_one(*writer, expected.back()).value());
    }
    EXPECT_GT(writer->stats().files, 2u);
  }

  const auto again = recover();

  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(texts_, expected);
  JournalReader reader(*files_, journal_directory(), {});
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto record = reader.read(places[i]);
    ASSERT_TRUE(record) << record.error().message();
    EXPECT_EQ(text_of(record->payload), expected[i]);
  }
}

TEST_P(PosixFileSystem, GathersThousandsOfPiecesIntoOneWrite) {
  auto recovered = recover();
  ASSERT_TRUE(recovered) << recovered.error().detail;
  const auto writer = start(recovered->end);
  std::vector<RecordBatch> batches(3000);  // three times what one call to the kernel takes
  std::vector<RecordBatch*> pointers;
  for (RecordBatch& batch : batches) {
    batch.add(kKind, octets_of("record"));
    pointers.push_back(&batch);
  }

  writer->commit(pointers).value();

  ASSERT_TRUE(recover({.read_only = true}));
  EXPECT_EQ(texts_.size(), 3000u);
}

TEST_P(PosixFileSystem, RefusesASecondHolderOfTheDirectory) {
  const auto first = recover();
  ASSERT_TRUE(first);

  const auto second = recover();

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, JournalError::locked);
}

TEST_P(PosixFileSystem, MakesFilesThatOnlyTheirOwnerReads) {
  const auto recovered = recover();
  ASSERT_TRUE(recovered);
  const auto writer = start(recovered->end);

  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(journal_directory()).permissions(), perms::owner_all);
  EXPECT_EQ(std::filesystem::status(journal_directory() / "journal-00000001.stj").permissions(),
            perms::owner_read | perms::owner_write);
}

// In a process of its own, since the limit holds for all of it.
TEST_P(PosixFileSystem, TakesAFileSizeLimitForAFullDisk) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    constexpr rlimit kLimit{1u << 20, 1u << 20};
    if (::setrlimit(RLIMIT_FSIZE, &kLimit) != 0) ::_exit(9);
    auto files = make_posix_file_system(GetParam());
    const auto recovered = queue::recover(**files, journal_directory(), {}, [](const Record&) {});
    if (!recovered) ::_exit(8);
    auto writer = JournalWriter::start(**files, {.directory = journal_directory()}, recovered->end,
                                       [] { return JournalWriter::Preamble{}; });
    if (!writer) ::_exit(7);
    const std::string large(100'000, 'x');
    for (int i = 0; i < 40; ++i) {
      const auto committed = commit_one(**writer, large);
      if (!committed && committed.error() != JournalError::disk_full) ::_exit(6);
    }
    ::_exit((*writer)->stats().files > 1 ? 0 : 5);  // files of under 1 MiB, one after the other
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// A tmpfs of 16 MiB, filled to the last octet, in a namespace of its own. Answers what went wrong:
// 0 nothing, 77 no such namespace here.
int live_on_a_small_disk(IoBackend backend, const std::filesystem::path& mount_point) {
  if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return 77;
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
  if (::mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=16m") != 0) return 77;
  auto files = make_posix_file_system(backend);
  const auto journal = mount_point / "journal";
  const std::string large(100'000, 'x');
  std::size_t accepted = 0;
  {
    auto recovered = queue::recover(**files, journal, {}, [](const Record&) {});
    if (!recovered) return 1;
    auto writer = JournalWriter::start(**files, {.directory = journal}, recovered->end,
                                       [] { return JournalWriter::Preamble{}; });
    if (!writer) return 2;
    result<Locator> committed;
    for (; accepted < 1000 && (committed = commit_one(**writer, large)); ++accepted) {
      if ((*writer)->room_octets() < 200'000) std::this_thread::yield();
    }
    if (committed.error() != JournalError::disk_full) return 3;
    if (accepted < 80) return 4;  // half of the disk at least
    // What fills a disk to the last octet is mostly somebody else.
    std::ofstream(mount_point / "somebody else") << std::string(16u << 20, 'x');
    if (commit_one(**writer, large)) return 5;
  }
  std::size_t found = 0;
  auto recovered = queue::recover(**files, journal, {}, [&](const Record&) { ++found; });
  if (!recovered) return 6;
  if (found != accepted) return 7;
  std::filesystem::remove(mount_point / "somebody else");
  auto writer = JournalWriter::start(**files, {.directory = journal}, recovered->end,
                                     [] { return JournalWriter::Preamble{}; });
  if (!writer) return 8;
  if (!(*writer)->drop_before((*writer)->durable_end().file())) return 9;
  for (int tries = 0; tries < 1'000'000; ++tries) {
    if (commit_one(**writer, large)) return 0;
    (void)(*writer)->commit_watermark();
    std::this_thread::yield();
  }
  return 10;
}

TEST_P(PosixFileSystem, RefusesAndGoesOnWithOnASmallDisk) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(live_on_a_small_disk(GetParam(), directory_));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no mount namespace here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_P(PosixFileSystem, ReadsBesideAWriterOnAnotherThread) {
  auto recovered = recover();
  ASSERT_TRUE(recovered);
  const auto writer = start(recovered->end, {.file_octets = 64u << 10});
  constexpr int kRecords = 600;
  std::atomic<std::uint64_t> end{writer->durable_end().bits()};
  std::thread committing([&] {
    for (int i = 0; i < kRecords; ++i) {
      commit_one(*writer, std::to_string(i)).value();
      end.store(writer->durable_end().bits());
    }
  });
  JournalReader reader(*files_, journal_directory(), {.blocks_octets_max = 16u << 10});
  Locator position;
  for (int i = 0; i < kRecords;) {
    const auto record = reader.next(position, Locator(end.load()));
    if (!record) ADD_FAILURE() << record.error().message();
    if (!record) break;
    if (*record) {
      EXPECT_EQ(text_of((*record)->payload), std::to_string(i));
      ++i;
    } else {
      std::this_thread::yield();
    }
  }
  committing.join();
  EXPECT_EQ(reader.stats().blocks_bad, 0u);
}

TEST_P(PosixFileSystem, NamesWhatTheKernelSaid) {
  EXPECT_EQ(files_->open(directory_ / "nothing", FileSystem::Mode::read).error(),
            std::errc::no_such_file_or_directory);
  ASSERT_TRUE(files_->open(directory_ / "one", FileSystem::Mode::create));
  EXPECT_EQ(files_->open(directory_ / "one", FileSystem::Mode::create).error(),
            std::errc::file_exists);
  EXPECT_EQ(files_->list(directory_ / "nothing").error(), std::errc::no_such_file_or_directory);
}

std::string name_of(const testing::TestParamInfo<IoBackend>& backend) {
  return backend.param == IoBackend::uring ? "Uring" : "Threads";
}

INSTANTIATE_TEST_SUITE_P(Backends, PosixFileSystem,
                         testing::Values(IoBackend::threads, IoBackend::uring), name_of);

}  // namespace
}  // namespace stentor::queue::test
