#include "daemon/audit/ledger_audit.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "tests/daemon/audit/told_life.h"

namespace stentor::daemon {
namespace {

// A journal of records in memory, audited as it is told.
class Told : public ToldLife {
 public:
  Told()
      : ToldLife([this](RecordKind kind, std::span<const std::uint8_t> payload) {
          const queue::Locator at(file_, 64, next_);
          next_ += 64;
          audit_.visit({.kind = static_cast<std::uint8_t>(kind), .payload = payload, .at = at});
          return at;
        }) {
    begin_file({});
  }

  void begin_file(const Ledger& totals) {
    ++file_;
    next_ = 0;
    tell(RecordKind::totals, totals);
  }
  LedgerAudit& audit() { return audit_; }
  LedgerReport finish() { return audit_.finish(); }

 private:
  LedgerAudit audit_{100};
  std::uint32_t file_ = 0;
  std::uint32_t next_ = 0;
};

std::uint64_t broken(const LedgerReport& report, AuditRule rule) {
  return report.broken[static_cast<std::size_t>(rule)];
}

// One rule is broken, once, and the finding names message 1.
void expect_only(const LedgerReport& report, AuditRule rule) {
  EXPECT_EQ(broken(report, rule), 1u) << name_of(rule);
  EXPECT_EQ(report.all_broken(), 1u);
  for (const Finding& finding : report.findings) {
    EXPECT_EQ(name_of(finding.rule), name_of(rule)) << finding.what;
    EXPECT_EQ(finding.sequence, 1u) << finding.what;
  }
}

TEST(LedgerAudit, ProvesTheEquationOverEveryWayAMessageMayEnd) {
  Told told;
  for (std::uint64_t sequence = 1; sequence <= 9; ++sequence) told.accept(sequence);
  told.accept(10, 3);
  told.deliver(1);
  told.intend({2, 3});
  told.answer(2, State::sent_final, 1, 0, "");
  told.answer(3, State::failed, 1, 0x0b);
  told.end(4, State::expired);
  told.end(5, State::cancelled);
  told.intend({6});
  told.answer(6, State::sent);
  told.end(6, State::unknown);
  told.report(6, State::delivered, 1, State::unknown);
  told.intend({7});
  told.doubt(7, UncertainPolicy::hold);
  told.resolve(7, DoubtEnd::said_sent, State::sent_final);
  told.intend({8});
  told.release({8});
  told.intend({10});
  told.answer(10, State::none, 2);
  told.doubt(10, UncertainPolicy::hold, {true, false, false});
  told.resolve(10, DoubtEnd::said_sent, State::none);
  told.intend({10});
  told.answer(10, State::sent, 3);
  told.report(10, State::none, 3);
  told.report(10, State::delivered, 2);

  const LedgerReport report = told.finish();
  EXPECT_EQ(report.all_broken(), 0u) << report.findings.front().what;
  EXPECT_TRUE(report.holds());
  EXPECT_EQ(report.figures.accepted, 10u);
  EXPECT_EQ(report.figures.delivered, 3u);
  EXPECT_EQ(report.figures.sent_final, 2u);
  EXPECT_EQ(report.figures.failed, 1u);
  EXPECT_EQ(report.figures.expired, 1u);
  EXPECT_EQ(report.figures.cancelled, 1u);
  EXPECT_EQ(report.figures.unknown, 0u);
  EXPECT_EQ(report.live, 2u);
  EXPECT_EQ(report.figures.sent, 5u);
}

TEST(LedgerAudit, NamesTheMessageItsRefAndThePlace) {
  Told told;
  told.accept(1);
  told.end(1, State::failed);
  told.end(1, State::expired);

  const LedgerReport report = told.finish();
  ASSERT_EQ(report.findings.size(), 1u);
  const auto id = MessageId::make(1'790'000'000'001, 1, 7, 1).text();
  EXPECT_EQ(report.findings[0].id, std::string_view(id.data(), id.size()));
  EXPECT_EQ(report.findings[0].ref, "r-1");
  EXPECT_EQ(report.findings[0].client, "crm");
  EXPECT_EQ(report.findings[0].at, queue::Locator(1, 64, 192));
  EXPECT_EQ(report.findings[0].what, "expired, when it was final already");
}

TEST(LedgerAudit, FindsAMessageThatIsFinalTwice) {
  Told told;
  told.accept(1);
  told.end(1, State::failed);
  told.end(1, State::expired);

  const LedgerReport report = told.finish();
  expect_only(report, AuditRule::final_twice);
  EXPECT_FALSE(report.holds());
}

TEST(LedgerAudit, FindsASecondCorrection) {
  Told told;
  told.accept(1);
  told.intend({1});
  told.answer(1, State::sent);
  told.end(1, State::unknown);
  told.report(1, State::failed, 1, State::unknown);
  told.report(1, State::delivered, 1, State::unknown);

  expect_only(told.finish(), AuditRule::corrected_wrongly);
}

TEST(LedgerAudit, FindsWhatWouldBeSentAfterItsEnd) {
  Told told;
  told.accept(1);
  told.end(1, State::cancelled);
  told.intend({1});

  expect_only(told.finish(), AuditRule::sent_after_final);
}

TEST(LedgerAudit, FindsAMessageToldAsSentAfterItsEnd) {
  Told told;
  told.accept(1);
  told.intend({1});
  told.end(1, State::expired);
  told.answer(1, State::sent);

  expect_only(told.finish(), AuditRule::sent_after_final);
}

TEST(LedgerAudit, FindsAnAnswerWithoutIntent) {
  Told told;
  told.accept(1);
  told.answer(1, State::sent);

  expect_only(told.finish(), AuditRule::sent_without_intent);
}

TEST(LedgerAudit, TakesBackAnIntentThatWasReleasedOrMovedOrDoubted) {
  for (const int how : {0, 1, 2, 3}) {
    Told told;
    told.accept(1);
    told.intend({1});
    if (how == 0) told.release({1});
    if (how == 1) told.move(1, 1);
    if (how == 2) told.doubt(1, UncertainPolicy::resend);
    if (how == 3) {
      told.doubt(1, UncertainPolicy::hold);
      told.resolve(1, DoubtEnd::said_unsent, State::none);
    }
    told.answer(1, State::sent);

    expect_only(told.finish(), AuditRule::sent_without_intent);
  }
}

TEST(LedgerAudit, LetsAReceiptProveWhatIsHeldInDoubt) {
  Told told;
  told.accept(1);
  told.intend({1});
  told.doubt(1, UncertainPolicy::hold);
  told.answer(1, State::sent);

  EXPECT_EQ(told.finish().all_broken(), 0u);
}

TEST(LedgerAudit, FindsAMessageToldAsSentTwice) {
  Told told;
  told.accept(1);
  told.intend({1});
  told.answer(1, State::sent);
  told.answer(1, State::sent);

  expect_only(told.finish(), AuditRule::sent_twice);
}

// An event is a record: `delivered` without `sent` before it means that an event is missing.
TEST(LedgerAudit, FindsAMissingEvent) {
  Told told;
  told.accept(1);
  told.intend({1});
  told.answer(1, State::none);
  told.report(1, State::delivered);

  expect_only(told.finish(), AuditRule::never_told_sent);
}

TEST(LedgerAudit, FindsPartsThatDoNotAddUp) {
  const auto begin = [](Told& told) {
    told.accept(1, 3);
    told.intend({1});
    told.answer(1, State::none, 1);
  };
  {
    Told told;  // sent, with two of three taken
    begin(told);
    told.answer(1, State::sent, 2);
    expect_only(told.finish(), AuditRule::parts);
  }
  {
    Told told;  // a part that there is not
    begin(told);
    told.answer(1, State::none, 4);
    expect_only(told.finish(), AuditRule::parts);
  }
  {
    Told told;  // a receipt for what was not taken
    begin(told);
    told.report(1, State::none, 2);
    expect_only(told.finish(), AuditRule::parts);
  }
  {
    Told told;  // delivered, with one receipt missing
    begin(told);
    told.answer(1, State::none, 2);
    told.answer(1, State::sent, 3);
    told.report(1, State::none, 1);
    told.report(1, State::delivered, 2);
    expect_only(told.finish(), AuditRule::parts);
  }
  {
    Told told;  // refused, and told as sent
    told.accept(1);
    told.intend({1});
    told.answer(1, State::sent, 1, 0x08);
    expect_only(told.finish(), AuditRule::parts);
  }
}

TEST(LedgerAudit, FindsAMessageThatWasNeverAccepted) {
  {
    Told told;
    told.intend({1});
    expect_only(told.finish(), AuditRule::never_accepted);
  }
  Told told;
  told.end(1, State::failed);
  const LedgerReport report = told.finish();
  expect_only(report, AuditRule::never_accepted);
  EXPECT_FALSE(report.holds());
}

TEST(LedgerAudit, FindsASequenceGivenTwice) {
  Told told;
  told.accept(1);
  told.accept(1);

  expect_only(told.finish(), AuditRule::accepted_twice);
}

TEST(LedgerAudit, FindsARecordThatMisplacesItsMessage) {
  Told told;
  told.accept(1);
  told.misplace(1, queue::Locator(1, 64, 9));
  told.end(1, State::failed);

  expect_only(told.finish(), AuditRule::misplaced);
}

TEST(LedgerAudit, FindsRecordsThatCannotBeRead) {
  Told told;
  const std::array<std::uint8_t, 2> octets = {0xff, 0xff};
  for (const RecordKind kind : {RecordKind::accepted, RecordKind::intent, RecordKind::released,
                                RecordKind::part, RecordKind::receipt, RecordKind::verdict,
                                RecordKind::uncertain, RecordKind::resolved, RecordKind::moved}) {
    told.audit().visit({.kind = static_cast<std::uint8_t>(kind),
                        .payload = octets,
                        .at = queue::Locator(1, 64, 0)});
  }
  told.audit().visit({.kind = 251, .payload = octets, .at = queue::Locator(1, 64, 0)});

  const LedgerReport report = told.finish();
  EXPECT_EQ(broken(report, AuditRule::undecodable), 9u);
  EXPECT_EQ(report.unknown_kinds, 1u);
}

TEST(LedgerAudit, HoldsTheTotalsOfEachFileAgainstItsOwnCount) {
  Told told;
  told.accept(1);
  told.accept(2);
  told.deliver(1);
  Ledger totals{.accepted = 2, .delivered = 1, .sent = 1, .sequence_next = 3};
  told.begin_file(totals);
  totals.accepted = 3;
  totals.delivered = 2;
  told.begin_file(totals);

  const LedgerReport report = told.finish();
  EXPECT_EQ(report.all_broken(), 1u);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].what,
            "the file begins with accepted 3 where the records make 2, delivered 2 where the "
            "records make 1");
  EXPECT_EQ(report.findings[0].at.file(), 3u);
}

