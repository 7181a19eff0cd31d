// The codec beside libsmpp34, octet by octet and in both directions, over generated PDUs.
#include "tests/protocol/second_opinion.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "protocol/control_pdu.h"
#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "tests/protocol/wire.h"

namespace stentor::protocol::test {
namespace {

constexpr int kRounds = 20000;

// Random fields within what libsmpp34 knows.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
  std::uint8_t octet() { return static_cast<std::uint8_t>(below(256)); }
  std::uint32_t sequence_number() { return 1 + below(kSequenceNumberMax); }
  Numbering numbering() {
    static constexpr std::array<std::uint8_t, 10> kNpis{0, 1, 3, 4, 6, 8, 9, 10, 14, 18};
    return {static_cast<std::uint8_t>(below(7)), kNpis[below(kNpis.size())]};
  }
  // One of the standard's.
  CommandStatus status() {
    static constexpr std::array<std::uint32_t, 12> kStatuses{0x00, 0x01, 0x03, 0x08, 0x0b, 0x14,
                                                             0x45, 0x58, 0x64, 0xc0, 0xfe, 0xff};
    return static_cast<CommandStatus>(kStatuses[below(kStatuses.size())]);
  }
  // No NUL; lengths at both ends of the range are made likely.
  std::string text(std::uint32_t octets_max) {
    std::string made(length(octets_max), '\0');
    for (char& c : made) c = static_cast<char>(1 + below(255));
    return made;
  }
  std::vector<std::uint8_t> octets(std::uint32_t octets_max) {
    std::vector<std::uint8_t> made(length(octets_max));
    for (auto& one : made) one = octet();
    return made;
  }

 private:
  std::uint32_t length(std::uint32_t max) {
    switch (below(4)) {
      case 0: return max;
      case 1: return 0;
      default: return below(max + 1);
    }
  }
  std::mt19937_64 random_;
};

class SecondOpinion : public ::testing::Test {
 protected:
  // The same every run, so that a failure is found again; the seed is part of its message.
  static constexpr std::uint64_t kSeed = 0x5354454e544f5231;
  Generator generate{kSeed};
  ::testing::ScopedTrace seed{__FILE__, __LINE__, "seed " + std::to_string(kSeed)};
};

// A short message together with what it views.
struct Sample {
  std::string service_type, source, destination, schedule, validity;
  std::vector<std::uint8_t> header, body, tlvs;
  ShortMessage message;

