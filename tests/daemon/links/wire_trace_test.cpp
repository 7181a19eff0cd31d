#include "daemon/links/wire_trace.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

namespace stentor::daemon {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets pdu(std::uint32_t command, std::uint32_t sequence, std::string_view body) {
  Octets out;
  for (const std::uint32_t word :
       {static_cast<std::uint32_t>(16 + body.size()), command, 0u, sequence}) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      out.push_back(static_cast<std::uint8_t>(word >> shift));
    }
  }
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

using namespace std::string_view_literals;

// service_type, 5/0 SHOP, 1/1 79161234567, esm_class to sm_default_msg_id, 5 octets of text.
constexpr auto kSubmitBody =
    "\0\5\0SHOP\0\1\1"
    "79161234567\0\0\0\0\0\0\1\0\0\0\5Hello"sv;

TEST(WireTrace, ShowsFieldsAndHidesNumbersAndTexts) {
  const std::string line = describe_pdu(pdu(4, 7, kSubmitBody), false);

  EXPECT_NE(line.find(R"("command":"submit_sm","sequence":7)"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("destination":"79..67")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("user_data_octets":5)"), std::string::npos) << line;
  EXPECT_EQ(line.find("79161234567"), std::string::npos);
  EXPECT_EQ(line.find("48656c6c6f"), std::string::npos);
}

TEST(WireTrace, ShowsWhatIsSeldomSetWhereItIs) {
  constexpr auto kBody =
      "WAP\0\5\0SHOP\0\1\1"
      "79161234567\0\0\x41\2"
      "000001000000000R\0"
      "000003000000000R\0\1\1\0\3\5Hello"sv;
  const std::string line = describe_pdu(pdu(4, 7, kBody), false);
  for (const char* field :
       {R"("service_type":"WAP")", R"("protocol_id":65)", R"("priority_flag":2)",
        R"("schedule_delivery_time":"000001000000000R")", R"("validity_period":"000003000000000R")",
        R"("replace_if_present_flag":1)", R"("sm_default_msg_id":3)"}) {
    EXPECT_NE(line.find(field), std::string::npos) << field << " in " << line;
  }
  const std::string ordinary = describe_pdu(pdu(4, 7, kSubmitBody), false);
  EXPECT_EQ(ordinary.find("priority_flag"), std::string::npos) << ordinary;

  const Octets bind = pdu(9, 1, "shop\0secret\0\0\x34\1\1^79161234567\0"sv);
  const std::string hidden = describe_pdu(bind, false);
  EXPECT_NE(hidden.find(R"("addr_ton":1,"addr_npi":1,"address_range":"^7..67")"), std::string::npos)
      << hidden;
  EXPECT_NE(describe_pdu(bind, true).find(R"("address_range":"^79161234567")"), std::string::npos);
}

TEST(WireTrace, ShowsThemWhenAskedTo) {
  const std::string line = describe_pdu(pdu(4, 7, kSubmitBody), true);

  EXPECT_NE(line.find(R"("destination":"79161234567")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("user_data":"48656c6c6f")"), std::string::npos) << line;
}

TEST(WireTrace, ShowsWhatTlvsSayAndHidesWhatMayBeSomebodys) {
  constexpr auto kTlvs =
      "\x00\x1e\0\7"
      "6A41F0\0"
      "\x04\x27\0\1\2"
      "\x02\x04\0\2\x01\x05"
      "\x04\x23\0\3\3\0\x22"
      "\x03\x81\0\4\1\0\0\7"
      "\x14\x00\0\2\xab\xcd"sv;
  const Octets deliver = pdu(5, 7, std::string(kSubmitBody) + std::string(kTlvs));

  const std::string redacted = describe_pdu(deliver, false);
  EXPECT_NE(redacted.find(R"("tlvs":[{"tag":"receipted_message_id","value":"6A41F0"},)"
                          R"({"tag":"message_state","value":2},)"
                          R"({"tag":"user_message_reference","value":261},)"
                          R"({"tag":"network_error_code","octets":3,"value":"030022"},)"
                          R"({"tag":"callback_num","octets":4},{"tag":"0x1400","octets":2}])"),
            std::string::npos)
      << redacted;

  const std::string clear = describe_pdu(deliver, true);
  EXPECT_NE(clear.find(R"({"tag":"callback_num","octets":4,"value":"01000007"},)"
                       R"({"tag":"0x1400","octets":2,"value":"abcd"}])"),
            std::string::npos)
      << clear;
}

TEST(WireTrace, ShowsWhatWasAskedAboutAMessageAndWhatWasSaid) {
  const std::string asked = describe_pdu(pdu(3, 8, "6A41F0\0\5\0SHOP\0"sv), false);
  EXPECT_NE(asked.find(R"("message_id":"6A41F0","source":"....")"), std::string::npos) << asked;

  const std::string said = describe_pdu(pdu(0x80000003, 8, "6A41F0\0\0\2\0"sv), false);
  EXPECT_NE(said.find(R"("message_id":"6A41F0","final_date":"","message_state":2,"error_code":0)"),
            std::string::npos)
      << said;
}

// congestion_state 50 and additional_status_info_text "busy", as 5.0 peers send them.
TEST(WireTrace, ShowsTheTlvsBehindAnyAnswer) {
  constexpr auto kTlvs =
      "\x04\x28\0\1\x32"
      "\x00\x1d\0\4"
      "busy"sv;
  struct Answer {
    std::uint32_t command;
    std::string_view fields;
  };
  for (const auto& [command, fields] :
       {Answer{0x80000004, "4f\0"sv}, Answer{0x80000103, "\0"sv}, Answer{0x80000005, "\0"sv},
        Answer{0x80000003, "4f\0\0\2\0"sv}, Answer{0x80000009, "SMSC\0"sv},
        Answer{0x80000008, ""sv}, Answer{0x80000000, ""sv}}) {
    const Octets answer = pdu(command, 8, std::string(fields) + std::string(kTlvs));
    const std::string line = describe_pdu(answer, false);
    EXPECT_NE(line.find(R"("tlvs":[{"tag":"congestion_state","value":50},)"
                        R"({"tag":"additional_status_info_text","octets":4}])"),
              std::string::npos)
        << line;
    EXPECT_NE(describe_pdu(answer, true).find(R"("octets":4,"value":"62757379"}])"),
              std::string::npos);
    EXPECT_EQ(describe_pdu(pdu(command, 8, fields), false).find("tlvs"), std::string::npos);
  }
  const std::string cut = describe_pdu(pdu(0x80000004, 8, "4f\0\x04\x28\0\5\x32"sv), false);
  EXPECT_NE(cut.find(R"("message_id":"4f","note":"its TLVs do not decode")"), std::string::npos)
      << cut;
}

TEST(WireTrace, HidesTheNumberThatACarrierWritesIntoItsIds) {
  const auto line_of = [](std::string_view id, bool clear) {
    return describe_pdu(pdu(0x80000004, 8, std::string(id) + '\0'), clear);
  };
  const auto member = [](std::string_view id) { return fmt::format(R"("message_id":"{}")", id); };
  constexpr auto kWithNumber = "SAR-2347039245475-9b3c-2-1"sv;
  EXPECT_NE(line_of(kWithNumber, false).find(member("SAR-23..75-9b3c-2-1")), std::string::npos);
  EXPECT_NE(line_of(kWithNumber, true).find(member(kWithNumber)), std::string::npos);

  // These are to be found again in receipts.
  for (const auto id : {"12345678901234"sv, "00e4a1b2c3d4123456789"sv,
                        "f3a9c1d2-5e6f-4a1b-8c2d-12345678abcd"sv, "20261129-142233"sv}) {
    EXPECT_NE(line_of(id, false).find(member(id)), std::string::npos) << id;
  }
}

TEST(WireTrace, NeverShowsAPassword) {
  const auto bind = pdu(9, 1, "stentor\0secret\0\0\x34\0\0\0"sv);
  for (const bool clear : {false, true}) {
    const std::string line = describe_pdu(bind, clear);
    EXPECT_NE(line.find(R"("system_id":"stentor","password":"***")"), std::string::npos) << line;
    EXPECT_EQ(line.find("secret"), std::string::npos);
  }
}

TEST(WireTrace, ShowsWhoseHandsetAnAlertIsAbout) {
  const auto alert = pdu(0x102, 9,
                         "\1\1"
                         "79161234567\0\5\0SHOP\0\4\x22\0\1\2"sv);
  const std::string line = describe_pdu(alert, false);
  EXPECT_NE(line.find(R"("command":"alert_notification")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("source":"79..67")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("ms_availability_status":2)"), std::string::npos) << line;
}

TEST(WireTrace, ShowsWhatIsCalledBack) {
  const auto cancel = pdu(8, 9,
                          "\0"
                          "4F00\0\5\0SHOP\0\1\1"
                          "79161234567\0"sv);
  const std::string line = describe_pdu(cancel, false);
  EXPECT_NE(line.find(R"("message_id":"4F00")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("destination":"79..67")"), std::string::npos) << line;
}

TEST(WireTrace, ShowsAnOutbindWithoutABindAndWithoutItsPassword) {
  boost::asio::io_context context;
  std::string lines;
  WireTrace trace(context, {.lines_max = 1, .clear = true},
                  [&lines](std::string all) { lines = std::move(all); });

  trace.on_outbind(pdu(0x0B, 1, "SMSC\0hush-hsh\0"sv));
  context.run();

  EXPECT_NE(lines.find(R"("way":"in","command":"outbind")"), std::string::npos) << lines;
  EXPECT_NE(lines.find(R"("system_id":"SMSC","password":"***")"), std::string::npos) << lines;
  EXPECT_EQ(lines.find("hush"), std::string::npos);
  EXPECT_EQ(lines.find(R"("bind":)"), std::string::npos) << lines;
}

TEST(WireTrace, ShowsWhatDoesNotDecodeByItsHeader) {
  EXPECT_NE(describe_pdu(pdu(4, 7, "no end"), false).find("does not decode"), std::string::npos);
  EXPECT_NE(describe_pdu(pdu(0x999, 7, ""), true).find("0x00000999"), std::string::npos);
}

TEST(WireTrace, JoinsWhatWasReadInPiecesAndBeginsWithAWholePdu) {
  boost::asio::io_context context;
  std::string lines;
  WireTrace trace(context, {.lines_max = 2}, [&lines](std::string all) { lines = std::move(all); });
  const auto enquire = pdu(0x15, 3, "");
  const std::span<const std::uint8_t> octets(enquire);

  trace.on_read(0, octets.subspan(8), false);  // the rest of one that began before
  trace.on_read(0, octets.first(5), true);
  trace.on_read(0, octets.subspan(5), false);
  trace.on_written(0, pdu(0x80000015, 3, ""));
  trace.on_written(0, pdu(0x80000015, 4, ""));  // beyond the bound
  context.run();

  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2) << lines;
  EXPECT_NE(lines.find(R"("way":"in","command":"enquire_link")"), std::string::npos) << lines;
  EXPECT_TRUE(lines.ends_with(R"({"status":"ok","done":true,"lines":2})")) << lines;
}

}  // namespace
}  // namespace stentor::daemon
