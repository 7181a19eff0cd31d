// Which messages salvaging has cost: those whose accepted record was set aside, as far as they can
// be known.
//
// Shown every record that is left, it learns which accept sequences are missing; whoever a later
// record or a checkpoint speaks of is named by id and reference, the rest by ranges of sequences.
//
// Owns     A bit for each message that was accepted in the files there are; 16 octets or more for
//          each one accepted before them that became final in them; some 200 octets for each one
//          named, at most kNamedMax of them: what is beyond is told by ranges.
// Errors   errno from writing the list.
// Threads  Runs alone, while the journal is recovered.
// Spec     docs/journal.md, "Recovery"
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "daemon/records/records.h"
#include "daemon/recovery/sequence_set.h"
#include "queue/error.h"
#include "queue/file_system.h"
#include "queue/record_batch.h"

namespace stentor::daemon {

class LostMessages {
 public:
  /// A week of a large sender's mistakes; more than that nobody reads line by line.
  static constexpr std::size_t kNamedMax = 100'000;
  static constexpr std::size_t kRangesMax = 100'000;

  /// Before the journal: every record that is left of the carried excerpt.
  void visit_carried(const queue::Record& record);
  /// Something of the carried excerpt was lost: what a checkpoint has of it, and what was not
  /// shown.
  void expect_carried_lost() noexcept { has_lost_carried_ = true; }
  /// Every record of the journal that is left, in order.
  void visit(const queue::Record& record);
  /// Then every record of a checkpoint that was good before.
  void visit_checkpoint(const queue::Record& record);

  struct Named {
    std::string id;
    std::string client;
    std::string ref;
    State state = State::none;  ///< final: only its text and its beginning are lost
  };
  struct Range {
    std::uint64_t from = 0;
    std::uint64_t to = 0;  ///< the last one
  };
  struct Report {
    std::map<std::uint64_t, Named> named;  ///< by sequence
    std::vector<Range> unnamed;  ///< sequences that nothing speaks of; not all need have been given
    std::uint64_t live = 0;      ///< of the named: not known to be final
    std::uint64_t unnamed_at_most = 0;
    /// What was accepted before is not known: the first file's head is gone too, or the carried
    /// excerpt with no checkpoint to tell what it held.
    std::uint64_t unknown_before = 0;
  };
  [[nodiscard]] Report report() const;
  /// Behind every sequence that was ever given, as far as is known.
  [[nodiscard]] std::uint64_t sequence_next() const noexcept { return next_; }

 private:
  void name(std::span<const std::uint8_t> subject, State state);
  void note_given(std::uint64_t sequence);
  void note_accepted(std::uint64_t sequence);
  [[nodiscard]] bool is_missing(std::uint64_t sequence) const;

  SequenceSet accepted_;
  std::map<std::uint64_t, Named> named_;
  boost::unordered_flat_map<std::uint64_t, State> ended_;     // of those before first_
  boost::unordered_flat_set<std::uint64_t> lost_of_carried_;  // likewise
  bool has_lost_carried_ = false;
  bool has_checkpoint_ = false;
  std::uint64_t first_ = 0;  // sequences before it were accepted in files that are gone; 0: unknown
  std::uint64_t next_ = 1;
  bool begins_with_totals_ = false;
};

/// Writes the list, a JSON object a line, to `quarantine/lost-NNNNNNNN.jsonl` in the journal's
/// directory; answers that name.
[[nodiscard]] queue::result<std::string> write_lost(queue::FileSystem& files,
                                                    const std::filesystem::path& journal,
                                                    const LostMessages::Report& report);

}  // namespace stentor::daemon
