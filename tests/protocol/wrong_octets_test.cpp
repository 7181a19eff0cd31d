// Every octet of every PDU that a peer may send us, wrong: one less, one more, none and the most,
// so that each length field is wrong in both directions and each string loses its end.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "protocol/decoder.h"
#include "tests/protocol/conversation.h"

namespace stentor::protocol::test {
namespace {

constexpr TimePoint kStart = Conversation::kStart;
constexpr std::uint32_t kAsked = 2;  // the bind was 1
const Octets kTlvs = hex("0428 0001 32 001d 0004 62757379 1400 0000");

// One wrong octet at a time; what is right already is left out.
void for_each_wrong(const Octets& good, std::size_t first,
                    const std::function<void(const Octets&, std::size_t)>& visit) {
  for (std::size_t at = first; at < good.size(); ++at) {
    for (const int value : {good[at] - 1, good[at] + 1, 0, int{'x'}, 0x7f, 0xff}) {
      Octets wrong = good;
      wrong[at] = static_cast<std::uint8_t>(value);
      if (wrong == good) continue;
      SCOPED_TRACE("octet " + std::to_string(at) + " is " + std::to_string(wrong[at]));
      visit(wrong, at);
    }
  }
}

// Also cut behind each octet of its body, its command_length corrected.
void for_each_cut(const Octets& good, const std::function<void(const Octets&)>& visit) {
  for (std::size_t octets = kHeaderOctets; octets < good.size(); ++octets) {
    SCOPED_TRACE("cut to " + std::to_string(octets));
    Octets cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(octets));
    cut[2] = static_cast<std::uint8_t>(octets >> 8);
    cut[3] = static_cast<std::uint8_t>(octets);
    visit(cut);
  }
}

// An answer that we wait for, and how it was asked for.
struct Answered {
  std::string name;
  std::function<void(Session&)> ask;
  Octets good;
  std::string told;  // how what the handler hears begins
};

std::vector<Answered> answers() {
  const auto submit = [](Session& session) {
    EXPECT_TRUE(session.submit({.destination = {{1, 1}, "79161234567"}}, 5, kStart));
  };
  const auto submit_data = [](Session& session) {
    EXPECT_TRUE(session.submit_data({.destination = {{1, 1}, "79161234567"}}, 5, kStart));
  };
  const auto query = [](Session& session) {
    EXPECT_TRUE(session.query({.message_id = "4f"}, 5, kStart));
  };
  const auto cancel = [](Session& session) {
    EXPECT_TRUE(session.cancel({.message_id = "4f"}, 5, kStart));
  };
  const Octets id = hex("346600");
  return {
      {"submit_sm_resp", submit, pdu(0x80000004, 0, kAsked, id + kTlvs), "resp 5 0 "},
      {"submit_sm_resp that refuses", submit, pdu(0x80000004, 0x58, kAsked, id + kTlvs),
       "resp 5 88 "},
      {"data_sm_resp", submit_data, pdu(0x80000103, 0, kAsked, id + kTlvs), "resp 5 0 "},
      {"query_sm_resp", query,
       pdu(0x80000003, 0, kAsked, id + octets_of("261129120000000+") + hex("00 02 00") + kTlvs),
       "query 5 "},
      {"cancel_sm_resp", cancel, pdu(0x80000008, 0, kAsked, kTlvs), "cancel 5 0"},
      {"generic_nack", submit, pdu(0x80000000, 3, kAsked, kTlvs), "resp 5 3 "},
  };
}

// A frame that is lost ends the session; all else settles the request, once, and says nothing.
void expect_one_outcome(const Answered& answer, const Octets& wrong, bool is_framed) {
  Conversation smsc;
  smsc.bind();
  const std::size_t window = smsc.session.window_free();
  answer.ask(smsc.session);
  (void)smsc.sent();
  ASSERT_EQ(smsc.session.window_free(), window - 1);

  smsc.hear(wrong, kStart);

  const Octets said = smsc.sent();
  const Lines told = smsc.told();
  if (smsc.session.ended()) {
    EXPECT_FALSE(is_framed);
    EXPECT_EQ(smsc.session.ended(), Ending::broken_framing);
    EXPECT_EQ(said, pdu(0x80000000, 2, 0));
    EXPECT_TRUE(told.empty());
    return;
  }
  EXPECT_TRUE(said.empty());
  if (!is_framed && told.empty()) {  // command_length is more, and the rest is awaited
    EXPECT_FALSE(smsc.session.is_between_pdus());
    EXPECT_NE(smsc.session.deadline(), TimePoint::max()) << "not for ever";
    return;
  }
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told[0].starts_with(answer.told)) << told[0];
  EXPECT_EQ(smsc.session.window_free(), window) << "the place in the window is free again";
  EXPECT_TRUE(smsc.session.is_bound());
}

