// Chooses from the journal the records that recovery still needs: a checkpoint is the journal
// without what no longer matters, its records in their old order and under their old places.
//
// Two passes over a stretch of journal: survey() learns which messages became final in it and what
// is the newest of its key; then carry() is shown the previous checkpoint's records and the
// stretch's, in order, and passes on what stays. A message without its text: that lies where it
// lay.
//
// Units    Milliseconds of Unix time.
// Owns     The sequences of messages that became final in the stretch, 8 octets each and what an
//          open table leaves empty (a stretch of 256 MiB ends some 1.5 million); a bit for each
//          message that lives, neighbours together; which orphans are kept; the use of files.
// Errors   None: what does not decode is passed on as it is.
// Threads  One thread.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>

#include "daemon/commit/commit_thread.h"
#include "daemon/recovery/carriage.h"
#include "daemon/recovery/kept_orphans.h"
#include "daemon/recovery/sequence_set.h"
#include "queue/error.h"
#include "queue/record_batch.h"

namespace stentor::daemon {

/// Records of a checkpoint that never lie in the journal. Values are on disk.
enum class CheckpointKind : std::uint8_t {
  file_use = 40,  ///< what is known of a journal file before the checkpoint's end
  reference =
      41,  ///< a final message's reference, within the guard time; lies where `accepted` did
  references_from = 46  ///< those of final messages before this place lie in their own runs
};
struct KeptReference {
  std::uint64_t time_ms = 0;
  std::string_view client;
  std::string_view ref;
};
void encode(const KeptReference& reference, FieldWriter& out);
[[nodiscard]] std::optional<KeptReference> decode_reference(std::span<const std::uint8_t> payload);
[[nodiscard]] std::optional<queue::Locator> decode_references_from(
    std::span<const std::uint8_t> payload);
void encode(std::uint32_t file, const FileUse& use, FieldWriter& out);
[[nodiscard]] std::optional<std::pair<std::uint32_t, FileUse>> decode_file_use(
    std::span<const std::uint8_t> payload);

class Condenser {
 public:
  /// References are kept for `guard_ms` after their message was accepted, save those before
  /// `references_from`, which are on disk by themselves. Of what was accepted in files before
  /// `oldest`, which are gone, nothing is kept, since all of it is final, but what is `unknown` by
  /// a record that is still there; with a carried excerpt also what is neither.
  Condenser(std::uint64_t now_ms, std::uint64_t guard_ms, std::uint32_t oldest,
            queue::Locator references_from = {}, bool has_carried = false)
      : now_ms_(now_ms),
        guard_ms_(guard_ms),
        oldest_(oldest),
        has_carried_(has_carried),
        references_from_(references_from),
        orphans_(now_ms - std::min(now_ms, kRecentMs)) {}

  /// First of all: every record of the previous checkpoint, or of the carried excerpt.
  void survey_previous(const queue::Record& record);
  void survey(const queue::Record& record);

  using Sink = std::function<queue::result<void>(const queue::Record&)>;
  [[nodiscard]] queue::result<void> carry(const queue::Record& record, const Sink& sink);
  /// After the last carry(): what is known of the files.
  [[nodiscard]] queue::result<void> end(const Sink& sink);

 private:
  /// A receipt that matched nothing may be early, or wait for its id rule to be corrected; after
  /// three days recovery takes it for nobody's.
  static constexpr std::uint64_t kRecentMs = 3 * 86'400'000ull;

  [[nodiscard]] queue::result<void> carry_accepted(const queue::Record& record, const Sink& sink);
  [[nodiscard]] queue::result<void> carry_sequences(const queue::Record& record, const Sink& sink);
  [[nodiscard]] queue::result<void> pass_on(const queue::Record& record, const Sink& sink);
  void note_unknown(const AboutMessage& about, queue::Locator told_at);

  [[nodiscard]] queue::result<void> carry_reference(const queue::Record& record, const Sink& sink);

  const std::uint64_t now_ms_;
  const std::uint64_t guard_ms_;
  const std::uint32_t oldest_;
  const bool has_carried_;
  queue::Locator references_from_;  // of the last checkpoint, where that says more
  boost::unordered_flat_set<std::uint64_t> finals_;
  // `unknown` ones whose file is gone: by a record that is gone, too, or by one that is there.
  boost::unordered_flat_set<std::uint64_t> gone_unknown_;
  SequenceSet told_unknown_;
  SequenceSet live_;  // passed on so far
  std::unordered_map<std::string, queue::Locator> latest_;
  KeptOrphans orphans_;
  std::map<std::uint32_t, FileUse> files_;
  queue::Locator last_;
  FieldWriter fields_;
};

/// Notes what one record, wherever it lies, means for the use of its file: `live` is not counted.
void note_record(const queue::Record& record, FileUse& use);

}  // namespace stentor::daemon
