#include "daemon/ingress/request_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace stentor::daemon {
namespace {

class RequestParserTest : public testing::Test {
 protected:
  std::expected<Request, Refusal> parse(std::string line) {
    line_ = std::move(line);
    const std::size_t size = line_.size();
    line_.append(kLinePaddingOctets, '\0');
    return parser_.parse({line_.data(), size});
  }
  void expect_refused(const std::string& line, std::string_view code, std::string_view ref = "") {
    const auto request = parse(line);
    ASSERT_FALSE(request) << line;
    EXPECT_EQ(request.error().code, code) << line << ": " << request.error().detail;
    EXPECT_EQ(request.error().ref, ref) << line;
    EXPECT_FALSE(request.error().detail.empty()) << line;
  }

  RequestParser parser_;
  std::string line_;
};

TEST_F(RequestParserTest, ReadsASendWithEveryFieldItSupports) {
  const auto request = parse(
      R"({"op":"send","ref":"r","to":["+7 916","2"],"from":"SHOP","text":"aé","campaign":"c",)"
      R"("priority":"urgent","carrier":"north","meta":{"a":[1,{"b":null}]},"not_before":60,)"
      R"("expires":"2026-11-21T02:08:51Z","encoding":"ucs2","max_segments":255,"receipt":"none",)"
      R"("kind":"short"})");

  ASSERT_TRUE(request);
  const auto& send = std::get<SendRequest>(*request);
  EXPECT_EQ(send.ref, "r");
  ASSERT_EQ(send.to.size(), 2u);
  EXPECT_EQ(send.to[0], "+7 916");
  EXPECT_TRUE(send.to_is_array);
  EXPECT_TRUE(send.is_short);
  EXPECT_EQ(send.text, "aé");
  EXPECT_EQ(send.priority, queue::Priority::urgent);
  EXPECT_EQ(send.meta, R"({"a":[1,{"b":null}]})");
  EXPECT_EQ(send.not_before.form, TimeWish::Form::in_seconds);
  EXPECT_EQ(send.not_before.value, 60u);
  EXPECT_EQ(send.expires.form, TimeWish::Form::at_ms);
  EXPECT_EQ(send.encoding, EncodingWish::ucs2);
  EXPECT_EQ(send.receipt, ReceiptWish::none);
  EXPECT_EQ(send.max_segments, 255u);
}

TEST_F(RequestParserTest, RefusesWhatIsNotOneJsonObject) {
  for (const char* line : {"", "{", "[1]", "\"x\"", "nope", R"({"op":"status"} x)",
                           R"({"op":"status"}{})", R"({"op":"status","ref":tru})",
                           R"({"op":"status",})", R"({"to":"1","text":"x" "ref":"r"})"}) {
    expect_refused(line, "bad_json");
  }
}

TEST_F(RequestParserTest, RefusesInvalidUtf8) {
  expect_refused("{\"op\":\"send\",\"text\":\"\xff\"}", "bad_utf8");
}

TEST_F(RequestParserTest, RefusesALoneSurrogate) {
  expect_refused(R"({"ref":"r","to":"+79161234567","text":"\ud83d"})", "bad_text", "r");
}

TEST_F(RequestParserTest, NamesUnknownFieldsAndKeepsTheRefThatComesLater) {
  const auto request = parse(R"({"txet":[{"deep":1}],"to":"1","ref":"r"})");
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().code, "unknown_field");
  EXPECT_EQ(request.error().ref, "r");
  EXPECT_NE(request.error().detail.find("txet"), std::string::npos);
}

TEST_F(RequestParserTest, RefusesDuplicateKeysSaveInsideMeta) {
  expect_refused(R"({"ref":"r","to":"1","text":"a","text":"b"})", "bad_field", "r");
  EXPECT_TRUE(parse(R"({"to":"1","text":"a","meta":{"x":1,"x":2}})"));
}

TEST_F(RequestParserTest, RefusesWrongTypesByName) {
  for (const char* line :
       {R"({"ref":"r","to":"1","text":5})", R"({"ref":"r","to":5,"text":"x"})",
        R"({"ref":"r","to":["1",2],"text":"x"})", R"({"ref":"r","to":"1","text":"x","meta":[]})",
        R"({"ref":"r","to":"1","text":"x","max_segments":0})",
        R"({"ref":"r","to":"1","text":"x","max_segments":256})",
        R"({"ref":"r","to":"1","text":"x","max_segments":1.5})",
        R"({"ref":"r","to":"1","text":"x","priority":"high"})",
        R"({"ref":"r","to":"1","text":"x","receipt":"some"})",
        R"({"ref":"r","to":"1","text":"x","encoding":"utf8"})",
        R"({"ref":"r","to":"1","text":"x","kind":"long"})"}) {
    expect_refused(line, "bad_field", "r");
  }
}

