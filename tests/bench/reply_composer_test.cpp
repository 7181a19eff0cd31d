#include "bench/smsc/reply_composer.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace stentor::smsc {
namespace {

std::string user_data_of(const protocol::Octets& pdu, std::size_t fixed) {
  return {pdu.begin() + static_cast<std::ptrdiff_t>(fixed), pdu.end()};
}

// Header 16, service_type 1, two empty addresses of 3, nine single octets, sm_length: 33.
constexpr std::size_t kUserDataAt = 33;

TEST(ReplyComposer, SendsPlainTextAsItIs) {
  ReplyComposer composer({"STOP"});
  protocol::Octets pdu;
  composer.append(pdu, 1, {});

  EXPECT_EQ(user_data_of(pdu, kUserDataAt), "STOP");
}

TEST(ReplyComposer, SendsTheRestAsUcs2) {
  ReplyComposer composer({"Я👍"});
  protocol::Octets pdu;
  composer.append(pdu, 1, {});

  EXPECT_EQ(user_data_of(pdu, kUserDataAt), "\x04\x2f\xd8\x3d\xdc\x4d");
}

TEST(ReplyComposer, CutsLongTextAndKeepsPairsTogether) {
  std::string text(66, '@');  // not of one number in ASCII and GSM: UCS-2
  text += "👍";               // would begin as unit 67 and end as 68
  text += "@@@@@";
  ReplyComposer composer({text});
  ASSERT_EQ(composer.parts_of(0), 2u);

  protocol::Octets first;
  composer.append(first, 1, {.message_number = 0x2a});
  protocol::Octets second;
  composer.append(second, 2, {.message_number = 0x2a, .reply_part = 1});

  using namespace std::string_literals;
  EXPECT_EQ(user_data_of(first, kUserDataAt).size(), 6 + 66 * 2u);
  EXPECT_EQ(user_data_of(first, kUserDataAt).substr(0, 6), "\x05\0\x03\x2a\x02\x01"s);
  EXPECT_EQ(user_data_of(second, kUserDataAt).substr(0, 10),
            "\x05\0\x03\x2a\x02\x02\xd8\x3d\xdc\x4d"s);
}

TEST(ReplyComposer, RefusesWhatIsNotUtf8) {
  EXPECT_THROW(ReplyComposer({"\xff"}), std::invalid_argument);
  EXPECT_THROW(ReplyComposer({"\xd0"}), std::invalid_argument);
  EXPECT_THROW(ReplyComposer({"\xd0\x20"}), std::invalid_argument);
}

}  // namespace
}  // namespace stentor::smsc
