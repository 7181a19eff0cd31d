// Every shape of a receipt met in the field, as it came.
#include "protocol/receipt.h"

#include <gtest/gtest.h>

#include <string>

#include "protocol/encoder.h"
#include "tests/protocol/wire.h"

namespace stentor::protocol::test {
namespace {

// A receipt whose text and TLVs live as long as it does.
struct Delivery {
  explicit Delivery(std::string_view text_given, Octets tlvs_given = {},
                    std::uint8_t esm_class = 0x04)
      : text(octets_of(text_given)), tlvs(std::move(tlvs_given)) {
    message.esm_class = esm_class;
    message.short_message = text;
    message.tlvs = Tlvs(tlvs);
  }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  Octets text;
  Octets tlvs;
  DeliverSm message;
};

// What a text says, in one line: id, state, stat, err, done_date.
std::string summary(const std::optional<Receipt>& receipt) {
  if (!receipt) return "none";
  return std::string(receipt->message_id) + " " + std::string(name_of(receipt->state)) + " " +
         std::string(receipt->stat) + " " + std::string(receipt->err) + " " +
         std::string(receipt->done_date);
}

std::string read(std::string_view text) {
  const Delivery delivery(text);
  return summary(parse_receipt(delivery.message));
}

TEST(Receipt, IsReadInTheFormOfTheSpecification) {
  EXPECT_EQ(read("id:0123456789 sub:001 dlvrd:001 submit date:0607011200 done date:0607011201 "
                 "stat:DELIVRD err:000 Text:hello"),
            "0123456789 DELIVRD DELIVRD 000 0607011201");
}

TEST(Receipt, KeepsItsCountsAndItsSubmitDateAsTheyWereWritten) {
  const Delivery whole(
      "id:1 sub:001 dlvrd:000 submit date:0607011200 done date:0607011201 stat:UNDELIV err:001");
  const auto receipt = parse_receipt(whole.message);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->sub, "001");
  EXPECT_EQ(receipt->dlvrd, "000");
  EXPECT_EQ(receipt->submit_date, "0607011200");
  const Delivery bare("id:1 stat:DELIVRD");
  EXPECT_EQ(parse_receipt(bare.message)->sub, "");
}

TEST(Receipt, IsReadWithoutSubAndDlvrd) {  // jsmpp 62
  EXPECT_EQ(read("id:1526758174 submit date:1701240904 done date:1701240904 stat:DELIVRD err:000 "
                 "text:hellow"),
            "1526758174 DELIVRD DELIVRD 000 1701240904");
}

TEST(Receipt, IsReadWithoutText) {  // uudashr/jsmpp 67, Jasmin
  EXPECT_EQ(read("id:1 submit date:1701240904 done date:1701240904 stat:UNDELIV err:0032"),
            "1 UNDELIV UNDELIV 0032 1701240904");
}

TEST(Receipt, IsReadWithDatesOfAnyLength) {
  for (const std::string date : {"1701240904", "190608165232", "20190608165232", "0000000000"}) {
    EXPECT_EQ(read("id:1 sub:001 dlvrd:001 submit date:" + date + " done date:" + date +
                   " stat:EXPIRED err:000 text:"),
              "1 EXPIRED EXPIRED 000 " + date);
  }
}

TEST(Receipt, IsReadWithAnyErr) {
  for (const std::string err : {"000", "0000", "0032", "nul", "21b"}) {
    EXPECT_EQ(read("id:1 stat:REJECTD err:" + err + " text:x"), "1 REJECTD REJECTD " + err + " ");
  }
  EXPECT_EQ(read("id:1 stat:REJECTD text:x"), "1 REJECTD REJECTD  ");
  EXPECT_EQ(read("id:1 stat:REJECTD err: text:x"), "1 REJECTD REJECTD  ");
}

TEST(Receipt, IsReadInAnyLetterCase) {
  EXPECT_EQ(read("ID:4F SUB:001 DLVRD:001 SUBMIT DATE:1 DONE DATE:2 STAT:delivrd ERR:000 TEXT:"),
            "4F DELIVRD delivrd 000 2");
}

TEST(Receipt, IsReadWithSpacesBehindColonsAndOtherGaps) {
  EXPECT_EQ(read(" id: 4f  sub: 001\tdlvrd: 001\r\nstat: DELIVRD\n err: 000\r\ntext: x"),
            "4f DELIVRD DELIVRD 000 ");
}

TEST(Receipt, IsReadAroundWordsItDoesNotKnow) {
  EXPECT_EQ(read("id:4f network:25001 stat:DELIVRD price 0.04 err:000 text:x"),
            "4f DELIVRD DELIVRD 000 ");
}

TEST(Receipt, TakesEverySpellingOfItsState) {
  const std::pair<const char*, MessageState> words[] = {
      {"DELIVRD", MessageState::delivered},     {"DELIVERED", MessageState::delivered},
      {"DELIV", MessageState::delivered},       {"EXPIRED", MessageState::expired},
      {"EXPIR", MessageState::expired},         {"DELETED", MessageState::deleted},
      {"UNDELIV", MessageState::undeliverable}, {"UNDELIVERABLE", MessageState::undeliverable},
      {"ACCEPTD", MessageState::accepted},      {"ACCEPTED", MessageState::accepted},
      {"UNKNOWN", MessageState::unknown},       {"REJECTD", MessageState::rejected},
      {"REJECTED", MessageState::rejected},     {"FAILED", MessageState::undeliverable},
      {"ACKED", MessageState::accepted},        {"BUFFRED", MessageState::enroute},
      {"BUFFERD", MessageState::enroute},       {"ENROUTE", MessageState::enroute},
      {"SCHEDLD", MessageState::scheduled},     {"SKIPPED", MessageState::skipped},
      {"NONSENSE", MessageState::unknown},      {"DEL", MessageState::unknown}};
  for (const auto& [word, state] : words) {
    const Delivery delivery(std::string("id:1 stat:") + word);
    EXPECT_EQ(parse_receipt(delivery.message)->state, state) << word;
  }
}

TEST(Receipt, KeepsEveryFormOfId) {
  for (const std::string id :
       {"812FC747", "0000012345", "1234567890123456789012", "SAR-2347039245475-1eedf843-2-1",
        "6fa459ea-ee8a-3ca4-894e-db77e160355e", "1101c1-c9d03d-f000",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    EXPECT_EQ(read("id:" + id + " stat:DELIVRD"), id + " DELIVRD DELIVRD  ");
  }
}

// What stands behind "text:" was written by whoever wrote the message.
TEST(Receipt, BelievesNothingBehindText) {
  EXPECT_EQ(read("id:1 stat:UNDELIV err:005 text:id:2 stat:DELIVRD err:000"),
            "1 UNDELIV UNDELIV 005 ");
  EXPECT_EQ(read("stat:DELIVRD text:id:2"), "none");
}

TEST(Receipt, BelievesTheFirstOfTwo) {
  EXPECT_EQ(read("id:1 id:2 stat:UNDELIV stat:DELIVRD"), "1 UNDELIV UNDELIV  ");
}

TEST(Receipt, IsNotFoundInTheMiddleOfAText) {
  EXPECT_EQ(read("hello id:1 stat:DELIVRD"), "none");
  EXPECT_EQ(read("paid:1 stat:DELIVRD"), "none");
}

TEST(Receipt, NeedsAnId) {
  EXPECT_EQ(read(""), "none");
  EXPECT_EQ(read("id:"), "none");
  EXPECT_EQ(read("id: stat:DELIVRD"), "none");
  EXPECT_EQ(read("sub:001 stat:DELIVRD"), "none");
  EXPECT_EQ(read("00,0210021543,0210021500,,447887123456,10110200000000,we23"), "none");
}

TEST(Receipt, KeepsItsWordsWhereItNamesNoMessage) {
  const Delivery told("stat:UNDELIV err:045 done date:2601010000 text:Hello");
  EXPECT_EQ(summary(nameless_receipt(told.message)), " UNDELIV UNDELIV 045 2601010000");

  const Delivery strange("number 4711 was delivered text:Hello");
  EXPECT_EQ(nameless_receipt(strange.message).stat, "number 4711 was delivered ");
  for (const std::string word : {"text:", "Text:", "TEXT:", "tExT:"}) {
    const Delivery shouted("number 4711 was delivered " + word + "a secret, text: of a person");
    EXPECT_EQ(nameless_receipt(shouted.message).stat, "number 4711 was delivered ") << word;
  }

  const std::string words = "message to 79161234567 was delivered, " + std::string(100, '.');
  const Delivery prose(words);
  const Receipt receipt = nameless_receipt(prose.message);
  EXPECT_EQ(receipt.stat, words.substr(0, kNamelessOctets));
  EXPECT_EQ(receipt.state, MessageState::unknown);
  EXPECT_TRUE(receipt.message_id.empty());
}

TEST(Receipt, IsReadFromTlvsAlone) {
  Octets tlvs;
  append_tlv_text(tlvs, tag::kReceiptedMessageId, "4F");
  append_tlv_u8(tlvs, tag::kMessageState, 5);
  append_tlv(tlvs, tag::kNetworkErrorCode, hex("030021"));
  append_tlv_u16(tlvs, tag::kUserMessageReference, 0x1234);
  const Delivery delivery("", tlvs);

  const auto receipt = parse_receipt(delivery.message);

  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->message_id, "4F");
  EXPECT_EQ(receipt->state, MessageState::undeliverable);
  EXPECT_EQ(receipt->stat, "");
  EXPECT_EQ(receipt->network_error_code, 0x030021u);
  EXPECT_EQ(receipt->user_message_reference, 0x1234);
}

// The TLVs are the SMSC's own words; the text may be anyone's.
TEST(Receipt, BelievesTlvsBeforeText) {
  Octets tlvs;
  append_tlv_text(tlvs, tag::kReceiptedMessageId, "4f");
  append_tlv_u8(tlvs, tag::kMessageState, 2);
  const Delivery delivery("id:99 stat:UNDELIV err:001", tlvs);

  EXPECT_EQ(summary(parse_receipt(delivery.message)), "4f DELIVRD UNDELIV 001 ");
}

TEST(Receipt, TakesEachHalfFromWhereItIs) {
  Octets id_only, state_only;
  append_tlv_text(id_only, tag::kReceiptedMessageId, "4f");
  append_tlv_u8(state_only, tag::kMessageState, 3);
  const Delivery first("stat:DELIVRD err:000", id_only);
  const Delivery second("id:7 err:000", state_only);
  const Delivery third("", id_only);

  EXPECT_EQ(summary(parse_receipt(first.message)), "4f DELIVRD DELIVRD 000 ");
  EXPECT_EQ(summary(parse_receipt(second.message)), "7 EXPIRED  000 ");
  EXPECT_EQ(summary(parse_receipt(third.message)), "4f UNKNOWN   ") << "an id without a state";
}

TEST(Receipt, ReadsAnIdTlvHoweverItEnds) {
  for (const auto* value : {"3466", "346600", "34660000", "346620", "346600ff"}) {
    Octets tlvs;
    append_tlv(tlvs, tag::kReceiptedMessageId, hex(value));
    const Delivery delivery("", tlvs);
    EXPECT_EQ(parse_receipt(delivery.message)->message_id, "4f") << value;
  }
  Octets empty;
  append_tlv(empty, tag::kReceiptedMessageId, hex("00"));
  const Delivery delivery("id:1", empty);
  EXPECT_EQ(parse_receipt(delivery.message)->message_id, "1");
}

TEST(Receipt, ReadsANetworkErrorCodeOfThreeDigits) {  // Kannel works around it
  Octets tlvs;
  append_tlv(tlvs, tag::kNetworkErrorCode, octets_of("027"));
  const Delivery delivery("id:1", tlvs);

  EXPECT_EQ(parse_receipt(delivery.message)->network_error_code, 27u);
}

TEST(Receipt, WithoutAnIdMayNameItsMessageByTheReference) {
  Octets tlvs;
  append_tlv_u16(tlvs, tag::kUserMessageReference, 0x1234);
  Delivery delivery("stat:UNDELIV err:001", tlvs);
  delivery.message.source.digits = "79161234567";
  delivery.message.destination.digits = "SHOP";

  const auto receipt = parse_receipt(delivery.message);

  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->message_id, "");
  EXPECT_EQ(receipt->user_message_reference, 0x1234);
  EXPECT_EQ(receipt->state, MessageState::undeliverable);
  EXPECT_EQ(receipt->source, "79161234567");
  EXPECT_EQ(receipt->destination, "SHOP");
}

