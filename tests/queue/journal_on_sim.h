// A journal on a simulated disk, for tests that write, spoil and recover it.
//
// Owns     The disk; the directory is kJournal.
// Threads  One; files are prepared on the caller's thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "queue/journal_recovery.h"
#include "queue/journal_writer.h"
#include "tests/queue/sim_file_system.h"

namespace stentor::queue::test {

using Octets = std::vector<std::uint8_t>;

inline constexpr std::string_view kJournal = "/journal";
inline constexpr std::uint8_t kKind = 7;

inline Octets octets_of(std::string_view text) {
  return {text.begin(), text.end()};
}
inline std::string text_of(std::span<const std::uint8_t> octets) {
  return {octets.begin(), octets.end()};
}

struct Visited {
  std::vector<std::string> texts;
  std::vector<Locator> places;
};

struct JournalOnSim {
  SimFileSystem files{1};
  std::uint64_t first_word = 100;
  std::uint32_t file_octets = 1u << 16;
  std::uint64_t free_octets_min = 0;
  Visited visited;

  std::expected<Recovered, RecoveryFault> recover(RecoveryOptions options = {}) {
    visited = {};
    return queue::recover(files, kJournal, options, [this](const Record& record) {
      visited.texts.push_back(text_of(record.payload));
      visited.places.push_back(record.at);
    });
  }

  result<std::unique_ptr<JournalWriter>> start(JournalEnd end = {}) {
    return JournalWriter::start(files,
                                {.directory = kJournal,
                                 .file_octets = file_octets,
                                 .free_octets_min = free_octets_min,
                                 .prepares_in_background = false,
                                 .make_epoch = [this] { return ++epochs; }},
                                end, [this] {
                                  JournalWriter::Preamble preamble;
                                  preamble.first_word = first_word++;
                                  return preamble;
                                });
  }

  /// Recovers and starts; for tests whose subject is neither.
  std::unique_ptr<JournalWriter> open() {
    auto recovered = recover();
    if (!recovered) throw std::runtime_error(recovered.error().detail);
    lock = std::move(recovered->lock);
    auto writer = start(recovered->end);
    if (!writer) throw std::runtime_error(writer.error().message());
    return std::move(*writer);
  }

  /// Ends this process's life; the machine goes on.
  void restart() {
    lock.reset();
    files.restart();
  }

  std::filesystem::path path(std::uint32_t number) const {
    return std::filesystem::path(kJournal) / ("journal-0000000" + std::to_string(number) + ".stj");
  }

  std::filesystem::path path_in(std::string_view name) const {
    return std::filesystem::path(kJournal) / name;
  }

  std::unique_ptr<File> lock;
  std::uint64_t epochs = 0;
};

/// Commits one record by itself and says where it lies.
inline result<Locator> commit_one(JournalWriter& writer, std::string_view text) {
  RecordBatch batch;
  const std::uint32_t offset = batch.add(kKind, octets_of(text));
  RecordBatch* const batches[] = {&batch};
  if (const auto committed = writer.commit(batches); !committed) {
    return std::unexpected(committed.error());
  }
  return batch.at(offset);
}

}  // namespace stentor::queue::test
