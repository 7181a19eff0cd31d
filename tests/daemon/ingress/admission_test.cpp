#include "daemon/ingress/admission.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/daemon/journal_on_disk.h"

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kNow = 1'790'000'000'000;

class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest() {
    CarrierConfig carrier;
    carrier.name = "north";
    config_.carriers.push_back(carrier);
    RouteConfig route;
    route.prefixes = {"7"};
    route.carriers = {"north"};
    config_.routes.push_back(route);
    routing_ = std::make_unique<Routing>(config_);
    (void)disk_.commit().add_shard([] {});
    feed_ = std::make_unique<CommitFeed>(disk_.commit(), true, 1, [] {});
    reader_ = std::make_unique<queue::JournalReader>(disk_.files(), disk_.journal(),
                                                     queue::ReaderOptions{});
    Admission::Start start;
    start.references = std::make_unique<ReferenceIndex>(1);
    start.campaigns = &campaigns_;
    admission_ =
        std::make_unique<Admission>(config_, *routing_, *feed_, *reader_, std::move(start));
    peer_.client = "crm";
    peer_.may_submit = true;
    disk_.start();
  }

  static SendRequest request(std::string_view ref, std::string_view text = "Hello") {
    SendRequest made;
    made.to = {"+79161234567"};
    made.from = "SHOP";
    made.text = text;
    made.ref = ref;
    return made;
  }
  std::string send(const SendRequest& request, std::uint64_t now = kNow) {
    std::string reply;
    waits_for_ = admission_->send(request, peer_, now, reply).waits_for;
    return reply;
  }
  void settle() {
    JournalOnDisk::settle(*feed_,
                          [this](const BatchPointer& batch) { admission_->on_settled(*batch); });
  }
  static void expect_has(const std::string& reply, std::string_view what) {
    EXPECT_NE(reply.find(what), std::string::npos) << reply;
  }
  static std::string id_in(const std::string& reply) {
    const auto at = reply.find("\"id\":\"");
    return at == std::string::npos ? "" : reply.substr(at + 6, kMessageIdCharacters);
  }

  Config config_;
  CampaignLedger campaigns_;
  JournalOnDisk disk_;
  std::unique_ptr<Routing> routing_;
  std::unique_ptr<CommitFeed> feed_;
  std::unique_ptr<queue::JournalReader> reader_;
  std::unique_ptr<Admission> admission_;
  Peer peer_;
  std::uint64_t waits_for_ = 0;
};

TEST_F(AdmissionTest, AnAcceptedReplyWaitsForItsBatch) {
  const std::string reply = send(request("o-1"));
  expect_has(reply, R"("ref":"o-1","status":"accepted","segments":1,"encoding":"gsm7")");
  EXPECT_EQ(waits_for_, feed_->open_number());
  EXPECT_EQ(id_in(reply).size(), kMessageIdCharacters);
}

TEST_F(AdmissionTest, ADuplicateOfOneNotYetDurableWaitsForIt) {
  const std::string first = send(request("o-1"));
  const std::uint64_t batch = waits_for_;
  const std::string again = send(request("o-1"));

  expect_has(again, R"("status":"duplicate")");
  EXPECT_EQ(id_in(again), id_in(first));
  EXPECT_EQ(waits_for_, batch);
}

TEST_F(AdmissionTest, ADuplicateOfADurableOneIsVerifiedOnItsRecord) {
  const std::string first = send(request("o-1"));
  settle();
  const std::string again = send(request("o-1"));
  expect_has(again, R"("status":"duplicate")");
  EXPECT_EQ(id_in(again), id_in(first));
  EXPECT_EQ(waits_for_, 0u);

  expect_has(send(request("o-1", "Other")), R"("code":"conflict")");
}