  Sample(Generator& g, bool has_times, bool has_short_message) {
    service_type = g.text(5);
    source = g.text(20);
    destination = g.text(20);
    if (has_times) {
      schedule = g.text(16);
      validity = g.text(16);
    }
    if (has_short_message) {
      header = g.octets(12);
      body = g.octets(241);  // 253 in all: libsmpp34 refuses the 254th that the standard allows
    }
    for (std::uint32_t count = g.below(6); count > 0; --count) add_tlv(g);
    message = {.service_type = service_type,
               .source = {g.numbering(), source},
               .destination = {g.numbering(), destination},
               .esm_class = g.octet(),
               .protocol_id = g.octet(),
               .priority_flag = g.octet(),
               .schedule_delivery_time = schedule,
               .validity_period = validity,
               .registered_delivery = g.octet(),
               .replace_if_present_flag = g.octet(),
               .data_coding = g.octet(),
               .sm_default_msg_id = g.octet(),
               .user_data_header = header,
               .short_message = body,
               .tlvs = Tlvs(tlvs)};
  }
  // libsmpp34 knows the size of most values, and keeps at most 1024 octets of any.
  void add_tlv(Generator& g) {
    static constexpr std::array<std::uint16_t, 2> kNumbers{0x0204, 0x020c};
    static constexpr std::array<std::uint16_t, 2> kSmallNumbers{0x020e, 0x020f};
    switch (g.below(5)) {
      case 0:
        append_tlv_u16(tlvs, kNumbers[g.below(2)], static_cast<std::uint16_t>(g.below(65536)));
        break;
      case 1: append_tlv_u8(tlvs, kSmallNumbers[g.below(2)], g.octet()); break;
      case 2: append_tlv(tlvs, 0x0424, g.octets(1024)); break;  // message_payload
      case 3: append_tlv(tlvs, 0x0381, g.octets(19)); break;    // callback_num
      default: append_tlv(tlvs, 0x1400, g.octets(300)); break;  // a vendor's
    }
  }

  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;
};

TEST_F(SecondOpinion, AgreesOnSubmitSmBothWays) {
  for (int round = 0; round < kRounds; ++round) {
    const Sample sample(generate, true, true);
    const auto sequence_number = generate.sequence_number();
    Octets ours;
    ASSERT_TRUE(append_submit_sm(ours, sequence_number, sample.message));

    const auto theirs = smpp34_short_message(CommandId::submit_sm, sequence_number, sample.message);
    ASSERT_TRUE(theirs) << "round " << round;
    ASSERT_EQ(ours, *theirs) << "round " << round;

    const auto read_by_us = decode_short_message(*theirs);
    ASSERT_TRUE(read_by_us) << "round " << round;
    ASSERT_EQ(owned(*read_by_us), owned(sample.message)) << "round " << round;
    const auto read_by_them = smpp34_read_short_message(ours);
    ASSERT_TRUE(read_by_them) << "round " << round;
    ASSERT_EQ(*read_by_them, owned(sample.message)) << "round " << round;
  }
}

TEST_F(SecondOpinion, AgreesOnDeliverSmBothWays) {
  for (int round = 0; round < kRounds; ++round) {
    const Sample sample(generate, false, true);
    const auto sequence_number = generate.sequence_number();
    Octets ours;
    ASSERT_TRUE(append_deliver_sm(ours, sequence_number, sample.message));

    const auto theirs =
        smpp34_short_message(CommandId::deliver_sm, sequence_number, sample.message);
    ASSERT_TRUE(theirs) << "round " << round;
    ASSERT_EQ(ours, *theirs) << "round " << round;

    const auto read_by_us = decode_short_message(*theirs);
    ASSERT_TRUE(read_by_us) << "round " << round;
    const auto read_leniently = decode_short_message(*theirs, TextBounds::lenient);
    ASSERT_TRUE(read_leniently) << "round " << round;
    ASSERT_EQ(owned(*read_leniently), owned(*read_by_us)) << "round " << round;
    ASSERT_EQ(owned(*read_by_us), owned(sample.message)) << "round " << round;
    const auto read_by_them = smpp34_read_short_message(ours);
    ASSERT_TRUE(read_by_them) << "round " << round;
    ASSERT_EQ(*read_by_them, owned(sample.message)) << "round " << round;
  }
}

TEST_F(SecondOpinion, AgreesOnDataSmBothWays) {
  for (int round = 0; round < kRounds; ++round) {
    const Sample sample(generate, false, false);
    const auto sequence_number = generate.sequence_number();
    Octets ours;
    ASSERT_TRUE(append_data_sm(ours, sequence_number, sample.message));

    const auto theirs = smpp34_data_sm(sequence_number, sample.message);
    ASSERT_TRUE(theirs) << "round " << round;
    ASSERT_EQ(ours, *theirs) << "round " << round;
    const auto read = decode_data_sm(*theirs);
    ASSERT_TRUE(read) << "round " << round;
    const auto read_leniently = decode_data_sm(*theirs, TextBounds::lenient);
    ASSERT_TRUE(read_leniently) << "round " << round;
    ASSERT_EQ(owned(*read_leniently), owned(*read)) << "round " << round;
    EXPECT_EQ(read->source.digits, sample.message.source.digits);
    EXPECT_EQ(read->destination.digits, sample.message.destination.digits);
    EXPECT_EQ(text_of(read->tlvs.octets()), text_of(sample.tlvs));
    EXPECT_EQ(read->esm_class, sample.message.esm_class);
    EXPECT_EQ(read->registered_delivery, sample.message.registered_delivery);
    EXPECT_EQ(read->data_coding, sample.message.data_coding);
    ASSERT_EQ(smpp34_reread(ours), ours) << "round " << round;
  }
}

TEST_F(SecondOpinion, AgreesOnBindsAndTheirResponses) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string system_id = generate.text(15), password = generate.text(8),
                      system_type = generate.text(12), range = generate.text(40);
    const Bind bind{.type = static_cast<BindType>(generate.below(3)),
                    .system_id = system_id,
                    .password = password,
                    .system_type = system_type,
                    .interface_version = 0x34,
                    .numbering = generate.numbering(),
                    .address_range = range};
    const auto sequence_number = generate.sequence_number();
    Octets ours, packed;
    ASSERT_TRUE(append_bind(ours, sequence_number, bind));
    ASSERT_TRUE(pack_bind(packed, sequence_number, bind));
    ASSERT_EQ(ours, packed) << "round " << round;
    ASSERT_EQ(ours, smpp34_bind(sequence_number, bind)) << "round " << round;
    ASSERT_EQ(smpp34_reread(ours), ours) << "round " << round;
    const auto read = decode_bind(packed);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->type, bind.type);
    EXPECT_EQ(read->system_id, system_id);
    EXPECT_EQ(read->password, password);
    EXPECT_EQ(read->system_type, system_type);
    EXPECT_EQ(read->numbering, bind.numbering);
    EXPECT_EQ(read->address_range, range);

    const BindResp response{.system_id = system_id, .interface_version = generate.octet()};
    Octets answer;
    ASSERT_TRUE(append_bind_resp(answer, sequence_number, bind.type, CommandStatus::ok, response));
    ASSERT_EQ(answer, smpp34_bind_resp(sequence_number, bind.type, response)) << "round " << round;
    ASSERT_EQ(smpp34_reread(answer), answer) << "round " << round;
    const auto read_answer = decode_bind_resp(answer);
    ASSERT_TRUE(read_answer);
    EXPECT_EQ(read_answer->system_id, system_id);
    EXPECT_EQ(read_answer->interface_version, response.interface_version);
  }
}

