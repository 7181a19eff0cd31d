#include "daemon/records/records.h"

#include <gtest/gtest.h>

#include <string>

#include "daemon/delivery/subject_here.h"
#include "daemon/records/conflict_record.h"
#include "daemon/records/inbound_records.h"
#include "daemon/records/subject_extras.h"

namespace stentor::daemon {
namespace {

std::vector<std::uint8_t> subject_octets() {
  Subject subject;
  subject.id = MessageId::make(1'790'000'000'000, 1, 2, 3);
  subject.parts = 4;
  subject.client = "crm";
  subject.ref = "o-1";
  subject.campaign = "spring";
  subject.to = "+79161234567";
  subject.from = "SHOP";
  subject.carrier = "north";
  subject.meta = R"({"step":3})";
  FieldWriter out;
  encode(subject, out);
  return {out.octets().begin(), out.octets().end()};
}

Following following(const std::vector<std::uint8_t>& subject) {
  return {.accepted = queue::Locator(7, 640, 12),
          .subject = subject,
          .time_ms = 1'790'000'000'500,
          .state = State::sent,
          .possible_duplicate = true};
}

void expect_same(const Following& got, const Following& wanted) {
  EXPECT_EQ(got.accepted, wanted.accepted);
  EXPECT_TRUE(std::ranges::equal(got.subject, wanted.subject));
  EXPECT_EQ(got.time_ms, wanted.time_ms);
  EXPECT_EQ(got.state, wanted.state);
  EXPECT_EQ(got.possible_duplicate, wanted.possible_duplicate);
}

TEST(Records, SubjectComesBackWhole) {
  const auto octets = subject_octets();
  const auto subject = decode_subject(octets);

  ASSERT_TRUE(subject);
  EXPECT_EQ(subject->id.sequence(), 3u);
  EXPECT_EQ(subject->parts, 4);
  EXPECT_EQ(subject->client, "crm");
  EXPECT_EQ(subject->ref, "o-1");
  EXPECT_EQ(subject->campaign, "spring");
  EXPECT_EQ(subject->to, "+79161234567");
  EXPECT_EQ(subject->from, "SHOP");
  EXPECT_EQ(subject->carrier, "north");
  EXPECT_EQ(subject->meta, R"({"step":3})");
}

// The record of a version that had no extras ends with the text; one of a later version may have
// extras that this one does not know.
TEST(Records, AcceptedReadsExtrasOfLaterVersionsAndNoneOfEarlierOnes) {
  const auto subject = subject_octets();
  Accepted accepted;
  accepted.subject = subject;
  accepted.text = "text";
  FieldWriter plain;
  encode(accepted, plain);
  const auto bare = decode_accepted(plain.octets());
  ASSERT_TRUE(bare);
  EXPECT_FALSE(bare->service_type);
  EXPECT_FALSE(bare->protocol_id);
  EXPECT_TRUE(bare->tlvs.empty());

  const std::vector<std::uint8_t> tlvs{0x14, 0, 0, 1, 7};
  accepted.service_type = "";
  accepted.protocol_id = 0x41;
  accepted.tlvs = tlvs;
  FieldWriter full;
  encode(accepted, full);
  full.u8(200);
  full.text("of a later version");
  const auto read = decode_accepted(full.octets());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text, "text");
  EXPECT_EQ(read->service_type, "");
  EXPECT_EQ(read->protocol_id, 0x41);
  EXPECT_TRUE(std::ranges::equal(read->tlvs, tlvs));

