// Names looked up beside the thread that asks. The test is the resolver, and owns the clock.
#include "daemon/callbacks/name_lookup.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

using test::kStart;

/// A resolver that answers when it is told to, on however many threads.
struct HeldResolver {
  std::atomic<bool> answers{false};
  std::atomic<std::size_t> asked{0};
  std::atomic<std::size_t> answered{0};

  FoundName find(const std::string& host) {
    ++asked;
    while (!answers) std::this_thread::yield();
    ++answered;
    if (host == "nowhere.example") return {.addresses = {}, .why = "no such name"};
    return {.addresses = {"192.0.2.1"}, .why = {}};
  }
};

class NameLookupTest : public testing::Test {
 protected:
  void TearDown() override {
    resolver_->answers = true;  // its threads end: none may be left when the test's process ends
    while (resolver_->answered < resolver_->asked) std::this_thread::yield();
  }

  [[nodiscard]] const FoundName& wait_for(NameLookup& names, const std::string& host,
                                          NameLookup::TimePoint now) {
    while (true) {
      if (const FoundName* found = names.look_up(host, now)) return *found;
      std::this_thread::yield();
    }
  }

  std::shared_ptr<HeldResolver> resolver_ = std::make_shared<HeldResolver>();
  NameLookup::Find find_ = [resolver = resolver_](const std::string& host) {
    return resolver->find(host);
  };
};

TEST_F(NameLookupTest, KeepsWhatWasFoundForAMinute) {
  resolver_->answers = true;
  NameLookup names(find_, [] {});
  EXPECT_EQ(wait_for(names, "a.example", kStart).addresses, std::vector<std::string>{"192.0.2.1"});

  EXPECT_NE(names.look_up("a.example", kStart + NameLookup::kKeptFor - 1ms), nullptr);
  EXPECT_EQ(resolver_->asked, 1u);
  EXPECT_EQ(names.look_up("a.example", kStart + NameLookup::kKeptFor), nullptr);
  (void)wait_for(names, "a.example", kStart + NameLookup::kKeptFor);
  EXPECT_EQ(resolver_->asked, 2u);
}

TEST_F(NameLookupTest, SaysWhyThereIsNoneAndSoonAsksAgain) {
  resolver_->answers = true;
  NameLookup names(find_, [] {});
  EXPECT_EQ(wait_for(names, "nowhere.example", kStart).why, "no such name");

  const auto last = kStart + NameLookup::kFailureKeptFor;
  EXPECT_NE(names.look_up("nowhere.example", last - 1ms), nullptr);
  EXPECT_EQ(names.look_up("nowhere.example", last), nullptr);
}

TEST_F(NameLookupTest, NeverAsksTwiceAtOnceForOneName) {
  NameLookup names(find_, [] {});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(names.look_up("a.example", kStart + i * 1h), nullptr);
  EXPECT_EQ(names.threads(), 1u);
}

TEST_F(NameLookupTest, HasABoundOfThreadsBeyondWhichNamesWait) {
  NameLookup names(find_, [] {});
  for (std::size_t i = 0; i < NameLookup::kThreadsMax + 1; ++i) {
    EXPECT_EQ(names.look_up(std::to_string(i) + ".example", kStart), nullptr);
  }
  EXPECT_EQ(names.threads(), NameLookup::kThreadsMax);

  resolver_->answers = true;
  const std::string last = std::to_string(NameLookup::kThreadsMax) + ".example";
  EXPECT_FALSE(wait_for(names, last, kStart).addresses.empty());
}

TEST_F(NameLookupTest, AddressesStayGoodWhileAllPlacesAreTakenByNamesThatNobodyAnswersFor) {
  resolver_->answers = true;
  NameLookup names(find_, [] {});
  (void)wait_for(names, "well.example", kStart);
  (void)wait_for(names, "nowhere.example", kStart);
  resolver_->answers = false;
  for (std::size_t i = 0; i < NameLookup::kThreadsMax; ++i) {
    (void)names.look_up(std::to_string(i) + ".example", kStart);
  }

  const FoundName* found = names.look_up("well.example", kStart + 1h);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->addresses, std::vector<std::string>{"192.0.2.1"});
  EXPECT_EQ(names.look_up("nowhere.example", kStart + 1h), nullptr) << "it never had any";

  resolver_->answers = true;  // and it is looked up again when there is a place
  (void)wait_for(names, "0.example", kStart);
  const std::size_t asked = resolver_->asked;
  while (names.look_up("well.example", kStart + 1h) != nullptr) std::this_thread::yield();
  (void)wait_for(names, "well.example", kStart + 1h);
  EXPECT_GT(resolver_->asked, asked);
}

TEST_F(NameLookupTest, WakesWhoAsksAndNobodyOnceThatHasGone) {
  std::atomic<int> woken{0};
  {
    NameLookup names(find_, [&] { ++woken; });
    resolver_->answers = true;
    (void)wait_for(names, "a.example", kStart);
    while (woken == 0) std::this_thread::yield();
    resolver_->answers = false;
    EXPECT_EQ(names.look_up("b.example", kStart), nullptr);
    while (resolver_->asked < 2) std::this_thread::yield();
  }
  resolver_->answers = true;
  while (resolver_->answered < 2) std::this_thread::yield();
  EXPECT_EQ(woken, 1);
}

}  // namespace
}  // namespace stentor::daemon