TEST(WrongOctets, OfAnAnswerLeaveOneOutcomeAndAFreePlaceInTheWindow) {
  for (const Answered& answer : answers()) {
    SCOPED_TRACE(answer.name);
    for_each_wrong({answer.good.begin(), answer.good.begin() + 4}, 0,
                   [&](const Octets& length, std::size_t /*at*/) {
                     Octets wrong = answer.good;
                     std::ranges::copy(length, wrong.begin());
                     expect_one_outcome(answer, wrong, false);
                   });
    for_each_wrong(answer.good, kHeaderOctets, [&](const Octets& wrong, std::size_t /*at*/) {
      expect_one_outcome(answer, wrong, true);
    });
    for_each_cut(answer.good, [&](const Octets& cut) { expect_one_outcome(answer, cut, true); });
  }
}

// The status in its header decides, whatever stands behind it.
TEST(WrongOctets, OfABindRespLeaveItsStatusTrue) {
  for (const BindType type : {BindType::receiver, BindType::transmitter, BindType::transceiver}) {
    SCOPED_TRACE(static_cast<int>(type));
    SessionConfig config;
    config.bind = type;
    const std::uint32_t command = type == BindType::receiver      ? 0x80000001
                                  : type == BindType::transmitter ? 0x80000002
                                                                  : 0x80000009;
    for (const bool is_refused : {false, true}) {
      const auto hear = [&](const Octets& wrong) {
        Conversation smsc(config);
        smsc.session.on_connected(kStart);
        (void)smsc.sent();
        smsc.hear(wrong, kStart);
        EXPECT_EQ(smsc.session.is_bound(), !is_refused);
        if (is_refused) EXPECT_EQ(smsc.session.ended(), Ending::bind_refused);
        EXPECT_TRUE(smsc.sent().empty());
      };
      const Octets good =
          pdu(command, is_refused ? 0x0e : 0, 1, hex("534d534300 0210 0001 34") + kTlvs);
      for_each_wrong(good, kHeaderOctets, [&](const Octets& wrong, std::size_t) { hear(wrong); });
      for_each_cut(good, hear);
    }
  }
}

// Neither has an answer: they are told, or passed over, and the bind is as it was.
TEST(WrongOctets, OfWhatHasNoAnswerChangeNothing) {
  const Octets addresses = hex("0101 373900 0500 53484f5000");
  for (const Octets& good :
       {pdu(0x102, 0, 7, addresses + hex("0422 0001 01") + kTlvs),
        pdu(0x0b, 0, 7, octets_of("smsc") + hex("00") + octets_of("hush") + hex("00"))}) {
    const auto hear = [](const Octets& wrong) {
      Conversation smsc;
      smsc.bind();
      smsc.hear(wrong, kStart);
      EXPECT_TRUE(smsc.sent().empty());
      EXPECT_LE(smsc.told().size(), 1u);
      EXPECT_TRUE(smsc.session.is_bound());
      EXPECT_TRUE(smsc.session.is_between_pdus());
    };
    for_each_wrong(good, kHeaderOctets, [&](const Octets& wrong, std::size_t) { hear(wrong); });
    for_each_cut(good, hear);
  }
}

