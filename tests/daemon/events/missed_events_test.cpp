// What a consumer is told of the number that it missed, and where that is a bound.
#include "daemon/events/missed_events.h"

#include <gtest/gtest.h>

#include "daemon/events/consumers.h"
#include "tests/daemon/journal_on_disk.h"

namespace stentor::daemon {
namespace {

constexpr std::uint32_t kOldest = 5;

EventPosition in_file(std::uint32_t file, std::uint32_t record = 7) {
  return {queue::Locator(file, 4096, record), 1};
}

class MissedNumbers : public testing::Test {
 protected:
  MissedNumbers() {
    counted_.to = queue::Locator(kOldest, 0, 0);  // as MissedCount has it
    counted_.campaign = "spring";
    for (int i = 0; i < 10; ++i) counted_.counts.add(failed_, true);
    for (int i = 0; i < 4; ++i) counted_.of_campaign.add(failed_, true);
  }
  struct Told {
    MissedBound bound;
    std::uint64_t events;
    friend bool operator==(const Told&, const Told&) = default;
  };
  static std::optional<Told> told(const MissedEvents& missed, std::string_view campaign = "",
                                  std::uint32_t oldest_file = kOldest) {
    const auto number =
        missed_by({.campaign = campaign, .types = {}, .is_own_only = true}, missed, oldest_file);
    if (!number) return std::nullopt;
    return Told{number->bound, number->events};
  }

  const std::size_t failed_ = event_type_of("failed").value_or(0);
  const queue::Locator oldest_{kOldest, 4096, 0};
  MissedEvents counted_;
};

TEST_F(MissedNumbers, FromItsOwnPlaceTheNumberIsExactByTypeAndCampaign) {
  EXPECT_EQ(told(counted_), (Told{MissedBound::exact, 10}));
  EXPECT_EQ(told(counted_, "spring"), (Told{MissedBound::exact, 4}));
  const auto others =
      missed_by({.campaign = {}, .types = {"delivered"}, .is_own_only = true}, counted_, kOldest);
  ASSERT_TRUE(others.has_value());
  EXPECT_EQ(others->events, 0u);
}

TEST_F(MissedNumbers, OfAnotherCampaignItIsNoMoreThanOfAll) {
  EXPECT_EQ(told(counted_, "autumn"), (Told{MissedBound::at_most, 10}));
}

TEST_F(MissedNumbers, WhereFilesWentUncountedItIsNoFewer) {
  EXPECT_EQ(told(counted_, "", kOldest + 1), (Told{MissedBound::at_least, 10}));
  EXPECT_FALSE(told(counted_, "autumn", kOldest + 1)) << "neither more nor fewer is known";
}

TEST_F(MissedNumbers, FromALaterPlaceItIsNoMore) {
  const auto later = missed_from(in_file(3), in_file(2), counted_, oldest_);
  EXPECT_EQ(told(later), (Told{MissedBound::at_most, 10}));
  EXPECT_EQ(told(later, "spring"), (Told{MissedBound::at_most, 4}));
  EXPECT_EQ(told(missed_from(in_file(4), in_file(3), later, oldest_)),
            (Told{MissedBound::at_most, 10}));
}

TEST_F(MissedNumbers, FromAnEarlierPlaceItIsNoFewer) {
  const auto earlier = missed_from(in_file(1), in_file(2), counted_, oldest_);
  EXPECT_EQ(told(earlier), (Told{MissedBound::at_least, 10}));
  const auto neither = missed_from(in_file(1), in_file(3),
                                   missed_from(in_file(3), in_file(2), counted_, oldest_), oldest_);
  EXPECT_FALSE(told(neither)) << "no bound is left";
}

TEST_F(MissedNumbers, FromAPlaceThatNothingWasCountedFromNobodyKnows) {
  EXPECT_FALSE(told(missed_from(in_file(2), std::nullopt, {}, oldest_)));
  EXPECT_FALSE(told(missed_from(in_file(2), in_file(1), {}, oldest_)));
}

TEST_F(MissedNumbers, FromAPlaceThatIsThereNothingIsMissed) {
  EXPECT_TRUE(missed_from(in_file(kOldest), in_file(2), counted_, oldest_).to.is_nowhere());
}

TEST_F(MissedNumbers, TheirBoundsSurviveARestart) {
  const Consumers::Key key{"crm", "a"};
  for (const MissedBound bound :
       {MissedBound::exact, MissedBound::at_least, MissedBound::at_most}) {
    Consumers consumers;
    consumers.set(key, in_file(2));
    counted_.bound = bound;
    consumers.set_missed(key, counted_);
    FieldWriter octets;
    encode(consumers.record_of(key), octets);
    const auto read = decode_consumer(octets.octets());
    ASSERT_TRUE(read.has_value());
    Consumers again;
    again.restore(*read);
    EXPECT_EQ(again.missed(key).bound, bound);
    EXPECT_EQ(again.missed(key).counts.own[failed_], 10u);
  }
}

// Events of one type, of one client, each in a block of its own.
class CountedFiles : public testing::Test {
 protected:
  void SetUp() override {
    feed_ = std::make_unique<CommitFeed>(journal_.commit(), false, 0, [] {});
    journal_.start();
    Subject subject;
    subject.client = "crm";
    FieldWriter octets;
    encode(subject, octets);
    Verdict verdict;
    verdict.of.subject = octets.octets();
    verdict.of.state = State::failed;
    FieldWriter fields;
    encode(verdict, fields);
    for (int i = 0; i < 10; ++i) {
      const auto offset = feed_->open().records.add(static_cast<std::uint8_t>(RecordKind::verdict),
                                                    fields.octets());
      JournalOnDisk::settle(
          *feed_, [&](const BatchPointer& batch) { places_.push_back(batch->records.at(offset)); });
    }
  }
  /// Of consumers that stay at these places.
  std::vector<MissedEvents> count(const std::vector<EventPosition>& places) {
    std::vector<MissedCount::Laggard> laggards;
    for (const EventPosition place : places) {
      laggards.push_back({.client = "crm",
                          .consumer = "a",
                          .acknowledged = place,
                          .position = place,
                          .missed = {}});
    }
    MissedCount counting(std::make_unique<queue::JournalReader>(
                             journal_.files(), journal_.journal(), queue::ReaderOptions{}),
                         1, journal_.commit().durable_end().file() + 1, std::move(laggards));
    while (!counting.step()) {
    }
    std::vector<MissedEvents> missed;
    for (const auto& laggard : counting.laggards()) missed.push_back(laggard.missed);
    return missed;
  }