  EXPECT_FALSE(decode_accepted(full.octets().first(full.size() - 1))) << "an extra that is cut";
}

TEST(Records, AcceptedComesBackWhole) {
  const auto subject = subject_octets();
  Accepted accepted;
  accepted.subject = subject;
  accepted.content = 0x123456789abcdef0;
  accepted.not_before_ms = 5;
  accepted.expires = 0xfffffffe;
  accepted.expires_early_ms = 377;
  accepted.flow = 9;
  accepted.reference = 0xabcd;
  accepted.priority = 2;
  accepted.receipt = ReceiptWish::failure;
  accepted.encoding = EncodingWish::ucs2;
  accepted.to_short_code = true;
  accepted.owns_ref = false;
  accepted.text = "Привет";
  FieldWriter out;
  encode(accepted, out);

  const auto again = decode_accepted(out.octets());

  ASSERT_TRUE(again);
  EXPECT_TRUE(std::ranges::equal(again->subject, subject));
  EXPECT_EQ(again->content, accepted.content);
  EXPECT_EQ(again->not_before_ms, 5u);
  EXPECT_EQ(again->expires, 0xfffffffeu);
  EXPECT_EQ(again->expires_ms(), 0xfffffffeull * 1000 - 377);
  EXPECT_EQ(again->flow, 9u);
  EXPECT_EQ(again->reference, 0xabcd);
  EXPECT_EQ(again->priority, 2);
  EXPECT_EQ(again->receipt, ReceiptWish::failure);
  EXPECT_EQ(again->encoding, EncodingWish::ucs2);
  EXPECT_TRUE(again->to_short_code);
  EXPECT_FALSE(again->owns_ref);
  EXPECT_EQ(again->text, "Привет");
}

TEST(Records, IntentNamesItsMessagesInTheirOrder) {
  Intent intent;
  intent.epoch = 3;
  intent.carrier = "north";
  intent.bind = 2;
  intent.time_ms = 99;
  intent.sequences = {1000, 1001, 7, kSequenceMax, 1};
  FieldWriter out;
  encode(intent, out);

  const auto again = decode_intent(out.octets());

  ASSERT_TRUE(again);
  EXPECT_EQ(again->epoch, 3u);
  EXPECT_EQ(again->carrier, "north");
  EXPECT_EQ(again->bind, 2);
  EXPECT_EQ(again->sequences, intent.sequences);
}

TEST(Records, PartAndReceiptComeBackWhole) {
  const auto subject = subject_octets();
  PartAnswered part;
  part.of = following(subject);
  part.part = 3;
  part.attempt = 2;
  part.bind = 1;
  part.sequence_number = 77;
  part.command_status = 0x58;
  part.message_id = "8f00";
  part.retry_at_ms = 123;
  part.code = "throttled";
  FieldWriter out;
  encode(part, out);
  const auto part_again = decode_part(out.octets());
  ASSERT_TRUE(part_again);
  expect_same(part_again->of, part.of);
  EXPECT_EQ(part_again->part, 3);
  EXPECT_EQ(part_again->attempt, 2);
  EXPECT_EQ(part_again->sequence_number, 77u);
  EXPECT_EQ(part_again->command_status, 0x58u);
  EXPECT_EQ(part_again->message_id, "8f00");
  EXPECT_EQ(part_again->retry_at_ms, 123u);
  EXPECT_EQ(part_again->code, "throttled");

  ReceiptCame receipt;
  receipt.of = following(subject);
  receipt.part = 4;
  receipt.message_state = 5;
  receipt.is_final_for_part = false;
  receipt.message_id = "36608";
  receipt.stat = "UNDELIV";
  receipt.err = "021";
  receipt.code = "undeliverable";
  receipt.message_code = "expired";
  receipt.message_detail = "stat:EXPIRED";
  FieldWriter receipt_out;
  encode(receipt, receipt_out);
  const auto receipt_again = decode_receipt(receipt_out.octets());
  ASSERT_TRUE(receipt_again);
  expect_same(receipt_again->of, receipt.of);
  EXPECT_EQ(receipt_again->part, 4);
  EXPECT_EQ(receipt_again->message_state, 5);
  EXPECT_FALSE(receipt_again->is_final_for_part);
  EXPECT_EQ(receipt_again->stat, "UNDELIV");
  EXPECT_EQ(receipt_again->err, "021");
  EXPECT_EQ(receipt_again->message_code, "expired");
  EXPECT_EQ(receipt_again->message_detail, "stat:EXPIRED");
}

TEST(Records, AMoveSaysFromWhereToWhereAndWhy) {
  const auto subject = subject_octets();
  Moved moved;
  moved.of = following(subject);
  moved.from = "north";
  moved.to = "south";
  moved.reason = "down";
  FieldWriter out;
  encode(moved, out);
  const auto again = decode_moved(out.octets());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->of.accepted, moved.of.accepted);
  EXPECT_EQ(again->from, "north");
  EXPECT_EQ(again->to, "south");
  EXPECT_EQ(again->reason, "down");
}

TEST(Records, AnAcceptedMessageRemembersThatItsCarrierWasNamed) {
  const auto subject = subject_octets();
  for (const bool names : {false, true}) {
    Accepted accepted;
    accepted.subject = subject;
    accepted.names_carrier = names;
    FieldWriter out;
    encode(accepted, out);
    EXPECT_EQ(decode_accepted(out.octets())->names_carrier, names);
  }
}

