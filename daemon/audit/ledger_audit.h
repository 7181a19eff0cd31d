// Proves from the journal's records that accepted = final + live, message by message.
//
// The judge of what recovery and delivery do: it shares the decoders of records with them, and
// nothing else. It counts by itself, compares with the totals that each file begins with, and
// holds each message to the rules of AuditRule.
//
// Owns     A MessageTable; the first findings up to a bound, and counts of all.
// Errors   What is wrong with the journal is a Finding.
// Threads  One thread.
// Spec     docs/journal.md, "Audit"
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/audit/finding.h"
#include "daemon/audit/message_table.h"
#include "daemon/records/records.h"
#include "queue/quarantine.h"
#include "queue/record_batch.h"

namespace stentor::daemon {

/// The audit's own counting; `sent` is no part of the equation.
struct AuditFigures {
  std::uint64_t accepted = 0;
  std::uint64_t delivered = 0;
  std::uint64_t sent_final = 0;
  std::uint64_t failed = 0;
  std::uint64_t expired = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t unknown = 0;
  std::uint64_t sent = 0;

  [[nodiscard]] std::uint64_t finals() const noexcept {
    return delivered + sent_final + failed + expired + cancelled + unknown;
  }
};

struct LedgerReport {
  AuditFigures figures;
  std::uint64_t live = 0;  ///< counted message by message
  std::uint64_t records = 0;
  std::uint64_t unknown_kinds = 0;  ///< records that say nothing of messages to this version
  std::uint64_t checkpoints = 0;    ///< compared
  std::array<std::uint64_t, kAuditRules> broken{};
  std::vector<Finding> findings;  ///< the first ones

  [[nodiscard]] bool holds() const noexcept { return figures.accepted == figures.finals() + live; }
  [[nodiscard]] std::uint64_t all_broken() const noexcept {
    std::uint64_t all = 0;
    for (const std::uint64_t count : broken) all += count;
    return all;
  }
};

class LedgerAudit {
 public:
  /// `set_aside`, where it is given, is what salvaging has taken out of the journal: a message is
  /// not held to what a stretch may have said of it, and of one that was accepted in a stretch only
  /// the end is counted, as accepted too.
  explicit LedgerAudit(std::size_t findings_max, const queue::Quarantine* set_aside = nullptr)
      : findings_max_(findings_max), set_aside_(set_aside) {}

  /// Before visit(): every record that was carried out of files which are gone. What it adds to the
  /// figures is in the totals that the first file begins with.
  void visit_carried(const queue::Record& record);
  /// Every record of the journal, in order.
  void visit(const queue::Record& record);

  /// A checkpoint that stands for the files before the next record to be visited: every record of
  /// it, then end_checkpoint().
  void visit_checkpoint(const queue::Record& record, std::string_view name);
  void end_checkpoint(std::string_view name);

  [[nodiscard]] LedgerReport finish();

 private:
  /// Whom a record speaks of.
  struct Named {
    std::uint64_t sequence = 0;
    MessageId id;
    std::string_view client;
    std::string_view ref;
    std::uint8_t parts = 1;
    bool was_set_aside = false;  ///< its accepted record was
  };

  void judge(const queue::Record& record);
  void visit_totals(const queue::Record& record);
  void visit_accepted(const queue::Record& record);
  void visit_intended(const std::vector<std::uint64_t>& sequences, bool is_intent,
                      queue::Locator at);
  void visit_part(const queue::Record& record);
  void visit_receipt(const queue::Record& record);
  void visit_uncertain(const queue::Record& record);
  void visit_resolved(const queue::Record& record);
  void visit_moved(const queue::Record& record);
  void visit_verdict(const queue::Record& record);

  [[nodiscard]] std::optional<Named> name(const Following& of, queue::Locator at);
  void answer_part(const PartAnswered& part, const Named& named, queue::Locator at);
  void tell_sent(const Named& named, MessageTable::Live* live, queue::Locator at);
  [[nodiscard]] bool all_taken(const Named& named);
  void advance(const Following& of, const Named& named, State corrects, queue::Locator at);
  void correct(const Following& of, const Named& named, State corrects, queue::Locator at);
  [[nodiscard]] bool is_inherited(std::uint64_t sequence) const {
    return sequence < inherited_before_;
  }
  void find(AuditRule rule, queue::Locator at, const Named& named, std::string what);
  [[nodiscard]] bool has_set_aside() const {
    return set_aside_ != nullptr && set_aside_->stretches() > 0;
  }
  [[nodiscard]] bool may_be_told_aside(AuditRule rule, queue::Locator at, const Named& named);
  void find_undecodable(const queue::Record& record);

  const std::size_t findings_max_;
  const queue::Quarantine* const set_aside_;
  MessageTable messages_;
  LedgerReport report_;
  std::uint32_t file_ = 0;
  std::uint32_t first_file_ = 0;
  std::uint32_t totals_file_ = 0;  // whose totals were looked at last
  AuditFigures aside_;             // what later totals have and the records that are left have not
  std::uint64_t inherited_before_ = 1;  // sequences accepted before the journal's first file
  std::uint64_t inherited_live_ = 0;    // of those, how many were not final then
  std::uint64_t inherited_ended_ = 0;
};

}  // namespace stentor::daemon
