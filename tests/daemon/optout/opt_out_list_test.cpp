#include "daemon/optout/opt_out_list.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <set>

#include "daemon/optout/opt_out_file.h"
#include "daemon/optout/opt_outs.h"
#include "queue/checksum.h"
#include "queue/file_system.h"
#include "tests/temporary_directory.h"

namespace stentor::daemon {
namespace {

OptedOut entry(std::string number, std::string sender = "") {
  return {.number = std::move(number), .sender = std::move(sender), .client = "crm", .since = 7};
}

TEST(OptOutList, CountsForOneSenderOrForAll) {
  OptOutList list;
  EXPECT_TRUE(list.add(entry("+79161234567", "1234")));
  EXPECT_FALSE(list.add(entry("+79161234567", "1234")));
  EXPECT_TRUE(list.is_out("+79161234567", "1234"));
  EXPECT_FALSE(list.is_out("+79161234567", "SHOP"));
  EXPECT_TRUE(list.add(entry("+79161234567")));
  EXPECT_TRUE(list.is_out("+79161234567", "SHOP"));
  EXPECT_EQ(list.size(), 2u);
}

TEST(OptOutList, TellsNumbersApartThatShareTheirDigits) {
  OptOutList list;
  (void)list.add(entry("1234567"));
  EXPECT_FALSE(list.is_out("+1234567", ""));
  (void)list.add(entry("0123"));
  EXPECT_FALSE(list.is_out("123", ""));
  EXPECT_TRUE(list.is_out("0123", ""));
}

TEST(OptOutList, TakesBackWhatWasForTheSenderAndForAll) {
  OptOutList list;
  (void)list.add(entry("+79161234567", "1234"));
  (void)list.add(entry("+79161234567"));
  EXPECT_TRUE(list.remove("+79161234567", "1234"));
  EXPECT_FALSE(list.remove("+79161234567", "1234"));
  EXPECT_EQ(list.size(), 0u);
}

OptOutChange taken_back(OptOutBy by, std::string_view client) {
  OptOutChange change;
  change.is_out = false;
  change.by = by;
  change.client = client;
  change.sender = "1234";
  change.numbers = {"+79161234567"};
  return change;
}

TEST(OptOutList, ARequestForOneSenderLeavesWhatOthersSaidForAll) {
  OptOutList list;
  OptedOut of_all = entry("+79161234567");
  of_all.client = "admin";
  (void)list.add(of_all);
  (void)list.add(entry("+79161234567", "1234"));
  EXPECT_EQ(list.apply(taken_back(OptOutBy::request, "crm")), 1u);
  EXPECT_TRUE(list.is_out("+79161234567", "1234"));
  EXPECT_EQ(list.size(), 1u);

  EXPECT_EQ(list.apply(taken_back(OptOutBy::request, "admin")), 1u);
  EXPECT_EQ(list.size(), 0u);
}

TEST(OptOutList, StartTakesBackWhatWasForAllWhoeverSaidIt) {
  OptOutList list;
  OptedOut of_all = entry("+79161234567");
  of_all.client = "admin";
  (void)list.add(of_all);
  (void)list.add(entry("+79161234567", "1234"));
  EXPECT_EQ(list.apply(taken_back(OptOutBy::reply, "crm")), 1u);
  EXPECT_EQ(list.size(), 0u);
}

TEST(OptOutList, SaysWhenANewSenderWouldMeanAll) {
  OptOutList list;
  for (std::size_t i = 0; i < OptOutList::kNamesMax; ++i) {
    ASSERT_TRUE(list.has_room_for("S" + std::to_string(i)));
    (void)list.add(entry("+79161234567", "S" + std::to_string(i)));
  }
  EXPECT_TRUE(list.has_room_for("S0"));
  EXPECT_TRUE(list.has_room_for(""));
  EXPECT_FALSE(list.has_room_for("one more"));
  EXPECT_FALSE(list.is_out("+79161234567", "one more"));
}

TEST(OptOutList, KnowsNoNamesAsNumbers) {
  OptOutList list;
  EXPECT_FALSE(list.add(entry("SHOP")));
  EXPECT_FALSE(list.is_out("SHOP", ""));
  EXPECT_FALSE(list.add(entry("+1234567890123456")));  // 16 digits
  EXPECT_TRUE(list.add(entry("+123456789012345")));    // 15
}

TEST(OptOutList, NamesWhoseAnEntryIs) {
  OptOutList list;
  (void)list.add(entry("+79161234567", "1234"));
  EXPECT_EQ(list.client_of("+79161234567", "1234"), "crm");
  EXPECT_FALSE(list.client_of("+79161234567", ""));
}

class OptOutFile : public testing::Test {
 protected:
  void write(std::size_t entries) {
    auto writer = OptOutFileWriter::create(path(), queue::Locator(77));
    ASSERT_TRUE(writer);
    for (std::size_t i = 0; i < entries; ++i) {
      (*writer)->add(entry("+7916" + std::to_string(1000000 + i), i % 2 == 0 ? "1234" : ""));
    }
    ASSERT_FALSE((*writer)->finish());
  }
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "list"; }
  const stentor::test::TemporaryDirectory directory_;
  const std::filesystem::path& folder_ = directory_.path();
};

TEST_F(OptOutFile, GivesBackWhatWasWritten) {
  write(20'000);
  OptOutList list;
  const auto begun_at = read_opt_out_file(path(), [&](const OptedOut& one) { list.add(one); });
  ASSERT_TRUE(begun_at);
  EXPECT_EQ(begun_at->bits(), 77u);
  EXPECT_EQ(list.size(), 20'000u);
  EXPECT_TRUE(list.is_out("+79161000000", "1234"));
  EXPECT_FALSE(list.is_out("+79161000000", "SHOP"));
  std::set<std::string> seen;
  for (std::size_t i = 0; i < OptOutList::kPieces; ++i) {
    list.for_each(i, [&](const OptedOut& one) {
      seen.insert(one.number);
      EXPECT_EQ(one.client, "crm");
      EXPECT_EQ(one.since, 7u);
    });
  }
  EXPECT_EQ(seen.size(), 20'000u);
}

TEST_F(OptOutFile, IsEmptyWhereThereIsNone) {
  EXPECT_TRUE(read_opt_out_file(path(), [](const OptedOut&) { FAIL(); }));
}

TEST_F(OptOutFile, IsRefusedWithAnyOctetChanged) {
  write(3);
  const auto size = std::filesystem::file_size(path());
  for (std::uintmax_t at = 0; at < size; ++at) {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char before = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(before ^ 0x10));
    file.close();
    EXPECT_FALSE(read_opt_out_file(path(), [](const OptedOut&) {})) << at;
    std::fstream again(path(), std::ios::in | std::ios::out | std::ios::binary);
    again.seekp(static_cast<std::streamoff>(at));
    again.put(before);
  }
}

TEST_F(OptOutFile, FromTheFutureEndsTheStartByNameAndVersion) {
  std::filesystem::create_directory(folder_ / "opt_out");
  std::filesystem::path list = folder_ / "opt_out" / "list";
  FieldWriter written;
  written.raw(std::array<std::uint8_t, 8>{'S', 'T', 'E', 'N', 'T', 'O', 'R', 'O'});
  written.u32(2);
  written.text("nobody here knows what follows");
  written.u32(queue::crc32c(written.octets()));
  std::ofstream(list, std::ios::binary)
      .write(reinterpret_cast<const char*>(written.octets().data()),
             static_cast<std::streamsize>(written.size()));
  Config config;
  config.state_dir = folder_;
  CommitThread commit{{}};
  const auto files = *queue::make_posix_file_system(queue::IoBackend::threads);

  OptOuts opt_outs(config, commit);
  const auto loaded = opt_outs.load(*files);

  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error(),
            (folder_ / "opt_out").string() + "/list: format 2, while this program knows up to 1");
}

}  // namespace
}  // namespace stentor::daemon
