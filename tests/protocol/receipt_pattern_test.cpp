#include "protocol/receipt_pattern.h"

#include <gtest/gtest.h>

#include "protocol/encoder.h"
#include "protocol/receipt.h"
#include "tests/protocol/wire.h"

namespace stentor::protocol::test {
namespace {

TEST(ReceiptPattern, FindsFieldsBetweenWhatIsAlwaysTheSame) {
  const auto pattern = ReceiptPattern::compile("{stat},{done},{},{err},{},{},{id}");
  ASSERT_TRUE(pattern);

  const auto found = pattern->match("00,0210021543,0210021500,,447887123456,10110200000000,we23");

  ASSERT_TRUE(found);
  EXPECT_EQ(found->stat, "00");
  EXPECT_EQ(found->done_date, "0210021543");
  EXPECT_EQ(found->err, "");
  EXPECT_EQ(found->id, "we23");
}

TEST(ReceiptPattern, BeginsAndEndsWhereItSays) {
  const auto pattern = ReceiptPattern::compile("msg {id} is {stat}.");
  ASSERT_TRUE(pattern);

  EXPECT_EQ(pattern->match("msg 4f is DELIVRD. and more")->stat, "DELIVRD");
  EXPECT_FALSE(pattern->match("a msg 4f is DELIVRD."));
  EXPECT_FALSE(pattern->match("msg 4f is DELIVRD"));
  EXPECT_FALSE(pattern->match(""));
}

TEST(ReceiptPattern, IsNoneWhenItIsNotClear) {
  for (const auto* text :
       {"", "id", "{id", "{id}{stat}", "{id} {id}", "{message} {id}", "{err}", "{}", "{id} {"}) {
    EXPECT_FALSE(ReceiptPattern::compile(text)) << text;
  }
  for (const auto* text : {"{id}", "{stat} {}", "}{id}", "{} {} {id} {}"}) {
    EXPECT_TRUE(ReceiptPattern::compile(text)) << text;
  }
}

TEST(ReceiptPattern, LeavesOutWhatFillsAFieldUp) {
  using namespace std::literals;
  const auto pattern = ReceiptPattern::compile("{stat},{err},{id}");
  ASSERT_TRUE(pattern);

  for (const auto end : {""sv, "\0"sv, "\0\0"sv, "\r\n"sv, "\n"sv, "   "sv, " \r\n\0"sv}) {
    const std::string text = "DELIVRD , 007,4f" + std::string(end);
    const auto found = pattern->match(text);
    ASSERT_TRUE(found) << end.size();
    EXPECT_EQ(found->stat, "DELIVRD");
    EXPECT_EQ(found->err, "007");
    EXPECT_EQ(found->id, "4f") << end.size();
  }
}

TEST(ReceiptPattern, ReadsAReceiptWithItsTlvs) {
  const auto pattern = ReceiptPattern::compile("{stat},{done},{},{err},");
  ASSERT_TRUE(pattern);
  const Octets text = octets_of("DELIVRD,0210021543,0210021500,007,447887123456");
  Octets tlvs;
  append_tlv_text(tlvs, tag::kReceiptedMessageId, "4f");
  const DeliverSm deliver{.esm_class = 4, .short_message = text, .tlvs = Tlvs(tlvs)};

  const auto receipt = parse_receipt(deliver, *pattern);

  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->message_id, "4f");
  EXPECT_EQ(receipt->state, MessageState::delivered);
  EXPECT_EQ(receipt->err, "007");
}

// A carrier may send both forms, from two generations of its machines.
TEST(ReceiptPattern, LeavesTheUsualFormReadable) {
  const auto pattern = ReceiptPattern::compile("{stat},{id}");
  ASSERT_TRUE(pattern);
  const Octets text = octets_of("id:4f stat:DELIVRD err:000");

  const auto receipt = parse_receipt({.esm_class = 4, .short_message = text}, *pattern);

  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->message_id, "4f");
}

}  // namespace
}  // namespace stentor::protocol::test
