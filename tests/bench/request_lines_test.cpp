#include "bench/load/request_lines.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace stentor::load {
namespace {

TEST(RequestLines, ComposesRequestsThatDifferInNumberAndRef) {
  RequestLines lines({.texts = {"Hello", "He said \"no\"\t\\"},
                      .from = "SHOP",
                      .to_prefix = "7916",
                      .has_refs = true,
                      .ref_prefix = "r",
                      .campaign = "spring",
                      .priority = "bulk"});
  std::string out;
  lines.append(out, 3);

  EXPECT_EQ(out, R"({"to":"79160000001","ref":"r-0000000001","from":"SHOP","campaign":"spring",)"
                 R"("priority":"bulk","text":"Hello"})"
                 "\n"
                 R"({"to":"79160000002","ref":"r-0000000002","from":"SHOP","campaign":"spring",)"
                 R"("priority":"bulk","text":"He said \"no\"\u0009\\"})"
                 "\n"
                 R"({"to":"79160000003","ref":"r-0000000003","from":"SHOP","campaign":"spring",)"
                 R"("priority":"bulk","text":"Hello"})"
                 "\n");
}

TEST(RequestLines, LeavesOutWhatIsNotAskedFor) {
  RequestLines lines({.texts = {"Hi"},
                      .from = "",
                      .has_refs = false,
                      .ref_prefix = "",
                      .campaign = "",
                      .priority = ""});
  std::string out;
  lines.append(out, 1);
  EXPECT_EQ(out, "{\"to\":\"79000000001\",\"text\":\"Hi\"}\n");
}

TEST(RequestLines, CarriesWhenItCounts) {
  RequestLines lines({.texts = {"Hi"},
                      .from = "",
                      .to_prefix = "7",
                      .has_refs = true,
                      .ref_prefix = "r",
                      .campaign = "",
                      .priority = ""});
  std::string out;
  lines.append(out, 999);
  out.clear();
  lines.append(out, 1);
  EXPECT_TRUE(out.starts_with(R"({"to":"70000001000","ref":"r-0000001000")")) << out;
}

TEST(RequestLines, ReadsTextsWithoutEmptyLines) {
  const auto path =
      std::filesystem::temp_directory_path() / ("stentor-texts-" + std::to_string(::getpid()));
  std::ofstream(path) << "one\r\n\ntwo";

  EXPECT_EQ(read_texts(path), (std::vector<std::string>{"one", "two"}));

  std::filesystem::remove(path);
  EXPECT_THROW((void)read_texts(path), std::runtime_error);
}

}  // namespace
}  // namespace stentor::load