// What a decoder hands out lies within what it was given.
class Within {
 public:
  explicit Within(const Octets& pdu) : pdu_(pdu) {}
  void see(std::string_view text) const {
    if (text.empty()) return;
    const auto* begin = reinterpret_cast<const char*>(pdu_.data());
    EXPECT_GE(text.data(), begin);
    EXPECT_LE(text.data() + text.size(), begin + pdu_.size());
    EXPECT_EQ(text.find('\0'), std::string_view::npos);
  }
  void see(const Address& address) const { see(address.digits); }
  void see(const Tlvs& tlvs) const {
    std::size_t octets = 0;
    for (const Tlv tlv : tlvs) octets += 4 + tlv.value.size();
    EXPECT_EQ(octets, tlvs.octets().size());
    EXPECT_LE(octets, pdu_.size() - kHeaderOctets);
  }
  void see(const ShortMessage& message) const {
    for (const std::string_view text :
         {message.service_type, message.schedule_delivery_time, message.validity_period,
          message.source.digits, message.destination.digits}) {
      see(text);
    }
    EXPECT_LE(user_data_of(message).size(), pdu_.size() - kHeaderOctets);
    see(message.tlvs);
  }

 private:
  const Octets& pdu_;
};

struct Decoded {
  std::string name;
  Octets good;
  std::function<bool(const Octets&, const Within&)> read;
};

template <class Value, class See>
bool seen(const result<Value>& decoded, const See& see) {
  if (decoded) see(*decoded);
  return decoded.has_value();
}

std::vector<Decoded> decoded() {
  const Octets addresses = hex("0500 53484f5000 0101 373900");
  const Octets text = octets_of("smsc") + hex("00") + octets_of("hush") + hex("00");
  const auto short_message = [](const Octets& pdu, const Within& in) {
    const auto see = [&](const ShortMessage& message) { in.see(message); };
    const bool is_lenient = seen(decode_short_message(pdu, TextBounds::lenient), see);
    return seen(decode_short_message(pdu), see) || is_lenient;
  };
  return {
      {"submit_sm",
       pdu(4, 0, 7,
           hex("434d5400") + addresses + hex("40 00 00 00 00 01 00 00 00 05") + hex("0003010201") +
               kTlvs),
       short_message},
      {"deliver_sm",
       pdu(5, 0, 7, hex("00") + addresses + hex("04 00 00 00 00 01 00 00 00 04 69643a31") + kTlvs),
       short_message},
      {"data_sm", pdu(0x103, 0, 7, hex("00") + addresses + hex("00 01 00 0424 0002 6869") + kTlvs),
       [](const Octets& pdu, const Within& in) {
         const auto see = [&](const ShortMessage& message) { in.see(message); };
         const bool is_lenient = seen(decode_data_sm(pdu, TextBounds::lenient), see);
         return seen(decode_data_sm(pdu), see) || is_lenient;
       }},
      {"submit_sm_resp", pdu(0x80000004, 0, 7, hex("346600") + kTlvs),
       [](const Octets& pdu, const Within& in) {
         const bool has_tlvs = seen(decode_response_tlvs(pdu), [&](const Tlvs& t) { in.see(t); });
         return seen(decode_submit_resp(pdu), [&](std::string_view id) { in.see(id); }) && has_tlvs;
       }},
      {"bind_transceiver", pdu(9, 0, 7, text + hex("00 34 01 01 5e3700")),
       [](const Octets& pdu, const Within& in) {
         return seen(decode_bind(pdu), [&](const Bind& bind) {
           for (const std::string_view field :
                {bind.system_id, bind.password, bind.system_type, bind.address_range}) {
             in.see(field);
           }
         });
       }},
      {"bind_transceiver_resp", pdu(0x80000009, 0, 7, hex("534d00 0210 0001 34") + kTlvs),
       [](const Octets& pdu, const Within& in) {
         const bool has_tlvs = seen(decode_response_tlvs(pdu), [&](const Tlvs& t) { in.see(t); });
         return seen(decode_bind_resp(pdu), [&](const BindResp& r) { in.see(r.system_id); }) &&
                has_tlvs;
       }},
      {"query_sm", pdu(3, 0, 7, hex("346600 0500 53484f5000")),
       [](const Octets& pdu, const Within& in) {
         return seen(decode_query_sm(pdu), [&](const QuerySm& query) {
           in.see(query.message_id);
           in.see(query.source);
         });
       }},
      {"query_sm_resp", pdu(0x80000003, 0, 7, hex("346600 00 02 00") + kTlvs),
       [](const Octets& pdu, const Within& in) {
         const bool has_tlvs = seen(decode_response_tlvs(pdu), [&](const Tlvs& t) { in.see(t); });
         return seen(decode_query_resp(pdu),
                     [&](const QueryResp& answer) {
                       in.see(answer.message_id);
                       in.see(answer.final_date);
                     }) &&
                has_tlvs;
       }},
      {"cancel_sm", pdu(8, 0, 7, hex("00 346600") + addresses),
       [](const Octets& pdu, const Within& in) {
         return seen(decode_cancel_sm(pdu), [&](const CancelSm& cancel) {
           in.see(cancel.message_id);
           in.see(cancel.source);
           in.see(cancel.destination);
         });
       }},
      {"cancel_sm_resp", pdu(0x80000008, 0, 7, kTlvs),
       [](const Octets& pdu, const Within& in) {
         return seen(decode_response_tlvs(pdu), [&](const Tlvs& t) { in.see(t); });
       }},
      {"alert_notification", pdu(0x102, 0, 7, addresses + kTlvs),
       [](const Octets& pdu, const Within& in) {
         return seen(decode_alert_notification(pdu), [&](const AlertNotification& alert) {
           in.see(alert.source);
           in.see(alert.esme);
           in.see(alert.tlvs);
         });
       }},
      {"outbind", pdu(0x0b, 0, 7, text),
       [](const Octets& pdu, const Within& in) {
         return seen(decode_outbind(pdu), [&](const Outbind& outbind) {
           in.see(outbind.system_id);
           in.see(outbind.password);
         });
       }},
  };
}