TEST_F(AdmissionTest, OneFieldDoesNotPassForAnotherWithTheSameValue) {
  SendRequest with_service_type = request("o-1");
  with_service_type.smpp.service_type = "hold";
  SendRequest with_policy = request("o-1");
  with_policy.uncertain = UncertainWish{.policy = UncertainPolicy::hold};
  (void)send(with_service_type);

  expect_has(send(with_policy), R"("code":"conflict")");
  expect_has(send(with_service_type), R"("status":"duplicate")");
}

TEST_F(AdmissionTest, ARefusedSendDoesNotUseUpItsRef) {
  SendRequest bad = request("o-1");
  bad.to = {"nobody"};
  expect_has(send(bad), R"("code":"bad_destination")");
  expect_has(send(request("o-1")), R"("status":"accepted")");
}

TEST_F(AdmissionTest, ARefIsFreeAgainAfterTheGuardTime) {
  config_.queue.guard = std::chrono::hours(1);
  const std::string first = send(request("o-1"));
  settle();
  expect_has(send(request("o-1"), kNow + 3'600'000), R"("status":"duplicate")");
  const std::string later = send(request("o-1"), kNow + 3'600'001);
  expect_has(later, R"("status":"accepted")");
  EXPECT_NE(id_in(later), id_in(first));
}

// The second one's incarnation might sort before the first's, which is 0 for both here.
TEST_F(AdmissionTest, IdsGoOnAscendingWhereTheClockWentBackBetweenTwoStarts) {
  const std::string first = id_in(send(request("o-1")));
  Admission::Start start;
  start.time_ms_last = kNow;
  start.references = std::make_unique<ReferenceIndex>(1);
  start.campaigns = &campaigns_;
  admission_ = std::make_unique<Admission>(config_, *routing_, *feed_, *reader_, std::move(start));
  const std::string second = id_in(send(request("o-2"), kNow - 3'600'000));
  const std::string third = id_in(send(request("o-3"), kNow - 3'500'000));
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
}

TEST_F(AdmissionTest, RefsOfOtherClientsAreTheirOwn) {
  (void)send(request("o-1"));
  peer_.client = "shop";
  expect_has(send(request("o-1", "Other")), R"("status":"accepted")");
}

TEST_F(AdmissionTest, SeveralDestinationsAreOneTransactionWithAnErrorForEachBadOne) {
  SendRequest many = request("o-1");
  many.to = {"+79161234567", "bad", "+441234567890", "+7 916 123-45-67", "+79161234568"};
  many.to_is_array = true;
  const std::string reply = send(many);

  expect_has(reply, R"("status":"accepted")");
  expect_has(reply, R"({"to":"bad","error":{"code":"bad_destination")");
  expect_has(reply, R"({"to":"+441234567890","error":{"code":"no_route")");
  EXPECT_EQ(feed_->open().accepted, 2u) << "equal numbers get one message";
}

TEST_F(AdmissionTest, IsRejectedWhenNoDestinationIsLeft) {
  SendRequest many = request("o-1");
  many.to = {"bad", "worse"};
  many.to_is_array = true;
  expect_has(send(many), R"("status":"rejected")");
  EXPECT_EQ(feed_->open().accepted, 0u);
}

TEST_F(AdmissionTest, NamesWhatIsWrongWithEachField) {
  SendRequest bad = request("r");
  bad.from = "ABCDEFGHIJKL";
  expect_has(send(bad), R"("code":"bad_sender")");
  bad = request("r");
  bad.from = "";
  expect_has(send(bad), R"("code":"bad_sender")");
  bad = request("r");
  bad.carrier = "nowhere";
  expect_has(send(bad), R"("code":"unknown_carrier")");
  bad = request("r");
  bad.to = {"+441234567890"};
  expect_has(send(bad), R"("code":"no_route")");
  const std::string long_text(1531, 'a');
  bad = request("r", long_text);
  expect_has(send(bad), R"("code":"too_many_segments")");
  bad = request("r", std::string_view("a\0b", 3));
  expect_has(send(bad), R"("code":"bad_text")");
  bad = request("r");
  bad.expires = {TimeWish::Form::at_ms, kNow};
  expect_has(send(bad), R"("code":"expired")");
  bad = request("r");
  bad.not_before = {TimeWish::Form::in_seconds, 60};
  bad.expires = {TimeWish::Form::in_seconds, 60};
  expect_has(send(bad), R"("code":"bad_time")");
  EXPECT_EQ(feed_->open().accepted, 0u);
}