TEST(Records, WhatFollowsKeepsItsMarksApart) {
  const auto subject = subject_octets();
  for (const bool is_duplicate : {false, true}) {
    for (const bool has_unknown_part : {false, true}) {
      Verdict verdict;
      verdict.of = following(subject);
      verdict.of.possible_duplicate = is_duplicate;
      verdict.of.has_unknown_part = has_unknown_part;
      FieldWriter out;
      encode(verdict, out);
      const auto read = decode_verdict(out.octets());
      ASSERT_TRUE(read.has_value());
      EXPECT_EQ(read->of.possible_duplicate, is_duplicate);
      EXPECT_EQ(read->of.has_unknown_part, has_unknown_part);
    }
  }
}

TEST(Records, OrphansKeepTheirMarksApart) {
  for (const bool is_intermediate : {false, true}) {
    for (const bool is_unread_conflict : {false, true}) {
      Orphan orphan;
      orphan.is_intermediate = is_intermediate;
      orphan.is_unread_conflict = is_unread_conflict;
      FieldWriter out;
      encode(orphan, out);
      const auto read = decode_orphan(out.octets());
      ASSERT_TRUE(read.has_value());
      EXPECT_EQ(read->is_intermediate, is_intermediate);
      EXPECT_EQ(read->is_unread_conflict, is_unread_conflict);
    }
  }
}

TEST(Records, AnOrphanHasItsCountsAndDatesWithAndWithoutAReference) {
  for (const bool has_reference : {false, true}) {
    Orphan orphan;
    orphan.message_id = "8f";
    orphan.done_date = "2601011201";
    if (has_reference) orphan.user_message_reference = 7;
    orphan.sub = "001";
    orphan.submit_date = "2601011200";
    FieldWriter out;
    encode(orphan, out);
    const auto read = decode_orphan(out.octets());
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->user_message_reference.has_value(), has_reference);
    EXPECT_EQ(read->sub, "001");
    EXPECT_EQ(read->dlvrd, "");
    EXPECT_EQ(read->submit_date, "2601011200");
    const std::size_t counts = 1 + 3 + 1 + 1 + 10;
    const auto older = decode_orphan(out.octets().first(out.size() - counts));
    ASSERT_TRUE(older.has_value());
    EXPECT_EQ(older->sub, "");
    EXPECT_EQ(older->done_date, "2601011201");
  }
}

TEST(Records, AnswersToAStopAreKnownAsSuch) {
  for (const bool ignores : {false, true}) {
    Accepted accepted;
    accepted.ignores_opt_out = ignores;
    FieldWriter out;
    encode(accepted, out);
    const auto read = decode_accepted(out.octets());
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->ignores_opt_out, ignores);
  }
}

TEST(Records, ReceiptsAndOrphansOfTheFirstVersionEndSooner) {
  const auto subject = subject_octets();
  ReceiptCame receipt;
  receipt.of = following(subject);
  receipt.message_id = "8f";
  receipt.corrects = State::unknown;
  receipt.network_error_code = 3u << 16 | 27;
  receipt.done_date = "2601011200";
  FieldWriter out;
  encode(receipt, out);
  const auto whole = decode_receipt(out.octets());
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->corrects, State::unknown);
  EXPECT_EQ(whole->network_error_code, 3u << 16 | 27);
  EXPECT_EQ(whole->done_date, "2601011200");
  constexpr std::size_t kAdded = 1 + 4 + 1 + 10;  // state, code, the date with its length
  const auto old = decode_receipt(out.octets().first(out.size() - kAdded));
  ASSERT_TRUE(old);
  EXPECT_EQ(old->message_id, "8f");
  EXPECT_EQ(old->corrects, State::none);
  EXPECT_FALSE(decode_receipt(out.octets().first(out.size() - kAdded + 1)));

  Orphan orphan;
  orphan.message_id = "8f";
  orphan.done_date = "2601011200";
  out.clear();
  encode(orphan, out);
  EXPECT_EQ(decode_orphan(out.octets())->done_date, "2601011200");
  EXPECT_EQ(decode_orphan(out.octets().first(out.size() - 4 - 11))->message_id, "8f");
}

TEST(Records, AReceiptHasWhatFewHaveAndEndsSoonerWithout) {
  const auto subject = subject_octets();
  ReceiptCame receipt;
  receipt.of = following(subject);
  receipt.done_date = "2601011200";
  FieldWriter out;
  encode(receipt, out);
  const std::size_t plain = out.size();
  EXPECT_EQ(decode_receipt(out.octets())->came_at_ms(), receipt.of.time_ms);

  for (const bool by_reference : {false, true}) {
    receipt.by_reference = by_reference;
    receipt.came_ms = receipt.of.time_ms - 70'000;
    receipt.sub = "001";
    receipt.dlvrd = "000";
    receipt.submit_date = "2601011159";
    out.clear();
    encode(receipt, out);
    const auto read = decode_receipt(out.octets());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->by_reference, by_reference);
    EXPECT_EQ(read->came_ms, receipt.came_ms);
    EXPECT_EQ(read->sub, "001");
    EXPECT_EQ(read->dlvrd, "000");
    EXPECT_EQ(read->submit_date, "2601011159");
    EXPECT_EQ(decode_receipt(out.octets().first(plain + 1))->by_reference, by_reference);
    for (std::size_t size = plain + 2; size < out.size(); ++size) {
      EXPECT_FALSE(decode_receipt(out.octets().first(size))) << size;
    }
  }
}

