#include "daemon/recovery/replay.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "daemon/records/carrier_cancel_records.h"
#include "daemon/records/pause_records.h"
#include "tests/daemon/journal_on_disk.h"
#include "tests/daemon/recovery/recovered_carrier.h"

namespace stentor::daemon {
namespace {

// One carrier that nothing listens for: what replay hands over stays to be looked at.
class ReplayTest : public testing::Test {
 protected:
  ReplayTest() { disk_.start(); }

  static constexpr std::uint64_t kNow = 1'790'000'000'000;
  static constexpr queue::Flow kFirstFlow = 1;  // what the first client without a number gets

  template <class Body>
  queue::Locator write(RecordKind kind, const Body& body) {
    fields_.clear();
    encode(body, fields_);
    const auto offset =
        known_.feed.open().records.add(static_cast<std::uint8_t>(kind), fields_.octets());
    queue::Locator at;
    JournalOnDisk::settle(known_.feed,
                          [&](const BatchPointer& batch) { at = batch->records.at(offset); });
    return at;
  }
  queue::Locator accept(std::uint64_t sequence, std::string_view ref = "", std::uint8_t parts = 1,
                        std::string_view carrier = "north", bool names_carrier = false) {
    Subject subject;
    subject.id = MessageId::make(kNow, 1, 0, sequence);
    subject.parts = parts;
    subject.client = "crm";
    subject.ref = ref;
    subject.to = "+79161234567";
    subject.from = "SHOP";
    subject.carrier = carrier;
    subject_.clear();
    encode(subject, subject_);
    Accepted accepted;
    accepted.subject = subject_.octets();
    accepted.expires = 0xfffffffe;
    accepted.owns_ref = !ref.empty();
    accepted.names_carrier = names_carrier;
    accepted.text = "Hello";
    return write(RecordKind::accepted, accepted);
  }
  Following about(queue::Locator at, State state) {
    return {.accepted = at, .subject = subject_.octets(), .time_ms = kNow, .state = state};
  }
  void switched(bool suspended, std::string_view carrier = "north") {
    CarrierSwitched record;
    record.carrier = carrier;
    record.suspended = suspended;
    record.time_ms = kNow;
    record.client = "ops";
    (void)write(RecordKind::carrier_switched, record);
  }
  void intend(std::uint64_t sequence) {
    Intent intent;
    intent.carrier = "north";
    intent.sequences = {sequence};
    (void)write(RecordKind::intent, intent);
  }
  void part(queue::Locator at, std::uint8_t number, State state, std::uint32_t status = 0) {
    PartAnswered answered;
    answered.of = about(at, state);
    answered.part = number;
    answered.command_status = status;
    const std::string id = "8f" + std::to_string(number);
    answered.message_id = id;
    (void)write(RecordKind::part, answered);
  }
  template <class Body>
  queue::Locator write_other(std::uint8_t kind, const Body& body) {
    fields_.clear();
    encode(body, fields_);
    const auto offset = known_.feed.open().records.add(kind, fields_.octets());
    queue::Locator at;
    JournalOnDisk::settle(known_.feed,
                          [&](const BatchPointer& batch) { at = batch->records.at(offset); });
    return at;
  }
  void paused(queue::Locator at, bool is_paused = true) {
    Paused record;
    record.of = about(at, State::none);
    record.is_paused = is_paused;
    record.by = "ops";
    (void)write_other(kPausedRecord, record);
  }
  void cancel_all_of(std::string_view carrier = "north") {
    CarrierCancelled record;
    record.carrier = carrier;
    record.client = "ops";
    (void)write_other(kCarrierCancelledRecord, record);
  }
  void moved_here(queue::Locator at) {
    Moved moved;
    moved.of = about(at, State::none);
    moved.from = "gone";
    moved.to = "north";
    (void)write(RecordKind::moved, moved);
  }
  // In the lanes stands what is to end; what goes on stands beside them until that is done.
  [[nodiscard]] std::size_t to_end() { return known_.carrier.waiting(); }
  const Replay::Report& replay() {
    queue::Locator position = *known_.reader.oldest();
    while (true) {
      const auto record = known_.reader.next(position, disk_.commit().durable_end());
      if (!record || !*record) break;
      if (!lost_.contains((*record)->at)) replay_.visit(**record);
    }
    replay_.finish();
    return replay_.report();
  }

