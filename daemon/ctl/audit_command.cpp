// `audit`: proves from the journal alone that accepted = final + live.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <ostream>
#include <thread>

#include "daemon/audit/journal_audit.h"
#include "daemon/ctl/commands.h"
#include "daemon/ctl/json_line.h"
#include "daemon/ctl/shown.h"
#include "queue/journal_format.h"

namespace stentor::ctl {
namespace {

using daemon::AuditFigures;
using daemon::Finding;
using daemon::JournalAudit;

// Beside a running daemon a file may go between two looks, whose messages' ends the watermark does
// not cover yet: it does within a second (docs/journal.md, "Writing").
constexpr auto kWatermarkWithin = std::chrono::milliseconds(1500);
constexpr int kLooksBesideDaemon = 3;

std::array<std::pair<std::string_view, std::uint64_t>, 9> rows_of(const JournalAudit& audit) {
  const AuditFigures& figures = audit.ledger.figures;
  return {{{"accepted", figures.accepted},
           {"delivered", figures.delivered},
           {"sent_final", figures.sent_final},
           {"failed", figures.failed},
           {"expired", figures.expired},
           {"cancelled", figures.cancelled},
           {"unknown", figures.unknown},
           {"live", audit.ledger.live},
           {"sent", figures.sent}}};
}

bool is_clean(const JournalAudit& audit) {
  return audit.ledger.holds() && audit.ledger.all_broken() == 0;
}

void print_findings(const JournalAudit& audit, std::ostream& out) {
  for (const Finding& finding : audit.ledger.findings) {
    const std::string whom = !finding.id.empty()     ? finding.id
                             : finding.sequence != 0 ? fmt::format("sequence {}", finding.sequence)
                                                     : "-";
    const std::string ref =
        finding.ref.empty() ? "" : fmt::format(" (ref {})", printable(finding.ref));
    out << fmt::format("{}  {}{}  {}: offset {}: {}\n", name_of(finding.rule), whom, ref,
                       queue::file_name(finding.at.file()), finding.at.block(),
                       printable(finding.what));
  }
  const std::uint64_t all = audit.ledger.all_broken();
  if (all > audit.ledger.findings.size()) {
    out << fmt::format("and {} more\n", all - audit.ledger.findings.size());
  }
}

void print(const JournalAudit& audit, bool beside_daemon, std::ostream& out) {
  print_findings(audit, out);
  for (const std::string& note : audit.notes) out << fmt::format("note: {}\n", printable(note));
  if (audit.stretches_set_aside > 0) {
    out << fmt::format(
        "note: {} stretches were set aside by --salvage; what they held is missing\n",
        audit.stretches_set_aside);
  }
  if (audit.ledger.unknown_kinds > 0) {
    out << fmt::format("{} records say nothing of messages\n", audit.ledger.unknown_kinds);
  }
  out << fmt::format(
      "files {} to {}, {} records in {}, {} checkpoints compared{}\n", audit.first_file,
      audit.last_file, grouped(static_cast<std::int64_t>(audit.ledger.records)),
      octets_shown(static_cast<std::int64_t>(audit.octets)), audit.ledger.checkpoints,
      beside_daemon ? "; up to what is durable of the running daemon" : "");
  if (audit.carried_messages > 0) {
    out << fmt::format("{} live messages carried out of the files before {}\n",
                       grouped(static_cast<std::int64_t>(audit.carried_messages)),
                       audit.first_file);
  }
  Columns counts({Columns::Side::left, Columns::Side::right});
  for (const auto& [name, count] : rows_of(audit)) {
    counts.add({std::string(name), grouped(static_cast<std::int64_t>(count))});
  }
  print(counts, out);
  out << fmt::format("the equation {}: {} accepted, {} final, {} live\n",
                     audit.ledger.holds() ? "holds" : "DOES NOT HOLD",
                     audit.ledger.figures.accepted, audit.ledger.figures.finals(),
                     audit.ledger.live);
  const std::uint64_t broken = audit.ledger.all_broken();
  out << (broken == 0 ? std::string("no message breaks it\n")
                      : fmt::format("{} findings\n", broken));
}

void print_json(const JournalAudit& audit, bool beside_daemon, std::ostream& out) {
  for (const Finding& finding : audit.ledger.findings) {
    JsonLine line;
    line.add("finding", name_of(finding.rule));
    if (finding.sequence != 0) line.add("sequence", static_cast<std::int64_t>(finding.sequence));
    out << line.add_given("id", finding.id)
               .add_given("client", finding.client)
               .add_given("ref", finding.ref)
               .add("file", queue::file_name(finding.at.file()))
               .add("offset", static_cast<std::int64_t>(finding.at.block()))
               .add("detail", finding.what)
               .line();
  }
  for (const std::string& note : audit.notes) out << JsonLine().add("note", note).line();
  JsonLine end;
  end.add("status", is_clean(audit) ? "ok" : "broken");
  end.add_json("holds", audit.ledger.holds() ? "true" : "false");
  for (const auto& [name, count] : rows_of(audit)) {
    end.add(name, static_cast<std::int64_t>(count));
  }
  for (std::size_t rule = 0; rule < daemon::kAuditRules; ++rule) {
    const auto count = static_cast<std::int64_t>(audit.ledger.broken[rule]);
    if (count > 0) end.add(name_of(static_cast<daemon::AuditRule>(rule)), count);
  }
  end.add("findings", static_cast<std::int64_t>(audit.ledger.all_broken()))
      .add("records", static_cast<std::int64_t>(audit.ledger.records))
      .add("first_file", std::int64_t{audit.first_file})
      .add("last_file", std::int64_t{audit.last_file})
      .add("carried", static_cast<std::int64_t>(audit.carried_messages))
      .add("checkpoints", static_cast<std::int64_t>(audit.ledger.checkpoints))
      .add("set_aside", static_cast<std::int64_t>(audit.stretches_set_aside))
      .add_json("beside_daemon", beside_daemon ? "true" : "false")
      .add_json("done", "true")
      .add("lines", static_cast<std::int64_t>(audit.ledger.findings.size() + audit.notes.size()));
  out << end.line();
}

}  // namespace

result<Exit> audit(const Target& target, const AuditOptions& options, const Surroundings& around) {
  const auto files = queue::make_posix_file_system(queue::IoBackend::threads);
  if (!files) return failed(Exit::usage, files.error().message());
  const std::filesystem::path journal = std::filesystem::path(options.state_dir) / "journal";
  for (int look = 1;; ++look) {
    const bool beside_daemon = daemon::is_journal_in_use(journal);
    const auto audited = daemon::audit_journal(
        **files, journal, {.findings_max = options.list_max, .to_watermark = beside_daemon});
    const bool may_settle = beside_daemon && look < kLooksBesideDaemon;
    if (may_settle && (!audited || !is_clean(*audited))) {
      std::this_thread::sleep_for(kWatermarkWithin);
      continue;
    }
    if (!audited) {
      return failed(Exit::usage, fmt::format("audit: {}: {}", journal.string(), audited.error()));
    }
    if (target.json) {
      print_json(*audited, beside_daemon, *around.out);
    } else {
      print(*audited, beside_daemon, *around.out);
    }
    return is_clean(*audited) ? Exit::ok : Exit::refused;
  }
}

}  // namespace stentor::ctl