TEST_F(SecondOpinion, AgreesOnQueriesAndCancellations) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string id = "4" + generate.text(63), source = generate.text(20),
                      destination = generate.text(20), service_type = generate.text(5);
    const auto sequence_number = generate.sequence_number();
    const QuerySm query{.message_id = id, .source = {generate.numbering(), source}};
    Octets ours, packed;
    ASSERT_TRUE(append_query_sm(ours, sequence_number, query));
    ASSERT_TRUE(pack_query_sm(packed, sequence_number, query));
    ASSERT_EQ(ours, packed) << "round " << round;
    ASSERT_EQ(ours, smpp34_query_sm(sequence_number, query)) << "round " << round;
    ASSERT_EQ(smpp34_reread(ours), ours) << "round " << round;
    ASSERT_EQ(decode_query_sm(ours)->message_id, id);
    ASSERT_EQ(decode_query_sm(ours)->source.digits, source);

    const CancelSm cancel{.service_type = service_type,
                          .message_id = id,
                          .source = {generate.numbering(), source},
                          .destination = {generate.numbering(), destination}};
    ours.clear();
    packed.clear();
    ASSERT_TRUE(append_cancel_sm(ours, sequence_number, cancel));
    ASSERT_TRUE(pack_cancel_sm(packed, sequence_number, cancel));
    ASSERT_EQ(ours, packed) << "round " << round;
    ASSERT_EQ(ours, smpp34_cancel_sm(sequence_number, cancel)) << "round " << round;
    ASSERT_EQ(smpp34_reread(ours), ours) << "round " << round;
    ASSERT_EQ(decode_cancel_sm(ours)->service_type, service_type);
    ASSERT_EQ(decode_cancel_sm(ours)->message_id, id);
    ASSERT_EQ(decode_cancel_sm(ours)->source.digits, source);
    ASSERT_EQ(decode_cancel_sm(ours)->destination.digits, destination);

    const std::string date = generate.text(16);
    const QueryResp response{.message_id = id,
                             .final_date = date,
                             .message_state = generate.octet(),
                             .error_code = generate.octet()};
    ours.clear();
    ASSERT_TRUE(append_query_resp(ours, sequence_number, CommandStatus::ok, response));
    ASSERT_EQ(ours, smpp34_query_resp(sequence_number, response)) << "round " << round;
    ASSERT_EQ(smpp34_reread(ours), ours) << "round " << round;
    const auto read = decode_query_resp(ours);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->final_date, date);
    EXPECT_EQ(read->message_state, response.message_state);
    EXPECT_EQ(read->error_code, response.error_code);
  }
}

