#include "daemon/recovery/lost_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "daemon/ingress/json.h"
#include "daemon/recovery/carriage.h"

namespace stentor::daemon {
namespace {

constexpr std::string_view kPrefix = "lost-";
constexpr std::string_view kSuffix = ".jsonl";

std::string lines_of(const LostMessages::Report& report) {
  std::string lines;
  if (report.unknown_before > 0) {
    lines += fmt::format("{{\"unknown_before\":{}}}\n", report.unknown_before);
  }
  for (const auto& [sequence, named] : report.named) {
    lines += '{';
    append_member("sequence", sequence, lines);
    append_member("id", named.id, lines);
    append_member("client", named.client, lines);
    if (!named.ref.empty()) append_member("ref", named.ref, lines);
    append_member("state", is_final(named.state) ? name_of(named.state) : "lost", lines);
    lines += "}\n";
  }
  for (const LostMessages::Range& range : report.unnamed) {
    lines += fmt::format("{{\"from_sequence\":{},\"to_sequence\":{}}}\n", range.from, range.to);
  }
  lines += fmt::format("{{\"named\":{},\"live\":{},\"unnamed_at_most\":{},\"done\":true}}\n",
                       report.named.size(), report.live, report.unnamed_at_most);
  return lines;
}

// Nothing where it is no accepted record, or does not decode.
std::optional<std::uint64_t> accepted_sequence(const queue::Record& record) {
  if (static_cast<RecordKind>(record.kind) != RecordKind::accepted) return std::nullopt;
  const auto accepted = decode_accepted(record.payload);
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  return subject ? std::optional(subject->id.sequence()) : std::nullopt;
}

}  // namespace

void LostMessages::visit_carried(const queue::Record& record) {
  if (const auto sequence = accepted_sequence(record)) note_accepted(*sequence);
}

void LostMessages::visit(const queue::Record& record) {
  const auto kind = static_cast<RecordKind>(record.kind);
  if (kind == RecordKind::totals) {
    const auto totals = decode_totals(record.payload);
    if (!totals) return;
    if (first_ == 0) {
      first_ = totals->sequence_next;
      begins_with_totals_ = true;
    }
    next_ = std::max(next_, totals->sequence_next);
  } else if (kind == RecordKind::accepted) {
    const auto sequence = accepted_sequence(record);
    if (!sequence) return;
    if (first_ == 0) first_ = *sequence;
    note_accepted(*sequence);
  } else if (kind == RecordKind::intent) {
    if (const auto intent = decode_intent(record.payload)) {
      for (const std::uint64_t sequence : intent->sequences) note_given(sequence);
    }
  } else if (carriage_of(record.kind) == Carriage::follows) {
    FieldReader in(record.payload);
    const Following of = decode_following(in);
    if (in.is_good()) name(of.subject, of.state);
  }
}

void LostMessages::visit_checkpoint(const queue::Record& record) {
  has_checkpoint_ = true;
  if (static_cast<RecordKind>(record.kind) != RecordKind::accepted) return;
  const auto accepted = decode_accepted(record.payload);
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  if (!subject) return;
  const std::uint64_t sequence = subject->id.sequence();
  State state = State::none;
  if (has_lost_carried_ && sequence < first_ && !accepted_.contains(sequence)) {
    lost_of_carried_.insert(sequence);
    if (const auto ended = ended_.find(sequence); ended != ended_.end()) state = ended->second;
  }
  name(accepted->subject, state);
}

void LostMessages::name(std::span<const std::uint8_t> octets, State state) {
  const auto subject = decode_subject(octets);
  if (!subject) return;
  const std::uint64_t sequence = subject->id.sequence();
  note_given(sequence);
  if (sequence < first_ && is_final(state)) ended_[sequence] = state;
  if (!is_missing(sequence)) return;
  auto known = named_.find(sequence);
  if (known == named_.end()) {
    if (named_.size() >= kNamedMax) return;
    const auto text = subject->id.text();
    known = named_
                .emplace(sequence, Named{.id = std::string(text.data(), text.size()),
                                         .client = std::string(subject->client),
                                         .ref = std::string(subject->ref)})
                .first;
  }
  if (is_final(state)) known->second.state = state;
}

void LostMessages::note_given(std::uint64_t sequence) {
  if (sequence < kSequenceMax) next_ = std::max(next_, sequence + 1);
}

void LostMessages::note_accepted(std::uint64_t sequence) {
  note_given(sequence);
  accepted_.insert(sequence);
}

bool LostMessages::is_missing(std::uint64_t sequence) const {
  if (sequence < first_) return lost_of_carried_.contains(sequence);
  return !accepted_.contains(sequence);
}

LostMessages::Report LostMessages::report() const {
  Report report;
  report.named = named_;
  // What was named before its accepted record was met, or lies before the first file.
  std::erase_if(report.named, [this](const auto& named) { return !is_missing(named.first); });
  report.live = static_cast<std::uint64_t>(std::ranges::count_if(
      report.named, [](const auto& named) { return !is_final(named.second.state); }));
  if (!begins_with_totals_ || (has_lost_carried_ && !has_checkpoint_)) {
    report.unknown_before = first_;
  }
  for (std::uint64_t sequence = std::max<std::uint64_t>(1, first_); sequence < next_; ++sequence) {
    if (!is_missing(sequence) || report.named.contains(sequence)) continue;
    ++report.unnamed_at_most;
    if (!report.unnamed.empty() && report.unnamed.back().to + 1 == sequence) {
      report.unnamed.back().to = sequence;
    } else if (report.unnamed.size() < kRangesMax) {
      report.unnamed.push_back({.from = sequence, .to = sequence});
    }
  }
  return report;
}

queue::result<std::string> write_lost(queue::FileSystem& files,
                                      const std::filesystem::path& journal,
                                      const LostMessages::Report& report) {
  const auto folder = journal / "quarantine";
  const auto names = files.list(folder);
  if (!names) return std::unexpected(names.error());
  std::string name;
  for (int number = 1; name.empty() || std::ranges::find(*names, name) != names->end(); ++number) {
    name = fmt::format("{}{:08}{}", kPrefix, number, kSuffix);
  }
  auto file = files.open(folder / name, queue::FileSystem::Mode::create);
  if (!file) return std::unexpected(file.error());
  const std::string lines = lines_of(report);
  queue::result<void> done =
      (*file)->write(0, {reinterpret_cast<const std::uint8_t*>(lines.data()), lines.size()});
  if (done) done = (*file)->sync();
  if (done) done = files.sync_directory(folder);
  if (!done) return std::unexpected(done.error());
  return "quarantine/" + name;
}

}  // namespace stentor::daemon
