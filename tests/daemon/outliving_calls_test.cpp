#include "daemon/outliving_calls.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace stentor::daemon {
namespace {

/// Says when the last copy of it is gone: what a call's thread holds goes with the thread.
class Life {
 public:
  [[nodiscard]] std::shared_ptr<void> share() {
    return {nullptr, [over = over_](void*) { over->set_value(); }};
  }
  void wait_for_its_end() { over_->get_future().wait(); }

 private:
  std::shared_ptr<std::promise<void>> over_ = std::make_shared<std::promise<void>>();
};

TEST(OutlivingCalls, TellWhatTheCallFound) {
  std::promise<std::string> told;
  OutlivingCalls calls;
  ASSERT_TRUE(calls.begin([] { return std::string("found"); },
                          [&told](std::string found) { told.set_value(std::move(found)); }));
  EXPECT_EQ(told.get_future().get(), "found");
}

TEST(OutlivingCalls, AreNotWaitedForByWhoGoesAndTellHimNothing) {
  std::promise<void> may_end;
  bool is_told = false;
  Life thread;
  std::optional<OutlivingCalls> calls(std::in_place);
  ASSERT_TRUE(calls->begin(
      [end = may_end.get_future().share(), life = thread.share()] {
        end.wait();
        return 1;
      },
      [&is_told](int) { is_told = true; }));
  calls.reset();  // comes back while the call does not
  may_end.set_value();
  thread.wait_for_its_end();
  EXPECT_FALSE(is_told);
}

TEST(OutlivingCalls, TellNothingWhileTheirOwnerHasTheGuard) {
  bool is_told = false;
  Life thread;
  OutlivingCalls calls;
  {
    const std::lock_guard lock(calls.guard());
    ASSERT_TRUE(
        calls.begin([life = thread.share()] { return 1; }, [&is_told](int) { is_told = true; }));
    EXPECT_FALSE(is_told);
  }
  thread.wait_for_its_end();
  EXPECT_TRUE(is_told);
}

}  // namespace
}  // namespace stentor::daemon
