#include "daemon/control/history.h"

#include <gtest/gtest.h>

#include <future>

#include "daemon/records/records.h"
#include "tests/daemon/journal_on_disk.h"

namespace stentor::daemon {
namespace {

constexpr std::string_view kNumber = "+79161234567";
constexpr std::string_view kRef = "o-1";
constexpr int kPlacesRead = 1000;  // docs/protocol.md, "message"

// All messages go to one number under one ref, which clients may share.
class HistoryTest : public testing::Test {
 protected:
  void SetUp() override {
    config_.state_dir = disk_.folder();
    feed_.emplace(disk_.commit(), false, 0, [] {});  // producers come before the thread starts
    disk_.start();
    history_.emplace(config_, disk_.commit(), disk_.files(), limiters_, campaigns_);
  }
  void TearDown() override { history_.reset(); }

  /// Its campaign's number is `flow`, where it has one.
  void accept(std::string_view client, int messages, std::string_view campaign = {},
              queue::Flow flow = 0) {
    for (int i = 0; i < messages; ++i) {
      Subject subject;
      subject.id = MessageId::make(1'790'000'000'000, 1, 0, ++sequence_);
      subject.client = client;
      subject.ref = kRef;
      subject.to = kNumber;
      subject.carrier = "north";
      subject.campaign = campaign;
      FieldWriter octets;
      encode(subject, octets);
      Accepted accepted;
      accepted.subject = octets.octets();
      accepted.flow = flow;
      accepted.flow_is_number = true;
      FieldWriter fields;
      encode(accepted, fields);
      feed_->open().records.add(static_cast<std::uint8_t>(RecordKind::accepted), fields.octets());
    }
    JournalOnDisk::settle(*feed_);
  }

  std::string ask(const MessageQuestion& question, std::string_view client) {
    Peer peer;
    peer.client = client;
    std::promise<std::string> told;
    history_->ask(question, peer, [&told](std::string reply) { told.set_value(std::move(reply)); });
    return told.get_future().get();
  }
  std::string ask_by_number(std::string_view client) {
    MessageQuestion question;
    question.to = kNumber;
    return ask(question, client);
  }
  std::string ask_by_ref(std::string_view client) {
    MessageQuestion question;
    question.ref = kRef;
    return ask(question, client);
  }
  /// As the first record of a journal file has it: the order itself is not in the journal.
  void stand(std::string_view campaign, queue::Flow flow, bool is_paused) {
    Campaign standing;
    standing.flow = flow;
    standing.client = "shop";
    standing.name = campaign;
    standing.changed_ms = 1'790'000'000'000;
    standing.is_paused = is_paused;
    FieldWriter fields;
    encode(standing, CampaignCounts{}, fields);
    ASSERT_TRUE(campaigns_.restore({.kind = static_cast<std::uint8_t>(RecordKind::campaign),
                                    .payload = fields.octets(),
                                    .at = {}}));
  }
  static bool has(const std::string& reply, std::string_view what) {
    return reply.find(what) != std::string::npos;
  }

  Config config_;
  CarrierLimiters limiters_;
  CampaignLedger campaigns_;
  JournalOnDisk disk_;
  std::optional<CommitFeed> feed_;
  std::optional<History> history_;
  std::uint64_t sequence_ = 0;
};

TEST_F(HistoryTest, FindsOnesOwnBehindAsManyOfAnothersAsAreRead) {
  accept("shop", 1);
  accept("bank", kPlacesRead - 1);

  const std::string by_number = ask_by_number("shop");
  EXPECT_TRUE(has(by_number, R"("client":"shop")")) << by_number;
  EXPECT_FALSE(has(by_number, R"("more")")) << by_number;
  const std::string by_ref = ask_by_ref("shop");
  EXPECT_TRUE(has(by_ref, R"("status":"ok")")) << by_ref;
  EXPECT_TRUE(has(by_ref, R"("client":"shop")")) << by_ref;
}

TEST_F(HistoryTest, SaysThatThereIsMoreWhereAnothersHideOnesOwn) {
  accept("shop", 1);
  accept("bank", kPlacesRead);

  EXPECT_EQ(ask_by_number("shop"),
            R"({"status":"ok","to":"+79161234567","messages":[],"more":true})");
  EXPECT_EQ(ask_by_ref("shop"),
            R"({"status":"rejected","error":{"code":"not_found","detail":)"
            R"("no such message among the newest 1000 of this name"},"more":true})");
  const std::string of_bank = ask_by_ref("bank");
  EXPECT_TRUE(has(of_bank, R"("client":"bank")")) << of_bank;
  EXPECT_FALSE(has(of_bank, R"("more")")) << of_bank;
}

TEST_F(HistoryTest, SaysNothingOfMoreWhereThereIsNothing) {
  accept("bank", 3);

  EXPECT_EQ(ask_by_number("shop"), R"({"status":"ok","to":"+79161234567","messages":[]})");
  EXPECT_EQ(ask_by_ref("shop"),
            R"({"status":"rejected","error":{"code":"not_found","detail":"no such message"}})");
}

TEST_F(HistoryTest, SaysThatACampaignIsPausedWhoseOrderRetentionTook) {
  stand("spring", 7, true);
  stand("summer", 8, false);
  accept("shop", 1, "spring", 7);
  const std::string paused = ask_by_ref("shop");
  EXPECT_TRUE(has(paused, R"("what":"waiting","cause":"pause")")) << paused;
  accept("shop", 1, "summer", 8);
  const std::string active = ask_by_ref("shop");
  EXPECT_TRUE(has(active, R"("campaign":"summer")")) << active;
  EXPECT_TRUE(has(active, R"("what":"waiting","cause":"turn")")) << active;
}

}  // namespace
}  // namespace stentor::daemon