TEST_F(RequestParserTest, BoundsRefCampaignAndMeta) {
  const std::string at(64, 'r');
  EXPECT_TRUE(parse(R"({"to":"1","text":"x","ref":")" + at + R"("})"));
  expect_refused(R"({"to":"1","text":"x","ref":")" + at + R"(r"})", "bad_field");
  expect_refused(R"({"to":"1","text":"x","ref":""})", "bad_field");
  expect_refused(R"({"to":"1","text":"x","campaign":")" + at + R"(c"})", "bad_field");
  const std::string filling(1024 - 8, 'y');
  EXPECT_TRUE(parse(R"({"to":"1","text":"x","meta":{"x":")" + filling + R"("}})"));
  expect_refused(R"({"to":"1","text":"x","meta":{"x":")" + filling + R"(y"}})", "bad_field");
}

TEST_F(RequestParserTest, RefusesEmptyTextAndMissingDestination) {
  expect_refused(R"({"ref":"r","to":"1"})", "empty_text", "r");
  expect_refused(R"({"ref":"r","to":"1","text":""})", "empty_text", "r");
  expect_refused(R"({"ref":"r","text":"x"})", "bad_destination", "r");
  expect_refused(R"({"ref":"r","to":[],"text":"x"})", "bad_destination", "r");
}

TEST_F(RequestParserTest, RefusesTimesThatAreNone) {
  for (const char* time : {R"("tomorrow")", "-1", "1.5", "null", "true", "1e30"}) {
    expect_refused(R"({"ref":"r","to":"1","text":"x","expires":)" + std::string(time) + "}",
                   "bad_time", "r");
  }
}

TEST_F(RequestParserTest, ReadsTheFieldsThatAreSmpps) {
  const auto request = parse(R"({"to":"1","text":"x","service_type":"WAP","protocol_id":65,)"
                             R"("tlv":{"0x1400":"0aFF","source_port":4660}})");
  ASSERT_TRUE(request) << request.error().detail;
  const SmppWish& smpp = std::get<SendRequest>(*request).smpp;
  EXPECT_EQ(smpp.service_type, "WAP");
  EXPECT_EQ(smpp.protocol_id, 65);
  const std::vector<std::uint8_t> wanted{0x14, 0, 0, 2, 0x0a, 0xff, 0x02, 0x0a, 0, 2, 0x12, 0x34};
  EXPECT_TRUE(std::ranges::equal(smpp.tlvs, wanted));

  const auto without = parse(R"({"to":"1","text":"x"})");
  ASSERT_TRUE(without);
  EXPECT_FALSE(std::get<SendRequest>(*without).smpp.service_type);
  EXPECT_TRUE(std::get<SendRequest>(*without).smpp.tlvs.empty());
}

TEST_F(RequestParserTest, RefusesSmppFieldsThatDoNotFit) {
  std::string many;
  for (int i = 0; i < 17; ++i)
    many += (i > 0 ? ",\"0x14" : "\"0x14") + std::to_string(10 + i) + "\":\"\"";
  const std::string large(510, '0');
  for (const std::string& field : {
           std::string(R"("service_type":"123456")"),
           std::string(R"("service_type":7)"),
           std::string(R"("service_type":"a\u0000b")"),
           std::string(R"("protocol_id":256)"),
           std::string(R"("protocol_id":"1")"),
           std::string(R"("tlv":[])"),
           std::string(R"("tlv":"0x1400")"),
           std::string(R"("tlv":{"0x1400":null})"),
           std::string(R"("tlv":{"0x1400":"0"})"),
           std::string(R"("tlv":{"0x1400":-1})"),
           std::string(R"("tlv":{"colour":"00"})"),
           std::string(R"("tlv":{"message_payload":"00"})"),
           std::string(R"("tlv":{"0x020a":"0001","source_port":1})"),
           "\"tlv\":{" + many + "}",
           R"("tlv":{"0x1400":")" + large + R"(","0x1401":")" + large + R"(","0x1402":"00"})",
       }) {
    expect_refused(R"({"ref":"r","to":"1","text":"x",)" + field + "}", "bad_field", "r");
  }
}

