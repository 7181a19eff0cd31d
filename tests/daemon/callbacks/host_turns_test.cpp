// Those who wait for one host have their turns.
#include "daemon/callbacks/host_turns.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace stentor::daemon {
namespace {

constexpr const char* kBusyHost = "hooks.example";

class HostTurnsTest : public testing::Test {
 protected:
  struct Poster {
    std::string host = kBusyHost;
    int backlog = 0;
    int posted = 0;
  };

  /// Everybody is asked, in a fixed order, until none has to be asked again.
  void ask_all() {
    for (bool again = true; again;) {
      again = false;
      for (Poster& poster : posters_) {
        again |= ask(poster);
      }
    }
  }
  bool ask(Poster& poster) {
    while (true) {
      turns_.look(&poster);
      if (poster.backlog == 0 || !turns_.may_post(poster.host)) return turns_.end_look();
      --poster.backlog;
      ++poster.posted;
      turns_.on_posted(poster.host);
    }
  }

  HostTurns turns_{2};
  std::vector<Poster> posters_{3};
};

TEST_F(HostTurnsTest, NobodysBacklogStarvesAnother) {
  posters_[0].backlog = posters_[1].backlog = 100;
  posters_[2].backlog = 5;
  ask_all();
  EXPECT_EQ(posters_[0].posted, 2) << "it was alone when it asked";
  for (int done = 0; done < 12; ++done) {
    turns_.on_done(kBusyHost);
    ask_all();
  }
  EXPECT_EQ(posters_[2].posted, 4);
  EXPECT_EQ(posters_[1].posted, 4);
  EXPECT_EQ(posters_[0].posted, 2 + 4);
}

TEST_F(HostTurnsTest, AnotherHostTakesNobodysTurn) {
  Poster elsewhere{.host = "other.example", .backlog = 100, .posted = 0};
  posters_[0].backlog = posters_[1].backlog = 100;
  ask_all();
  for (int done = 0; done < 10; ++done) {
    (void)ask(elsewhere);
    turns_.on_done(elsewhere.host);
    turns_.on_done(kBusyHost);
    ask_all();
  }
  EXPECT_EQ(posters_[0].posted, 2 + 5);
  EXPECT_EQ(posters_[1].posted, 5);
}

TEST_F(HostTurnsTest, ATurnThatIsNotUsedIsTheNextOnes) {
  posters_[0].backlog = 2;
  ask_all();
  posters_[0].backlog = 1;
  posters_[1].backlog = posters_[2].backlog = 1;
  ask_all();
  posters_[0].backlog = posters_[1].backlog = 0;  // given up meanwhile
  turns_.on_done(kBusyHost);
  ask_all();
  EXPECT_EQ(posters_[2].posted, 1);
}

TEST_F(HostTurnsTest, AHostThatNobodyUsesIsForgotten) {
  for (Poster& poster : posters_) poster.backlog = 2;
  ask_all();
  for (int done = 0; done < 6; ++done) {
    EXPECT_EQ(turns_.hosts(), 1u);
    turns_.on_done(kBusyHost);
    ask_all();
  }
  EXPECT_EQ(turns_.hosts(), 0u);
}

}  // namespace
}  // namespace stentor::daemon
