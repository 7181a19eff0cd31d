#include "daemon/tracking/orphan_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "daemon/tracking/tracker.h"

namespace stentor::daemon {
namespace {

using protocol::MessageIdRule;

// Looked up in every spelling on the carrier's own thread: under a millisecond, and enough to tell
// a rule from chance.
constexpr std::size_t kExaminedMax = 500;

// One match may be chance: short ids are numbers in both bases.
constexpr std::size_t kEvidenceMin = 3;

std::string_view meaning_of(MessageIdRule rule) {
  switch (rule) {
    case MessageIdRule::automatic:
    case MessageIdRule::verbatim: return "submit ids as they stand";
    case MessageIdRule::decimal: return "decimal of submit ids";
    case MessageIdRule::hex: return "hexadecimal of submit ids";
  }
  return {};
}

}  // namespace

OrphanReport Tracker::orphans(std::size_t max) const {
  OrphanReport report;
  report.rule = rule_;
  report.learnt = learner_.learnt();
  report.kept = early();
  report.unmatched = stats_.receipts_unmatched;
  report.unread = unread_.size();
  std::array<std::size_t, 4> matches{};
  // No rule is at fault where a record cannot be read.
  const auto waits_to_be_read = [&](const KeptReceipt& kept) {
    if (kept.is_listed_only || unread_.is_empty()) return kept.is_listed_only;
    const protocol::Spellings spellings = protocol::spellings_of(kept.message_id, rule_);
    for (std::uint8_t i = 0; i < spellings.count; ++i) {
      if (unread_.contains(spellings.candidates[i].text())) return true;
    }
    const auto name = names_.name_of(kept.view());
    return name && unread_.contains(name->as_id().text());
  };
  early_.newest(std::max(max, kExaminedMax), [&](const KeptReceipt& kept) {
    if (report.newest.size() < max) report.newest.push_back(kept);
    if (report.examined >= kExaminedMax || waits_to_be_read(kept)) return;
    ++report.examined;
    const auto spellings = protocol::spellings_of(kept.message_id, MessageIdRule::automatic);
    for (std::uint8_t i = 0; i < spellings.count; ++i) {
      const auto segment = outstanding_.find(spellings.candidates[i].text());
      if (!segment || is_before_it_was_sent(tick_of(kept.came), segment->sent_tick)) continue;
      ++matches[static_cast<std::size_t>(spellings.rules[i])];
      break;
    }
  });
  const auto most = std::ranges::max_element(matches);
  if (*most >= kEvidenceMin) {
    report.suggested = static_cast<MessageIdRule>(most - matches.begin());
    report.evidence = *most;
  }
  return report;
}

std::string evidence_of(const OrphanReport& report) {
  if (report.kept == 0) return "no orphans";
  if (report.examined == 0) {
    return report.unread > 0 ? "they wait until their messages' records can be read"
                             : "none to judge by: they are being tried again, or are listed alone";
  }
  if (!report.suggested) {
    return fmt::format(
        "no rule makes the {} newest match: they are of messages that are final, or that stentor "
        "did not send: then somebody else may be bound with this account",
        report.examined);
  }
  if (report.evidence == report.examined) {
    return fmt::format("all {} orphans match as {}", report.evidence,
                       meaning_of(*report.suggested));
  }
  return fmt::format("{} of {} orphans match as {}", report.evidence, report.examined,
                     meaning_of(*report.suggested));
}

}  // namespace stentor::daemon