TEST_F(RequestParserTest, ReadsAUrlOfAMessagesOwnAndRefusesWhatIsNone) {
  const auto send = [](const std::string& url) {
    return R"({"ref":"r","to":"1","text":"x","callback":")" + url + "\"}";
  };
  const std::string longest = "https://example.net/" + std::string(492, 'x');
  for (const std::string& url : {std::string("https://example.net/?t={type}&r={ref}"), longest}) {
    const auto request = parse(send(url));
    if (!request) FAIL() << url;
    EXPECT_EQ(std::get<SendRequest>(*request).callback, url);
  }
  for (const std::string& url :
       {std::string("ftp://example.net/"), std::string("/hook"), std::string("https:///x"),
        std::string("https://user@example.net/"), std::string("https://{to}.net/"),
        std::string("https://example.net/{secret}"), std::string("https://example.net/a b"),
        std::string(), longest + "x"}) {
    expect_refused(send(url), "bad_field", "r");
  }
}

TEST_F(RequestParserTest, SaysWhatIsNotBuiltYetAndTakesItsDefault) {
  expect_refused(R"({"ref":"r","to":"1","text":"x","plan":[]})", "not_supported", "r");
  EXPECT_TRUE(parse(R"({"to":"1","text":"x","uncertain":"resend"})"));
  EXPECT_TRUE(parse(R"({"op":"message","carrier_id":"8f"})"));
  EXPECT_TRUE(parse(R"({"op":"message","to":"+79161234567"})"));
  expect_refused(R"({"op":"message","carrier_id":"8f","to":"+79161234567"})", "bad_field");
  expect_refused(R"({"op":"message"})", "bad_field");
}

TEST_F(RequestParserTest, ReadsWhatIsOrderedOfACampaign) {
  const auto request =
      parse(R"({"op":"campaign","action":"set","name":"spring","client":"web","weight":5})");
  ASSERT_TRUE(request);
  const auto& campaign = std::get<CampaignRequest>(*request);
  EXPECT_EQ(campaign.action, CampaignAction::set);
  EXPECT_EQ(campaign.name, "spring");
  EXPECT_EQ(campaign.client, "web");
  EXPECT_EQ(campaign.weight, 5);

  EXPECT_TRUE(parse(R"({"op":"campaign","action":"list"})"));
  expect_refused(R"({"op":"campaign"})", "bad_field");
  expect_refused(R"({"op":"campaign","action":"stop","name":"x"})", "bad_field");
  expect_refused(R"({"op":"campaign","action":"pause"})", "bad_field");
  expect_refused(R"({"op":"campaign","action":"list","name":"x"})", "bad_field");
  expect_refused(R"({"op":"campaign","action":"set","name":"x"})", "bad_field");
  expect_refused(R"({"op":"campaign","action":"set","name":"x","weight":0})", "bad_field");
  expect_refused(R"({"op":"campaign","action":"set","name":"x","weight":101})", "bad_field");
  expect_refused(R"({"op":"campaign","action":"pause","name":"x","weight":2})", "bad_field");
  expect_refused(R"({"op":"campaign","action":"pause","name":"x","to":"1"})", "unknown_field");
  expect_refused(R"({"op":"campaign","action":"pause","name":"x","rate":5})", "bad_field");
  expect_refused(R"({"op":"campaign","action":"set","name":"x","rate":-1})", "bad_field");
  expect_refused(R"({"op":"campaign","action":"set","name":"x","rate":1000001})", "bad_field");
  expect_refused(R"({"op":"campaign","action":"move","name":"x"})", "bad_field");
  expect_refused(R"({"op":"campaign","action":"set","name":"x","rate":5,"carrier":"a"})",
                 "bad_field");
  const auto paced = parse(R"({"op":"campaign","action":"set","name":"x","rate":0})");
  ASSERT_TRUE(paced);
  EXPECT_EQ(std::get<CampaignRequest>(*paced).rate, 0u);
  const auto moved = parse(R"({"op":"campaign","action":"move","name":"x","carrier":"south"})");
  ASSERT_TRUE(moved);
  EXPECT_EQ(std::get<CampaignRequest>(*moved).carrier, "south");
  EXPECT_TRUE(parse(R"({"op":"campaign","action":"report","name":"x"})"));
}

