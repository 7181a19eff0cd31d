#include "tests/queue/sim_file_system.h"

#include <algorithm>
#include <cassert>
#include <cerrno>

namespace stentor::queue::test {
namespace {

constexpr std::size_t kSectorOctets = 512;

std::unexpected<std::error_code> failed(int error) {
  return std::unexpected(std::error_code(error, std::generic_category()));
}

}  // namespace

class SimFile final : public File {
 public:
  SimFile(SimFileSystem& files, SimFileSystem::InodePointer inode)
      : files_(files), inode_(std::move(inode)), life_(files.life_) {}
  ~SimFile() override {
    if (!locked_.empty() && life_ == files_.life_) files_.locks_.erase(locked_);
  }
  void hold_lock(std::string directory) { locked_ = std::move(directory); }

  result<void> write_durable(std::uint64_t offset,
                             std::span<const std::span<const std::uint8_t>> pieces) override {
    const std::lock_guard lock(files_.mutex_);
    if (!is_alive()) return failed(EIO);
    std::vector<std::uint8_t> octets;
    for (const auto piece : pieces) octets.insert(octets.end(), piece.begin(), piece.end());
    if (auto written = files_.write(*inode_, offset, octets); !written) return written;
    return files_.sync(*inode_);
  }
  result<void> write(std::uint64_t offset, std::span<const std::uint8_t> octets) override {
    const std::lock_guard lock(files_.mutex_);
    if (!is_alive()) return failed(EIO);
    return files_.write(*inode_, offset, octets);
  }
  result<std::size_t> read(std::uint64_t offset, std::span<std::uint8_t> octets) override {
    const std::lock_guard lock(files_.mutex_);
    if (!is_alive()) return failed(EIO);
    if (offset >= inode_->seen.size()) return 0;
    const std::size_t count = std::min(octets.size(), inode_->seen.size() - offset);
    std::copy_n(inode_->seen.begin() + static_cast<std::ptrdiff_t>(offset), count, octets.begin());
    return count;
  }
  result<void> allocate(std::uint64_t octets) override {
    const std::lock_guard lock(files_.mutex_);
    if (!is_alive()) return failed(EIO);
    if (const auto fault = files_.step()) {
      return failed(*fault == SimFileSystem::Fault::disk_full ? ENOSPC : EIO);
    }
    if (octets <= inode_->seen.size()) return {};
    if (files_.used() + (octets - inode_->seen.size()) > files_.capacity_) return failed(ENOSPC);
    inode_->seen.resize(octets);
    return {};
  }
  result<void> truncate(std::uint64_t octets) override {
    const std::lock_guard lock(files_.mutex_);
    if (!is_alive()) return failed(EIO);
    if (files_.step()) return failed(EIO);
    inode_->seen.resize(octets);
    return {};
  }
  result<void> sync() override {
    const std::lock_guard lock(files_.mutex_);
    if (!is_alive()) return failed(EIO);
    return files_.sync(*inode_);
  }
  result<std::uint64_t> size() override {
    const std::lock_guard lock(files_.mutex_);
    if (!is_alive()) return failed(EIO);
    return inode_->seen.size();
  }

 private:
  [[nodiscard]] bool is_alive() const { return !files_.is_dead_ && life_ == files_.life_; }

