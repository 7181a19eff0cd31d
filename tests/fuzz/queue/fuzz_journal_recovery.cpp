// Recovery, reader and writer on a journal that the input has spoilt.
//
// The input is a list of edits to a good journal of three files: octets changed, stretches copied
// from elsewhere, files cut, swapped or removed, and checks made right again, so that edits reach
// what lies behind the checksums. Whatever comes of it: nothing crashes or spins, what is recovered
// once is recovered again, salvaging ends with a journal that needs none, and one can append to it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <vector>

#include "queue/checksum.h"
#include "queue/journal_format.h"
#include "queue/journal_reader.h"
#include "tests/queue/journal_on_sim.h"

namespace {

using namespace stentor::queue;
using namespace stentor::queue::test;

void require(bool holds, std::source_location where = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "line %u: what must hold does not\n", static_cast<unsigned>(where.line()));
  std::abort();
}

void require(const std::expected<Recovered, RecoveryFault>& recovered,
             std::source_location where = std::source_location::current()) {
  if (!recovered) std::fprintf(stderr, "%s\n", recovered.error().detail.c_str());
  require(recovered.has_value(), where);
}

std::vector<Octets> good_journal() {
  JournalOnSim journal;
  journal.file_octets = 768;
  const auto writer = journal.open();
  while (writer->durable_end().file() < 3) {
    require(commit_one(*writer, "a record").has_value());
    require(commit_one(*writer, std::string(100, 'b')).has_value());
    require(writer->commit_watermark().has_value());
  }
  std::vector<Octets> files;
  for (std::uint32_t number = 1; number <= 3; ++number) {
    files.push_back(journal.files.content(journal.path(number)));
  }
  return files;
}

/// Hands out the input piece by piece; zeros when it is used up.
class Script {
 public:
  explicit Script(std::span<const std::uint8_t> octets) : octets_(octets) {}
  [[nodiscard]] bool is_over() const { return octets_.empty(); }
  std::uint8_t octet() {
    if (octets_.empty()) return 0;
    const std::uint8_t first = octets_.front();
    octets_ = octets_.subspan(1);
    return first;
  }
  std::size_t below(std::size_t bound) {
    const std::size_t number = octet() | std::size_t{octet()} << 8;
    return bound == 0 ? 0 : number % bound;
  }

 private:
  std::span<const std::uint8_t> octets_;
};

/// Makes the checks of the block at `at` right for what is there now.
void repair(Octets& file, std::size_t at) {
  if (at + kBlockHeaderOctets > file.size()) return;
  const std::span header(&file[at], kBlockHeaderOctets);
  const auto put = [&](std::size_t where, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) {
      header[where + i] = static_cast<std::uint8_t>(value >> 8 * i);
    }
  };
  const std::uint32_t octets =
      header[28] | std::uint32_t{header[29]} << 8 | std::uint32_t{header[30]} << 16;
  if (at + kBlockHeaderOctets + octets <= file.size()) {
    put(36, crc32c(std::span(file).subspan(at + kBlockHeaderOctets, octets)));
  }
  put(44, crc32c(header.first(44)));
}

void edit(std::vector<Octets>& files, Script& script) {
  const std::uint8_t what = script.octet();
  Octets& file = files[script.below(files.size())];
  const std::size_t at = script.below(file.size());
  switch (what % 8) {
    case 0:
    case 1:
      if (at < file.size()) file[at] ^= script.octet();
      break;
    case 2:
      if (at < file.size()) file[at] = script.octet();
      break;
    case 3: file.resize(at); break;
    case 4: file.resize(std::min<std::size_t>(file.size() + script.octet(), 8192)); break;
    case 5: {  // a block's worth of one file over another's
      const Octets& from = files[script.below(files.size())];
      const std::size_t steps = std::min(from.size(), file.size()) / kBlockAlignOctets;
      if (steps == 0) break;
      const std::size_t source = script.below(steps) * kBlockAlignOctets;
      const std::size_t target = script.below(steps) * kBlockAlignOctets;
      const Octets piece(from.begin() + static_cast<std::ptrdiff_t>(source),
                         from.begin() + static_cast<std::ptrdiff_t>(source + kBlockAlignOctets));
      std::ranges::copy(piece, file.begin() + static_cast<std::ptrdiff_t>(target));
      break;
    }
    case 6: repair(file, at / kBlockAlignOctets * kBlockAlignOctets); break;
    default: file.swap(files[script.below(files.size())]); break;
  }
}

void append_and_read(JournalOnSim& journal, const Recovered& recovered) {
  const Visited before = journal.visited;
  auto writer = journal.start(recovered.end);
  require(writer.has_value());
  const auto place = commit_one(**writer, "new");
  require(place.has_value());

  JournalReader reader(journal.files, kJournal, {.blocks_octets_max = 1024});
  require(text_of(reader.read(*place)->payload) == "new");
  for (std::size_t i = 0; i < before.places.size(); ++i) {
    const auto record = reader.read(before.places[i]);
    require(record && text_of(record->payload) == before.texts[i]);
    (void)reader.read(Locator(before.places[i].bits() + 1));
  }
  Locator position;
  const Locator end = (*writer)->durable_end();
  std::size_t records = 0;
  while (true) {
    const Locator last = position;
    const auto record = reader.next(position, end);
    if (!record || !*record) break;
    require(position > last);
    ++records;
  }
  require(records > before.texts.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<Octets> good = good_journal();
  std::vector<Octets> files = good;
  Script script({data, size});
  const std::uint8_t absent = script.octet();
  while (!script.is_over()) edit(files, script);

  JournalOnSim journal;
  journal.file_octets = 768;
  require(journal.files.make_directory(kJournal).has_value());
  for (std::uint32_t number = 1; number <= files.size(); ++number) {
    if ((absent >> number & 1) == 0) {
      journal.files.set_content(journal.path(number), files[number - 1]);
    }
  }
  const auto looked = journal.recover({.read_only = true});
  const Visited seen = journal.visited;
  auto recovered = journal.recover();
  require(looked.has_value() == recovered.has_value());
  if (looked) require(seen.texts == journal.visited.texts && seen.places == journal.visited.places);
  journal.restart();
  if (!recovered) {
    recovered = journal.recover({.salvage = true});
    if (!recovered) {
      require(recovered.error().code == JournalError::newer_version);
      return 0;
    }
    journal.restart();
  }
  const Visited first = journal.visited;
  recovered = journal.recover();
  require(recovered);
  require(first.texts == journal.visited.texts && first.places == journal.visited.places);
  append_and_read(journal, *recovered);
  journal.restart();
  recovered = journal.recover();
  require(recovered);
  require(journal.visited.texts.size() == first.texts.size() + 1);
  return 0;
}