TEST_F(RequestParserTest, ReadsWhatIsAskedOfACarrier) {
  using Action = CarrierRequest::Action;
  const auto list = parse(R"({"op":"carrier"})");
  ASSERT_TRUE(list);
  EXPECT_EQ(std::get<CarrierRequest>(*list).action, Action::list);
  const auto suspend = parse(R"({"op":"carrier","action":"suspend","name":"north"})");
  ASSERT_TRUE(suspend);
  EXPECT_EQ(std::get<CarrierRequest>(*suspend).action, Action::suspend);
  EXPECT_EQ(std::get<CarrierRequest>(*suspend).name, "north");

  expect_refused(R"({"op":"carrier","action":"resume"})", "bad_field");
  expect_refused(R"({"op":"carrier","action":"melt","name":"north"})", "bad_field");
  EXPECT_TRUE(parse(R"({"op":"carrier","action":"orphans","name":"north"})"));
  expect_refused(R"({"op":"carrier","action":"list","text":"x"})", "unknown_field");
  const auto rematch =
      parse(R"({"op":"carrier","action":"orphans","name":"n","message_id":"decimal"})");
  EXPECT_EQ(std::get<CarrierRequest>(*rematch).message_id, protocol::MessageIdRule::decimal);
  expect_refused(R"({"op":"carrier","action":"orphans","name":"n","message_id":"octal"})",
                 "bad_field");
  expect_refused(R"({"op":"carrier","action":"show","name":"n","message_id":"hex"})", "bad_field");

  const auto trace =
      parse(R"({"op":"carrier","action":"trace","name":"n","seconds":5,"lines":7,"clear":true})");
  ASSERT_TRUE(trace);
  EXPECT_EQ(std::get<CarrierRequest>(*trace).seconds, 5u);
  EXPECT_EQ(std::get<CarrierRequest>(*trace).lines, 7u);
  EXPECT_TRUE(std::get<CarrierRequest>(*trace).clear);
  expect_refused(R"({"op":"carrier","action":"trace","name":"n","seconds":301})", "bad_field");
  expect_refused(R"({"op":"carrier","action":"trace","name":"n","lines":0})", "bad_field");
  expect_refused(R"({"op":"carrier","action":"show","name":"n","seconds":5})", "bad_field");
}

TEST_F(RequestParserTest, ReadsHoursAndWhatIsDoneInDoubt) {
  const auto request = parse(R"({"to":"1","text":"x","uncertain":"wait-dlr:60",)"
                             R"("hours":{"from":"09:00","to":"21:30","zone":"Europe/Samara"}})");
  ASSERT_TRUE(request) << request.error().detail;
  const auto& send = std::get<SendRequest>(*request);
  EXPECT_EQ(send.uncertain->policy, UncertainPolicy::wait_dlr);
  EXPECT_EQ(send.uncertain->seconds, 60u);
  EXPECT_EQ(send.hours->from, 540);
  EXPECT_EQ(send.hours->to, 1290);
  EXPECT_EQ(send.hours->zone, "Europe/Samara");

  for (const char* field :
       {R"("hours":"09:00")", R"("hours":{})", R"("hours":{"from":"09:00"})",
        R"("hours":{"from":"9","to":"21:00"})", R"("hours":{"from":"09:00","to":"09:00"})",
        R"("hours":{"from":"00:00","to":"24:00"})", R"("hours":{"from":9,"to":21})",
        R"("hours":{"from":"09:00","to":"21:00","zone":"@RU"})",
        R"("hours":{"from":"09:00","from":"10:00","to":"21:00"})", R"("uncertain":"perhaps")",
        R"("uncertain":"wait-dlr:")", R"("uncertain":"wait-dlr:60,hold")", R"("uncertain":1)"}) {
    expect_refused(R"({"ref":"r","to":"1","text":"x",)" + std::string(field) + "}", "bad_field",
                   "r");
  }
  expect_refused(R"({"to":"1","text":"x","hours":{"from":"09:00","to":"21:00","tz":"UTC"}})",
                 "unknown_field");
}

TEST_F(RequestParserTest, ReadsAWordOnADoubt) {
  const auto request = parse(R"({"op":"resolve","id":"X","as":"unsent"})");
  ASSERT_TRUE(request);
  EXPECT_EQ(std::get<ResolveRequest>(*request).as, DoubtEnd::said_unsent);
  expect_refused(R"({"op":"resolve","as":"sent"})", "bad_field");
  expect_refused(R"({"op":"resolve","id":"X"})", "bad_field");
  expect_refused(R"({"op":"resolve","id":"X","ref":"r","as":"sent"})", "bad_field", "r");
  expect_refused(R"({"op":"resolve","id":"X","as":"delivered"})", "bad_field");
}