  SimFileSystem& files_;
  SimFileSystem::InodePointer inode_;
  const std::uint64_t life_;
  std::string locked_;
};

result<std::unique_ptr<File>> SimFileSystem::open(const Path& path, Mode mode) {
  const std::lock_guard lock(mutex_);
  if (is_dead_) return failed(EIO);
  Directory* directory = directory_of(path);
  if (directory == nullptr) return failed(ENOENT);
  const std::string name = path.filename();
  const auto found = directory->seen.find(name);
  if (mode == Mode::create) {
    if (found != directory->seen.end()) return failed(EEXIST);
    if (const auto fault = step()) return failed(*fault == Fault::disk_full ? ENOSPC : EIO);
    auto inode = std::make_shared<Inode>();
    directory->seen[name] = inode;
    directory->changes.push_back({Change::Kind::put, {}, name, inode});
    return std::make_unique<SimFile>(*this, inode);
  }
  if (found == directory->seen.end()) return failed(ENOENT);
  return std::make_unique<SimFile>(*this, found->second);
}

result<void> SimFileSystem::rename(const Path& from, const Path& to) {
  const std::lock_guard lock(mutex_);
  if (is_dead_) return failed(EIO);
  Directory* source = directory_of(from);
  Directory* target = directory_of(to);
  if (source == nullptr || target == nullptr) return failed(ENOENT);
  const auto found = source->seen.find(from.filename());
  if (found == source->seen.end()) return failed(ENOENT);
  const auto fault = step();
  if (fault && *fault != Fault::crash) return failed(EIO);
  const InodePointer inode = found->second;
  if (source == target) {
    const Change change{Change::Kind::rename, from.filename(), to.filename(), inode};
    Directory::apply(change, source->seen);
    source->changes.push_back(change);
  } else {
    const Change put{Change::Kind::put, {}, to.filename(), inode};
    const Change remove{Change::Kind::remove, from.filename(), {}, nullptr};
    Directory::apply(put, target->seen);
    target->changes.push_back(put);
    Directory::apply(remove, source->seen);
    source->changes.push_back(remove);
  }
  if (fault) return failed(EIO);
  return {};
}

result<void> SimFileSystem::remove(const Path& path) {
  const std::lock_guard lock(mutex_);
  if (is_dead_) return failed(EIO);
  Directory* directory = directory_of(path);
  if (directory == nullptr || !directory->seen.contains(path.filename())) return failed(ENOENT);
  const auto fault = step();
  if (fault && *fault != Fault::crash) return failed(EIO);
  const Change change{Change::Kind::remove, path.filename(), {}, nullptr};
  Directory::apply(change, directory->seen);
  directory->changes.push_back(change);
  if (fault) return failed(EIO);
  return {};
}

result<void> SimFileSystem::make_directory(const Path& path) {
  const std::lock_guard lock(mutex_);
  if (is_dead_) return failed(EIO);
  // Directories themselves are durable at once: losing one loses all in it, which tells nothing.
  directories_.try_emplace(path.string());
  return {};
}

result<void> SimFileSystem::sync_directory(const Path& path) {
  const std::lock_guard lock(mutex_);
  if (is_dead_) return failed(EIO);
  const auto found = directories_.find(path.string());
  if (found == directories_.end()) return failed(ENOENT);
  if (step()) return failed(EIO);
  found->second.disk = found->second.seen;
  found->second.changes.clear();
  return {};
}

result<std::vector<std::string>> SimFileSystem::list(const Path& directory) {
  const std::lock_guard lock(mutex_);
  if (is_dead_) return failed(EIO);
  const auto found = directories_.find(directory.string());
  if (found == directories_.end()) return failed(ENOENT);
  std::vector<std::string> names;
  for (const auto& [name, inode] : found->second.seen) names.push_back(name);
  return names;
}

result<std::uint64_t> SimFileSystem::free_octets(const Path&) {
  const std::lock_guard lock(mutex_);
  if (is_dead_) return failed(EIO);
  const std::uint64_t octets = used();
  return capacity_ > octets ? capacity_ - octets : 0;
}

result<std::unique_ptr<File>> SimFileSystem::lock(const Path& directory) {
  const std::lock_guard lock(mutex_);
  if (is_dead_) return failed(EIO);
  if (!locks_.try_emplace(directory.string(), life_).second) {
    return std::unexpected(make_error_code(JournalError::locked));
  }
  auto file = std::make_unique<SimFile>(*this, std::make_shared<Inode>());
  file->hold_lock(directory.string());
  return file;
}

void SimFileSystem::plan(Fault fault, std::uint64_t after, Lasts lasts) {
  fault_ = fault;
  lasts_ = lasts;
  fault_at_ = operations_ + after;
}

void SimFileSystem::unplan() {
  fault_at_.reset();
}

std::optional<SimFileSystem::Fault> SimFileSystem::step() {
  const std::uint64_t operation = operations_++;
  if (!fault_at_ || operation < *fault_at_) return std::nullopt;
  if (lasts_ == Lasts::once) fault_at_.reset();
  if (fault_ == Fault::crash) is_dead_ = true;
  return fault_;
}

SimFileSystem::Directory* SimFileSystem::directory_of(const Path& path) {
  const auto found = directories_.find(path.parent_path().string());
  return found == directories_.end() ? nullptr : &found->second;
}

std::uint64_t SimFileSystem::used() const {
  std::uint64_t octets = 0;
  for (const auto& [path, directory] : directories_) {
    for (const auto& [name, inode] : directory.seen) octets += inode->seen.size();
  }
  return octets;
}

result<void> SimFileSystem::write(Inode& inode, std::uint64_t offset,
                                  std::span<const std::uint8_t> octets) {
  int error = 0;
  if (const auto fault = step()) {
    error = *fault == Fault::disk_full ? ENOSPC : EIO;
    ++(error == ENOSPC ? met_.disk_full : met_.io_errors);
    const std::size_t whole = octets.size();
    octets = octets.first(random_.below(whole + 1));
    if (octets.size() < whole) ++met_.short_writes;
  }
  const std::size_t end = offset + octets.size();
  if (end > inode.seen.size()) {
    if (used() + (end - inode.seen.size()) > capacity_) {
      ++met_.disk_full;
      return failed(ENOSPC);
    }
    inode.seen.resize(end);
  }
  std::ranges::copy(octets, inode.seen.begin() + static_cast<std::ptrdiff_t>(offset));
  if (!octets.empty()) inode.dirty.push_back({offset, end});
  if (error != 0) return failed(error);
  return {};
}

result<void> SimFileSystem::sync(Inode& inode) {
  const auto fault = step();
  if (!fault) {
    inode.make_durable();
    return {};
  }
  if (*fault == Fault::crash) return failed(EIO);  // what is dirty stays so until power is lost
  ++met_.failed_syncs;
  inode.stale.insert(inode.stale.end(), inode.dirty.begin(), inode.dirty.end());
  inode.dirty.clear();
  return failed(*fault == Fault::disk_full ? ENOSPC : EIO);
}

void SimFileSystem::Inode::make_durable() {
  disk.resize(seen.size());
  for (const Range& range : dirty) {
    const std::size_t to = std::min(range.to, seen.size());
    if (range.from >= to) continue;
    std::copy(seen.begin() + static_cast<std::ptrdiff_t>(range.from),
              seen.begin() + static_cast<std::ptrdiff_t>(to),
              disk.begin() + static_cast<std::ptrdiff_t>(range.from));
  }
  dirty.clear();
}

void SimFileSystem::Directory::apply(const Change& change,
                                     std::map<std::string, InodePointer>& names) {
  switch (change.kind) {
    case Change::Kind::put: names[change.to] = change.inode; break;
    case Change::Kind::rename:
      names.erase(change.from);
      names[change.to] = change.inode;
      break;
    case Change::Kind::remove: names.erase(change.from); break;
  }
}

void SimFileSystem::restart() {
  const std::lock_guard lock(mutex_);
  is_dead_ = false;
  fault_at_.reset();
  ++life_;
  locks_.clear();
}

void SimFileSystem::restart_with_cold_cache() {
  {
    const std::lock_guard lock(mutex_);
    for (auto& [path, directory] : directories_) {
      for (auto& [name, inode] : directory.seen) {
        for (const Range& range : inode->stale) {
          for (std::size_t i = range.from; i < std::min(range.to, inode->seen.size()); ++i) {
            const bool is_dirty = std::ranges::any_of(
                inode->dirty, [i](const Range& one) { return one.from <= i && i < one.to; });
            if (!is_dirty) inode->seen[i] = i < inode->disk.size() ? inode->disk[i] : 0;
          }
        }
        inode->stale.clear();
      }
    }
  }
  restart();
}

SimFileSystem::Met& SimFileSystem::Met::operator+=(const Met& other) {
  short_writes += other.short_writes;
  failed_syncs += other.failed_syncs;
  io_errors += other.io_errors;
  disk_full += other.disk_full;
  sectors_kept += other.sectors_kept;
  sectors_lost += other.sectors_lost;
  return *this;
}

void SimFileSystem::lose_power() {
  {
    const std::lock_guard lock(mutex_);
    for (auto& [path, directory] : directories_) {
      const std::uint64_t mood = random_.below(3);  // none, all, or each by itself
      for (const Change& change : directory.changes) {
        if (mood == 1 || (mood == 2 && random_.one_in(2))) {
          Directory::apply(change, directory.disk);
        }
      }
      directory.changes.clear();
      directory.seen = directory.disk;
    }
    for (auto& [path, directory] : directories_) {
      for (auto& [name, inode] : directory.seen) lose_power(*inode);
    }
  }
  restart();
}

void SimFileSystem::lose_power(Inode& inode) {
  std::vector<std::uint8_t> after = inode.disk;
  if (random_.one_in(2)) after.resize(inode.seen.size());
  const std::uint64_t mood = random_.below(4);  // none, all, or each by itself
  for (const Range& range : inode.dirty) {
    for (std::size_t at = range.from; at < range.to;) {
      const std::size_t end = std::min((at / kSectorOctets + 1) * kSectorOctets, range.to);
      if (mood == 1 || (mood >= 2 && random_.one_in(2))) {
        const std::size_t stop = std::min({end, after.size(), inode.seen.size()});
        for (std::size_t i = at; i < stop; ++i) after[i] = inode.seen[i];
        ++met_.sectors_kept;
      } else {
        ++met_.sectors_lost;
      }
      at = end;
    }
  }
  inode.dirty.clear();
  inode.stale.clear();
  inode.disk = after;
  inode.seen = std::move(after);
}

std::vector<std::uint8_t> SimFileSystem::content(const Path& path) {
  const std::lock_guard lock(mutex_);
  return directory_of(path)->seen.at(path.filename())->seen;
}

void SimFileSystem::set_content(const Path& path, std::vector<std::uint8_t> octets) {
  const std::lock_guard lock(mutex_);
  Directory& directory = directories_[path.parent_path().string()];
  auto inode = std::make_shared<Inode>();
  inode->seen = octets;
  inode->disk = std::move(octets);
  directory.seen[path.filename()] = inode;
  directory.disk[path.filename()] = inode;
}

bool SimFileSystem::exists(const Path& path) {
  const std::lock_guard lock(mutex_);
  const Directory* directory = directory_of(path);
  return directory != nullptr && directory->seen.contains(path.filename());
}

}  // namespace stentor::queue::test