TEST(Receipt, PassesOverTlvsOfTheWrongSize) {
  Octets tlvs;
  append_tlv(tlvs, tag::kMessageState, hex("0002"));
  append_tlv(tlvs, tag::kNetworkErrorCode, hex("0102"));
  append_tlv(tlvs, tag::kUserMessageReference, hex("01"));
  const Delivery delivery("id:1 stat:EXPIRED", tlvs);

  const auto receipt = parse_receipt(delivery.message);

  EXPECT_EQ(receipt->state, MessageState::expired);
  EXPECT_FALSE(receipt->network_error_code);
  EXPECT_FALSE(receipt->user_message_reference);
}

TEST(Receipt, PassesOverAStateThatIsNone) {
  Octets tlvs;
  append_tlv_u8(tlvs, tag::kMessageState, 10);
  const Delivery delivery("id:1 stat:DELIVRD", tlvs);

  const auto receipt = parse_receipt(delivery.message);
  ASSERT_TRUE(receipt.has_value());
  EXPECT_EQ(receipt->state, MessageState::delivered);
  EXPECT_EQ(receipt->message_state, 10) << "as it is, for whom it means something";
}

TEST(Receipt, IsReadFromMessagePayload) {
  Octets tlvs;
  append_tlv(tlvs, tag::kMessagePayload, octets_of("id:4f stat:DELIVRD err:000"));
  const Delivery delivery("", tlvs);

  EXPECT_EQ(summary(parse_receipt(delivery.message)), "4f DELIVRD DELIVRD 000 ");
}

