// Reads records of a journal that is being written: one by its place, also where its file is gone
// and it was carried out of it; or onward from a place, where it passes over what salvaging has set
// aside.
//
// Units    Octets.
// Owns     A bounded cache of blocks (checked once, when read), and of batches just committed; the
//          carried excerpt, once it was asked for (carried_excerpt.h).
// Errors   no_such_record, or errno from the file system.
// Threads  One thread owns a reader; any number of readers beside the one writer. A reader never
//          looks beyond the durable end it is given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "queue/error.h"
#include "queue/file_system.h"
#include "queue/locator.h"
#include "queue/record_batch.h"

namespace stentor::queue {

struct ReaderOptions {
  std::size_t recent_octets_max = 16u
                                  << 20;     ///< batches kept from memory: about 30 ms at full rate
  std::size_t blocks_octets_max = 8u << 20;  ///< blocks read back from disk
};

class JournalReader {
 public:
  JournalReader(FileSystem& files, std::filesystem::path directory, ReaderOptions options);
  ~JournalReader();
  JournalReader(const JournalReader&) = delete;
  JournalReader& operator=(const JournalReader&) = delete;

  /// Keeps a durable batch for read(); the oldest goes first when the bound is reached. Batches
  /// come in journal order.
  void remember(std::shared_ptr<const RecordBatch> batch);

  /// The record at `place`; no_such_record where none begins. (In a batch just committed only the
  /// bounds are checked: places there come from the batch itself.) Its payload stays valid until
  /// the next call on this reader.
  [[nodiscard]] result<Record> read(Locator place);

  /// As read(), for a place that is known to be a record's, out of a ticket or an index of ours: of
  /// a block that this reader has verified before and let go since, only the record is read.
  [[nodiscard]] result<Record> read_known(Locator place);

  /// The first record at or behind `position` and before `end`, skipping to the next block or file
  /// where needed; moves `position` behind it. Nothing when `end` is reached. A position in a file
  /// that is gone starts at the oldest file there is. Blocks that do not verify are passed over and
  /// counted, and so is each place where a block or a file does not follow the one before it: there
  /// some are lost. Payload valid until the next call.
  [[nodiscard]] result<std::optional<Record>> next(Locator& position, Locator end);

  /// The first record place of the oldest file on disk; nowhere when there is none.
  [[nodiscard]] result<Locator> oldest();

  /// Closes files before `file`, and an excerpt that ends before it: an open one keeps its space
  /// though its name is gone.
  void forget_before(std::uint32_t file);

  struct Stats {
    std::uint64_t from_memory = 0;
    std::uint64_t blocks_read = 0;
    std::uint64_t read_alone = 0;  ///< records of blocks verified before
    std::uint64_t carried = 0;     ///< records of files that are gone
    std::uint64_t blocks_bad = 0;  ///< or lost: passed over by next(), at least so many
  };
  [[nodiscard]] Stats stats() const noexcept;
  /// Of what next() has passed over, bad, lost or set aside: it grows with each stretch, so that
  /// who reads on can tell whether all of the journal lies between two records.
  [[nodiscard]] std::uint64_t passed_over() const noexcept;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace stentor::queue