TEST(Records, AVerdictSaysWhoAskedForItWhereSomebodyDid) {
  const auto subject = subject_octets();
  Verdict verdict{.of = following(subject), .code = "cancelled", .detail = "before it was sent"};
  FieldWriter out;
  encode(verdict, out);
  EXPECT_EQ(decode_verdict(out.octets())->by, "");
  verdict.by = "crm";
  out.clear();
  encode(verdict, out);
  EXPECT_EQ(decode_verdict(out.octets())->by, "crm");
}

// Whatever is cut off the end of a payload, decoding says no and reads nothing beyond it.
TEST(Records, EveryCutPayloadIsRefused) {
  const auto subject = subject_octets();
  Verdict verdict;
  verdict.of = following(subject);
  verdict.code = "expired";
  verdict.detail = "not sent before it expired";
  FieldWriter out;
  encode(verdict, out);

  for (std::size_t size = 0; size < out.size(); ++size) {
    const std::vector<std::uint8_t> cut(out.octets().begin(),
                                        out.octets().begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(decode_verdict(cut)) << size;
  }
  EXPECT_TRUE(decode_verdict(out.octets()));
}

TEST(Ledger, ACorrectionMovesOneMessageOverBatches) {
  Ledger totals;
  totals.accepted = 1;
  totals.count(State::unknown);
  Ledger batch;
  batch.count(State::delivered);
  batch.take_back(State::unknown);
  totals.add(batch);
  EXPECT_EQ(totals.unknown, 0u);
  EXPECT_EQ(totals.delivered, 1u);
  EXPECT_EQ(totals.finals(), totals.accepted);
}

TEST(Ledger, CountsEachFinalStateOnceAndSentApart) {
  Ledger ledger;
  ledger.accepted = 6;
  for (const State state : {State::sent, State::delivered, State::failed, State::expired,
                            State::cancelled, State::unknown, State::sent_final, State::none}) {
    ledger.count(state);
  }

  EXPECT_EQ(ledger.finals(), 6u);
  EXPECT_EQ(ledger.sent, 1u);
}

// Few messages have a URL of their own: one without it is written as it always was.
TEST(Records, ASubjectCarriesAUrlBehindItsFields) {
  const auto without = subject_octets();
  EXPECT_EQ(callback_of(without), "");
  FieldWriter out;
  out.raw(without);
  append_callback("", out);
  EXPECT_EQ(out.size(), without.size());
  append_callback("https://example.net/hook", out);
  EXPECT_EQ(callback_of(out.octets()), "https://example.net/hook");
  const auto subject = decode_subject(out.octets());
  if (!subject) FAIL() << "it does not decode";
  EXPECT_EQ(subject->meta, R"({"step":3})");
  for (std::size_t size = 0; size < out.size(); ++size) {
    EXPECT_EQ(callback_of(out.octets().first(size)), "") << size;
  }
}

// A message that goes through another carrier keeps it.
TEST(Records, ASubjectElsewhereCarriesItsUrlAlong) {
  FieldWriter out;
  out.raw(subject_octets());
  append_callback("https://example.net/hook", out);
  const SubjectHere here(out.octets(), "south");
  EXPECT_TRUE(here.is_rewritten());
  EXPECT_EQ(callback_of(here.octets()), "https://example.net/hook");
}

TEST(Records, AcceptedKeepsWhyItWasTakenSo) {
  const auto subject = subject_octets();
  const std::vector<std::uint8_t> route{0, 2, 4};
  const std::vector<std::uint8_t> encoding{1, 0};
  Accepted accepted;
  accepted.subject = subject;
  accepted.route_reason = route;
  accepted.encoding_reason = encoding;
  FieldWriter out;
  encode(accepted, out);
  const auto read = decode_accepted(out.octets());
  if (!read) FAIL() << "it does not decode";
  EXPECT_TRUE(std::ranges::equal(read->route_reason, route));
  EXPECT_TRUE(std::ranges::equal(read->encoding_reason, encoding));
}

// What an earlier version wrote ends before the fields that were added.
TEST(Records, IntentPartAndUncertainReadWithAndWithoutWhatWasAdded) {
  const auto subject = subject_octets();
  const Intent intent{.epoch = 1,
                      .carrier = "north",
                      .bind = 2,
                      .time_ms = 3,
                      .sequences = {5, 6},
                      .waits = {{2, 300}, {8, 70'000}}};
  FieldWriter out;
  encode(intent, out);
  const auto waited = decode_intent(out.octets());
  if (!waited) FAIL() << "it does not decode";
  EXPECT_EQ(waited->waits, intent.waits);
  const auto earlier = decode_intent(out.octets().first(out.size() - 8));
  if (!earlier) FAIL() << "one of an earlier version does not decode";
  EXPECT_EQ(earlier->sequences, intent.sequences);
  EXPECT_TRUE(earlier->waits.empty());

  PartAnswered part;
  part.of = following(subject);
  part.sequence_number = 4711;
  part.response_ms = 120;
  out.clear();
  encode(part, out);
  const auto answered = decode_part(out.octets());
  if (!answered) FAIL() << "it does not decode";
  EXPECT_EQ(answered->sequence_number, 4711u);
  EXPECT_EQ(answered->response_ms, 120u);
  EXPECT_TRUE(decode_part(out.octets().first(out.size() - 1)));

  Uncertain uncertain;
  uncertain.of = following(subject);
  uncertain.parts = {true};
  uncertain.bind = 3;
  uncertain.sequence_numbers = {4711};
  uncertain.attempt = 2;
  out.clear();
  encode(uncertain, out);
  const auto lost = decode_uncertain(out.octets());
  if (!lost) FAIL() << "it does not decode";
  EXPECT_EQ(lost->bind, 3);
  EXPECT_EQ(lost->sequence_numbers, std::vector<std::uint32_t>{4711});
  EXPECT_EQ(lost->attempt, 2);
  const auto older = decode_uncertain(out.octets().first(out.size() - 1));
  if (!older) FAIL() << "one of an earlier version does not decode";
  EXPECT_EQ(older->bind, 3);
  EXPECT_EQ(older->attempt, 0);
  const auto oldest = decode_uncertain(out.octets().first(out.size() - 8));
  if (!oldest) FAIL() << "one of before that does not decode";
  EXPECT_FALSE(oldest->bind);
}

TEST(Records, AConflictComesBackWholeAndAsAVerdictForWhoWantsNoMore) {
  const auto subject = subject_octets();
  const Conflict conflict{.of = following(subject),
                          .code = "undeliverable",
                          .detail = "stat:UNDELIV",
                          .part = 2,
                          .message_id = "8F01",
                          .done_date = "2601051000",
                          .by_reference = true};
  FieldWriter out;
  encode(conflict, out);
  const auto got = decode_conflict(out.octets());
  ASSERT_TRUE(got);
  expect_same(got->of, conflict.of);
  EXPECT_EQ(got->code, "undeliverable");
  EXPECT_EQ(got->detail, "stat:UNDELIV");
  EXPECT_EQ(got->part, 2);
  EXPECT_EQ(got->message_id, "8F01");
  EXPECT_EQ(got->done_date, "2601051000");
  EXPECT_TRUE(got->by_reference);

  // Cut anywhere behind what a verdict has, it is none.
  FieldWriter as_before;
  encode(Verdict{.of = conflict.of, .code = conflict.code, .detail = conflict.detail}, as_before);
  for (auto size = as_before.octets().size() + 1; size < out.octets().size(); ++size) {
    EXPECT_FALSE(decode_conflict(out.octets().first(size))) << size;
  }
}

TEST(Records, AConflictOfAnEarlierVersionHasItsWordsAlone) {
  const auto subject = subject_octets();
  FieldWriter out;
  encode(Verdict{.of = following(subject), .code = "undeliverable", .detail = "stat:UNDELIV"}, out);
  const auto got = decode_conflict(out.octets());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->code, "undeliverable");
  EXPECT_EQ(got->part, 0);
  EXPECT_TRUE(got->message_id.empty());
}

TEST(Records, AReplyComesBackWithItsFlags) {
  for (const bool is_unmatched : {false, true}) {
    InboundCame reply;
    reply.is_cut = true;
    reply.is_unmatched_stop = is_unmatched;
    reply.text = "STOP";
    FieldWriter out;
    encode(reply, out);
    const auto came = decode_inbound(out.octets());
    ASSERT_TRUE(came);
    EXPECT_EQ(came->is_unmatched_stop, is_unmatched);
    EXPECT_TRUE(came->is_cut);
    EXPECT_FALSE(came->is_binary);
  }
}

}  // namespace
}  // namespace stentor::daemon
