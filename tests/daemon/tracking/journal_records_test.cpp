// Which accepted records are gone with their file, and which are merely damaged.
#include "daemon/tracking/journal_records.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "queue/journal_format.h"

namespace stentor::daemon {
namespace {

TEST(JournalRecords, WhatLiesBeforeTheOldestFileIsGoneAndWhatIsDamagedIsNot) {
  std::string folder = testing::TempDir() + "stentor-records-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto oldest = std::filesystem::path(folder) / queue::file_name(5);
  std::ofstream(oldest) << std::string(1 << 16, 'x');
  auto files = queue::make_posix_file_system(queue::IoBackend::threads);
  ASSERT_TRUE(files.has_value());
  queue::JournalReader reader(**files, folder, {});
  JournalRecords records(reader);
  for (const std::uint32_t file : {4u, 5u, 6u}) {
    const queue::Locator at(file, 4096, 0);
    EXPECT_FALSE(records.read(at)) << file;
    EXPECT_EQ(records.is_gone(at), file < 5) << file;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace stentor::daemon