  JournalOnDisk disk_;
  RecoveredCarrier known_{disk_.files(), disk_.journal(), disk_.commit(), {}};
  Replay replay_ = known_.replay(kNow);
  std::set<queue::Locator> lost_;  // not shown to the replay
  FieldWriter subject_;
  FieldWriter fields_;
};

TEST_F(ReplayTest, AMessageWithoutIntentWaitsAndIsNotInDoubt) {
  accept(1, "o-1");
  const auto& report = replay();
  EXPECT_EQ(report.waiting, 1u);
  EXPECT_EQ(report.in_doubt, 0u);
  EXPECT_EQ(replay_.ledger().accepted, 1u);
  EXPECT_EQ(replay_.ledger().sequence_next, 2u);
  EXPECT_TRUE(known_.remembers("o-1"));
}

TEST_F(ReplayTest, AMessageThatMovedWaitsWhereItMovedTo) {
  const auto at = accept(1);
  Moved moved;
  moved.of = about(at, State::none);
  moved.from = "gone";
  moved.to = "north";
  (void)write(RecordKind::moved, moved);
  moved.from = "north";
  moved.to = "not in the configuration";
  (void)write(RecordKind::moved, moved);
  EXPECT_EQ(replay().without_carrier, 0u) << "the default route takes it over";
  EXPECT_EQ(replay_.report().waiting, 1u);
  EXPECT_EQ(replay_.report().not_understood, 0u);
}

TEST_F(ReplayTest, AMessageOfACarrierThatIsGoneGoesWhereItsRouteLeads) {
  accept(1, "", 1, "gone");
  EXPECT_EQ(replay().waiting, 1u);
}

TEST_F(ReplayTest, AMessageThatNamedACarrierThatIsGoneMovesNowhere) {
  accept(1, "", 1, "gone", true);
  EXPECT_EQ(replay().waiting, 0u);
  EXPECT_EQ(replay_.report().without_carrier, 1u);
}

TEST_F(ReplayTest, AnIntentWithoutAnswerIsInDoubt) {
  accept(1);
  intend(1);
  const auto& report = replay();
  EXPECT_EQ(report.waiting, 1u);
  EXPECT_EQ(report.in_doubt, 1u);
  EXPECT_EQ(known_.carrier.snapshot().stats.uncertain_crash, 1u);
}

// Six pieces of which four may be in memory: the first is on disk when its message is answered.
TEST_F(ReplayTest, WhatWaitsIsKnownAllTheSameWhereMostOfItLiesOnDiskMeanwhile) {
  constexpr std::uint64_t kMessages = 6 * LiveTable::kPieceEntries - 1;
  const auto first = accept(1);
  for (std::uint64_t sequence = 2; sequence <= kMessages; ++sequence) {
    Subject subject;
    subject.id = MessageId::make(kNow, 1, 0, sequence);
    subject.client = "crm";
    subject.to = "+79161234567";
    subject.carrier = "north";
    FieldWriter octets;
    encode(subject, octets);
    Accepted accepted;
    accepted.subject = octets.octets();
    accepted.expires = 0xfffffffe;
    fields_.clear();
    encode(accepted, fields_);
    (void)known_.feed.open().records.add(static_cast<std::uint8_t>(RecordKind::accepted),
                                         fields_.octets());
    known_.feed.flush_when_large();
    if (known_.feed.is_full()) JournalOnDisk::settle(known_.feed);
  }
  intend(1);
  intend(2);
  // About the first: what accept() left in subject_ is its own.
  part(first, 1, State::sent);
  CommitThread none{CommitThread::Options{}};
  RecoveredCarrier later(disk_.files(), disk_.journal(), none, {.tickets_in_memory = kMessages});
  Replay replay = later.replay(
      kNow, {.files = &disk_.files(), .folder = disk_.folder() / "spill", .octets = 1});
  queue::Locator position = *later.reader.oldest();
  while (true) {
    const auto record = later.reader.next(position, disk_.commit().durable_end());
    if (!record || !*record) break;
    replay.visit(**record);
  }
  replay.finish();
  EXPECT_EQ(replay.report().awaiting_receipt, 1u);
  EXPECT_EQ(replay.report().in_doubt, 1u);
  EXPECT_EQ(replay.report().waiting, kMessages - 1);
  EXPECT_EQ(later.carrier.waiting(), kMessages - 2) << "the one in doubt waits for its pause";
  EXPECT_TRUE(std::filesystem::exists(disk_.folder() / "spill")) << "it went to disk";
  EXPECT_FALSE(std::filesystem::exists(disk_.folder() / "spill" / "start.spill")) << "and its name";
}

TEST_F(ReplayTest, AReleasedIntentIsNotInDoubt) {
  accept(1);
  intend(1);
  Released released;
  released.sequences = {1};
  (void)write(RecordKind::released, released);
  EXPECT_EQ(replay().in_doubt, 0u);
}

TEST_F(ReplayTest, ASentMessageAwaitsItsReceiptAndIsNotSentAgain) {
  const auto at = accept(1);
  intend(1);
  part(at, 1, State::sent);
  const auto& report = replay();
  EXPECT_EQ(report.waiting, 0u);
  EXPECT_EQ(report.awaiting_receipt, 1u);
  EXPECT_EQ(known_.carrier.snapshot().outstanding, 1u);
  EXPECT_EQ(replay_.ledger().sent, 1u);
}

TEST_F(ReplayTest, AFinalMessageIsGoneAndItsSegmentsAreForgotten) {
  const auto at = accept(1);
  intend(1);
  part(at, 1, State::sent);
  ReceiptCame receipt;
  receipt.of = about(at, State::delivered);
  receipt.message_id = "8f1";
  (void)write(RecordKind::receipt, receipt);
  const auto& report = replay();
  EXPECT_EQ(report.waiting + report.awaiting_receipt, 0u);
  EXPECT_EQ(known_.carrier.snapshot().outstanding, 0u);
  EXPECT_EQ(replay_.ledger().delivered, 1u);
  EXPECT_EQ(replay_.ledger().finals(), replay_.ledger().accepted);
}

// Written as two parts of a message end: one unknown, then the other failed, and with it the whole.
TEST_F(ReplayTest, AnUnknownPartOfAMessageThatFailedMayStillBeCorrected) {
  const auto at = accept(1, "", 2);
  intend(1);
  part(at, 1, State::none);
  part(at, 2, State::sent);
  ReceiptCame receipt;
  receipt.of = about(at, State::none);
  receipt.part = 1;
  receipt.is_final_for_part = true;
  receipt.message_state = static_cast<std::uint8_t>(protocol::MessageState::unknown);
  receipt.message_id = "8f1";
  (void)write(RecordKind::receipt, receipt);
  receipt.of = about(at, State::failed);
  receipt.of.has_unknown_part = true;
  receipt.part = 2;
  receipt.message_state = static_cast<std::uint8_t>(protocol::MessageState::undeliverable);
  receipt.message_id = "8f2";
  (void)write(RecordKind::receipt, receipt);
  replay();
  EXPECT_EQ(known_.carrier.snapshot().outstanding, 1u);
  EXPECT_EQ(replay_.ledger().failed, 1u);
  EXPECT_EQ(replay_.ledger().finals(), replay_.ledger().accepted);
}

TEST_F(ReplayTest, OfSeveralPartsTheTakenOnesAreKnownAndTheRestIsInDoubt) {
  const auto at = accept(1, "", 3);
  intend(1);
  part(at, 1, State::none);
  const auto& report = replay();
  EXPECT_EQ(report.waiting, 1u);
  EXPECT_EQ(report.in_doubt, 1u);
  EXPECT_EQ(known_.carrier.snapshot().outstanding, 1u);
}

TEST_F(ReplayTest, ARefusedMessageWaitsForItsRetryWithoutDoubt) {
  const auto at = accept(1);
  intend(1);
  part(at, 1, State::none, 0x08);
  const auto& report = replay();
  EXPECT_EQ(report.waiting, 1u);
  EXPECT_EQ(report.in_doubt, 0u);
}

// Salvaging has set their beginnings aside.
TEST_F(ReplayTest, TheLedgerHoldsForMessagesOfWhichOnlyTheEndIsLeft) {
  lost_.insert(accept(1));
  const auto ended = accept(2);
  lost_.insert(ended);
  intend(2);
  part(ended, 1, State::sent);
  ReceiptCame receipt;
  receipt.of = about(ended, State::delivered);
  (void)write(RecordKind::receipt, receipt);
  (void)accept(3);

  EXPECT_EQ(replay().waiting, 1u);
  EXPECT_EQ(replay_.ledger().accepted, 2u);
  EXPECT_EQ(replay_.ledger().finals(), 1u);
}

TEST_F(ReplayTest, TheLedgerHoldsWhereWhatWasCorrectedIsLost) {
  const auto at = accept(1);
  intend(1);
  part(at, 1, State::sent);
  ReceiptCame receipt;
  receipt.of = about(at, State::delivered);
  receipt.corrects = State::unknown;
  (void)write(RecordKind::receipt, receipt);
  EXPECT_EQ(replay().waiting, 0u);
  EXPECT_EQ(replay_.ledger().unknown, 0u);
  EXPECT_EQ(replay_.ledger().delivered, 1u);
}

TEST_F(ReplayTest, ARecordOfAnUnknownKindIsCountedAndPassedOver) {
  const std::array<std::uint8_t, 3> octets = {1, 2, 3};
  known_.feed.open().records.add(250, octets);
  JournalOnDisk::settle(known_.feed);
  accept(1);
  const auto& report = replay();
  EXPECT_EQ(report.not_understood, 1u);
  EXPECT_EQ(report.waiting, 1u);
}

TEST_F(ReplayTest, ConsumersComeBackWhereTheyWere) {
  ConsumerAt consumer;
  consumer.client = "crm";
  consumer.name = "a";
  consumer.position = queue::Locator(1, 64, 7).bits();
  consumer.sub = 2;
  (void)write(RecordKind::consumer, consumer);
  (void)replay();
  const auto position = known_.consumers.find({"crm", "a"});
  ASSERT_TRUE(position);
  EXPECT_EQ(position->record, queue::Locator(1, 64, 7));
  EXPECT_EQ(position->sub, 2);
}

TEST_F(ReplayTest, AMessageIsPausedAsItsLastRecordSays) {
  const auto paused_one = accept(1);
  paused(paused_one);
  const auto resumed = accept(2);
  paused(resumed);
  paused(resumed, false);
  const auto ended = accept(3);
  paused(ended);
  Verdict verdict;
  verdict.of = about(ended, State::expired);
  (void)write(RecordKind::verdict, verdict);
  paused(ended);  // it came to its end just before
  EXPECT_EQ(replay().waiting, 2u);
  EXPECT_EQ(replay_.report().not_understood, 0u);
  EXPECT_TRUE(known_.paused.holds(paused_one));
  EXPECT_EQ(known_.paused.size(), 1u);
}

TEST_F(ReplayTest, WhatWaitedWhenAllWasCancelledIsStillToEnd) {
  accept(1);
  accept(2);
  cancel_all_of();
  EXPECT_EQ(replay().waiting, 2u);
  EXPECT_EQ(replay_.report().not_understood, 0u);
  EXPECT_EQ(known_.carrier.look_at(kFirstFlow).ready, 2u);
  EXPECT_EQ(to_end(), 2u);
}

TEST_F(ReplayTest, WhatCameSinceOrWasUnderWayOrInDoubtDoesNotEndWithTheRest) {
  accept(1);
  const auto moves = accept(2, "", 1, "gone");
  accept(3);
  intend(3);
  const auto doubted = accept(4);
  intend(4);
  Uncertain uncertain;
  uncertain.of = about(doubted, State::none);
  uncertain.policy = UncertainPolicy::hold;
  uncertain.then = UncertainPolicy::hold;
  uncertain.parts = {true};
  (void)write(RecordKind::uncertain, uncertain);
  accept(5);  // goes before the order is obeyed
  cancel_all_of();
  intend(5);
  Released released;
  released.sequences = {3, 5};
  (void)write(RecordKind::released, released);
  accept(6);
  (void)moves;
  EXPECT_EQ(replay().waiting, 5u);
  EXPECT_EQ(replay_.report().held, 1u);
  // The second's carrier is gone, and its route leads here: it waited here. The sixth, which came
  // since, stands in a lane with those that end, and is told from them by its place.
  EXPECT_EQ(to_end(), 3u);
  EXPECT_EQ(known_.carrier.look_at(kFirstFlow).ready, 5u);
}

TEST_F(ReplayTest, WhatMovedHereBeforeEndsAndWhatMovedHereSinceDoesNot) {
  const auto early = accept(1, "", 1, "gone");
  const auto late = accept(2, "", 1, "gone");
  moved_here(early);
  cancel_all_of();
  moved_here(late);
  EXPECT_EQ(replay().waiting, 2u);
  EXPECT_EQ(to_end(), 1u);
}

TEST_F(ReplayTest, WhenAllHaveEndedNothingIsLeftOfTheOrder) {
  const auto at = accept(1);
  accept(2);
  intend(2);
  cancel_all_of();
  Verdict verdict;
  verdict.of = about(at, State::cancelled);
  (void)write(RecordKind::verdict, verdict);
  cancel_all_of("taken out of the configuration");
  Released released;
  released.sequences = {2};
  (void)write(RecordKind::released, released);
  EXPECT_EQ(replay().waiting, 1u);
  EXPECT_EQ(replay_.report().not_understood, 0u);
  EXPECT_EQ(to_end(), 1u) << "it goes on, in its lane";
}

TEST_F(ReplayTest, KeepsACarrierSuspendedAsTheLastRecordSays) {
  switched(true);
  switched(false);
  switched(true);
  switched(true, "taken out of the configuration");
  EXPECT_EQ(replay().not_understood, 0u);

  EXPECT_TRUE(known_.carrier.snapshot().switched.suspended);
  EXPECT_EQ(known_.carrier.snapshot().switched.client, "ops");
  queue::RecordBatch preamble;
  known_.switches.add_to(preamble);
  EXPECT_FALSE(preamble.is_empty()) << "a new journal file repeats it";
}

}  // namespace
}  // namespace stentor::daemon