// Retention drops files whose messages are all final; some of those ends lie in files that stay.
TEST(LedgerAudit, CountsOnFromTheTotalsOfTheFirstFileThatIsThere) {
  const Ledger dropped{.accepted = 10, .delivered = 7, .unknown = 1, .sequence_next = 11};
  // A journal that begins with file 5.
  LedgerAudit audit(100);
  std::uint32_t next = 0;
  ToldLife life([&](RecordKind kind, std::span<const std::uint8_t> payload) {
    const queue::Locator at(5, 64, next++);
    audit.visit({.kind = static_cast<std::uint8_t>(kind), .payload = payload, .at = at});
    return at;
  });
  life.tell(RecordKind::totals, dropped);
  life.accept(11);
  life.intend({9, 11});
  life.end(9, State::failed);
  life.end(10, State::expired);
  life.report(3, State::delivered, 1, State::unknown);

  const LedgerReport report = audit.finish();
  EXPECT_EQ(report.all_broken(), 0u) << report.findings.front().what;
  EXPECT_TRUE(report.holds());
  EXPECT_EQ(report.figures.accepted, 11u);
  EXPECT_EQ(report.live, 1u);
}

TEST(LedgerAudit, FindsWhatWasDroppedAlive) {
  LedgerAudit audit(100);
  std::uint32_t next = 0;
  ToldLife life([&](RecordKind kind, std::span<const std::uint8_t> payload) {
    const queue::Locator at(5, 64, next++);
    audit.visit({.kind = static_cast<std::uint8_t>(kind), .payload = payload, .at = at});
    return at;
  });
  life.tell(RecordKind::totals, Ledger{.accepted = 10, .delivered = 8, .sequence_next = 11});
  life.end(9, State::failed);

  const LedgerReport report = audit.finish();
  EXPECT_EQ(broken(report, AuditRule::lost), 1u);
  EXPECT_EQ(report.all_broken(), 1u);
  EXPECT_FALSE(report.holds());
}

