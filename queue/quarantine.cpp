#include "queue/quarantine.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "queue/journal_format.h"

namespace stentor::queue {
namespace {

constexpr std::string_view kDirectory = "quarantine";
constexpr std::string_view kQuarantineSuffix = ".bad";
constexpr std::size_t kQuarantineStepOctets = 1u << 20;

std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
  return number;
}

}  // namespace

Quarantine::Quarantine(FileSystem& files, std::filesystem::path journal_directory)
    : files_(files), journal_(std::move(journal_directory)), directory_(journal_ / kDirectory) {}

result<void> Quarantine::load() {
  const auto names = files_.list(directory_);
  if (!names) {
    if (names.error() == std::errc::no_such_file_or_directory) return {};
    return std::unexpected(names.error());
  }
  for (const std::string& name : *names) {
    if (const auto stretch = stretch_of(name)) stretches_.push_back(*stretch);
  }
  return {};
}

std::optional<std::uint64_t> Quarantine::end_of(std::uint32_t file, std::uint64_t from) const {
  for (const Stretch& stretch : stretches_) {
    if (stretch.file == file && stretch.from == from) return stretch.to;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> Quarantine::end_around(std::uint32_t file, std::uint64_t at) const {
  std::optional<std::uint64_t> end;
  for (const Stretch& stretch : stretches_) {
    if (stretch.file == file && stretch.from <= at && at < stretch.to) {
      end = std::max(end.value_or(0), stretch.to);
    }
  }
  return end;
}

bool Quarantine::holds(Locator place) const {
  return has_whole(place.file()) || end_around(place.file(), place.block()).has_value();
}

bool Quarantine::has_between(Locator after, Locator before) const {
  return std::ranges::any_of(stretches_, [&](const Stretch& stretch) {
    const auto from = static_cast<std::uint32_t>(std::min<std::uint64_t>(stretch.from, UINT32_MAX));
    const auto begin = std::pair(stretch.file, from);
    return std::pair(after.file(), after.block()) < begin &&
           begin < std::pair(before.file(), before.block());
  });
}

Locator Quarantine::last() const {
  Locator last;
  for (const Stretch& stretch : stretches_) {
    const auto from = std::min<std::uint64_t>(stretch.from, kFileOctetsMax - kBlockAlignOctets);
    last = std::max(last, Locator(stretch.file, static_cast<std::uint32_t>(from), 0));
  }
  return last;
}

std::uint32_t Quarantine::last_whole() const {
  std::uint32_t last = 0;
  for (const Stretch& stretch : stretches_) {
    if (stretch.from == 0) last = std::max(last, stretch.file);
  }
  return last;
}

result<std::string> Quarantine::set_aside(File& file, std::uint32_t number, std::uint64_t from,
                                          std::uint64_t to) {
  if (const auto opened = open_directory(); !opened) return std::unexpected(opened.error());
  const Stretch stretch{number, from, to};
  const std::string name = name_of(stretch);
  if (auto copied = copy(file, from, to, name); !copied) return std::unexpected(copied.error());
  stretches_.push_back(stretch);
  return std::string(kDirectory) + "/" + name;
}

result<void> Quarantine::copy(File& file, std::uint64_t from, std::uint64_t to,
                              const std::string& name) {
  const auto making = directory_ / (name + ".making");
  (void)files_.remove(making);  // of a run that was cut off; a real failure shows at once below
  auto copy = files_.open(making, FileSystem::Mode::create);
  if (!copy) return std::unexpected(copy.error());
  std::vector<std::uint8_t> step(kQuarantineStepOctets);
  for (std::uint64_t at = from; at < to;) {
    const auto got =
        file.read(at, std::span(step).first(std::min<std::uint64_t>(step.size(), to - at)));
    if (!got) return std::unexpected(got.error());
    if (*got == 0) break;
    if (auto written = (*copy)->write(at - from, std::span(step).first(*got)); !written) {
      return written;
    }
    at += *got;
  }
  result<void> done = (*copy)->sync();
  if (done) done = files_.rename(making, directory_ / name);
  if (done) done = files_.sync_directory(directory_);
  return done;
}

// Under a name of its own each time: an excerpt may be damaged more than once.
result<std::string> Quarantine::set_excerpt_aside(const std::string& name) {
  if (const auto opened = open_directory(); !opened) return std::unexpected(opened.error());
  const auto names = files_.list(directory_);
  if (!names) return std::unexpected(names.error());
  const std::string stem = name.substr(0, name.find('.'));
  std::string copied;
  for (int number = 1; copied.empty() || std::ranges::find(*names, copied) != names->end();
       ++number) {
    copied = stem + "-" + std::to_string(number) + std::string(kQuarantineSuffix);
  }
  auto file = files_.open(journal_ / name, FileSystem::Mode::read);
  if (!file) return std::unexpected(file.error());
  const auto octets = (*file)->size();
  if (!octets) return std::unexpected(octets.error());
  if (auto done = copy(**file, 0, *octets, copied); !done) return std::unexpected(done.error());
  return std::string(kDirectory) + "/" + copied;
}

result<std::string> Quarantine::set_file_aside(std::uint32_t number, std::uint64_t octets) {
  if (const auto opened = open_directory(); !opened) return std::unexpected(opened.error());
  const Stretch stretch{number, 0, octets};
  const std::string name = name_of(stretch);
  result<void> done = files_.rename(journal_ / file_name(number), directory_ / name);
  // The new name first: between the two syncs the file must not be without any.
  if (done) done = files_.sync_directory(directory_);
  if (done) done = files_.sync_directory(journal_);
  if (!done) return std::unexpected(done.error());
  stretches_.push_back(stretch);
  return std::string(kDirectory) + "/" + name;
}

result<std::string> Quarantine::note_missing(std::uint32_t number) {
  if (const auto opened = open_directory(); !opened) return std::unexpected(opened.error());
  const Stretch stretch{number, 0, 0};
  const std::string name = name_of(stretch);
  auto note = files_.open(directory_ / name, FileSystem::Mode::create);
  if (!note) return std::unexpected(note.error());
  result<void> done = (*note)->sync();
  if (done) done = files_.sync_directory(directory_);
  if (!done) return std::unexpected(done.error());
  stretches_.push_back(stretch);
  return std::string(kDirectory) + "/" + name;
}

std::string Quarantine::name_of(const Stretch& stretch) {
  std::string name = file_name(stretch.file);
  name.resize(name.find('.'));
  return name + "-" + std::to_string(stretch.from) + "-" + std::to_string(stretch.to) +
         std::string(kQuarantineSuffix);
}

std::optional<Quarantine::Stretch> Quarantine::stretch_of(const std::string& name) {
  if (!name.ends_with(kQuarantineSuffix)) return std::nullopt;
  std::string_view text(name);
  const auto file =
      file_number(std::string(text.substr(0, text.find('-', text.find('-') + 1))) + ".stj");
  if (!file) return std::nullopt;
  text.remove_prefix(std::min(text.size(), text.find('-', text.find('-') + 1)));
  if (!text.starts_with('-')) return std::nullopt;
  text.remove_prefix(1);
  const auto from = take_number(text);
  if (!from || !text.starts_with('-')) return std::nullopt;
  text.remove_prefix(1);
  const auto to = take_number(text);
  if (!to || text != kQuarantineSuffix || *to < *from) return std::nullopt;
  return Stretch{*file, *from, *to};
}

result<void> Quarantine::open_directory() {
  if (auto made = files_.make_directory(directory_); !made) return made;
  return files_.sync_directory(journal_);
}

}  // namespace stentor::queue
