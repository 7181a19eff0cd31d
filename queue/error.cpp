#include "queue/error.h"

#include <string>

namespace stentor::queue {
namespace {

class JournalCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "stentor.journal"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<JournalError>(value)) {
      case JournalError::not_a_journal: return "not a journal file";
      case JournalError::newer_version: return "written by a newer format";
      case JournalError::damaged: return "damaged under the durable watermark";
      case JournalError::locked: return "another process uses this journal";
      case JournalError::too_large: return "record or batch too large for the journal";
      case JournalError::poisoned: return "an earlier write or sync failed";
      case JournalError::disk_full: return "no disk space for the journal";
      case JournalError::numbers_used_up:
        return "no file number is left; go on in an empty state directory";
      case JournalError::no_such_record: return "no such record";
    }
    return "unknown journal error";
  }
  [[nodiscard]] bool equivalent(int value,
                                const std::error_condition& condition) const noexcept override {
    if (static_cast<JournalError>(value) == JournalError::disk_full &&
        condition == std::errc::no_space_on_device) {
      return true;
    }
    return default_error_condition(value) == condition;
  }
};

}  // namespace

std::error_code make_error_code(JournalError error) noexcept {
  static const JournalCategory category;
  return {static_cast<int>(error), category};
}

}  // namespace stentor::queue