TEST(LedgerAudit, HoldsACheckpointAgainstTheJournal) {
  const auto shown = [](Told& told, std::uint64_t sequence, std::uint32_t record) {
    const FieldWriter subject = ToldLife::subject_of(sequence, 1);
    Accepted accepted;
    accepted.subject = subject.octets();
    FieldWriter fields;
    encode(accepted, fields);
    told.audit().visit_checkpoint({.kind = static_cast<std::uint8_t>(RecordKind::accepted),
                                   .payload = fields.octets(),
                                   .at = queue::Locator(1, 64, record)},
                                  "checkpoint");
  };
  for (const int wrong : {0, 1, 2, 3}) {
    Told told;
    told.accept(1);
    told.accept(2);
    told.accept(3);
    told.end(2, State::failed);
    told.intend({3});
    told.end(3, State::unknown);
    if (wrong != 1) shown(told, 1, wrong == 3 ? 65 : 64);
    if (wrong == 2) shown(told, 2, 128);
    shown(told, 3, 192);
    told.audit().end_checkpoint("checkpoint");

    const LedgerReport report = told.finish();
    EXPECT_EQ(report.checkpoints, 1u);
    EXPECT_EQ(broken(report, AuditRule::checkpoint_lacks), wrong == 1 || wrong == 3 ? 1u : 0u);
    EXPECT_EQ(broken(report, AuditRule::checkpoint_keeps), wrong == 2 ? 1u : 0u);
    EXPECT_EQ(report.all_broken(), wrong == 0 ? 0u : 1u);
  }
}

