#include "bench/load/reply_scanner.h"

#include <gtest/gtest.h>

#include <string_view>

namespace stentor::load {
namespace {

constexpr std::string_view kReplies =
    R"({"ref":"o-1","status":"accepted","id":"01","segments":1,"encoding":"gsm7"})"
    "\n"
    R"({"status":"accepted","id":"02","segments":1,"encoding":"gsm7"})"
    "\n"
    R"({"ref":"o-1","status":"duplicate","id":"01"})"
    "\n"
    R"({"ref":"o-2","status":"rejected","error":{"code":"conflict","detail":"x"}})"
    "\n"
    R"({"status":"rejected","error":{"code":"bad_json","detail":"\"status\":\"accepted\""}})"
    "\n"
    R"({"ref":"o-3","status":"rejected","error":{"code":"conflict","detail":"x"}})"
    "\n"
    "what is this\n";

void expect_all(const ReplyScanner& scanner) {
  EXPECT_EQ(scanner.accepted(), 2u);
  EXPECT_EQ(scanner.duplicates(), 1u);
  EXPECT_EQ(scanner.rejected().at("conflict"), 2u);
  EXPECT_EQ(scanner.rejected().at("bad_json"), 1u);
  EXPECT_EQ(scanner.rejected().at("unreadable"), 1u);
}

TEST(ReplyScanner, CountsEachKindOfReply) {
  ReplyScanner scanner;
  EXPECT_EQ(scanner.on_octets(kReplies), 7u);
  expect_all(scanner);
}

TEST(ReplyScanner, TakesLinesInAnyPieces) {
  ReplyScanner scanner;
  std::size_t replies = 0;
  for (const char octet : kReplies) replies += scanner.on_octets({&octet, 1});
  EXPECT_EQ(replies, 7u);
  expect_all(scanner);
}

}  // namespace
}  // namespace stentor::load
