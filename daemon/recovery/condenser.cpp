#include "daemon/recovery/condenser.h"

#include <algorithm>

namespace stentor::daemon {
namespace {

bool is(RecordKind kind, const queue::Record& record) {
  return record.kind == static_cast<std::uint8_t>(kind);
}

}  // namespace

void encode(std::uint32_t file, const FileUse& use, FieldWriter& out) {
  out.u32(file);
  out.u64(use.last_ms);
  out.u64(use.octets);
  out.u64(use.first_sequence);
  out.u8(use.has_totals ? 1 : 0);
}

std::optional<std::pair<std::uint32_t, FileUse>> decode_file_use(
    std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  const std::uint32_t file = in.u32();
  FileUse use;
  use.last_ms = in.u64();
  use.octets = in.u64();
  use.first_sequence = in.u64();
  use.has_totals = in.u8() != 0;
  if (!in.is_good()) return std::nullopt;
  return std::pair(file, use);
}

void encode(const KeptReference& reference, FieldWriter& out) {
  out.u64(reference.time_ms);
  out.text(reference.client);
  out.text(reference.ref);
}

std::optional<KeptReference> decode_reference(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  KeptReference reference;
  reference.time_ms = in.u64();
  reference.client = in.text();
  reference.ref = in.text();
  if (!in.is_good()) return std::nullopt;
  return reference;
}

std::optional<queue::Locator> decode_references_from(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  const queue::Locator from(in.u64());
  if (!in.is_good()) return std::nullopt;
  return from;
}

void note_record(const queue::Record& record, FileUse& use) {
  use.octets += record.payload.size();
  if (static_cast<RecordKind>(record.kind) == RecordKind::totals) {
    if (const auto totals = decode_totals(record.payload)) {
      use.first_sequence = totals->sequence_next;
      use.has_totals = true;
    }
    return;
  }
  const Carriage carriage = carriage_of(record.kind);
  if (carriage == Carriage::recent) {
    if (const auto written = time_of(record); written != UINT64_MAX) {
      use.last_ms = std::max(use.last_ms, written);
    }
    return;
  }
  if (carriage != Carriage::message && carriage != Carriage::follows) return;
  const auto about = about_message(record, carriage);
  if (!about) return;
  use.last_ms = std::max(use.last_ms, about->time_ms);
  if (carriage == Carriage::message && use.first_sequence == 0)
    use.first_sequence = about->sequence;
}

void Condenser::survey(const queue::Record& record) {
  note_record(record, files_[record.at.file()]);
  const Carriage carriage = carriage_of(record.kind);
  if (carriage == Carriage::follows) {
    const auto about = about_message(record, carriage);
    if (about && about->is_final) finals_.insert(about->sequence);
    if (about) note_unknown(*about, record.at);
  } else if (carriage == Carriage::latest) {
    latest_[key_of(record)] = record.at;
  }
  if (is(RecordKind::orphan, record)) orphans_.note_orphan(record);
  if (is(RecordKind::receipt, record)) orphans_.note_receipt(record);
}

void Condenser::survey_previous(const queue::Record& record) {
  if (is(RecordKind::orphan, record)) orphans_.note_orphan(record);
  const Carriage carriage = carriage_of(record.kind);
  if (carriage != Carriage::follows) return;
  if (const auto about = about_message(record, carriage)) note_unknown(*about, record.at);
}

void Condenser::note_unknown(const AboutMessage& about, queue::Locator told_at) {
  if (!about.is_unknown || about.accepted.file() >= oldest_) return;
  if (told_at.file() >= oldest_) {
    told_unknown_.insert(about.sequence);
  } else if (has_carried_) {
    gone_unknown_.insert(about.sequence);
  }
}

queue::result<void> Condenser::carry(const queue::Record& record, const Sink& sink) {
  if (record.kind == static_cast<std::uint8_t>(CheckpointKind::file_use)) {
    if (const auto use = decode_file_use(record.payload)) files_.insert(*use);
    return {};
  }
  if (record.kind == static_cast<std::uint8_t>(CheckpointKind::references_from)) {
    const auto from = decode_references_from(record.payload);
    if (from) references_from_ = std::max(references_from_, *from);
    return {};
  }
  if (record.kind == static_cast<std::uint8_t>(CheckpointKind::reference)) {
    const auto reference = decode_reference(record.payload);
    if (!reference || reference->time_ms + guard_ms_ < now_ms_) return {};
    if (record.at.file() < oldest_) return {};  // nothing is left to verify a hit on
    if (record.at < references_from_) return {};
    return pass_on(record, sink);
  }
  const Carriage carriage = carriage_of(record.kind);
  switch (carriage) {
    case Carriage::dropped: return {};
    case Carriage::message: return carry_accepted(record, sink);
    case Carriage::follows: {
      const auto about = about_message(record, carriage);
      if (about && !live_.contains(about->sequence)) return {};
      return pass_on(record, sink);
    }
    case Carriage::sequences: return carry_sequences(record, sink);
    case Carriage::latest: {
      const auto newest = latest_.find(key_of(record));
      if (newest != latest_.end() && newest->second != record.at) return {};
      return pass_on(record, sink);
    }
    case Carriage::recent:
      if (is(RecordKind::orphan, record)) {
        return orphans_.contains(record) ? pass_on(record, sink) : queue::result<void>{};
      }
      if (const std::uint64_t written = time_of(record);
          written < now_ms_ && now_ms_ - written > kRecentMs) {
        return {};
      }
      return pass_on(record, sink);
    case Carriage::kept: return pass_on(record, sink);
  }
  return pass_on(record, sink);
}

queue::result<void> Condenser::carry_accepted(const queue::Record& record, const Sink& sink) {
  const bool is_gone = record.at.file() < oldest_;
  const auto about = about_message(record, Carriage::message);
  if (is_gone && !about && !has_carried_) return {};
  if (about) {
    const bool may_be_corrected = told_unknown_.contains(about->sequence);
    if (is_gone && !has_carried_ && !may_be_corrected) return {};
    const bool is_over = gone_unknown_.contains(about->sequence) && !may_be_corrected;
    if (is_gone && (finals_.contains(about->sequence) || is_over)) return {};
    if (finals_.contains(about->sequence)) return carry_reference(record, sink);
    live_.insert(about->sequence);
  }
  auto accepted = decode_accepted(record.payload);
  if (!accepted || (accepted->text.empty() && accepted->udh.empty())) return pass_on(record, sink);
  accepted->text = {};
  accepted->udh = {};
  fields_.clear();
  encode(*accepted, fields_);
  return pass_on({.kind = record.kind, .payload = fields_.octets(), .at = record.at}, sink);
}

// Of a message that is final its reference stays: the same one may still come again.
queue::result<void> Condenser::carry_reference(const queue::Record& record, const Sink& sink) {
  if (record.at < references_from_) return {};
  const auto accepted = decode_accepted(record.payload);
  if (!accepted || !accepted->owns_ref) return {};
  const auto subject = decode_subject(accepted->subject);
  if (!subject || subject->id.time_ms() + guard_ms_ < now_ms_) return {};
  fields_.clear();
  encode(
      KeptReference{
          .time_ms = subject->id.time_ms(), .client = subject->client, .ref = subject->ref},
      fields_);
  const auto kind = static_cast<std::uint8_t>(CheckpointKind::reference);
  return pass_on({.kind = kind, .payload = fields_.octets(), .at = record.at}, sink);
}

queue::result<void> Condenser::carry_sequences(const queue::Record& record, const Sink& sink) {
  const auto left = encode_kept(
      record, [this](std::uint64_t sequence) { return live_.contains(sequence); }, fields_);
  if (!left) return pass_on(record, sink);
  if (*left == 0) return {};
  return pass_on({.kind = record.kind, .payload = fields_.octets(), .at = record.at}, sink);
}

queue::result<void> Condenser::pass_on(const queue::Record& record, const Sink& sink) {
  last_ = record.at;
  return sink(record);
}

queue::result<void> Condenser::end(const Sink& sink) {
  if (!references_from_.is_nowhere()) {
    fields_.clear();
    fields_.u64(references_from_.bits());
    const auto kind = static_cast<std::uint8_t>(CheckpointKind::references_from);
    if (auto passed = pass_on({.kind = kind, .payload = fields_.octets(), .at = last_}, sink);
        !passed) {
      return passed;
    }
  }
  for (const auto& [number, use] : files_) {
    if (number < oldest_) continue;
    fields_.clear();
    encode(number, use, fields_);
    const auto kind = static_cast<std::uint8_t>(CheckpointKind::file_use);
    if (auto passed = pass_on({.kind = kind, .payload = fields_.octets(), .at = last_}, sink);
        !passed) {
      return passed;
    }
  }
  return {};
}

}  // namespace stentor::daemon
