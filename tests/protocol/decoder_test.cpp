#include "protocol/decoder.h"

#include <gtest/gtest.h>

#include <deque>
#include <tuple>
#include <utility>

#include "tests/protocol/wire.h"

namespace stentor::protocol::test {
namespace {

// A submit_sm as SMPP 3.4 section 4.4.1 lays it out, written down by hand.
const Octets kSubmitSm =
    hex("00000051 00000004 00000000 00000005"
        "434d5400"                        // service_type "CMT"
        "05 00 53484f5000"                // source: alphanumeric "SHOP"
        "01 01 373931363132333435363700"  // destination: international "79161234567"
        "40 7f 01"                        // esm_class UDHI, protocol_id, priority_flag
        "00"                              // schedule_delivery_time
        "30303030303330303030303030303052 00"
        "01 00 08 02"           // registered_delivery, replace, data_coding, default id
        "08 0500032a0201 0416"  // user-data header, one UTF-16 unit
        "0204 0002 1234");      // user_message_reference

// A decoded PDU views its octets, so they must outlive it.
const Octets& kept(Octets octets) {
  static std::deque<Octets> all;
  return all.emplace_back(std::move(octets));
}

CodecError error_of(const auto& decoded) {
  EXPECT_FALSE(decoded.has_value());
  return static_cast<CodecError>(decoded.error().value());
}

// The PDU without its last `count` octets, its command_length corrected.
Octets shortened(Octets pdu, std::size_t count) {
  pdu.resize(pdu.size() - count);
  pdu[2] = static_cast<std::uint8_t>(pdu.size() >> 8);
  pdu[3] = static_cast<std::uint8_t>(pdu.size());
  return pdu;
}

TEST(Decoder, ReadsAHeader) {
  const Header header = decode_header(hex("00000010 80000000 00000003 7fffffff"));

  EXPECT_EQ(header.command_length, 16u);
  EXPECT_EQ(header.command_id, CommandId::generic_nack);
  EXPECT_EQ(header.command_status, CommandStatus{3});
  EXPECT_EQ(header.sequence_number, 0x7fffffffu);
}

TEST(Decoder, ReadsEveryFieldOfASubmitSm) {
  const auto message = decode_short_message(kSubmitSm);

  ASSERT_TRUE(message);
  EXPECT_EQ(message->service_type, "CMT");
  EXPECT_EQ(message->source.numbering, (Numbering{5, 0}));
  EXPECT_EQ(message->source.digits, "SHOP");
  EXPECT_EQ(message->destination.numbering, (Numbering{1, 1}));
  EXPECT_EQ(message->destination.digits, "79161234567");
  EXPECT_EQ(message->esm_class, 0x40);
  EXPECT_EQ(message->protocol_id, 0x7f);
  EXPECT_EQ(message->priority_flag, 1);
  EXPECT_EQ(message->schedule_delivery_time, "");
  EXPECT_EQ(message->validity_period, "000003000000000R");
  EXPECT_EQ(message->registered_delivery, 1);
  EXPECT_EQ(message->replace_if_present_flag, 0);
  EXPECT_EQ(message->data_coding, 8);
  EXPECT_EQ(message->sm_default_msg_id, 2);
  EXPECT_TRUE(message->user_data_header.empty());
  EXPECT_EQ(text_of(message->short_message), text_of(hex("050003 2a0201 0416")));
  EXPECT_EQ(text_of(message->tlvs.find(tag::kUserMessageReference).value), "\x12\x34");
}

TEST(Decoder, DecodesInPlace) {
  const auto message = decode_short_message(kSubmitSm);

  ASSERT_TRUE(message);
  const auto* begin = kSubmitSm.data();
  EXPECT_GE(message->short_message.data(), begin);
  EXPECT_LE(message->short_message.data() + message->short_message.size(),
            begin + kSubmitSm.size());
}

// Every length at which the PDU could have been cut is refused, save the ones at which it is whole:
// after short_message, where the TLV may be missing.
TEST(Decoder, RefusesAShortMessageCutAnywhere) {
  constexpr std::size_t kTlvOctets = 6;
  for (std::size_t count = 1; count <= kSubmitSm.size() - kHeaderOctets; ++count) {
    const bool is_whole = count == kTlvOctets;
    EXPECT_EQ(decode_short_message(kept(shortened(kSubmitSm, count))).has_value(), is_whole)
        << count << " octets missing";
  }
}

TEST(Decoder, TellsTheLengthOfAPduFromFourOctets) {
  EXPECT_EQ(front_pdu_octets(hex("000000")).value(), 0u);
  EXPECT_EQ(front_pdu_octets(hex("00000010")).value(), 16u);
  EXPECT_EQ(front_pdu_octets(hex("00010000")).value(), 65536u);
  EXPECT_EQ(front_pdu_octets(hex("00000400"), 1024).value(), 1024u);
}

TEST(Decoder, LosesFramingAtALengthOutOfBounds) {
  for (const auto* length : {"00000000", "00000002", "00000007", "0000000f", "00010001", "7fffffff",
                             "80000000", "ffffffff"}) {
    EXPECT_EQ(error_of(front_pdu_octets(hex(length))), CodecError::bad_length) << length;
  }
  EXPECT_EQ(error_of(front_pdu_octets(hex("00000401"), 1024)), CodecError::bad_length);
}

TEST(Decoder, RefusesACOctetStringWithoutItsEnd) {
  const auto unended = pdu(0x04, 0, 1, hex("434d5420434d54"));  // service_type, no NUL in 6

  EXPECT_EQ(error_of(decode_short_message(unended)), CodecError::unterminated_string);
}

TEST(Decoder, ReadsAnAddressOfTwentyOctetsAndNotOfTwentyOne) {
  const auto with_source = [](std::size_t octets) {
    Octets body = hex("00 01 01");
    body.insert(body.end(), octets, '7');
    return pdu(0x05, 0, 1, body + hex("00 010100 000000 0000 00000000 00"));
  };

  EXPECT_EQ(decode_short_message(kept(with_source(20)))->source.digits.size(), 20u);
  EXPECT_EQ(error_of(decode_short_message(kept(with_source(21)))), CodecError::unterminated_string);
}

// A deliver_sm with a service_type, a source and a validity_period of so many octets.
Octets with_texts(std::size_t service_type, std::size_t source, std::size_t validity) {
  const auto text = [](std::size_t octets, std::uint8_t of) {
    Octets made(octets, of);
    made.push_back(0);
    return made;
  };
  return pdu(0x05, 0, 1,
             text(service_type, 'C') + hex("01 01") + text(source, '7') +
                 hex("05 00 53484f5000 04 00 00 00") + text(validity, '0') +
                 hex("01 00 00 00 02 6869 0427 0001 02"));
}

TEST(Decoder, ReadsTextsOfAnyLengthWhereItIsToldTo) {
  const auto lenient = [](std::size_t service_type, std::size_t source, std::size_t validity) {
    return decode_short_message(kept(with_texts(service_type, source, validity)),
                                TextBounds::lenient);
  };
  const auto at_the_bounds = lenient(5, 64, 16);
  ASSERT_TRUE(at_the_bounds);
  EXPECT_EQ(at_the_bounds->service_type, "CCCCC");
  EXPECT_EQ(at_the_bounds->source.digits.size(), 64u);
  EXPECT_EQ(at_the_bounds->validity_period.size(), 16u);

  const auto beyond_them = lenient(6, 65, 17);
  ASSERT_TRUE(beyond_them);
  EXPECT_EQ(beyond_them->service_type, "");
  EXPECT_EQ(beyond_them->source.digits, "") << "a number that is cut is another number";
  EXPECT_EQ(beyond_them->validity_period, "");
  EXPECT_EQ(beyond_them->destination.digits, "SHOP") << "what follows stands where it stood";
  EXPECT_EQ(text_of(beyond_them->short_message), "hi");
  EXPECT_EQ(beyond_them->tlvs.find(tag::kMessageState).value[0], 2);

  EXPECT_TRUE(lenient(20'000, 20'000, 20'000));
  for (const auto& [service_type, source, validity] :
       {std::tuple(6, 20, 16), std::tuple(5, 21, 16), std::tuple(5, 20, 17)}) {
    EXPECT_EQ(error_of(decode_short_message(kept(with_texts(static_cast<std::size_t>(service_type),
                                                            static_cast<std::size_t>(source),
                                                            static_cast<std::size_t>(validity))))),
              CodecError::unterminated_string);
  }
}

TEST(Decoder, RefusesATextThatEndsNowhereHoweverLenient) {
  const Octets unended = pdu(0x05, 0, 1, Octets(300, 'C'));

  EXPECT_EQ(error_of(decode_short_message(unended, TextBounds::lenient)),
            CodecError::unterminated_string);
  EXPECT_EQ(error_of(decode_data_sm(unended, TextBounds::lenient)),
            CodecError::unterminated_string);
}

TEST(Decoder, ReadsTheTextsOfADataSmLikewise) {
  const auto with_source = [](std::size_t octets) {
    Octets body = hex("574150574150 00 01 01");  // service_type: six octets
    body.insert(body.end(), octets, '7');
    return pdu(0x103, 0, 1, body + hex("00 050053484f5000 04 01 00 0424 0002 6869"));
  };
  const auto at_the_bound = decode_data_sm(kept(with_source(64)), TextBounds::lenient);
  ASSERT_TRUE(at_the_bound);
  EXPECT_EQ(at_the_bound->service_type, "");
  EXPECT_EQ(at_the_bound->source.digits.size(), 64u);
  const auto beyond_it = decode_data_sm(kept(with_source(65)), TextBounds::lenient);
  ASSERT_TRUE(beyond_it);
  EXPECT_EQ(beyond_it->source.digits, "");
  EXPECT_EQ(text_of(user_data_of(*beyond_it)), "hi");
  EXPECT_EQ(error_of(decode_data_sm(kept(with_source(64)))), CodecError::unterminated_string);
}

TEST(Decoder, ReadsAShortMessageOf254OctetsAndNotOf255) {
  const auto with_text = [](std::uint8_t octets) {
    Octets body = hex("00 010100 010100 000000 0000 00000000");
    body.push_back(octets);
    body.insert(body.end(), octets, 'x');
    return pdu(0x05, 0, 1, body);
  };

  EXPECT_EQ(decode_short_message(kept(with_text(254)))->short_message.size(), 254u);
  EXPECT_EQ(error_of(decode_short_message(kept(with_text(255)))), CodecError::truncated);
}

const Octets kNoUserData = hex("00 010100 010100 000000 0000 00000000 00");

TEST(Decoder, ReadsSixtyFourTlvsAndNotSixtyFive) {
  Octets body = kNoUserData;
  for (int count = 0; count < 64; ++count) body = body + hex("1400 0000");

  EXPECT_TRUE(decode_short_message(kept(pdu(0x05, 0, 1, body))));
  EXPECT_EQ(error_of(decode_short_message(kept(pdu(0x05, 0, 1, body + hex("1400 0000"))))),
            CodecError::too_many_tlvs);
}

TEST(Decoder, RefusesATlvBeyondTheEnd) {
  for (const auto* tlv : {"04", "0424", "042400", "04240001", "0424 ffff 61", "001e0003 3132"}) {
    EXPECT_EQ(error_of(decode_short_message(kept(pdu(0x05, 0, 1, kNoUserData + hex(tlv))))),
              CodecError::truncated)
        << tlv;
  }
}

TEST(Decoder, ReadsATlvThatFillsThePduToItsLimit) {
  Octets body = kNoUserData + hex("0424");
  const std::size_t room = kPduOctetsMax - kHeaderOctets - body.size() - 2;
  body.push_back(static_cast<std::uint8_t>(room >> 8));
  body.push_back(static_cast<std::uint8_t>(room));
  body.insert(body.end(), room, 'x');

  const auto message = decode_short_message(kept(pdu(0x05, 0, 1, body)));

  ASSERT_TRUE(message);
  EXPECT_EQ(user_data_of(*message).size(), room);
}

TEST(Decoder, TakesTheFirstOfTwoTlvsWithOneTag) {
  const auto message =
      decode_short_message(kept(pdu(0x05, 0, 1, kNoUserData + hex("0427000102 0427000105"))));

  ASSERT_TRUE(message);
  EXPECT_EQ(message->tlvs.find(tag::kMessageState).value[0], 2);
  EXPECT_EQ(message->tlvs.find(0x9999).tag, 0);
}

TEST(Decoder, ReadsTheIdOfASubmitSmResp) {
  EXPECT_EQ(decode_submit_resp(kept(pdu(0x80000004, 0, 1, hex("3438 00")))).value(), "48");
}

TEST(Decoder, ReadsASubmitSmRespWithoutAnId) {
  EXPECT_EQ(decode_submit_resp(kept(pdu(0x80000004, 0x58, 1))).value(), "");
  EXPECT_EQ(decode_submit_resp(kept(pdu(0x80000004, 0, 1, hex("00")))).value(), "");
}

TEST(Decoder, ReadsAnIdLongerThanTheStandardAllows) {
  const std::string id(200, 'f');

  EXPECT_EQ(decode_submit_resp(kept(pdu(0x80000004, 0, 1, octets_of(id) + hex("00")))).value(), id);
}

TEST(Decoder, PassesOverTlvsBehindTheIdOfASubmitSmResp) {
  EXPECT_EQ(decode_submit_resp(kept(pdu(0x80000004, 0, 1, hex("3438 00 0210000134")))).value(),
            "48");
}

TEST(Decoder, RefusesAnIdWithoutItsEnd) {
  EXPECT_EQ(error_of(decode_submit_resp(kept(pdu(0x80000004, 0, 1, hex("3438"))))),
            CodecError::unterminated_string);
}

TEST(Decoder, ReadsABindOfEachType) {
  const Octets body = hex("7374656e746f7200 73656372657400 00 34 01 01 5e372e2a00");

  const auto transceiver = decode_bind(kept(pdu(0x09, 0, 1, body)));
  ASSERT_TRUE(transceiver);
  EXPECT_EQ(transceiver->type, BindType::transceiver);
  EXPECT_EQ(transceiver->system_id, "stentor");
  EXPECT_EQ(transceiver->password, "secret");
  EXPECT_EQ(transceiver->system_type, "");
  EXPECT_EQ(transceiver->interface_version, 0x34);
  EXPECT_EQ(transceiver->numbering, (Numbering{1, 1}));
  EXPECT_EQ(transceiver->address_range, "^7.*");
  EXPECT_EQ(decode_bind(kept(pdu(0x02, 0, 1, body)))->type, BindType::transmitter);
  EXPECT_EQ(decode_bind(kept(pdu(0x01, 0, 1, body)))->type, BindType::receiver);
  EXPECT_EQ(error_of(decode_bind(kept(pdu(0x04, 0, 1, body)))), CodecError::unknown_command);
}

TEST(Decoder, ReadsABindRespWithAndWithoutItsBody) {
  EXPECT_EQ(decode_bind_resp(kept(pdu(0x80000009, 0x0e, 1)))->system_id, "");
  const auto told = decode_bind_resp(kept(pdu(0x80000009, 0, 1, hex("534d534300 0210000150"))));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->system_id, "SMSC");
  EXPECT_EQ(told->interface_version, 0x50);
}

TEST(Decoder, ReadsDataSmWithItsPayload) {
  const auto message = decode_data_sm(
      kept(pdu(0x103, 0, 1, hex("00 0101373900 050053484f5000 04 01 08 0424 0004 04160430"))));

  ASSERT_TRUE(message);
  EXPECT_EQ(message->source.digits, "79");
  EXPECT_EQ(message->destination.digits, "SHOP");
  EXPECT_EQ(message->esm_class, 4);
  EXPECT_EQ(message->registered_delivery, 1);
  EXPECT_EQ(message->data_coding, 8);
  EXPECT_EQ(text_of(user_data_of(*message)), text_of(hex("04160430")));
}

TEST(Decoder, ReadsAnAlertNotification) {
  const Octets octets = pdu(0x102, 0, 9, hex("0101 3739313600 0500 53484f5000 0422 0001 02"));
  const auto alert = decode_alert_notification(octets);
  ASSERT_TRUE(alert);
  EXPECT_EQ(alert->source.digits, "7916");
  EXPECT_EQ(alert->esme.numbering.ton, 5);
  EXPECT_EQ(alert->esme.digits, "SHOP");
  EXPECT_EQ(alert->tlvs.find(tag::kMsAvailabilityStatus).value[0], 2);
  for (std::size_t size = 16; size < octets.size(); ++size) {
    if (size == 30) continue;  // whole, but for its optional part
    EXPECT_FALSE(decode_alert_notification(std::span(octets).first(size))) << size;
  }
}

TEST(Decoder, ReadsAnOutbind) {
  const Octets octets = pdu(0x0b, 0, 1, hex("534d534300 73656372657400"));
  const auto outbind = decode_outbind(octets);
  ASSERT_TRUE(outbind);
  EXPECT_EQ(outbind->system_id, "SMSC");
  EXPECT_EQ(outbind->password, "secret");
  for (std::size_t size = 16; size < octets.size(); ++size) {
    EXPECT_FALSE(decode_outbind(std::span(octets).first(size))) << size;
  }
}

TEST(Decoder, RefusesWhatHasNotEvenAHeader) {
  const Octets nothing;
  EXPECT_EQ(error_of(decode_short_message(nothing)), CodecError::truncated);
  EXPECT_EQ(error_of(decode_bind(hex("0000000f"))), CodecError::truncated);
  EXPECT_EQ(error_of(decode_submit_resp(hex("0000"))), CodecError::truncated);
}

TEST(Decoder, ChecksWhatEsmClassAndDataCodingAnnounce) {
  ShortMessage message;
  const auto is_good = [&](std::uint8_t esm_class, std::uint8_t data_coding, const Octets& text) {
    message.esm_class = esm_class;
    message.data_coding = data_coding;
    message.short_message = text;
    return check_user_data(message).has_value();
  };

  EXPECT_TRUE(is_good(0x40, 0, hex("050003010201 61")));
  EXPECT_FALSE(is_good(0x40, 0, {}));               // no header where one is announced
  EXPECT_FALSE(is_good(0x40, 0, hex("05000301")));  // a header longer than the text
  EXPECT_TRUE(is_good(0x00, 8, hex("0416")));
  EXPECT_FALSE(is_good(0x00, 8, hex("041604")));              // half a UTF-16 unit
  EXPECT_TRUE(is_good(0x40, 8, hex("06080400010201 0416")));  // seven octets of header, then whole
  EXPECT_FALSE(is_good(0x40, 8, hex("06080400010201 041604")));
  EXPECT_TRUE(is_good(0x00, 0, {}));
}

}  // namespace
}  // namespace stentor::protocol::test