TEST_F(AdmissionTest, KeepsTheMillisecondAtWhichAMessageExpires) {
  const auto expires_ms = [this](TimeWish wish, std::uint64_t now) {
    SendRequest made = request("");
    made.expires = wish;
    (void)send(made, now);
    return feed_->open().arrivals[0].back().expires_ms;
  };
  EXPECT_EQ(expires_ms({TimeWish::Form::at_ms, kNow + 5377}, kNow), kNow + 5377);
  EXPECT_EQ(expires_ms({TimeWish::Form::in_seconds, 60}, kNow + 1), kNow + 60'001);
  EXPECT_EQ(expires_ms({}, kNow + 1) % 1000, 0u) << "three days are no date";
}

TEST_F(AdmissionTest, TakesAUrlOfAMessageWhereItsClientMayNameOne) {
  ClientConfig client;
  SendRequest with_url = request("r");
  with_url.callback = "https://example.net/hook";
  expect_has(send(with_url), R"("code":"not_permitted")");
  peer_.config = &client;
  expect_has(send(with_url), R"("code":"not_permitted")");
  client.callback.emplace();
  expect_has(send(with_url), R"("status":"accepted")");
  with_url.callback = "https://example.net/other";
  expect_has(send(with_url), R"("code":"conflict")");
}

TEST_F(AdmissionTest, HoldsAClientToItsSendersAndCarriers) {
  ClientConfig client;
  client.senders = {"SHOP"};
  client.carriers = {"south"};
  peer_.config = &client;
  expect_has(send(request("r")), R"("code":"not_permitted")");
  client.carriers = {"north"};
  expect_has(send(request("r")), R"("status":"accepted")");
  SendRequest other = request("r2");
  other.from = "BANK";
  expect_has(send(other), R"("code":"not_permitted")");
}

TEST_F(AdmissionTest, RefusesWhatItsCarrierHasNoPlaceFor) {
  const std::vector<std::uint8_t> source_port = {0x02, 0x0a, 0x00, 0x02, 0x00, 0x10};
  SendRequest with_tlv = request("");
  with_tlv.smpp.tlvs = source_port;
  SendRequest with_protocol_id = request("");
  with_protocol_id.smpp.protocol_id = 0x41;
  expect_has(send(with_tlv), R"("status":"accepted")");
  expect_has(send(with_protocol_id), R"("status":"accepted")");

  config_.carriers[0].interface_version = kVersion33;
  config_.carriers[0].wire.by_data_sm = true;
  expect_has(send(with_tlv), R"("code":"bad_field","detail":"tlv: the carrier speaks SMPP 3.3)");
  expect_has(send(with_protocol_id), R"("code":"bad_field","detail":"protocol_id: the carrier)");
  expect_has(send(request("")), R"("status":"accepted")");
}

TEST_F(AdmissionTest, ATransactionThatFitsNoBlockIsRefusedWhole) {
  const std::string text(30'000, 'a');
  SendRequest many = request("r", text);
  many.max_segments = 255;
  many.to_is_array = true;
  std::vector<std::string> numbers;
  for (int i = 0; i < 100; ++i) numbers.push_back("+7916" + std::to_string(1'000'000 + i));
  many.to.assign(numbers.begin(), numbers.end());
  expect_has(send(many), R"("code":"bad_field")");
  EXPECT_EQ(feed_->open().accepted, 0u);
}

TEST_F(AdmissionTest, IdsNeverGoBackWhenTheClockDoes) {
  const std::string first = send(request("a"), kNow);
  const std::string second = send(request("b"), kNow - 1'000'000);
  EXPECT_LT(id_in(first), id_in(second));
}

}  // namespace
}  // namespace stentor::daemon
