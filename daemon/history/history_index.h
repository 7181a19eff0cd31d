// Where the journal speaks of a message: by its sequence, its reference, its number, or the id that
// a carrier gave one of its segments.
//
// Follows the journal record by record. When a journal file is sealed, what was gathered of it is
// sorted and written beside the journal; of the file that is being written it lies in memory, 16
// octets for each message that a record speaks of and for each name. An index that is missing or
// does not verify is made again from its journal file.
//
// Records that were carried out of files which are gone have an index file of their own.
//
// Units    Records; places are locators.
// Owns     Its reader, the open index files, and what it gathered of the journal files behind them;
//          while a carried excerpt is taken in, a million entries of it.
// Errors   What cannot be written, on a full disk say, stays in memory and is tried again; where
//          kGatheredMax files of it lie there, it follows no further until one could be.
// Threads  One thread.
// Spec     docs/journal.md, "The index for histories"
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/history/index_file.h"
#include "daemon/history/name_runs.h"
#include "daemon/newer_file.h"
#include "queue/excerpt_reader.h"
#include "queue/journal_reader.h"

namespace stentor::daemon {

class HistoryIndex {
 public:
  HistoryIndex(queue::FileSystem& files, std::filesystem::path journal,
               std::filesystem::path folder);

  /// Takes in up to `records_max` more records before `end`; true when there are no more, or none
  /// that it can take.
  [[nodiscard]] bool catch_up(queue::Locator end, std::size_t records_max);
  /// Writes what could not be written before: for when there is nothing else to do.
  void seal();
  /// Brings names together, some at a time, so that a question about one costs few reads; false
  /// when there is nothing to bring together.
  bool merge_some(std::size_t names_max) { return runs_.merge_some(sealed_, names_max); }
  /// Takes in the carried excerpt before `before`, which replaces any other; 0: there is none. Call
  /// it before forget_before(), so that nothing is out of sight in between. False when it cannot be
  /// read, or its index not be written: that costs reading all of it each time.
  [[nodiscard]] bool take_carried(std::uint32_t before);
  /// Forgets what lies in journal files before `oldest`.
  void forget_before(std::uint32_t oldest);

  /// Places of records that speak of the message, in order.
  [[nodiscard]] std::vector<queue::Locator> find_sequence(std::uint64_t sequence);
  /// Tells places of records that may have the name, the newest first, until `is_enough` says so:
  /// each table costs a read, and what people ask about is mostly young.
  void visit_name(std::uint64_t key, const std::function<bool(queue::Locator)>& is_enough);
  /// The first `max` of them.
  [[nodiscard]] std::vector<queue::Locator> find_name(std::uint64_t key, std::size_t max);

  [[nodiscard]] queue::JournalReader& reader() noexcept { return reader_; }
  [[nodiscard]] std::size_t files() const noexcept { return sealed_.size(); }
  /// The first index that a later version wrote: it and those behind it are made again.
  [[nodiscard]] const std::optional<NewerFile>& met_newer() const noexcept { return newer_; }

  /// A journal file of 128 MiB gives some 30 MiB of entries: the one that is written, and three
  /// that a disk without room has left behind.
  static constexpr std::size_t kGatheredMax = 4;

 private:
  struct Gathered {
    std::vector<IndexEntry> sequences;
    std::vector<IndexEntry> names;
  };

  [[nodiscard]] std::filesystem::path path_of(std::uint32_t file) const;
  [[nodiscard]] std::uint64_t epoch_of(std::uint32_t file);
  [[nodiscard]] std::string carried_name(std::uint32_t before, std::size_t part,
                                         bool is_last) const;
  [[nodiscard]] std::optional<std::vector<IndexFile>> open_carried(std::uint32_t before,
                                                                   std::uint64_t epoch);
  [[nodiscard]] bool index_carried(std::uint32_t before, queue::ExcerptReader& excerpt,
                                   std::uint64_t epoch);
  void remove_carried_but(std::uint32_t kept);
  void drop_indexed(std::vector<std::uint64_t>& places) const;
  void open_what_is_there();
  [[nodiscard]] bool seal(std::uint32_t file, Gathered& gathered);

  queue::FileSystem& files_;
  const std::filesystem::path journal_;
  const std::filesystem::path folder_;
  queue::JournalReader reader_;
  SealedIndexes sealed_;
  NameRuns runs_;
  std::map<std::uint32_t, Gathered> gathered_;  // of journal files behind the sealed ones
  std::optional<NewerFile> newer_;
  std::vector<IndexFile> carried_;
  std::uint32_t carried_before_ = 0;
  bool knows_carried_ = false;
  queue::Locator position_;
};

}  // namespace stentor::daemon