// Every kind that daemon/records declares, read from its headers, so that none is forgotten.
std::map<std::string, int> declared_kinds() {
  std::map<std::string, int> kinds;
  const std::regex lone(R"(constexpr std::uint8_t (k\w+Record) = (\d+);)");
  const std::regex listed(R"(enum class (\w*RecordKind) : std::uint8_t \{([^}]*)\})");
  const std::regex member(R"((\w+) = (\d+))");
  const auto folder = std::filesystem::path(STENTOR_SOURCE_DIR) / "daemon/records";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".h") continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (std::sregex_iterator found(text.begin(), text.end(), lone), end; found != end; ++found) {
      kinds[(*found)[1]] = std::stoi((*found)[2]);
    }
    for (std::sregex_iterator found(text.begin(), text.end(), listed), end; found != end; ++found) {
      const std::string body = (*found)[2];
      for (std::sregex_iterator one(body.begin(), body.end(), member); one != end; ++one) {
        kinds[(*found)[1].str() + "::" + (*one)[1].str()] = std::stoi((*one)[2]);
      }
    }
  }
  return kinds;
}

TEST(LedgerAudit, KnowsEveryKindOfRecordThatIsDeclared) {
  const auto kinds = declared_kinds();
  ASSERT_TRUE(kinds.contains("RecordKind::carrier_switched"));
  ASSERT_TRUE(kinds.contains("InboundRecordKind::came"));
  ASSERT_TRUE(kinds.contains("kCancelAnsweredRecord"));
  std::set<int> values;
  for (const auto& [name, value] : kinds) {
    EXPECT_TRUE(values.insert(value).second) << name << " has another kind's number";
    LedgerAudit audit(1);
    audit.visit(
        {.kind = static_cast<std::uint8_t>(value), .payload = {}, .at = queue::Locator(1, 64, 0)});
    EXPECT_EQ(audit.finish().unknown_kinds, 0u) << name;
  }
  for (int value = 1; value <= 255; ++value) {
    if (values.contains(value)) continue;
    LedgerAudit audit(1);
    audit.visit(
        {.kind = static_cast<std::uint8_t>(value), .payload = {}, .at = queue::Locator(1, 64, 0)});
    EXPECT_EQ(audit.finish().unknown_kinds, 1u) << value;
  }
}

TEST(LedgerAudit, CountsAllFindingsAndListsTheFirst) {
  LedgerAudit audit(2);
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) {
    FieldWriter fields;
    encode(Intent{.epoch = 0,
                  .carrier = "n",
                  .bind = 0,
                  .time_ms = 0,
                  .sequences = {sequence},
                  .waits = {}},
           fields);
    audit.visit({.kind = static_cast<std::uint8_t>(RecordKind::intent),
                 .payload = fields.octets(),
                 .at = queue::Locator(1, 64, 0)});
  }
  const LedgerReport report = audit.finish();
  EXPECT_EQ(report.findings.size(), 2u);
  EXPECT_EQ(broken(report, AuditRule::never_accepted), 5u);
}

}  // namespace
}  // namespace stentor::daemon
