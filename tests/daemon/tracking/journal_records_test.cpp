// Which accepted records are gone with their file, and which are merely damaged.
#include "daemon/tracking/journal_records.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "queue/journal_format.h"
#include "tests/temporary_directory.h"

namespace stentor::daemon {
namespace {

TEST(JournalRecords, WhatLiesBeforeTheOldestFileIsGoneAndWhatIsDamagedIsNot) {
  const stentor::test::TemporaryDirectory directory;
  const std::filesystem::path& folder = directory.path();
  const auto oldest = folder / queue::file_name(5);
  std::ofstream(oldest) << std::string(1 << 16, 'x');
  auto files = queue::make_posix_file_system(queue::IoBackend::threads);
  ASSERT_TRUE(files.has_value());
  queue::JournalReader reader(**files, folder, {});
  JournalRecords records(reader);
  for (const std::uint32_t file : {4u, 5u, 6u}) {
    const queue::Locator at(file, 4096, 0);
    EXPECT_FALSE(records.read(at)) << file;
    EXPECT_EQ(records.is_gone(at), file < 5) << file;
    EXPECT_FALSE(records.read_subject(at)) << file;
    EXPECT_EQ(records.is_gone(at), file < 5) << file;
  }
}

}  // namespace
}  // namespace stentor::daemon
