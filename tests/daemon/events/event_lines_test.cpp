#include "daemon/events/event_lines.h"

#include <gtest/gtest.h>

#include <vector>

#include "daemon/records/conflict_record.h"
#include "daemon/records/taken_twice_record.h"

namespace stentor::daemon {
namespace {

class EventLines : public testing::Test {
 protected:
  EventLines() {
    Subject subject;
    subject.id = MessageId::make(1'790'000'000'000, 1, 2, 3);
    subject.parts = 2;
    subject.client = "crm";
    subject.ref = "o\"1";
    subject.to = "+79161234567";
    subject.from = "SHOP";
    subject.carrier = "north";
    subject.meta = R"({"step":3})";
    encode(subject, subject_);
    of_.subject = subject_.octets();
    of_.time_ms = 1795226931007;
  }
  template <class Body>
  queue::Record record(RecordKind kind, const Body& body) {
    payload_.clear();
    encode(body, payload_);
    return {.kind = static_cast<std::uint8_t>(kind), .payload = payload_.octets(), .at = {}};
  }
  static std::string line(const queue::Record& record, std::uint8_t sub) {
    std::string out;
    append_event(record, events_of(record), sub, "c-1", out);
    return out;
  }

  FieldWriter subject_;
  FieldWriter payload_;
  Following of_;
};

TEST_F(EventLines, AnAcceptedLastPartIsAPartAndASent) {
  PartAnswered part;
  part.of = of_;
  part.of.state = State::sent;
  part.part = 2;
  part.message_id = "8f";
  const auto got = record(RecordKind::part, part);

  const RecordEvents events = events_of(got);
  ASSERT_EQ(events.count, 2);
  EXPECT_EQ(events.types[0], "part");
  EXPECT_EQ(events.types[1], "sent");
  EXPECT_EQ(line(got, 2),
            R"({"cursor":"c-1","id":"01M3250V000100100000000003","ref":"o\"1","client":"crm",)"
            R"("to":"+79161234567","from":"SHOP","type":"sent","carrier":"north",)"
            R"("time":"2026-11-21T02:08:51.007Z","parts":2,"attempt":1,"meta":{"step":3}})");
}

TEST_F(EventLines, AReceiptForOnePartOfSeveralTellsNothingOfTheMessage) {
  ReceiptCame receipt;
  receipt.of = of_;
  receipt.stat = "DELIVRD";
  EXPECT_EQ(events_of(record(RecordKind::receipt, receipt)).count, 1);
}

TEST_F(EventLines, AConfirmedDuplicateIsAConflictThatNamesBothIds) {
  TakenTwice twice;
  twice.of = of_;
  twice.of.possible_duplicate = true;
  twice.part = 2;
  twice.message_id = "8F01";
  twice.other_message_id = "8e\"77";
  payload_.clear();
  encode(twice, payload_);
  const queue::Record got{.kind = kTakenTwiceRecord, .payload = payload_.octets(), .at = {}};
  ASSERT_EQ(events_of(got).count, 1);
  const std::string told = line(got, 1);
  EXPECT_NE(told.find(R"("type":"conflict","carrier":"north","time":"2026-11-21T02:08:51.007Z",)"
                      R"("part":2,"parts":2,"code":"confirmed_duplicate",)"
                      R"("detail":"the carrier took it twice, as 8F01 and as 8e\"77",)"
                      R"("possible_duplicate":true,"meta":{"step":3}})"),
            std::string::npos)
      << told;
}

TEST_F(EventLines, AConflictTellsWhatTheLaterReceiptSaid) {
  Conflict conflict;
  conflict.of = of_;
  conflict.code = "undeliverable";
  conflict.detail = "stat:UNDELIV";
  conflict.part = 9;
  conflict.message_id = "8F01";
  const std::string told = line(record(RecordKind::conflict, conflict), 1);
  EXPECT_NE(told.find(R"("code":"undeliverable","detail":"stat:UNDELIV")"), std::string::npos);
}

TEST_F(EventLines, AFailureDecidedByAnotherPartCarriesThatPartsCode) {
  ReceiptCame receipt;
  receipt.of = of_;
  receipt.of.state = State::failed;
  receipt.stat = "DELIVRD";
  receipt.message_code = "undeliverable";
  receipt.message_detail = "stat:UNDELIV err:021";
  const std::string failed = line(record(RecordKind::receipt, receipt), 2);
  EXPECT_NE(failed.find(R"("code":"undeliverable","detail":"stat:UNDELIV err:021")"),
            std::string::npos)
      << failed;
}

TEST_F(EventLines, WhatMayHaveArrivedTwiceSaysSoInItsReceiptAndItsVerdict) {
  ReceiptCame receipt;
  receipt.of = of_;
  receipt.of.state = State::delivered;
  const std::string kMark = R"("possible_duplicate":true)";
  EXPECT_EQ(line(record(RecordKind::receipt, receipt), 1).find(kMark), std::string::npos);
  receipt.of.possible_duplicate = true;
  EXPECT_NE(line(record(RecordKind::receipt, receipt), 1).find(kMark), std::string::npos);
  EXPECT_NE(line(record(RecordKind::receipt, receipt), 2).find(kMark), std::string::npos);
  receipt.message_code = "undeliverable";  // another part's
  EXPECT_NE(line(record(RecordKind::receipt, receipt), 2).find(kMark), std::string::npos);
}

TEST_F(EventLines, ACarriersOctetsNeverLeaveUnescaped) {
  ReceiptCame receipt;
  receipt.of = of_;
  receipt.stat = "X\"\n\x1b[31m\xff";
  const std::string told = line(record(RecordKind::receipt, receipt), 1);
  EXPECT_EQ(told.find('\n'), std::string::npos);
  EXPECT_EQ(told.find('\x1b'), std::string::npos);
  EXPECT_NE(told.find(R"(stat:X\"??[31m?)"), std::string::npos) << told;
}

TEST_F(EventLines, SilenceThatEndsAsSentIsNotToldTwice) {
  Verdict verdict;
  verdict.of = of_;
  verdict.of.state = State::sent_final;
  EXPECT_EQ(events_of(record(RecordKind::verdict, verdict)).count, 0);
  verdict.of.state = State::unknown;
  EXPECT_EQ(events_of(record(RecordKind::verdict, verdict)).count, 1);
}

TEST_F(EventLines, RecordsOfOtherKindsTellNothing) {
  Intent intent;
  EXPECT_EQ(events_of(record(RecordKind::intent, intent)).count, 0);
  ReceiptCame copy;
  copy.of = of_;
  EXPECT_EQ(events_of(record(RecordKind::receipt, copy)).count, 1);
  EXPECT_EQ(events_of(record(RecordKind::receipt_again, copy)).count, 0) << "told before";
  EXPECT_EQ(events_of({.kind = 200, .payload = {}, .at = {}}).count, 0);
}

}  // namespace
}  // namespace stentor::daemon