TEST(WrongOctets, OfAnyPduLetNoDecoderLeaveIt) {
  for (const Decoded& one : decoded()) {
    SCOPED_TRACE(one.name);
    ASSERT_TRUE(one.read(one.good, Within(one.good))) << "it is good as it is";
    int refused = 0;
    const auto read = [&](const Octets& wrong) {
      refused += one.read(wrong, Within(wrong)) ? 0 : 1;
    };
    for_each_wrong(one.good, kHeaderOctets, [&](const Octets& wrong, std::size_t) { read(wrong); });
    for_each_cut(one.good, read);
    EXPECT_GE(refused, 4) << "the sweep meets its lengths and its ends";
  }
}

TEST(WrongOctets, BehindTheFieldsOfAnAnswerAreItsTlvs) {
  for (const auto& [command, fields] :
       {std::pair(0x80000004, hex("346600")), std::pair(0x80000103, hex("00")),
        std::pair(0x80000005, hex("00")), std::pair(0x80000003, hex("346600 00 02 00")),
        std::pair(0x80000001, hex("534d00")), std::pair(0x80000008, Octets{}),
        std::pair(0x80000000, Octets{}), std::pair(0x80000015, Octets{})}) {
    const Octets with = pdu(command, 0, 7, fields + kTlvs);
    const auto tlvs = decode_response_tlvs(with);
    ASSERT_TRUE(tlvs) << command;
    EXPECT_EQ(text_of(tlvs->octets()), text_of(kTlvs)) << command;
    const Octets without = pdu(command, 0, 7, fields);
    EXPECT_TRUE(decode_response_tlvs(without)->octets().empty()) << command;
    const Octets bare = pdu(command, 0, 7);
    EXPECT_TRUE(decode_response_tlvs(bare)->octets().empty()) << "refused without a body";
  }
  EXPECT_TRUE(decode_response_tlvs(pdu(0x04, 0, 7, kTlvs))->octets().empty()) << "no answer";
}

}  // namespace
}  // namespace stentor::protocol::test
