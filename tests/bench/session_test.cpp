#include "bench/smsc/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "bench/smsc/smsc.h"
#include "wire.h"

namespace stentor::smsc {
namespace {

using namespace std::chrono_literals;
using wire::kResponse;

// A carrier with as many connections as a test opens, and a clock that the test moves.
class Carrier {
 public:
  explicit Carrier(Settings settings = {})
      : smsc_(with_first_id(std::move(settings)), nullptr, now_) {}

  Session& open() {
    return *sessions_.emplace_back(
        std::make_unique<Session>(smsc_, static_cast<std::uint32_t>(sessions_.size() + 1), now_));
  }
  Session& bound(std::uint32_t command_id = wire::kTransceiver) {
    Session& session = open();
    give(session, wire::bind(command_id, 1));
    (void)take(session);
    return session;
  }
  void give(Session& session, const wire::Octets& octets) {
    EXPECT_EQ(session.on_octets(octets, now_), octets.size());
  }
  std::vector<wire::Pdu> take(Session& session) {
    wire::Octets octets = raw(session);
    return wire::take_pdus(octets);
  }
  wire::Octets raw(Session& session) {
    const auto outgoing = session.outgoing();
    wire::Octets octets(outgoing.begin(), outgoing.end());
    session.on_written(octets.size());
    return octets;
  }
  void pass(std::chrono::nanoseconds time) {
    now_.steady += time;
    now_.wall_nanoseconds += time.count();
    for (const auto& session : sessions_) {
      if (session->deadline() <= now_.steady) session->on_time(now_);
    }
    smsc_.deliver_due(now_);
  }
  void close(Session& session) {
    session.on_closed(now_);
    std::erase_if(sessions_, [&](const auto& one) { return one.get() == &session; });
  }
  Smsc& smsc() { return smsc_; }
  const Now& now() const { return now_; }

