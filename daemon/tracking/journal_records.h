// Accepted records out of the journal, for who tracks their messages.
//
// Owns     Nothing; views the reader's memory.
// Errors   What cannot be read or decoded is nullopt: its file is gone, or the disk is bad.
// Threads  The reader's.
#pragma once

#include <optional>
#include <span>
#include <system_error>

#include "daemon/tracking/tracker.h"
#include "queue/journal_reader.h"

namespace stentor::daemon {

class JournalRecords final : public AcceptedRecords {
 public:
  explicit JournalRecords(queue::JournalReader& reader) : reader_(reader) {}
  [[nodiscard]] std::optional<Accepted> read(queue::Locator at) override {
    const auto record = reader_.read_known(at);
    why_not_ = record ? std::error_code() : record.error();
    return record ? decode_accepted(record->payload) : std::nullopt;
  }
  // In a file that is there, a record that is no more is damage. One that was carried out of its
  // file is no more when no excerpt has it; an excerpt that cannot be read is another error.
  [[nodiscard]] bool is_gone(queue::Locator at) override {
    if (why_not_ != queue::JournalError::no_such_record) return false;
    const auto oldest = reader_.oldest();
    return oldest && at.file() < oldest->file();
  }
  [[nodiscard]] std::optional<std::span<const std::uint8_t>> read_subject(
      queue::Locator at) override {
    const auto record = reader_.read_known(at);
    why_not_ = record ? std::error_code() : record.error();
    if (!record) return std::nullopt;
    FieldReader in(record->payload);
    const Following of = decode_following(in);
    if (!in.is_good() || of.subject.empty()) return std::nullopt;
    return of.subject;
  }

 private:
  queue::JournalReader& reader_;
  std::error_code why_not_;  // the last could not be read: a bad disk is not asked twice
};

}  // namespace stentor::daemon