TEST_F(SecondOpinion, AgreesOnResponses) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string id = generate.text(64);
    const auto sequence_number = generate.sequence_number();
    Octets ours;
    ASSERT_TRUE(append_submit_resp(ours, sequence_number, CommandStatus::ok, id));
    ASSERT_EQ(ours, smpp34_submit_resp(sequence_number, CommandStatus::ok, id));
    ASSERT_EQ(smpp34_reread(ours), ours) << "round " << round;
    ASSERT_EQ(decode_submit_resp(ours).value(), id);

    const auto status = generate.status();
    ours.clear();
    append_deliver_resp(ours, sequence_number, status);
    ASSERT_EQ(ours, smpp34_deliver_resp(sequence_number, status));
    ASSERT_EQ(smpp34_reread(ours), ours) << "round " << round;
    ours.clear();
    append_data_resp(ours, sequence_number, status);
    ASSERT_EQ(smpp34_reread(ours), ours) << "round " << round;
  }
}

TEST_F(SecondOpinion, AgreesOnPdusThatAreAHeaderAlone) {
  for (int round = 0; round < kRounds; ++round) {
    for (const CommandId bare :
         {CommandId::unbind, CommandId::unbind_resp, CommandId::enquire_link,
          CommandId::enquire_link_resp, CommandId::generic_nack, CommandId::cancel_sm_resp}) {
      const auto sequence_number = generate.sequence_number();
      Octets ours;
      append_bare(ours, bare, CommandStatus::ok, sequence_number);
      ASSERT_EQ(ours, smpp34_bare(bare, sequence_number));
      ours.clear();
      append_bare(ours, bare, generate.status(), sequence_number);
      ASSERT_EQ(smpp34_reread(ours), ours) << "round " << round;
    }
    Octets packed;
    Octets ours;
    const auto sequence_number = generate.sequence_number();
    ASSERT_TRUE(pack_unbind(packed, sequence_number));
    append_bare(ours, CommandId::unbind, CommandStatus::ok, sequence_number);
    ASSERT_EQ(packed, ours);
  }
}

// What only an SMSC writes: theirs, read by us.
TEST_F(SecondOpinion, IsReadRightWhereOnlyACarrierWrites) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string system_id = generate.text(15), password = generate.text(8),
                      source = generate.text(64), esme = generate.text(64);
    const auto sequence_number = generate.sequence_number();
    const auto outbind =
        smpp34_outbind(sequence_number, {.system_id = system_id, .password = password});
    ASSERT_TRUE(outbind) << "round " << round;
    const auto read = decode_outbind(*outbind);
    ASSERT_TRUE(read) << "round " << round;
    ASSERT_EQ(read->system_id, system_id);
    ASSERT_EQ(read->password, password);

    Octets tlvs;
    if (round % 2 == 0) append_tlv_u8(tlvs, tag::kMsAvailabilityStatus, generate.octet());
    const AlertNotification alert{.source = {generate.numbering(), source},
                                  .esme = {generate.numbering(), esme},
                                  .tlvs = Tlvs(tlvs)};
    const auto notification = smpp34_alert_notification(sequence_number, alert);
    ASSERT_TRUE(notification) << "round " << round;
    const auto heard = decode_alert_notification(*notification);
    ASSERT_TRUE(heard) << "round " << round;
    ASSERT_EQ(heard->source.numbering, alert.source.numbering);
    ASSERT_EQ(heard->source.digits, source);
    ASSERT_EQ(heard->esme.numbering, alert.esme.numbering);
    ASSERT_EQ(heard->esme.digits, esme);
    ASSERT_EQ(text_of(heard->tlvs.octets()), text_of(tlvs));
  }
}

}  // namespace
}  // namespace stentor::protocol::test