 private:
  static Settings with_first_id(Settings settings) {
    if (settings.first_id == 0) settings.first_id = 0xabc;
    return settings;
  }
  // 2026-11-21 02:50:00 UTC.
  Now now_{.steady = TimePoint{} + 1h, .wall_nanoseconds = 1'795'229'400'000'000'000};
  Smsc smsc_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

TEST(SmscSession, AnswersABindWithItsNameAndVersion) {
  Carrier carrier;
  Session& session = carrier.open();

  carrier.give(session, wire::bind(wire::kTransceiver, 7));

  // By hand: length 34, bind_transceiver_resp, ok, 7, "stentor-smsc", sc_interface_version 3.4.
  const wire::Octets expected{0,   0,   0,   34,  0x80, 0,   0,    9,   0,   0,   0,   0,
                              0,   0,   0,   7,   's',  't', 'e',  'n', 't', 'o', 'r', '-',
                              's', 'm', 's', 'c', 0,    2,   0x10, 0,   1,   0x34};
  EXPECT_EQ(carrier.raw(session), expected);
}

TEST(SmscSession, RefusesOtherNamesAndPasswords) {
  Carrier carrier({.system_id = "stentor", .password = "secret"});
  Session& stranger = carrier.open();
  Session& forgetful = carrier.open();

  carrier.give(stranger, wire::bind(wire::kTransceiver, 1, "other"));
  carrier.give(forgetful, wire::bind(wire::kTransceiver, 1, "stentor", "wrong"));

  EXPECT_EQ(carrier.take(stranger)[0].status, 0x0fu);
  EXPECT_EQ(carrier.take(forgetful)[0].status, 0x0eu);
  EXPECT_EQ(stranger.parting(), Parting::close);
}

TEST(SmscSession, RefusesTheFirstBindsThenTakesThem) {
  Carrier carrier({.refuse_bind = 0x0d, .refuse_bind_count = 1});
  Session& first = carrier.open();
  Session& second = carrier.open();

  carrier.give(first, wire::bind(wire::kTransceiver, 1));
  carrier.give(second, wire::bind(wire::kTransceiver, 1));

  EXPECT_EQ(carrier.take(first)[0].status, 0x0du);
  EXPECT_EQ(carrier.take(second)[0].status, 0u);
}

TEST(SmscSession, AnswersASubmitThenSendsItsReceipt) {
  Carrier carrier({.id_styles = {.response = IdStyle::hex, .receipt = IdStyle::decimal}});
  Session& session = carrier.bound();

  carrier.give(session, wire::submit(2));
  carrier.pass(0ms);

  const auto pdus = carrier.take(session);
  ASSERT_EQ(pdus.size(), 2u);
  EXPECT_EQ(pdus[0].command_id, wire::kSubmit | kResponse);
  EXPECT_EQ(pdus[0].sequence, 2u);
  EXPECT_EQ(pdus[0].text(), "abc");
  EXPECT_EQ(pdus[1].command_id, wire::kDeliver);
  using namespace std::string_literals;
  const std::string text =
      "id:2748 sub:001 dlvrd:001 submit date:2611210250 done date:2611210250 stat:DELIVRD err:000 "
      "text:";
  // Swapped addresses, esm_class 0x04, then the text and two TLVs.
  EXPECT_EQ(pdus[1].body, "\0\1\1"s + "79161234567\0"s + "\5\0SHOP\0"s + "\4\0\0\0\0\0\0\0\0"s +
                              static_cast<char>(text.size()) + text + "\0\x1e\0\5"s + "2748\0"s +
                              "\4\x27\0\1\2"s);
}

TEST(SmscSession, SendsNoReceiptThatNobodyAskedFor) {
  Carrier carrier({.outcomes = {{.outcome = Outcome::delivered, .share = 1}}});
  Session& session = carrier.bound();

  carrier.give(session, wire::submit(2, "79161234567", "Hello", 0));
  carrier.give(session, wire::submit(3, "79161234567", "Hello", 2));  // on failure only
  carrier.pass(1s);

  EXPECT_EQ(carrier.take(session).size(), 2u);
  EXPECT_EQ(carrier.smsc().totals().receipts, 0u);
}

TEST(SmscSession, HoldsResponsesAndReceiptsForTheirTime) {
  Carrier carrier({.latency = {.base = 10ms}, .receipt_delay = {.base = 100ms}});
  Session& session = carrier.bound();

  carrier.give(session, wire::submit(2));
  carrier.pass(9ms);
  EXPECT_TRUE(carrier.take(session).empty());

  carrier.pass(1ms);
  ASSERT_EQ(carrier.take(session).size(), 1u);

  carrier.pass(99ms);
  EXPECT_TRUE(carrier.take(session).empty());
  carrier.pass(1ms);
  EXPECT_EQ(carrier.take(session)[0].command_id, wire::kDeliver);
}

TEST(SmscSession, LetsReceiptsPileUpUntilTheirTime) {
  Carrier carrier({.receipt_delay = {.base = 100ms}, .receipts_after = 1s});
  Session& session = carrier.bound();

  carrier.give(session, wire::submit(2));
  carrier.pass(500ms);
  carrier.give(session, wire::submit(3));
  carrier.pass(499ms);
  EXPECT_EQ(carrier.take(session).size(), 2u) << "the responses alone";

  carrier.pass(1ms);
  EXPECT_EQ(carrier.take(session).size(), 2u) << "both receipts";

  carrier.give(session, wire::submit(4));
  carrier.pass(99ms);
  EXPECT_EQ(carrier.take(session).size(), 1u) << "from now on each after its own delay";
  carrier.pass(1ms);
  EXPECT_EQ(carrier.take(session).size(), 1u);
}

TEST(SmscSession, PutsTheReceiptInFrontOfTheResponse) {
  Carrier carrier({.latency = {.base = 10ms}, .receipts_before_response = true});
  Session& session = carrier.bound();

  carrier.give(session, wire::submit(2));
  carrier.pass(10ms);

  const auto pdus = carrier.take(session);
  ASSERT_EQ(pdus.size(), 2u);
  EXPECT_EQ(pdus[0].command_id, wire::kDeliver);
  EXPECT_EQ(pdus[1].command_id, wire::kSubmit | kResponse);
}

TEST(SmscSession, RepeatsTheReferenceWhenAskedTo) {
  Carrier carrier({.receipt_form = ReceiptForm::tlv, .echo_user_message_reference = true});
  Session& session = carrier.bound();

  carrier.give(session, wire::submit(2, "79161234567", "Hello", 1, {2, 4, 0, 2, 0x12, 0x34}));
  carrier.pass(0ms);

  const auto pdus = carrier.take(session);
  ASSERT_EQ(pdus.size(), 2u);
  EXPECT_TRUE(pdus[1].body.ends_with(std::string("\2\4\0\2\x12\x34", 6)));
}

TEST(SmscSession, SendsAReceiptTwiceWhenAskedTo) {
  Carrier carrier({.duplicate_receipts = 1});
  Session& session = carrier.bound();

  carrier.give(session, wire::submit(2));
  carrier.pass(0ms);

  const auto pdus = carrier.take(session);
  ASSERT_EQ(pdus.size(), 3u);
  EXPECT_EQ(pdus[1].body, pdus[2].body);
  EXPECT_NE(pdus[1].sequence, pdus[2].sequence);
}

TEST(SmscSession, SendsUnansweredReceiptsAgainToTheNextBind) {
  Carrier carrier;
  Session& first = carrier.bound();
  carrier.give(first, wire::submit(2));
  carrier.give(first, wire::submit(3));
  carrier.pass(0ms);
  const auto pdus = carrier.take(first);
  ASSERT_EQ(pdus.size(), 4u);
  carrier.give(first, wire::pdu(wire::kDeliver | kResponse, pdus[2].sequence, {0}));

  carrier.close(first);
  carrier.pass(1s);
  Session& second = carrier.bound(wire::kReceiver);
  carrier.pass(0ms);

  const auto again = carrier.take(second);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].body, pdus[3].body);
  EXPECT_EQ(carrier.smsc().totals().receipts_acknowledged, 1u);
}

TEST(SmscSession, SendsRefusedReceiptsAgainAfterAPauseAndGivesUpAfterFive) {
  Carrier carrier({.receipt_retry = 1s});
  Session& session = carrier.bound();
  carrier.give(session, wire::submit(2));
  carrier.pass(0ms);
  auto pdus = carrier.take(session);
  pdus.erase(pdus.begin());

  int seen = 0;
  while (!pdus.empty()) {
    ASSERT_EQ(pdus.size(), 1u);
    ++seen;
    carrier.give(session, wire::pdu(wire::kDeliver | kResponse, pdus[0].sequence, {0}, 0x64));
    carrier.pass(999ms);
    EXPECT_TRUE(carrier.take(session).empty());
    carrier.pass(1ms);
    pdus = carrier.take(session);
  }

  EXPECT_EQ(seen, 5);
  EXPECT_EQ(carrier.smsc().totals().receipts_purged, 1u);
}

TEST(SmscSession, GivesReceiptsToAReceiverWhereTheSubmitterIsATransmitter) {
  Carrier carrier;
  Session& transmitter = carrier.bound(wire::kTransmitter);
  Session& receiver = carrier.bound(wire::kReceiver);

  carrier.give(transmitter, wire::submit(2));
  carrier.pass(0ms);

  EXPECT_EQ(carrier.take(transmitter).size(), 1u);
  EXPECT_EQ(carrier.take(receiver)[0].command_id, wire::kDeliver);
}

TEST(SmscSession, KeepsTheReceiptWindow) {
  Carrier carrier({.receipt_window = 2});
  Session& session = carrier.bound();
  for (std::uint32_t i = 2; i < 5; ++i) carrier.give(session, wire::submit(i));
  carrier.pass(0ms);
  const auto pdus = carrier.take(session);
  ASSERT_EQ(pdus.size(), 5u);

  carrier.give(session, wire::pdu(wire::kDeliver | kResponse, pdus[3].sequence, {0}));
  carrier.pass(1s);

  EXPECT_EQ(carrier.take(session).size(), 1u);
}

TEST(SmscSession, FailsTheSameMessagesUnderTheSameSeed) {
  const auto statuses = [](std::uint64_t seed, Delay latency) {
    Carrier carrier({.latency = latency,
                     .errors = {{.status = 0x58, .share = 0.2}, {.status = 0x08, .share = 0.1}},
                     .seed = seed});
    Session& session = carrier.bound();
    for (std::uint32_t i = 2; i < 1002; ++i) carrier.give(session, wire::submit(i, "7916", "x", 0));
    carrier.pass(1s);
    std::vector<std::uint32_t> found(1000);
    for (const auto& pdu : carrier.take(session)) found[pdu.sequence - 2] = pdu.status;
    return found;
  };

  const auto first = statuses(42, {});

  EXPECT_EQ(first, statuses(42, {}));
  EXPECT_EQ(first, statuses(42, {.base = 1ms, .jitter = 5ms})) << "jitter has dice of its own";
  EXPECT_NE(first, statuses(43, {}));
  EXPECT_NEAR(static_cast<double>(std::count(first.begin(), first.end(), 0x58u)), 200, 60);
  EXPECT_NEAR(static_cast<double>(std::count(first.begin(), first.end(), 0x08u)), 100, 45);
}

TEST(SmscSession, ThrottlesWhatComesAboveTheRate) {
  Carrier carrier({.receipts = false, .throttle_above = 100});
  Session& session = carrier.bound();
  std::uint32_t sequence = 2;
  const auto accepted_of = [&](int count) {
    for (int i = 0; i < count; ++i) carrier.give(session, wire::submit(sequence++));
    const auto pdus = carrier.take(session);
    for (const auto& pdu : pdus) EXPECT_TRUE(pdu.status == 0 || pdu.status == 0x58);
    return std::count_if(pdus.begin(), pdus.end(), [](const auto& pdu) { return pdu.status == 0; });
  };

  EXPECT_EQ(accepted_of(50), 10);  // a tenth of a second's worth at once
  carrier.pass(50ms);
  EXPECT_EQ(accepted_of(50), 5);
  carrier.pass(10s);
  EXPECT_EQ(accepted_of(50), 10);  // what was not used is not saved up
}

TEST(SmscSession, CountsAndRefusesWhatExceedsTheWindow) {
  Carrier carrier({.latency = {.base = 10ms}, .receipts = false, .window = 2});
  Session& session = carrier.bound();
  for (std::uint32_t i = 2; i < 5; ++i) carrier.give(session, wire::submit(i));
  carrier.pass(10ms);

  const auto pdus = carrier.take(session);

  ASSERT_EQ(pdus.size(), 3u);
  EXPECT_EQ(pdus[1].status, 0u);
  EXPECT_EQ(pdus[2].status, 0x14u);
  EXPECT_EQ(carrier.smsc().totals().window_violations, 1u);
  carrier.give(session, wire::submit(9));  // all were answered: there is room again
  carrier.pass(10ms);
  EXPECT_EQ(carrier.take(session)[0].status, 0u);
}

TEST(SmscSession, DoesNotCountAnswersThatAreOnlyHalfWritten) {
  Carrier carrier({.receipts = false, .window = 1});
  Session& session = carrier.bound();
  carrier.give(session, wire::submit(2));
  session.on_written(session.outgoing().size() - 1);

  carrier.give(session, wire::submit(3));

  EXPECT_EQ(carrier.smsc().totals().window_violations, 1u);
  (void)carrier.raw(session);
  carrier.give(session, wire::submit(4));
  EXPECT_EQ(carrier.smsc().totals().window_violations, 1u);
}

TEST(SmscSession, LeavesAfterSoManySubmitsWithHalfAPdu) {
  Carrier carrier({.receipts = false, .disconnect_after = {.submits = 2}, .cut_mid_pdu = true});
  Session& session = carrier.bound();
  carrier.give(session, wire::submit(2));
  carrier.give(session, wire::submit(3));

  wire::Octets octets = carrier.raw(session);

  EXPECT_EQ(wire::take_pdus(octets).size(), 1u);
  EXPECT_EQ(octets.size(), 10u);  // half of 16 octets of header, "abd" and its NUL
  EXPECT_EQ(session.parting(), Parting::close);
  EXPECT_EQ(carrier.smsc().totals().accepted, 2u) << "the last is taken, though not answered";
}

TEST(SmscSession, LeavesByTheClockAndByUnbind) {
  Carrier carrier({.disconnect_after = {.time = 5s}, .unbind = true});
  Session& session = carrier.bound();
  carrier.pass(4999ms);
  EXPECT_TRUE(carrier.take(session).empty());

  carrier.pass(1ms);

  const auto pdus = carrier.take(session);
  ASSERT_EQ(pdus.size(), 1u);
  EXPECT_EQ(pdus[0].command_id, wire::kUnbind);
  EXPECT_EQ(session.parting(), Parting::stay);
  carrier.give(session, wire::pdu(wire::kUnbind | kResponse, pdus[0].sequence));
  EXPECT_EQ(session.parting(), Parting::close);
}

TEST(SmscSession, FallsSilentButTakesEverything) {
  Carrier carrier({.silent_after = {.submits = 1}});
  Session& session = carrier.bound();
  carrier.give(session, wire::submit(2));
  EXPECT_EQ(carrier.take(session).size(), 1u);

  carrier.give(session, wire::submit(3));
  carrier.give(session, wire::pdu(wire::kEnquire, 4));
  carrier.pass(1s);

  EXPECT_TRUE(carrier.take(session).empty());
  EXPECT_EQ(carrier.smsc().totals().accepted, 2u);
  EXPECT_TRUE(session.wants_octets());
}

TEST(SmscSession, StopsReadingWhenStalled) {
  Carrier carrier({.stall_after = {.submits = 1}});
  Session& session = carrier.bound();
  carrier.give(session, wire::submit(2));
  EXPECT_FALSE(session.wants_octets());
}

TEST(SmscSession, AnswersGarbageOnceThenNothing) {
  const auto answer_of = [](Garbage kind) {
    Carrier carrier({.receipts = false, .garbage = kind, .garbage_after = 2});
    Session& session = carrier.bound();
    carrier.give(session, wire::submit(2));
    EXPECT_EQ(carrier.take(session).size(), 1u) << "the bind and one submit are answered well";
    carrier.give(session, wire::submit(3));
    EXPECT_FALSE(session.wants_octets());
    return carrier.raw(session);
  };

  EXPECT_EQ(answer_of(Garbage::half_pdu).size(), 10u);
  const auto two_gigabytes = answer_of(Garbage::length_2gb);
  EXPECT_EQ(wire::get32(two_gigabytes.data()), 0x7fffffffu);
  EXPECT_EQ(wire::get32(answer_of(Garbage::short_length).data()), 15u);
  EXPECT_GT(wire::get32(answer_of(Garbage::garbage).data()), 0x80000000u);
}

TEST(SmscSession, AnswersWhatItDoesNotKnowAndGoesOn) {
  Carrier carrier;
  Session& session = carrier.bound();

  carrier.give(session, wire::pdu(0x00000111, 9));
  carrier.give(session, wire::pdu(wire::kSubmit, 10, {0, 0, 0}));  // cut short
  carrier.give(session, wire::pdu(wire::kEnquire, 11));

  const auto pdus = carrier.take(session);
  ASSERT_EQ(pdus.size(), 3u);
  EXPECT_EQ(pdus[0].command_id, 0x80000000u);
  EXPECT_EQ(pdus[0].status, 0x03u);
  EXPECT_EQ(pdus[1].status, 0x02u);
  EXPECT_EQ(pdus[2].command_id, wire::kEnquire | kResponse);
}

TEST(SmscSession, ClosesWhenFramingIsLost) {
  Carrier carrier;
  Session& session = carrier.bound();

  carrier.give(session, {0, 0, 0, 15, 1, 2, 3, 4});

  EXPECT_EQ(session.parting(), Parting::close);
  EXPECT_EQ(carrier.take(session)[0].command_id, 0x80000000u);
}

TEST(SmscSession, TakesOctetsInAnyPieces) {
  Carrier carrier({.receipts = false});
  Session& session = carrier.bound();
  wire::Octets stream = wire::submit(2);
  for (const auto octet : wire::submit(3)) stream.push_back(octet);

  wire::Octets kept;
  for (const auto octet : stream) {
    kept.push_back(octet);
    const std::size_t taken = session.on_octets(kept, carrier.now());
    kept.erase(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(taken));
  }

  EXPECT_TRUE(kept.empty());
  EXPECT_EQ(carrier.take(session).size(), 2u);
}

TEST(SmscSession, RefusesToSubmitUnboundAndOnAReceiver) {
  Carrier carrier;
  Session& unbound = carrier.open();
  Session& receiver = carrier.bound(wire::kReceiver);

  carrier.give(unbound, wire::submit(2));
  carrier.give(receiver, wire::submit(2));

  EXPECT_EQ(carrier.take(unbound)[0].status, 0x04u);
  EXPECT_EQ(carrier.take(receiver)[0].status, 0x04u);
}

TEST(SmscSession, TakesDataSmToo) {
  Carrier carrier({.receipts = false});
  Session& session = carrier.bound();
  wire::Octets body{0, 5, 0};
  wire::put_text(body, "SHOP");
  body.insert(body.end(), {1, 1});
  wire::put_text(body, "79161234567");
  body.insert(body.end(), {0, 0, 0, 4, 0x24, 0, 2, 'H', 'i'});

  carrier.give(session, wire::pdu(wire::kData, 2, body));

  const auto pdus = carrier.take(session);
  ASSERT_EQ(pdus.size(), 1u);
  EXPECT_EQ(pdus[0].command_id, wire::kData | kResponse);
  EXPECT_EQ(pdus[0].text(), "abc");
}

wire::Octets query(std::uint32_t sequence, std::string_view id) {
  wire::Octets body;
  wire::put_text(body, id);
  body.insert(body.end(), {5, 0});
  wire::put_text(body, "SHOP");
  return wire::pdu(0x03, sequence, body);
}

TEST(SmscSession, AnswersQueriesAsItIsTold) {
  using namespace std::string_literals;
  Carrier delivered({.query = QueryAnswer{.message_state = 2}});
  Session& session = delivered.bound();
  delivered.give(session, query(2, "abc"));
  const auto pdus = delivered.take(session);
  ASSERT_EQ(pdus.size(), 1u);
  EXPECT_EQ(pdus[0].command_id, 0x80000003u);
  EXPECT_EQ(pdus[0].status, 0u);
  EXPECT_EQ(pdus[0].body, "abc\0\0\2\0"s);

  Carrier refusing({.query = QueryAnswer{.status = 0x67}});
  Session& refused = refusing.bound();
  refusing.give(refused, query(2, "abc"));
  EXPECT_EQ(refusing.take(refused)[0].status, 0x67u);

  Carrier silent({.query = QueryAnswer{.is_silent = true}});
  Session& unheard = silent.bound();
  silent.give(unheard, query(2, "abc"));
  EXPECT_TRUE(silent.take(unheard).empty());

  Carrier old;
  Session& unknown = old.bound();
  old.give(unknown, query(2, "abc"));
  EXPECT_EQ(old.take(unknown)[0].command_id, 0x80000000u);
}

TEST(SmscSession, AnswersCancellationsAsItIsTold) {
  Carrier carrier({.cancel = 0x11});
  Session& session = carrier.bound();
  wire::Octets body{0};
  wire::put_text(body, "abc");
  body.insert(body.end(), {5, 0});
  wire::put_text(body, "SHOP");
  body.insert(body.end(), {1, 1});
  wire::put_text(body, "79161234567");
  carrier.give(session, wire::pdu(0x08, 2, body));
  const auto pdus = carrier.take(session);
  ASSERT_EQ(pdus.size(), 1u);
  EXPECT_EQ(pdus[0].command_id, 0x80000008u);
  EXPECT_EQ(pdus[0].status, 0x11u);
}

TEST(SmscSession, SpeaksOtherVersions) {
  Carrier five({.interface_version = 0x50});
  Session& session = five.open();
  five.give(session, wire::bind(wire::kTransceiver, 1));
  EXPECT_EQ(five.raw(session).back(), 0x50);

  Carrier three({.interface_version = 0x33});
  Session& old = three.open();
  three.give(old, wire::bind(wire::kTransceiver, 1));
  EXPECT_EQ(three.take(old)[0].command_id, 0x80000000u) << "3.3 knows no transceiver";
  three.give(old, wire::bind(wire::kTransmitter, 2));
  EXPECT_EQ(three.raw(old).size(), 16u + sizeof "stentor-smsc") << "and tells no version";
}

TEST(SmscSession, SendsReceiptsByDataSm) {
  Carrier carrier({.receipt_form = ReceiptForm::text, .receipts_by_data_sm = true});
  Session& session = carrier.bound();
  carrier.give(session, wire::submit(2));
  carrier.pass(0ms);
  const auto pdus = carrier.take(session);
  ASSERT_EQ(pdus.size(), 2u);
  EXPECT_EQ(pdus[1].command_id, wire::kData);
  EXPECT_NE(pdus[1].body.find("id:abc "), std::string::npos);
  carrier.give(session, wire::pdu(wire::kData | kResponse, pdus[1].sequence));
  EXPECT_EQ(carrier.smsc().totals().receipts_acknowledged, 1u);
}

TEST(SmscSession, WritesReceiptsInOtherForms) {
  const auto receipt_of = [](ReceiptForm form) {
    Carrier carrier({.receipt_form = form});
    Session& session = carrier.bound();
    carrier.give(session, wire::submit(2));
    carrier.pass(0ms);
    return carrier.take(session).at(1).body;
  };
  using namespace std::string_literals;
  EXPECT_TRUE(receipt_of(ReceiptForm::csv)
                  .ends_with("DELIVRD,2611210250,2611210250,000,79161234567,SHOP,abc"));
  const std::string payload = receipt_of(ReceiptForm::payload);
  EXPECT_NE(payload.find("\0\x04\x24\0"s), std::string::npos) << "message_payload";
  EXPECT_NE(payload.find("id:abc "), std::string::npos);
}

TEST(SmscSession, TricklesOctetByOctet) {
  Carrier carrier({.trickle = 1s});
  Session& session = carrier.open();
  carrier.give(session, wire::bind(wire::kTransceiver, 1));
  for (int octet = 0; octet < 34; ++octet) {
    carrier.pass(1s);
    ASSERT_EQ(carrier.raw(session).size(), 1u) << octet;
  }
  carrier.pass(1s);
  EXPECT_TRUE(carrier.raw(session).empty());
}

TEST(SmscSession, AsksASilentClientOnce) {
  Carrier carrier({.enquire_link = 10s});
  Session& session = carrier.bound();
  carrier.pass(10s);
  const auto pdus = carrier.take(session);
  ASSERT_EQ(pdus.size(), 1u);
  EXPECT_EQ(pdus[0].command_id, wire::kEnquire);

  carrier.pass(10s);
  EXPECT_TRUE(carrier.take(session).empty());
  carrier.give(session, wire::pdu(wire::kEnquire | kResponse, pdus[0].sequence));
  carrier.pass(10s);
  EXPECT_EQ(carrier.take(session).size(), 1u);
}

TEST(SmscSession, SendsReplies) {
  Carrier carrier({.receipts = false, .replies = {"STOP"}});
  Session& session = carrier.bound();

  carrier.give(session, wire::submit(2));
  carrier.pass(0ms);

  const auto pdus = carrier.take(session);
  ASSERT_EQ(pdus.size(), 2u);
  using namespace std::string_literals;
  EXPECT_EQ(pdus[1].body,
            "\0\1\1"s + "79161234567\0"s + "\5\0SHOP\0"s + "\0\0\0\0\0\0\0\0\0\4STOP"s);
}

}  // namespace
}  // namespace stentor::smsc
