// Who wants no more messages, as admission asks it, and carriers before a message that waited goes;
// what changed since the list was last saved.
//
// The records in the journal are the truth; the list is saved beside it now and then, so that
// retention may take them. Records that are replayed over a newer list change nothing: the last
// word on each number is in both or in the records.
//
// Units    Numbers and senders in kept form.
// Owns     The list, the lines of its audit trail not yet written, a pin on the journal's files.
// Errors   load() answers in words why there is no list: one that is damaged, or that a later
//          version wrote, ends the start, for who said STOP must not be forgotten silently.
// Threads  The ingress thread; load() and restore() before it starts; forbids_still() on any.
// Spec     docs/configuration.md, [opt_out]
#pragma once

#include <expected>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

#include "daemon/commit/commit_thread.h"
#include "daemon/config/config.h"
#include "daemon/optout/opt_out_filter.h"
#include "daemon/optout/opt_out_list.h"

namespace stentor::daemon {

/// A reply's wish, on its way from a carrier's thread to the list.
struct OptOutNotice {
  std::uint64_t time_ms = 0;
  bool is_out = true;
  MessageId inbound;
  std::string client;
  std::string carrier;
  std::string sender;  ///< whose messages; empty: all
  std::string word;
  std::string number;
  std::string to;  ///< the number of ours that it was said to

  [[nodiscard]] OptOutChange change() const;
};

class OptOuts {
 public:
  OptOuts(const Config& config, CommitThread& commit);

  [[nodiscard]] std::expected<void, std::string> load(queue::FileSystem& files);
  void restore(const OptOutChange& change, queue::Locator at);

  struct Asked {
    std::string_view to;
    std::string_view from;
    std::string_view campaign;
    std::string_view client;
    bool is_urgent = false;
  };
  /// True when this message must not go. No lock, no allocation that a hit does not need.
  [[nodiscard]] bool forbids(const Asked& asked) const;

  /// The same, of one that was accepted before. Any thread; no lock where its number never opted
  /// out.
  [[nodiscard]] bool forbids_still(const Asked& asked) const;

  /// A change that is written, or about to be: how many numbers were news.
  std::size_t apply(const OptOutChange& change);
  /// True when the entry is there and this client's.
  [[nodiscard]] bool owns(std::string_view number, std::string_view sender,
                          std::string_view client) const;
  [[nodiscard]] const OptOutList& list() const noexcept { return list_; }

  /// What a save needs: the trail so far and where it began. Nothing when nothing changed.
  struct Save {
    queue::Locator begun_at;
    std::string audit_lines;
  };
  [[nodiscard]] std::optional<Save> begin_save();
  /// It is durable: the journal's files before its beginning may go.
  void end_save(queue::Locator begun_at);
  /// It failed: the lines were not written.
  void give_back(Save save);

  [[nodiscard]] std::filesystem::path path() const { return folder_ / "list"; }
  [[nodiscard]] std::filesystem::path audit_path() const { return folder_ / "audit.jsonl"; }

 private:
  std::size_t change_list(const OptOutChange& change);
  void note_ever_out(std::string_view number);
  void note(const OptOutChange& change, std::uint32_t file);
  void append_audit(const OptOutChange& change);

  const Config& config_;
  CommitThread& commit_;
  FilePin& pin_;
  const std::filesystem::path folder_;
  OptOutList list_;
  OptOutFilter ever_out_;        // numbers that are on the list, or were
  mutable std::mutex changing_;  // the list, which the ingress thread alone reads without it
  queue::Locator loaded_at_;
  bool has_changed_ = false;
  std::string audit_lines_;
};

}  // namespace stentor::daemon
