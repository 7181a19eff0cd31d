#include "daemon/recovery/replay.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <string>

#include "queue/spill_thread.h"
#include "tests/daemon/journal_on_disk.h"

namespace stentor::daemon {
namespace {

// One carrier that nothing listens for: what replay hands over stays to be looked at.
class ReplayTest : public testing::Test {
 protected:
  ReplayTest() {
    CarrierConfig carrier;
    carrier.name = "north";
    carrier.hosts = {{"127.0.0.1", 1}};
    config_.carriers.push_back(carrier);
    RouteConfig route;
    route.is_default = true;
    route.carriers = {"north"};
    config_.routes.push_back(route);
    routing_ = std::make_unique<Routing>(config_);
    switches_ = std::make_unique<CarrierSwitches>(config_);
    feed_ = std::make_unique<CommitFeed>(disk_.commit(), false, 0, [] {});
    reader_ = std::make_unique<queue::JournalReader>(disk_.files(), disk_.journal(),
                                                     queue::ReaderOptions{});
    carrier_ = std::make_unique<CarrierDelivery>(ShardServices{.context = context_,
                                                               .feed = *feed_,
                                                               .reader = *reader_,
                                                               .routing = *routing_,
                                                               .gauges = gauges_,
                                                               .switches = *switches_,
                                                               .inbound = inbound_,
                                                               .buried = buried_,
                                                               .inbox = inbox_,
                                                               .spill = spill_,
                                                               .tickets_in_memory = 1000,
                                                               .seed = 1,
                                                               .files = nullptr,
                                                               .spill_folder = {},
                                                               .outstanding_in_memory_max = 0},
                                                 config_.carriers[0], 0);
    replay_ = std::make_unique<Replay>(
        config_, *routing_, [this](std::uint16_t) -> CarrierDelivery& { return *carrier_; },
        references_, consumers_, campaigns_, kNow);
    disk_.start();
  }

  static constexpr std::uint64_t kNow = 1'790'000'000'000;

  template <class Body>
  queue::Locator write(RecordKind kind, const Body& body) {
    fields_.clear();
    encode(body, fields_);
    const auto offset =
        feed_->open().records.add(static_cast<std::uint8_t>(kind), fields_.octets());
    queue::Locator at;
    JournalOnDisk::settle(*feed_,
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
  const Replay::Report& replay() {
    queue::Locator position = *reader_->oldest();
    while (true) {
      const auto record = reader_->next(position, disk_.commit().durable_end());
      if (!record || !*record) break;
      replay_->visit(**record);
    }
    replay_->finish();
    return replay_->report();
  }

  Config config_;
  JournalOnDisk disk_;
  InboundServices inbound_{.config = config_,
                           .router = InboundRouter(config_),
                           .commit = disk_.commit(),
                           .incarnation = 7,
                           .words = OptOutWords(config_.opt_out),
                           .on_opt_out = {}};
  boost::asio::io_context context_;
  Gauges gauges_;
  std::unique_ptr<CarrierSwitches> switches_;
  SharedInbox inbox_;
  BuriedMessages buried_;
  queue::SpillThread spill_{disk_.files(), disk_.journal().parent_path() / "spill", [] {}};
  std::unique_ptr<Routing> routing_;
  std::unique_ptr<CommitFeed> feed_;
  std::unique_ptr<queue::JournalReader> reader_;
  std::unique_ptr<CarrierDelivery> carrier_;
  ReferenceIndex references_{1};
  Consumers consumers_;
  CampaignLedger campaigns_;
  std::unique_ptr<Replay> replay_;
  FieldWriter subject_;
  FieldWriter fields_;
};

TEST_F(ReplayTest, AMessageWithoutIntentWaitsAndIsNotInDoubt) {
  accept(1, "o-1");
  const auto& report = replay();
  EXPECT_EQ(report.waiting, 1u);
  EXPECT_EQ(report.in_doubt, 0u);
  EXPECT_EQ(replay_->ledger().accepted, 1u);
  EXPECT_EQ(replay_->ledger().sequence_next, 2u);
  const auto found = references_.find(references_.key_of("crm", "o-1"));
  EXPECT_TRUE(found && *found);
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
  EXPECT_EQ(replay_->report().waiting, 1u);
  EXPECT_EQ(replay_->report().not_understood, 0u);
}

TEST_F(ReplayTest, AMessageOfACarrierThatIsGoneGoesWhereItsRouteLeads) {
  accept(1, "", 1, "gone");
  EXPECT_EQ(replay().waiting, 1u);
}

TEST_F(ReplayTest, AMessageThatNamedACarrierThatIsGoneMovesNowhere) {
  accept(1, "", 1, "gone", true);
  EXPECT_EQ(replay().waiting, 0u);
  EXPECT_EQ(replay_->report().without_carrier, 1u);
}

TEST_F(ReplayTest, AnIntentWithoutAnswerIsInDoubt) {
  accept(1);
  intend(1);
  const auto& report = replay();
  EXPECT_EQ(report.waiting, 1u);
  EXPECT_EQ(report.in_doubt, 1u);
  EXPECT_EQ(carrier_->snapshot().stats.uncertain_crash, 1u);
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
  EXPECT_EQ(carrier_->snapshot().outstanding, 1u);
  EXPECT_EQ(replay_->ledger().sent, 1u);
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
  EXPECT_EQ(carrier_->snapshot().outstanding, 0u);
  EXPECT_EQ(replay_->ledger().delivered, 1u);
  EXPECT_EQ(replay_->ledger().finals(), replay_->ledger().accepted);
}

TEST_F(ReplayTest, OfSeveralPartsTheTakenOnesAreKnownAndTheRestIsInDoubt) {
  const auto at = accept(1, "", 3);
  intend(1);
  part(at, 1, State::none);
  const auto& report = replay();
  EXPECT_EQ(report.waiting, 1u);
  EXPECT_EQ(report.in_doubt, 1u);
  EXPECT_EQ(carrier_->snapshot().outstanding, 1u);
}

TEST_F(ReplayTest, ARefusedMessageWaitsForItsRetryWithoutDoubt) {
  const auto at = accept(1);
  intend(1);
  part(at, 1, State::none, 0x08);
  const auto& report = replay();
  EXPECT_EQ(report.waiting, 1u);
  EXPECT_EQ(report.in_doubt, 0u);
}

TEST_F(ReplayTest, ARecordOfAnUnknownKindIsCountedAndPassedOver) {
  const std::array<std::uint8_t, 3> octets = {1, 2, 3};
  feed_->open().records.add(250, octets);
  JournalOnDisk::settle(*feed_);
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
  const auto position = consumers_.find({"crm", "a"});
  ASSERT_TRUE(position);
  EXPECT_EQ(position->record, queue::Locator(1, 64, 7));
  EXPECT_EQ(position->sub, 2);
}

TEST_F(ReplayTest, KeepsACarrierSuspendedAsTheLastRecordSays) {
  switched(true);
  switched(false);
  switched(true);
  switched(true, "taken out of the configuration");
  EXPECT_EQ(replay().not_understood, 0u);

  EXPECT_TRUE(carrier_->snapshot().switched.suspended);
  EXPECT_EQ(carrier_->snapshot().switched.client, "ops");
  queue::RecordBatch preamble;
  switches_->add_to(preamble);
  EXPECT_FALSE(preamble.is_empty()) << "a new journal file repeats it";
}

}  // namespace
}  // namespace stentor::daemon
