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
    history_.emplace(config_, disk_.commit(), disk_.files(), limiters_);
  }
  void TearDown() override { history_.reset(); }

  void accept(std::string_view client, int messages) {
    for (int i = 0; i < messages; ++i) {
      Subject subject;
      subject.id = MessageId::make(1'790'000'000'000, 1, 0, ++sequence_);
      subject.client = client;
      subject.ref = kRef;
      subject.to = kNumber;
      subject.carrier = "north";
      FieldWriter octets;
      encode(subject, octets);
      Accepted accepted;
      accepted.subject = octets.octets();
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
  static bool has(const std::string& reply, std::string_view what) {
    return reply.find(what) != std::string::npos;
  }

  Config config_;
  CarrierLimiters limiters_;
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

}  // namespace
}  // namespace stentor::daemon