TEST(Receipt, IsReadBehindAUserDataHeader) {
  const Delivery with(text_of(hex("050003010201")) + "id:4f stat:DELIVRD", {}, 0x44);
  const Delivery without("id:4f stat:DELIVRD", {}, 0x44);  // the bit, but no header

  EXPECT_EQ(summary(parse_receipt(with.message)), "4f DELIVRD DELIVRD  ");
  EXPECT_EQ(summary(parse_receipt(without.message)), "4f DELIVRD DELIVRD  ");
}

TEST(Receipt, IsReadWithABinaryTail) {
  const Delivery delivery("id:4f stat:DELIVRD err:000 text:" + text_of(hex("00ff0102fe")));

  EXPECT_EQ(summary(parse_receipt(delivery.message)), "4f DELIVRD DELIVRD 000 ");
}

TEST(Receipt, IsMarkedByItsEsmClass) {
  for (const std::uint8_t esm_class : Octets{0x04, 0x44, 0xc4, 0x08, 0x20, 0x24, 0x05}) {
    EXPECT_TRUE(is_receipt(esm_class)) << int{esm_class};
  }
  for (const std::uint8_t esm_class : Octets{0x00, 0x40, 0x80, 0x03, 0x10, 0x18}) {
    EXPECT_FALSE(is_receipt(esm_class)) << int{esm_class};
  }
}

TEST(Receipt, KnowsAnIntermediateNotification) {
  const Delivery intermediate("id:1 stat:ENROUTE", {}, 0x20);
  const Delivery final_one("id:1 stat:DELIVRD");

  EXPECT_TRUE(parse_receipt(intermediate.message)->is_intermediate);
  EXPECT_FALSE(parse_receipt(final_one.message)->is_intermediate);
}

TEST(Receipt, MeansSomethingForTheMessage) {
  using enum MessageState;
  for (const MessageState state : {scheduled, enroute, accepted}) {
    EXPECT_EQ(verdict_of(state), ReceiptVerdict::intermediate);
  }
  for (const MessageState state : {deleted, undeliverable, rejected, skipped}) {
    EXPECT_EQ(verdict_of(state), ReceiptVerdict::failed);
  }
  EXPECT_EQ(verdict_of(delivered), ReceiptVerdict::delivered);
  EXPECT_EQ(verdict_of(expired), ReceiptVerdict::expired);
  EXPECT_EQ(verdict_of(unknown), ReceiptVerdict::unknown);
}

}  // namespace
}  // namespace stentor::protocol::test
