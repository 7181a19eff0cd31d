#include "daemon/failpoints/failpoint_files.h"

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/failpoints/failpoint.h"
#include "queue/carried_excerpt.h"
#include "queue/journal_format.h"

namespace stentor::daemon {
namespace {

using queue::result;

std::atomic<bool> is_recovered{false};

bool ends_with_either(std::string_view name, std::string_view suffix) {
  return name.ends_with(suffix) || name.ends_with(std::string(suffix) + ".making");
}

std::string_view kind_of(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (path.parent_path().filename() == "quarantine") return "quarantine";
  if (queue::file_number(name) || queue::is_name_in_making(name)) {
    // Relaxed: only who recovers works on the journal before.
    return is_recovered.load(std::memory_order_relaxed) ? "journal" : "recovery";
  }
  if (name.starts_with("checkpoint-")) return "checkpoint";
  if (name.starts_with(queue::kCarriedPurpose) && ends_with_either(name, ".stx")) return "carried";
  if (ends_with_either(name, ".refs")) return "references";
  if (ends_with_either(name, ".index")) return "history";
  if (ends_with_either(name, ".names")) return "names";
  if (name.ends_with(".spill")) return "spill";
  return "";
}

thread_local std::string_view touched_last;

void pass(std::string_view kind, std::string_view step) {
  touched_last = kind;
  pass_file_failpoint(kind, step);
}

class WatchedFile final : public queue::File {
 public:
  WatchedFile(std::unique_ptr<queue::File> file, std::string_view kind)
      : file_(std::move(file)), kind_(kind) {}

  result<void> write_durable(std::uint64_t offset,
                             std::span<const std::span<const std::uint8_t>> pieces) override {
    pass(kind_, "commit.before");
    // Both leave what a power cut or a kill may leave; they cost a copy, and only where armed.
    std::vector<std::uint8_t> whole;
    for (const auto piece : pieces) whole.insert(whole.end(), piece.begin(), piece.end());
    if (auto half = file_->write(offset, std::span(whole).first(whole.size() / 2)); !half) {
      return half;
    }
    pass(kind_, "commit.half");
    if (auto all = file_->write(offset, whole); !all) return all;
    pass(kind_, "commit.unsynced");
    return then(file_->write_durable(offset, pieces), "commit.after");
  }
  result<void> write(std::uint64_t offset, std::span<const std::uint8_t> octets) override {
    return then(file_->write(offset, octets), "write.after");
  }
  result<std::size_t> read(std::uint64_t offset, std::span<std::uint8_t> octets) override {
    return file_->read(offset, octets);
  }
  result<void> allocate(std::uint64_t octets) override { return file_->allocate(octets); }
  result<void> truncate(std::uint64_t octets) override {
    return then(file_->truncate(octets), "truncate.after");
  }
  result<void> sync() override { return then(file_->sync(), "sync.after"); }
  result<std::uint64_t> size() override { return file_->size(); }

 private:
  result<void> then(result<void> done, std::string_view step) const {
    if (done) pass(kind_, step);
    return done;
  }

  std::unique_ptr<queue::File> file_;
  const std::string_view kind_;
};

class WatchedFileSystem final : public queue::FileSystem {
 public:
  explicit WatchedFileSystem(std::unique_ptr<queue::FileSystem> files) : files_(std::move(files)) {}

  result<std::unique_ptr<queue::File>> open(const Path& path, Mode mode) override {
    auto opened = files_->open(path, mode);
    if (!opened) return opened;
    const std::string_view kind = kind_of(path);
    if (mode == Mode::create) pass(kind, "create.after");
    return std::make_unique<WatchedFile>(std::move(*opened), kind);
  }
  result<void> rename(const Path& from, const Path& to) override {
    const std::string_view kind = kind_of(to);
    pass(kind, "rename.before");
    auto done = files_->rename(from, to);
    if (done) pass(kind, "rename.after");
    return done;
  }
  result<void> remove(const Path& path) override {
    const std::string_view kind = kind_of(path);
    pass(kind, "remove.before");
    auto done = files_->remove(path);
    if (done) pass(kind, "remove.after");
    return done;
  }
  result<void> make_directory(const Path& path) override { return files_->make_directory(path); }
  result<void> sync_directory(const Path& path) override {
    auto done = files_->sync_directory(path);
    if (done) pass(touched_last, "sync_directory.after");
    return done;
  }
  result<std::vector<std::string>> list(const Path& directory) override {
    return files_->list(directory);
  }
  result<std::uint64_t> free_octets(const Path& directory) override {
    return files_->free_octets(directory);
  }
  result<std::unique_ptr<queue::File>> lock(const Path& directory) override {
    return files_->lock(directory);
  }

 private:
  std::unique_ptr<queue::FileSystem> files_;
};

}  // namespace

std::unique_ptr<queue::FileSystem> with_failpoints(std::unique_ptr<queue::FileSystem> files) {
  if (!is_file_failpoint_armed()) return files;
  return std::make_unique<WatchedFileSystem>(std::move(files));
}

void failpoints_recovered() noexcept {
  is_recovered.store(true, std::memory_order_relaxed);  // see kind_of()
}

}  // namespace stentor::daemon
