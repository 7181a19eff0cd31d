// When a checkpoint is made that nobody's history is long enough for.
#include "daemon/recovery/checkpointer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>

#include "queue/journal_format.h"
#include "tests/daemon/journal_on_disk.h"

namespace stentor::daemon {
namespace {

// Of 4 MiB, and a third one begun.
std::filesystem::path fill_two_files() {
  JournalOnDisk journal;
  journal.keep_folder();
  CommitFeed feed(journal.commit(), false, 0, [] {});
  journal.start();
  FieldWriter fields;
  fields.text(std::string(64'000, 'x'));
  while (journal.commit().durable_end().file() < 3) {
    for (int i = 0; i < 16; ++i) feed.open().records.add(200, fields.octets());
    JournalOnDisk::settle(feed);
  }
  return journal.folder();
}

TEST(Checkpointer, FilesThatRetentionWantsToGoAreInACheckpointFirst) {
  const std::filesystem::path folder = fill_two_files();
  JournalOnDisk disk(folder, std::chrono::milliseconds(0));
  std::map<std::uint32_t, FileUse> files;
  for (const std::uint32_t number : {1u, 2u, 3u}) {
    files[number] = {.live = 0, .last_ms = 1, .octets = 4u << 20, .has_totals = true};
  }
  disk.commit().restore({}, files);
  Checkpointer checkpointer(disk.files(), disk.journal(), disk.commit(), {}, std::nullopt);
  CommitFeed feed(disk.commit(), false, 0, [] {});
  disk.start();
  FieldWriter fields;
  fields.text("a look at retention goes with each commit");
  feed.open().records.add(200, fields.octets());
  JournalOnDisk::settle(feed);
  while (disk.commit().retention_wants() < 3) std::this_thread::yield();
  const auto first = disk.journal() / queue::file_name(1);
  EXPECT_TRUE(std::filesystem::exists(first)) << "no checkpoint knows it";

  checkpointer.start();
  while (checkpointer.stats().made == 0) std::this_thread::yield();
  EXPECT_GE(checkpointer.stats().before, 3u);
  while (std::filesystem::exists(first)) std::this_thread::yield();
  checkpointer.stop();
}

}  // namespace
}  // namespace stentor::daemon
