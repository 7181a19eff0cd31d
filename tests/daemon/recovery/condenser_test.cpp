// Which messages a checkpoint keeps that are final, and how long.
#include "daemon/recovery/condenser.h"

#include <gtest/gtest.h>

#include <vector>

#include "protocol/receipt.h"
#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using test::kNowMs;

// A message of two parts, of which one is unknown and the other failed.
class CondenserTest : public testing::Test {
 protected:
  void fail_with_an_unknown_part() {
    Subject subject;
    subject.id = MessageId::make(kNowMs, 1, 0, 1);
    subject.parts = 2;
    encode(subject, subject_);
    Accepted accepted;
    accepted.subject = subject_.octets();
    add(RecordKind::accepted, accepted);
    for (std::uint8_t part = 1; part <= 2; ++part) {
      PartAnswered answered;
      answered.of = of(State::none);
      answered.part = part;
      add(RecordKind::part, answered);
    }
    ReceiptCame receipt;
    receipt.of = of(State::none);
    receipt.is_final_for_part = true;
    receipt.message_state = static_cast<std::uint8_t>(protocol::MessageState::unknown);
    add(RecordKind::receipt, receipt);
    receipt.of = of(State::failed);
    receipt.of.has_unknown_part = true;
    receipt.part = 2;
    receipt.message_state = static_cast<std::uint8_t>(protocol::MessageState::undeliverable);
    add(RecordKind::receipt, receipt);
  }
  [[nodiscard]] Following of(State state) const {
    return {.accepted = queue::Locator(1, 4096, 0),
            .subject = subject_.octets(),
            .time_ms = kNowMs,
            .state = state};
  }
  template <class Body>
  void add(RecordKind kind, const Body& body) {
    FieldWriter fields;
    encode(body, fields);
    const auto octets = fields.octets();
    payloads_.emplace_back(octets.begin(), octets.end());
    kinds_.push_back(static_cast<std::uint8_t>(kind));
  }
  [[nodiscard]] queue::Record record(std::size_t i) const {
    return {.kind = kinds_[i],
            .payload = payloads_[i],
            .at = queue::Locator(1, 4096, static_cast<std::uint32_t>(i) * 500)};
  }
  /// The last record lies in a later file than its message.
  [[nodiscard]] queue::Record told_later(std::size_t i) const {
    queue::Record found = record(i);
    if (i + 1 == kinds_.size()) found.at = queue::Locator(3, 4096, 0);
    return found;
  }
  /// How many of the records the checkpoint has.
  std::size_t carried(Condenser& condenser) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      EXPECT_TRUE(condenser.carry(record(i), [&](const queue::Record&) {
        ++count;
        return queue::result<void>{};
      }));
    }
    return count;
  }

  FieldWriter subject_;
  std::vector<std::vector<std::uint8_t>> payloads_;
  std::vector<std::uint8_t> kinds_;
};

TEST_F(CondenserTest, KeepsAFailedMessageWithAnUnknownPartAsLongAsItsFileIsThere) {
  fail_with_an_unknown_part();
  Condenser first(kNowMs, 0, 1);
  for (std::size_t i = 0; i < kinds_.size(); ++i) first.survey(record(i));
  EXPECT_EQ(carried(first), kinds_.size());

  Condenser next(kNowMs, 0, 1);
  EXPECT_EQ(carried(next), kinds_.size()) << "out of the checkpoint before";

  Condenser without_its_file(kNowMs, 0, 2);
  EXPECT_EQ(carried(without_its_file), 0u);

  Condenser with_an_excerpt(kNowMs, 0, 2, {}, true);
  for (std::size_t i = 0; i < kinds_.size(); ++i) with_an_excerpt.survey_previous(record(i));
  EXPECT_EQ(carried(with_an_excerpt), 0u) << "final as it is, no excerpt has it";
}

// From that record a late receipt can be told.
TEST_F(CondenserTest, KeepsAMessageThatMayBeCorrectedAsLongAsTheRecordThatToldIsThere) {
  fail_with_an_unknown_part();
  for (const bool has_excerpt : {false, true}) {
    for (const std::uint32_t oldest : {2u, 3u}) {
      Condenser told(kNowMs, 0, oldest, {}, has_excerpt);
      for (std::size_t i = 0; i < kinds_.size(); ++i) told.survey(told_later(i));
      EXPECT_EQ(carried(told), kinds_.size());

      Condenser next(kNowMs, 0, oldest, {}, has_excerpt);
      for (std::size_t i = 0; i < kinds_.size(); ++i) next.survey_previous(told_later(i));
      EXPECT_EQ(carried(next), kinds_.size());
    }
    Condenser over(kNowMs, 0, 4, {}, has_excerpt);
    for (std::size_t i = 0; i < kinds_.size(); ++i) over.survey_previous(told_later(i));
    EXPECT_EQ(carried(over), 0u);
  }
}

}  // namespace
}  // namespace stentor::daemon
