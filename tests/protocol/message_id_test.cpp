#include "protocol/message_id.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stentor::protocol {
namespace {

std::vector<std::string> texts(std::string_view receipt_id, MessageIdRule rule) {
  const Spellings spellings = spellings_of(receipt_id, rule);
  std::vector<std::string> all;
  all.reserve(spellings.count);
  for (std::size_t at = 0; at < spellings.count; ++at) {
    all.emplace_back(spellings.candidates[at].text());
  }
  return all;
}

using Texts = std::vector<std::string>;

TEST(MessageId, IsCanonicalInLowerCaseWithoutLeadingZeros) {
  EXPECT_EQ(CanonicalId("812FC7470000001B").text(), "812fc7470000001b");
  EXPECT_EQ(CanonicalId("0000012345").text(), "12345");
  EXPECT_EQ(CanonicalId("000").text(), "0");
  EXPECT_EQ(CanonicalId("0").text(), "0");
  EXPECT_EQ(CanonicalId("").text(), "");
  EXPECT_EQ(CanonicalId("1101C1-c9d03d-F000").text(), "1101c1-c9d03d-f000");
}

TEST(MessageId, StaysAsItIsUpToItsBound) {
  EXPECT_EQ(CanonicalId(std::string(65, 'a')).text(), std::string(65, 'a'));
  EXPECT_EQ(CanonicalId("0" + std::string(65, 'a')).text(), std::string(65, 'a'))
      << "zeros go first";
}

TEST(MessageId, BeyondItsBoundIsAnotherWhereverItDiffers) {
  for (const std::size_t octets : {66u, 200u, 4000u, 60000u}) {
    const std::string id(octets, 'a');
    EXPECT_EQ(CanonicalId(id).text().size(), kMessageIdOctetsMax);
    EXPECT_EQ(CanonicalId(id).text().substr(0, 32), id.substr(0, 32)) << "a person knows it again";
    for (const std::size_t at : {std::size_t{0}, std::size_t{65}, octets / 2, octets - 1}) {
      std::string other = id;
      other[at] = 'b';
      EXPECT_NE(CanonicalId(other).text(), CanonicalId(id).text()) << octets << ", at " << at;
    }
    EXPECT_NE(CanonicalId(id + "a").text(), CanonicalId(id).text());
    EXPECT_NE(CanonicalId(id).text(), CanonicalId(id.substr(0, 65)).text());
  }
}

TEST(MessageId, BeyondItsBoundIsOneInAnyLetterCaseAndPadding) {
  const std::string id = "812fc747" + std::string(192, 'b');
  const std::string upper = "00812FC747" + std::string(192, 'B');
  EXPECT_EQ(CanonicalId(upper).text(), CanonicalId(id).text());
  EXPECT_EQ(CanonicalId(CanonicalId(id).text()).text(), CanonicalId(id).text());
}

// In journals and indexes it is what it was.
TEST(MessageId, BeyondItsBoundHasAStableForm) {
  EXPECT_EQ(CanonicalId(std::string(66, '7')).text(),
            "77777777777777777777777777777777~f0280401a640d79a6d492c4216d7e7f3");
}

TEST(MessageId, BeyondItsBoundIsNoNumberInAnotherBase) {
  const std::string id(200, '7');
  EXPECT_EQ(texts(id, MessageIdRule::automatic), Texts{std::string(CanonicalId(id).text())});
  EXPECT_EQ(texts(id, MessageIdRule::hex), Texts{std::string(CanonicalId(id).text())});
}

// jasmin 586: submit_sm_resp in hexadecimal, the receipt in decimal, and above 2^63.
TEST(MessageId, IsRewrittenFromDecimalToHex) {
  EXPECT_EQ(texts("9308878062554710043", MessageIdRule::decimal), Texts{"812fc7470000001b"});
  EXPECT_EQ(texts("0000000026", MessageIdRule::decimal), Texts{"1a"});
}

TEST(MessageId, IsRewrittenFromHexToDecimal) {
  EXPECT_EQ(texts("812FC7470000001B", MessageIdRule::hex), Texts{"9308878062554710043"});
  EXPECT_EQ(texts("0000001A", MessageIdRule::hex), Texts{"26"});
}

TEST(MessageId, IsRewrittenUpTo128BitsAndNotBeyond) {
  const std::string most_hex(32, 'f');
  const std::string most = "340282366920938463463374607431768211455";
  const std::string one_more = "340282366920938463463374607431768211456";

  EXPECT_EQ(texts(most, MessageIdRule::decimal), Texts{most_hex});
  EXPECT_EQ(texts(most_hex, MessageIdRule::hex), Texts{most});
  EXPECT_EQ(texts(one_more, MessageIdRule::decimal), Texts{one_more});
  EXPECT_EQ(texts("1" + std::string(32, '0'), MessageIdRule::hex),
            Texts{"1" + std::string(32, '0')});
  EXPECT_EQ(texts("18446744073709551616", MessageIdRule::decimal), Texts{"10000000000000000"});
  EXPECT_EQ(texts("1234567890123456789012", MessageIdRule::decimal), Texts{"42ed123b0bd8203a14"});
}

TEST(MessageId, StandsAsItIsWhenItIsNoNumber) {
  for (const auto* id : {"sar-2347039245475-1eedf843-2-1", "1101c1-c9d03d-f000",
                         "6fa459ea-ee8a-3ca4-894e-db77e160355e"}) {
    for (const MessageIdRule rule : {MessageIdRule::automatic, MessageIdRule::verbatim,
                                     MessageIdRule::decimal, MessageIdRule::hex}) {
      EXPECT_EQ(texts(id, rule), Texts{id});
    }
  }
  EXPECT_EQ(texts("4f", MessageIdRule::decimal), Texts{"4f"}) << "no decimal number";
}

TEST(MessageId, IsTriedVerbatimFirstThenInBothBases) {
  const Spellings spellings = spellings_of("0012345678", MessageIdRule::automatic);

  EXPECT_EQ(texts("0012345678", MessageIdRule::automatic),
            (Texts{"12345678", "bc614e", "305419896"}));
  EXPECT_EQ(spellings.rules[0], MessageIdRule::verbatim);
  EXPECT_EQ(spellings.rules[1], MessageIdRule::decimal);
  EXPECT_EQ(spellings.rules[2], MessageIdRule::hex);
}

TEST(MessageId, IsTriedOncePerSpelling) {
  EXPECT_EQ(texts("7", MessageIdRule::automatic), Texts{"7"});
  EXPECT_EQ(texts("bc614e", MessageIdRule::automatic), (Texts{"bc614e", "12345678"}));
  EXPECT_EQ(texts("", MessageIdRule::automatic), Texts{});
}

TEST(MessageId, IsTakenVerbatimWhenSoToldEvenIfItIsANumber) {
  EXPECT_EQ(texts("0012AB", MessageIdRule::verbatim), Texts{"12ab"});
}

}  // namespace
}  // namespace stentor::protocol
