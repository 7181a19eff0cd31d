// What carriers' threads ask before a message that waited goes.
#include "daemon/optout/opt_out_filter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "daemon/optout/opt_outs.h"
#include "tests/daemon/journal_on_disk.h"

namespace stentor::daemon {
namespace {

std::uint64_t hash_of(std::uint64_t number) {
  return OptOutList::hash_of("+7916" + std::to_string(number)).value_or(0);
}

TEST(OptOutFilter, ForgetsNoneAndTakesFewOthersForOneOfThem) {
  constexpr std::uint64_t kNumbers = 100'000;
  OptOutFilter filter;
  EXPECT_TRUE(filter.is_empty());
  EXPECT_FALSE(filter.may_have(hash_of(1'000'000)));
  for (std::uint64_t i = 0; i < kNumbers; ++i) filter.add(hash_of(1'000'000 + i));
  EXPECT_FALSE(filter.is_empty());
  std::uint64_t others = 0;
  for (std::uint64_t i = 0; i < kNumbers; ++i) {
    ASSERT_TRUE(filter.may_have(hash_of(1'000'000 + i)));
    if (filter.may_have(hash_of(2'000'000 + i))) ++others;
  }
  EXPECT_LT(others, kNumbers / 1000);
}

class ForbidsStill : public testing::Test {
 protected:
  void SetUp() override {
    config_.state_dir = journal_.folder();
    config_.opt_out.urgent_is_exempt = true;
    config_.opt_out.exempt_campaigns = {"codes"};
  }
  static OptOutChange said(bool is_out, std::string_view sender = "SHOP") {
    OptOutChange change;
    change.is_out = is_out;
    change.client = "crm";
    change.sender = sender;
    change.numbers = {"+79161234567"};
    return change;
  }
  [[nodiscard]] bool forbids(std::string_view to = "+79161234567", std::string_view from = "SHOP",
                             std::string_view campaign = "", bool is_urgent = false) const {
    return opt_outs_.forbids_still(
        {.to = to, .from = from, .campaign = campaign, .client = "crm", .is_urgent = is_urgent});
  }

  JournalOnDisk journal_;
  Config config_;
  OptOuts opt_outs_{config_, journal_.commit()};
};

TEST_F(ForbidsStill, WhatAdmissionForbidsAndNothingElse) {
  EXPECT_FALSE(forbids());
  (void)opt_outs_.apply(said(true));
  EXPECT_TRUE(forbids());
  EXPECT_FALSE(forbids("+79161234568"));
  EXPECT_FALSE(forbids("+79161234567", "BANK"));
  EXPECT_FALSE(forbids("+79161234567", "SHOP", "codes"));
  EXPECT_FALSE(forbids("+79161234567", "SHOP", "", true));
  EXPECT_FALSE(forbids("not a number"));
  (void)opt_outs_.apply(said(false));
  EXPECT_FALSE(forbids()) << "START takes it back";
}

TEST_F(ForbidsStill, WhatTheJournalSaysAfterARestart) {
  opt_outs_.restore(said(true, ""), queue::Locator(1, 4096, 0));
  EXPECT_TRUE(forbids("+79161234567", "any"));
}

TEST_F(ForbidsStill, WhateverChangesMeanwhile) {
  std::atomic<bool> is_over{false};
  (void)opt_outs_.apply(said(true, "BANK"));
  std::thread carrier([&] {
    while (!is_over.load()) {
      EXPECT_TRUE(forbids("+79161234567", "BANK"));
      std::this_thread::yield();
    }
  });
  OptOutChange others;
  others.client = "crm";
  for (int i = 0; i < 2000; ++i) {
    const std::string number = "+7926" + std::to_string(1'000'000 + i);
    others.numbers = {number};
    (void)opt_outs_.apply(others);
  }
  is_over.store(true);
  carrier.join();
}

}  // namespace
}  // namespace stentor::daemon
