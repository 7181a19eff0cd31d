// Whose entry of the opt-out list somebody may change, and what the trail says of it.
#include "daemon/optout/opt_out_desk.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/daemon/journal_on_disk.h"

namespace stentor::daemon {
namespace {

using OptOutAction = OptOutRequest::Action;

class OptOutDeskTest : public testing::Test {
 protected:
  OptOutDeskTest() {
    config_.state_dir = disk_.folder();
    (void)disk_.commit().add_shard([] {});
    opt_outs_ = std::make_unique<OptOuts>(config_, disk_.commit());
    feed_ = std::make_unique<CommitFeed>(disk_.commit(), true, 1, [] {});
    reader_ = std::make_unique<queue::JournalReader>(disk_.files(), disk_.journal(),
                                                     queue::ReaderOptions{});
    routing_ = std::make_unique<Routing>(config_);
    Admission::Start start;
    start.references = std::make_unique<ReferenceIndex>(1);
    start.campaigns = &campaigns_;
    admission_ =
        std::make_unique<Admission>(config_, *routing_, *feed_, *reader_, std::move(start));
    desk_ = std::make_unique<OptOutDesk>(config_, *opt_outs_, *admission_, *feed_);
    disk_.start();
    crm_.client = "crm";
    crm_.may_submit = true;
    bank_.client = "bank";
    bank_.may_submit = true;
    admin_.client = "ops";
    admin_.is_admin = true;
  }
  ~OptOutDeskTest() override { JournalOnDisk::settle(*feed_); }

  /// The reply, or the code of what refused it.
  std::string ask(const Peer& peer, OptOutAction action, std::string_view number,
                  std::string_view from = "SHOP") {
    OptOutRequest request;
    request.action = action;
    request.to = {number};
    request.from = from;
    std::string reply;
    const auto answered = desk_->answer(request, peer, reply);
    return answered ? reply : std::string(answered.error().code);
  }
  [[nodiscard]] bool is_out(std::string_view number, std::string_view from = "SHOP") const {
    return opt_outs_->forbids({.to = number, .from = from, .campaign = {}, .client = "crm"});
  }
  [[nodiscard]] std::string owner(std::string_view number, std::string_view from = "SHOP") const {
    return std::string(opt_outs_->list().client_of(number, from).value_or("nobody"));
  }
  /// The trail since it was last asked for, without its dates.
  std::string trail() {
    auto save = opt_outs_->begin_save();
    if (!save) return "";
    std::string lines;
    for (std::size_t at = 0; at < save->audit_lines.size();) {
      const std::size_t end = save->audit_lines.find('\n', at);
      const std::size_t what = save->audit_lines.find("\"what\"", at);
      lines += save->audit_lines.substr(what, end + 1 - what);
      at = end + 1;
    }
    return lines;
  }

  Config config_;
  CampaignLedger campaigns_;
  JournalOnDisk disk_;
  std::unique_ptr<OptOuts> opt_outs_;
  std::unique_ptr<Routing> routing_;
  std::unique_ptr<CommitFeed> feed_;
  std::unique_ptr<queue::JournalReader> reader_;
  std::unique_ptr<Admission> admission_;
  std::unique_ptr<OptOutDesk> desk_;
  Peer crm_;
  Peer bank_;
  Peer admin_;
};

constexpr std::string_view kChanged = R"({"status":"ok","changed":1})";
constexpr std::string_view kUnchanged = R"({"status":"ok","changed":0})";
constexpr std::string_view kTheirs = "+79161234567";

TEST_F(OptOutDeskTest, AnAdminTakesBackAnotherClientsEntryAndTheTrailSaysWhoDidWhat) {
  EXPECT_EQ(ask(crm_, OptOutAction::add, kTheirs), kChanged);
  EXPECT_EQ(ask(bank_, OptOutAction::remove, kTheirs), "not_found") << "it is another's";
  EXPECT_TRUE(is_out(kTheirs));
  EXPECT_EQ(ask(admin_, OptOutAction::remove, kTheirs), kChanged);
  EXPECT_FALSE(is_out(kTheirs));
  EXPECT_EQ(trail(), R"("what":"out","by":"request","client":"crm","sender":"SHOP",)"
                     R"("numbers":["+79161234567"]})"
                     "\n"
                     R"("what":"in","by":"request","client":"ops","sender":"SHOP",)"
                     R"("numbers":["+79161234567"]})"
                     "\n");
}

TEST_F(OptOutDeskTest, WhatAnAdminAddsIsTheAdminsAndNoOtherClientsToTakeBack) {
  EXPECT_EQ(ask(admin_, OptOutAction::add, kTheirs), kChanged);
  EXPECT_TRUE(is_out(kTheirs));
  EXPECT_EQ(owner(kTheirs), "ops");
  EXPECT_EQ(ask(crm_, OptOutAction::remove, kTheirs), "not_found");
  EXPECT_TRUE(is_out(kTheirs));
  EXPECT_EQ(trail(), R"("what":"out","by":"request","client":"ops","sender":"SHOP",)"
                     R"("numbers":["+79161234567"]})"
                     "\n");
}

TEST_F(OptOutDeskTest, WhatIsThereAlreadyStaysItsClientsWhenAnAdminAddsItAgain) {
  EXPECT_EQ(ask(crm_, OptOutAction::add, kTheirs), kChanged);
  EXPECT_EQ(ask(admin_, OptOutAction::add, kTheirs), kUnchanged);
  EXPECT_EQ(owner(kTheirs), "crm");
  EXPECT_EQ(ask(crm_, OptOutAction::remove, kTheirs), kChanged);
  EXPECT_FALSE(is_out(kTheirs));
}

// For one sender and for all, as START would have it: two changes, both the admin's.
TEST_F(OptOutDeskTest, AnAdminTakesBackWhatIsForOneSenderAndForAllByOneRequest) {
  EXPECT_EQ(ask(crm_, OptOutAction::add, kTheirs, {}), "not_permitted");
  Peer chief = admin_;
  chief.client = "chief";
  EXPECT_EQ(ask(chief, OptOutAction::add, kTheirs, {}), kChanged);
  EXPECT_EQ(ask(crm_, OptOutAction::add, kTheirs), kChanged);
  EXPECT_TRUE(is_out(kTheirs, "BANK"));
  (void)trail();
  EXPECT_EQ(ask(admin_, OptOutAction::remove, kTheirs), R"({"status":"ok","changed":2})");
  EXPECT_FALSE(is_out(kTheirs));
  EXPECT_FALSE(is_out(kTheirs, "BANK"));
  EXPECT_EQ(trail(), R"("what":"in","by":"request","client":"ops","sender":"SHOP",)"
                     R"("numbers":["+79161234567"]})"
                     "\n"
                     R"("what":"in","by":"request","client":"ops","numbers":["+79161234567"]})"
                     "\n");
}

}  // namespace
}  // namespace stentor::daemon