  const std::size_t failed_ = event_type_of("failed").value_or(0);
  JournalOnDisk journal_;
  std::unique_ptr<CommitFeed> feed_;
  std::vector<queue::Locator> places_;
};

TEST_F(CountedFiles, WhatCanBeReadIsCountedExactly) {
  const auto missed = count({{queue::Locator{}, 0}, {places_[6], 1}});
  EXPECT_EQ(missed[0].bound, MissedBound::exact);
  EXPECT_EQ(missed[0].counts.own[failed_], 10u);
  EXPECT_EQ(missed[1].counts.own[failed_], 3u);
}

TEST_F(CountedFiles, WhatCannotBeReadMakesALowerBoundForWhoStoodBeforeIt) {
  journal_.spoil(places_[4]);
  const auto missed = count({{queue::Locator{}, 0}, {places_[6], 1}});
  EXPECT_EQ(missed[0].bound, MissedBound::at_least);
  EXPECT_EQ(missed[0].counts.own[failed_], 9u);
  EXPECT_EQ(missed[1].bound, MissedBound::exact);
  EXPECT_EQ(missed[1].counts.own[failed_], 3u);
}

// The disk does not say: then of that file nothing is known, and counting comes to its end.
TEST_F(CountedFiles, AJournalThatCannotBeReadAtAllIsCountedToTheEndAllTheSame) {
  std::filesystem::remove(journal_.journal() / queue::file_name(1));
  std::filesystem::create_directory(journal_.journal() / queue::file_name(1));
  const auto missed = count({{queue::Locator{}, 0}});
  EXPECT_EQ(missed[0].bound, MissedBound::at_least);
  EXPECT_EQ(missed[0].counts.own[failed_], 0u);
}

}  // namespace
}  // namespace stentor::daemon