TEST_F(RequestParserTest, ReadsAPauseAndItsEnd) {
  for (const auto& [op, pauses] : {std::pair("pause", true), std::pair("resume", false)}) {
    const std::string begin = std::string(R"({"op":")") + op + '"';
    const auto by_id = parse(begin + R"(,"id":"X"})");
    ASSERT_TRUE(by_id);
    EXPECT_EQ(std::get<PauseRequest>(*by_id).id, "X");
    EXPECT_EQ(std::get<PauseRequest>(*by_id).pauses, pauses);
    const auto by_ref = parse(begin + R"(,"ref":"r"})");
    ASSERT_TRUE(by_ref);
    EXPECT_EQ(std::get<PauseRequest>(*by_ref).ref, "r");
    expect_refused(begin + "}", "bad_field");
    expect_refused(begin + R"(,"id":"X","ref":"r"})", "bad_field", "r");
    expect_refused(begin + R"(,"id":"X","at_carrier":true})", "unknown_field");
  }
}

TEST_F(RequestParserTest, ReadsWhatMayBeChangedInAText) {
  const auto request =
      parse(R"({"to":"1","text":"x","replace":"safe","national":["tr","pt"],"flash":true})");
  ASSERT_TRUE(request);
  const auto& send = std::get<SendRequest>(*request);
  EXPECT_EQ(send.replacement, encoding::Replacement::safe);
  ASSERT_TRUE(send.national);
  EXPECT_TRUE(send.national->allows(encoding::NationalLanguage::turkish));
  EXPECT_FALSE(send.national->allows(encoding::NationalLanguage::hindi));
  EXPECT_TRUE(send.flash);

  for (const char* field :
       {R"("replace":"all")", R"("national":["xx"])", R"("national":"tr")", R"("flash":1)"}) {
    expect_refused(R"({"ref":"r","to":"1","text":"x",)" + std::string(field) + "}", "bad_field",
                   "r");
  }
}

TEST_F(RequestParserTest, ReadsBinaryAsHexadecimalOctets) {
  const auto request = parse(R"({"to":"1","binary":"00fFa0","udh":"0500"})");
  ASSERT_TRUE(request);
  const auto& send = std::get<SendRequest>(*request);
  EXPECT_TRUE(send.is_binary);
  EXPECT_EQ(send.text, std::string_view("\0\xff\xa0", 3));
  EXPECT_EQ(send.udh, std::string_view("\x05\0", 2));

  for (const char* fields :
       {R"("binary":"0")", R"("binary":"0g")", R"("binary":"00","text":"x")",
        R"("binary":"00","replace":"safe")", R"("text":"x","udh":"00")", R"("binary":5)"}) {
    expect_refused(R"({"ref":"r","to":"1",)" + std::string(fields) + "}", "bad_field", "r");
  }
}

TEST_F(RequestParserTest, ReadsTheOtherRequests) {
  ASSERT_TRUE(std::holds_alternative<StatusRequest>(*parse(R"({"op":"status"})")));
  for (const std::string op : {"reload", "drain"}) {
    const auto asked = parse(R"({"op":")" + op + R"("})");
    EXPECT_EQ(std::get<DaemonRequest>(*asked).op, op);
    expect_refused(R"({"op":")" + op + R"(","name":"x"})", "unknown_field");
  }
  const auto preview = parse(R"({"op":"preview","text":"x","to":"+7","carrier":"n"})");
  EXPECT_EQ(std::get<PreviewRequest>(*preview).carrier, "n");
  const auto message = parse(R"({"op":"message","ref":"o-1"})");
  EXPECT_EQ(std::get<MessageRequest>(*message).ref, "o-1");
  expect_refused(R"({"op":"message"})", "bad_field");
  const auto events = parse(R"({"op":"events","consumer":"crm","types":["sent","failed"]})");
  EXPECT_EQ(std::get<EventsRequest>(*events).types.size(), 2u);
  expect_refused(R"({"op":"events"})", "bad_field");
  const auto ack = parse(R"({"op":"ack","cursor":"c"})");
  EXPECT_EQ(std::get<AckRequest>(*ack).cursor, "c");
  const auto route = parse(R"({"op":"route","to":"77","kind":"short","campaign":"c"})");
  EXPECT_EQ(std::get<RouteRequest>(*route).to, "77");
  EXPECT_TRUE(std::get<RouteRequest>(*route).is_short);
  EXPECT_EQ(std::get<RouteRequest>(*route).campaign, "c");
  expect_refused(R"({"op":"route"})", "bad_destination");
  expect_refused(R"({"op":"route","to":"7","kind":"long"})", "bad_field");
  expect_refused(R"({"op":"route","to":"7","text":"x"})", "unknown_field");
  expect_refused(R"({"op":"status","text":"x"})", "unknown_field");
  expect_refused(R"({"op":"sned"})", "bad_field");
  expect_refused(R"({"op":5})", "bad_field");
}

}  // namespace
}  // namespace stentor::daemon
