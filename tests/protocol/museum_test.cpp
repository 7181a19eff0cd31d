// The bug museum: inputs that broke other implementations, played to a bound session that has one
// submit_sm, number 2, unanswered. Each exhibit says what we answer, what the handler hears, and
// whether the bind stays.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/protocol/conversation.h"

namespace stentor::protocol::test {
namespace {

constexpr TimePoint kStart = Conversation::kStart;

struct Exhibit {
  std::string name;
  std::string origin;
  Octets heard;
  Octets said;
  Lines told;
  std::optional<Ending> ended = std::nullopt;
};

// What a PDU begins with when its length is what is wrong.
Octets with_length(std::uint32_t length, const Octets& rest) {
  Octets out;
  put_u32(out, length);
  return out + rest;
}

const Octets kDeliverHead = hex("00 0101373900 050053484f5000");
const Octets kDeliverTail = hex("0000 0000 0000");  // from protocol_id to replace_if_present

Octets deliver_with(std::uint8_t esm_class, std::uint8_t data_coding, const Octets& short_message,
                    const Octets& tlvs = {}, std::optional<std::uint8_t> sm_length = {}) {
  Octets body = kDeliverHead;
  body.push_back(esm_class);
  body = body + kDeliverTail;
  body.push_back(data_coding);
  body.push_back(0);
  body.push_back(sm_length.value_or(static_cast<std::uint8_t>(short_message.size())));
  return pdu(0x05, 0, 7, body + short_message + tlvs);
}

Octets many_tlvs(int count) {
  Octets tlvs;
  for (int index = 0; index < count; ++index) tlvs = tlvs + hex("1401 0000");
  return tlvs;
}

const Octets kRest = hex("00000005 00000000 00000007");
const Octets kLostFraming = pdu(0x80000000, 2, 0);
Octets refused(std::uint32_t status) {
  return pdu(0x80000005, status, 7, {0});
}
Octets nacked(std::uint32_t sequence_number) {
  return pdu(0x80000000, 3, sequence_number);
}

std::vector<Exhibit> exhibits() {
  std::vector<Exhibit> all{
      {"service_type runs to the end without NUL",
       "libsmpp34 CVE-2026-75895",
       pdu(0x05, 0, 7, hex("434d54")),
       refused(1),
       {}},
      {"source address without NUL",
       "the same",
       pdu(0x05, 0, 7, hex("00 0101 373937393739")),
       refused(1),
       {}},
      {"destination address of 21 octets",
       "the same",
       pdu(0x05, 0, 7, hex("00 010100 0101") + Octets(21, '7') + hex("00 000000 0000 00000000 00")),
       {},
       {"deliver 7 "}},
      {"service_type of 6 octets, source address of 65, validity_period of 17",
       "refused, they come again for ever",
       pdu(0x05, 0, 7,
           Octets(6, 'C') + hex("00 0101") + Octets(65, '7') + hex("00 050053484f5000 000000 00") +
               Octets(17, '0') + hex("00 00000000 02 6869")),
       {},
       {"deliver 7 hi"}},
      {"deliver_sm without a body", "-", pdu(0x05, 0, 7), refused(1), {}},
      {"deliver_sm with one octet of body", "-", pdu(0x05, 0, 7, {0}), refused(1), {}},
      {"sixty-four empty TLVs",
       "limit",
       deliver_with(0, 0, octets_of("x"), many_tlvs(64)),
       {},
       {"deliver 7 x"}},
      {"sixty-five empty TLVs",
       "limit",
       deliver_with(0, 0, octets_of("x"), many_tlvs(65)),
       refused(0xc0),
       {}},
      {"ten thousand empty TLVs",
       "many tiny TLVs",
       deliver_with(0, 0, {}, many_tlvs(10000)),
       refused(0xc0),
       {}},
      {"sm_length 255 with 255 octets",
       "OpenSIPS 3846",
       deliver_with(0, 0, Octets(255, 'x')),
       refused(1),
       {}},
      {"sm_length beyond the end",
       "osmocom CID 1042373",
       deliver_with(0, 0, octets_of("x"), {}, 200),
       refused(1),
       {}},
      {"sm_length 0 with UDHI", "OpenSIPS 3846", deliver_with(0x40, 0, {}), refused(1), {}},
      {"user-data header longer than the text",
       "OpenSIPS 3846",
       deliver_with(0x40, 0, hex("ff0003")),
       refused(1),
       {}},
      {"UCS-2 with an odd length",
       "OpenSIPS 3846",
       deliver_with(0, 8, hex("041604")),
       refused(1),
       {}},
      {"UCS-2 with an odd length behind a header",
       "OpenSIPS 3846",
       deliver_with(0x40, 8, hex("050003010201 0416 04")),
       refused(1),
       {}},
      {"a receipt in UCS-2 with an odd length",
       "a receipt is read, not decoded",
       deliver_with(4, 8, octets_of("id:1")),
       {},
       {"deliver 7 id:1"}},
      {"TLV length beyond the end",
       "-",
       deliver_with(0, 0, octets_of("x"), hex("0424 0005 61")),
       refused(1),
       {}},
      {"TLV of 65535 octets announced",
       "-",
       deliver_with(0, 0, octets_of("x"), hex("0424 ffff")),
       refused(1),
       {}},
      {"half a TLV header",
       "-",
       deliver_with(0, 0, octets_of("x"), hex("0424 00")),
       refused(1),
       {}},
      {"a TLV in the reserved range",
       "Jasmin 1124",
       deliver_with(0, 0, octets_of("x"), hex("3fff 0001 00")),
       {},
       {"deliver 7 x"}},
      {"receipted_message_id without its NUL",
       "smpp.pdu 21",
       deliver_with(4, 0, octets_of("r"), hex("001e 0002 3466")),
       {},
       {"deliver 7 r"}},
      {"deliver_sm_resp with an id", "Jasmin 1124", pdu(0x80000005, 0, 9, hex("346600")), {}, {}},
      {"an unknown request", "Jasmin 1124", pdu(0x00010200, 0, 9, hex("ffff")), nacked(9), {}},
      {"an unknown response", "no answer to an answer", pdu(0x80010200, 0, 9), {}, {}},
      {"a request that only servers serve", "-", pdu(0x04, 0, 9), nacked(9), {}},
      {"replace_sm", "-", pdu(0x07, 0, 9), nacked(9), {}},
      {"a bind from the other side", "-", pdu(0x09, 0, 9), nacked(9), {}},
      {"a second bind_resp", "-", pdu(0x80000009, 0, 1, {0}), {}, {}},
      {"a second bind_resp that refuses", "-", pdu(0x80000009, 0x0d, 1), {}, {}},
      {"enquire_link_resp nobody asked for", "-", pdu(0x80000015, 0, 2), {}, {}},
      {"enquire_link_resp with a body", "php-smpp 49", pdu(0x80000015, 0, 9, {0}), {}, {}},
      {"enquire_link with a body", "-", pdu(0x15, 0, 9, hex("0000")), pdu(0x80000015, 0, 9), {}},
      {"enquire_link numbered 0", "-", pdu(0x15, 0, 0), pdu(0x80000015, 0, 0), {}},
      {"unbind_resp nobody asked for", "-", pdu(0x80000006, 0, 9), {}, {}},
      {"refusal with a body",
       "smppex 6",
       pdu(0x80000004, 0x58, 2, hex("346600")),
       {},
       {"resp 1 88 4f"}},
      {"refusal without a body", "smppex 6", pdu(0x80000004, 0x58, 2), {}, {"resp 1 88 "}},
      {"acceptance without a body", "libsmpp34", pdu(0x80000004, 0, 2), {}, {"resp 1 0 "}},
      {"acceptance with an empty id", "drive_smpp", submit_resp(2, ""), {}, {"resp 1 0 "}},
      {"acceptance whose id has no NUL",
       "no over-read",
       pdu(0x80000004, 0, 2, hex("3466")),
       {},
       {"resp 1 0 "}},
      {"a vendor's status", "0x400 to 0x4ff", pdu(0x80000004, 0x412, 2), {}, {"resp 1 1042 "}},
      {"an id of 100 octets",
       "Jasmin 418",
       submit_resp(2, std::string(100, 'f')),
       {},
       {"resp 1 0 " + std::string(100, 'f')}},
      {"an id in upper case with zeros",
       "Jasmin 643",
       submit_resp(2, "00004F"),
       {},
       {"resp 1 0 00004F"}},
      {"submit_sm_resp for a number never used", "-", submit_resp(3, "4f"), {}, {}},
      {"submit_sm_resp for number 0", "-", submit_resp(0, "4f"), {}, {}},
      {"submit_sm_resp above the range", "-", submit_resp(0x80000002, "4f"), {}, {}},
      {"submit_sm_resp twice",
       "duplicate",
       submit_resp(2, "4f") + submit_resp(2, "50"),
       {},
       {"resp 1 0 4f"}},
      {"data_sm_resp to a submit_sm", "-", pdu(0x80000103, 0, 2, hex("346600")), {}, {}},
      {"query_sm_resp to a submit_sm", "-", pdu(0x80000003, 0, 2, hex("346600 00 02 00")), {}, {}},
      {"generic_nack of our submit_sm", "smppex 58", pdu(0x80000000, 0x03, 2), {}, {"resp 1 3 "}},
      {"generic_nack of our submit_sm with status 0",
       "-",
       pdu(0x80000000, 0, 2),
       {},
       {"resp 1 255 "}},
      {"generic_nack of nothing of ours", "-", pdu(0x80000000, 0x03, 99), {}, {}},
      {"generic_nack numbered 0",
       "smppex 58",
       pdu(0x80000000, 0x02, 0),
       {},
       {},
       Ending::broken_framing},
      {"alert_notification cut in its address",
       "it has no response",
       pdu(0x102, 0, 9, hex("0101 3739")),
       {},
       {}},
      {"outbind on a connection of ours", "it has no response", pdu(0x0b, 0, 9, hex("61")), {}, {}},
      {"submit_multi", "a server's request", pdu(0x21, 0, 9), nacked(9), {}},
      {"query_sm from the other side", "a server's request", pdu(0x03, 0, 9), nacked(9), {}},
      {"broadcast_sm of SMPP 5.0", "a 5.0 peer", pdu(0x111, 0, 9), nacked(9), {}},
      {"congestion_state behind the id",
       "a 5.0 peer",
       pdu(0x80000004, 0, 2, hex("346600 0428 0001 32")),
       {},
       {"resp 1 0 4f"}},
      {"a message id with a forged second one behind it",
       "the first NUL ends it",
       pdu(0x80000004, 0, 2, hex("346600 353000")),
       {},
       {"resp 1 0 4f"}},
      {"data_sm without its end",
       "-",
       pdu(0x103, 0, 7, hex("00 0101")),
       pdu(0x80000103, 1, 7, {0}),
       {}},
  };
  for (const std::uint32_t length :
       {0U, 2U, 7U, 15U, 65537U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
    all.push_back({"command_length " + std::to_string(length),
                   "osmocom smpp_smsc, Kannel",
                   with_length(length, kRest),
                   kLostFraming,
                   {},
                   Ending::broken_framing});
  }
  all.push_back({"an HTTP server",
                 "wrong port",
                 octets_of("HTTP/1.1 400 Bad Request\r\n\r\n"),
                 kLostFraming,
                 {},
                 Ending::broken_framing});
  all.push_back({"a TLS alert",
                 "wrong port",
                 hex("15030100020228"),
                 kLostFraming,
                 {},
                 Ending::broken_framing});
  all.push_back({"a good PDU, then garbage",
                 "-",
                 submit_resp(2, "4f") + octets_of("garbage"),
                 kLostFraming,
                 {"resp 1 0 4f"},
                 Ending::broken_framing});
  all.push_back({"garbage, then a good PDU",
                 "nothing behind it can be believed",
                 octets_of("garbage") + submit_resp(2, "4f"),
                 kLostFraming,
                 {},
                 Ending::broken_framing});
  return all;
}

void play(const Exhibit& exhibit, std::size_t at_once) {
  Conversation smsc;
  smsc.bind();
  ASSERT_EQ(smsc.submit(1, kStart), 2u);
  (void)smsc.sent();

  for (std::size_t at = 0; at < exhibit.heard.size(); at += at_once) {
    const auto begin = exhibit.heard.begin() + static_cast<std::ptrdiff_t>(at);
    const auto count = std::min(at_once, exhibit.heard.size() - at);
    smsc.hear({begin, begin + static_cast<std::ptrdiff_t>(count)}, kStart);
  }

  EXPECT_EQ(smsc.sent(), exhibit.said);
  EXPECT_EQ(smsc.told(), exhibit.told);
  EXPECT_EQ(smsc.session.ended(), exhibit.ended);
  if (exhibit.ended) return;
  // The bind is as good as before.
  smsc.hear(pdu(0x15, 0, 123), kStart);
  EXPECT_EQ(smsc.sent(), pdu(0x80000015, 0, 123));
  EXPECT_NE(smsc.submit(9, kStart), 0u);
}

TEST(Museum, ShowsEachExhibitWithoutHarm) {
  const auto all = exhibits();
  EXPECT_GE(all.size(), 40u);
  for (const Exhibit& exhibit : all) {
    SCOPED_TRACE(exhibit.name + " (" + exhibit.origin + ")");
    play(exhibit, exhibit.heard.size());
  }
}

TEST(Museum, ShowsEachExhibitOctetByOctet) {
  for (const Exhibit& exhibit : exhibits()) {
    SCOPED_TRACE(exhibit.name + " (" + exhibit.origin + ")");
    play(exhibit, 1);
  }
}

// A good PDU, and where in it a length stands besides command_length.
struct Swept {
  std::string name;
  Octets good;
  std::vector<std::size_t> from_end;
  Octets refusal;  // the answer when it is malformed; none where the PDU has no response
};

std::vector<Swept> swept() {
  const Octets header = hex("0500030a0201");
  const Octets tlv = hex("0427 0001 02");
  const Octets data_head = hex("00 0101373900 050053484f5000 40 00 00");
  const Octets alert = hex("0101373900 050053484f5000");
  return {
      {"a receipt with a header and three TLVs",
       deliver_with(0x44, 0, header + octets_of("id:1 stat:DELIVRD"),
                    tlv + hex("001e 0002 3100 1400 0003 010203")),
       {42, 41, 39, 16, 15, 10, 9, 5, 4},
       refused(1)},
      {"a part of a message",
       deliver_with(0x40, 0, header + octets_of("hi"), tlv),
       {14, 13, 11, 3, 2},
       refused(1)},
      {"data_sm with a part in its payload",
       pdu(0x103, 0, 7, data_head + hex("0424 0008") + header + octets_of("hi") + tlv),
       {15, 14, 13, 11, 3, 2},
       pdu(0x80000103, 1, 7, {0})},
      {"alert_notification", pdu(0x102, 0, 7, alert + hex("0422 0001 01")), {3, 2}, {}},
      {"bind_resp", pdu(0x80000009, 0, 1, hex("534d534300 0210 0001 34")), {3, 2}, {}},
  };
}

// Whether it was heard as malformed; what is checked holds for each wrong length.
bool hear_with(const Swept& pdu, std::size_t at, std::uint8_t value) {
  SCOPED_TRACE("octet " + std::to_string(at) + " is " + std::to_string(value));
  Octets wrong = pdu.good;
  wrong[at] = value;
  const bool is_bind = pdu.name == "bind_resp";
  Conversation smsc;
  if (is_bind) {
    smsc.session.on_connected(kStart);
    (void)smsc.sent();
  } else {
    smsc.bind();
  }
  smsc.hear(wrong, kStart);
  const Octets said = smsc.sent();
  const std::size_t told = smsc.told().size();
  const bool is_malformed = smsc.session.stats().malformed == 1;
  if (smsc.session.ended()) {
    EXPECT_EQ(smsc.session.ended(), Ending::broken_framing);
    EXPECT_LT(at, 4u) << "only command_length frames";
    EXPECT_EQ(said, kLostFraming);
    EXPECT_EQ(told, 0u);
    return false;
  }
  EXPECT_EQ(said, is_malformed ? pdu.refusal : Octets{});
  // A command_length that is more awaits the rest; one less leaves an octet behind.
  if (at < 4 && !is_malformed) {
    EXPECT_EQ(told, 0u);
  } else {
    // A bind stands by the status in the header; all else is told or refused, never both.
    EXPECT_EQ(told, is_bind || !is_malformed ? 1u : 0u);
    EXPECT_TRUE(smsc.session.is_bound());
  }
  return is_malformed;
}

// Every octet of every length, one less, one more, none and the most: either the frame is lost, or
// the bind stays and what came has one outcome.
TEST(Museum, SurvivesEveryLengthWrongInBothDirections) {
  int played = 0;
  for (const Swept& pdu : swept()) {
    SCOPED_TRACE(pdu.name);
    std::vector<std::size_t> lengths{0, 1, 2, 3};
    for (const std::size_t from_end : pdu.from_end) lengths.push_back(pdu.good.size() - from_end);
    int malformed = 0;
    for (const std::size_t at : lengths) {
      for (const int value : {pdu.good[at] - 1, pdu.good[at] + 1, 0, 0x7f, 0xff}) {
        const auto octet = static_cast<std::uint8_t>(value);
        if (octet == pdu.good[at]) continue;
        ++played;
        malformed += hear_with(pdu, at, octet) ? 1 : 0;
      }
    }
    EXPECT_GE(malformed, 5) << "the sweep meets the lengths";
  }
  EXPECT_GE(played, 150);
}

}  // namespace
}  // namespace stentor::protocol::test
