// How large, how fast and how even is the tracking of receipts, up to the events that tell of it?
//
// Five questions, asked in turn (or one of them, named by argument 4):
//   growth   N segments outstanding (argument 1, default 10,000,000): resident memory at the peak,
//            the longest single put, the mean one; in memory alone, then with 1/8 of them in memory
//            and the rest on disk (argument 2: a folder), and what finding one there costs; what
//            the verdicts take where these are parts of messages of two; and what those take that
//            have been reported on and are kept to know copies by.
//   receipts receipt → matched → state → record: Tracker with a record sink that encodes and throws
//            away, and accepted records at hand.
//   records  reading the accepted record of a receipt back from a journal of 120 MiB: in the order
//   of
//            sending, as it comes where all receipts take equally long, and in any order; whole
//            blocks, and single records of blocks verified before, as the tracker does.
//   events   record → one or two lines of JSON with their cursors, as a consumer gets them.
//   index    N entries by sequence over files of 500,000 (argument 3, default 10,000,000): finding
//            all records of one message, and of one number.
// Timed      the calls named; not filling of ids or records. Means are CPU time of the thread, so
//            that other work on the machine is not in them; a put is timed in sixteens.
// Reads as   ns per call; compare only on one machine.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "daemon/events/consumers.h"
#include "daemon/events/event_lines.h"
#include "daemon/history/index_file.h"
#include "daemon/tracking/tracker.h"
#include "queue/journal_reader.h"
#include "queue/journal_writer.h"

namespace stentor::daemon {
namespace {

using Clock = std::chrono::steady_clock;

/// CPU time of this thread.
double cpu_ns() {
  timespec time{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

double ns_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

std::uint64_t resident_octets() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  unsigned long size = 0;
  unsigned long resident = 0;
  if (file != nullptr) {
    if (std::fscanf(file, "%lu %lu", &size, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * 4096;
}

SegmentKey key_of(std::uint64_t number) {
  const std::uint64_t high = number * 0x9E3779B97F4A7C15;
  return {high ^ high >> 29, (number + 1) * 0xBF58476D1CE4E5B9};
}

void growth(const char* name, Outstanding& outstanding, std::uint64_t count) {
  const std::uint64_t before = resident_octets();
  std::uint64_t peak = 0;
  double worst = 0;
  double total = 0;
  constexpr std::uint64_t kAtOnce = 16;
  for (std::uint64_t i = 0; i < count; i += kAtOnce) {
    const double start = cpu_ns();
    for (std::uint64_t each = i; each < i + kAtOnce; ++each) {
      OutstandingSegment segment;
      segment.at = queue::Locator(each + 1);
      outstanding.put(key_of(each), segment);
    }
    const double took = cpu_ns() - start;
    worst = std::max(worst, took);
    total += took;
    if (i % (kAtOnce * 1000) == 0) peak = std::max(peak, resident_octets());
  }
  peak = std::max(peak, resident_octets());
  fmt::print(
      "growth {}: {} segments, {} MiB at the peak, put {:.0f} ns mean, {:.3f} ms the "
      "longest sixteen\n",
      name, count, (peak - before) >> 20, total / static_cast<double>(count), worst / 1e6);
  std::mt19937_64 random(1);
  constexpr int kFinds = 200'000;
  int found = 0;
  const double start = cpu_ns();
  for (int i = 0; i < kFinds; ++i) {
    found += outstanding.find(key_of(random() % count)).has_value() ? 1 : 0;
  }
  fmt::print("growth {}: find {:.0f} ns, {} of {} found\n", name, (cpu_ns() - start) / kFinds,
             found, kFinds);
}

class Sink final : public TrackingOutcomes, public AcceptedRecords {
 public:
  Sink() {
    Subject subject;
    subject.id = MessageId::make(1'790'000'000'000, 1, 0, 1);
    subject.client = "crm";
    subject.ref = "o-123456";
    subject.to = "+79161234567";
    subject.from = "SHOP";
    subject.carrier = "north";
    encode(subject, subject_);
  }
  std::optional<std::span<const std::uint8_t>> read_subject(queue::Locator) override {
    return subject_.octets();
  }
  void write(const ReceiptCame& came) override {
    fields_.clear();
    encode(came, fields_);
    octets += fields_.size();
  }
  void write_again(const ReceiptCame& /*receipt*/) override {}
  void write(const Verdict& /*verdict*/) override {}
  void write(const Orphan& /*orphan*/) override {}
  void write(const Conflict& /*conflict*/) override {}
  void write(const TakenTwice& /*twice*/) override {}
  std::optional<Accepted> read(queue::Locator /*at*/) override {
    Accepted accepted;
    accepted.subject = subject_.octets();
    return accepted;
  }
  bool is_gone(queue::Locator /*at*/) override { return false; }
  std::uint64_t octets = 0;

 private:
  FieldWriter subject_;
  FieldWriter fields_;
};

void receipts(const char* name, std::uint8_t parts, protocol::MessageIdRule rule) {
  constexpr std::uint64_t kCount = 1'000'000;
  Sink sink;
  TrackingStats stats;
  const Moment now{.steady = Clock::now(), .wall_ms = 1'790'000'000'000};
  Tracker tracker({.carrier = "north", .rule = rule, .codes = {}, .secret = {}}, sink, sink, stats,
                  now);
  std::vector<std::string> ids;
  ids.reserve(kCount);
  for (std::uint64_t i = 0; i < kCount; ++i) ids.push_back(fmt::format("{:x}", 0x812FC7 + i));
  double start = cpu_ns();
  for (std::uint64_t i = 0; i < kCount; ++i) {
    tracker.on_taken({.message_id = ids[i],
                      .of = {.accepted = queue::Locator(i / parts + 1), .subject = {}},
                      .expires = 1'790'100'000,
                      .part = static_cast<std::uint8_t>(i % parts + 1),
                      .parts = parts},
                     now);
  }
  const double taken = (cpu_ns() - start) / kCount;
  protocol::Receipt receipt;
  receipt.state = protocol::MessageState::delivered;
  receipt.stat = "DELIVRD";
  receipt.err = "000";
  start = cpu_ns();
  for (const std::string& id : ids) {
    receipt.message_id = id;
    tracker.on_receipt(receipt, now);
  }
  fmt::print("receipts {}: taken {:.0f} ns, receipt {:.0f} ns, {} delivered\n", name, taken,
             (cpu_ns() - start) / kCount, stats.messages_delivered);
}

FieldWriter subject_of(std::uint64_t sequence) {
  Subject subject;
  subject.id = MessageId::make(1'790'000'000'000, 1, 0, sequence);
  subject.client = "crm";
  subject.ref = "o-123456";
  subject.to = "+79161234567";
  subject.from = "SHOP";
  subject.carrier = "north";
  FieldWriter fields;
  encode(subject, fields);
  return fields;
}

// 400,000 messages of 122 characters, 1,000 in a block.
std::vector<queue::Locator> write_journal(queue::FileSystem& files,
                                          const std::filesystem::path& folder) {
  constexpr std::uint64_t kMessages = 400'000;
  constexpr std::uint64_t kInABlock = 1000;
  std::filesystem::create_directories(folder);
  auto writer = queue::JournalWriter::start(files, {.directory = folder}, {},
                                            [] { return queue::JournalWriter::Preamble{}; });
  std::vector<queue::Locator> places;
  if (!writer) return places;
  const std::string text(122, 'x');
  FieldWriter fields;
  for (std::uint64_t block = 0; block < kMessages / kInABlock; ++block) {
    queue::RecordBatch batch;
    std::vector<std::uint32_t> offsets;
    for (std::uint64_t i = 0; i < kInABlock; ++i) {
      const FieldWriter subject = subject_of(block * kInABlock + i + 1);
      Accepted accepted;
      accepted.subject = subject.octets();
      accepted.text = text;
      fields.clear();
      encode(accepted, fields);
      offsets.push_back(
          batch.add(static_cast<std::uint8_t>(RecordKind::accepted), fields.octets()));
    }
    queue::RecordBatch* const batches[] = {&batch};
    if (!(*writer)->commit(batches)) return {};
    for (const std::uint32_t offset : offsets) places.push_back(batch.at(offset));
  }
  return places;
}

void records(const std::filesystem::path& folder) {
  auto files = queue::make_posix_file_system(queue::IoBackend::threads);
  std::vector<queue::Locator> places = write_journal(**files, folder / "journal");
  const auto ask = [&](const char* name, std::size_t reads, bool alone) {
    queue::JournalReader reader(**files, folder / "journal", {});
    std::uint64_t octets = 0;
    const auto read = [&](queue::Locator place) {
      const auto record = alone ? reader.read_known(place) : reader.read(place);
      const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
      if (accepted) octets += accepted->subject.size();
    };
    for (std::size_t i = 0; i < places.size(); i += 1000) read(places[i]);  // once for each block
    const double start = cpu_ns();
    for (std::size_t i = 0; i < reads; ++i) read(places[i]);
    fmt::print("records {}: {:.0f} ns, {} octets of subjects\n", name,
               (cpu_ns() - start) / static_cast<double>(reads), octets);
  };
  ask("in order", places.size(), true);
  std::ranges::shuffle(places, std::mt19937_64(7));
  ask("in any order, whole blocks", 20'000, false);
  ask("in any order, as the tracker does", places.size(), true);
}

void events() {
  constexpr int kRounds = 500'000;
  const FieldWriter subject = subject_of(1);
  ReceiptCame came;
  came.of.subject = subject.octets();
  came.of.time_ms = 1'790'000'000'123;
  came.of.state = State::delivered;
  came.message_id = "812fc7470000001b";
  came.stat = "DELIVRD";
  came.err = "000";
  came.done_date = "2601051000";
  PartAnswered part;
  part.of = came.of;
  part.of.state = State::sent;
  part.message_id = came.message_id;
  FieldWriter receipt_octets;
  encode(came, receipt_octets);
  FieldWriter part_octets;
  encode(part, part_octets);
  const queue::Record both[] = {
      {static_cast<std::uint8_t>(RecordKind::part), part_octets.octets(), queue::Locator(1, 64, 9)},
      {static_cast<std::uint8_t>(RecordKind::receipt), receipt_octets.octets(),
       queue::Locator(1, 64, 99)}};
  std::string out;
  std::uint64_t lines = 0;
  std::uint64_t octets = 0;
  const double start = cpu_ns();
  for (int i = 0; i < kRounds; ++i) {
    for (const queue::Record& record : both) {
      const RecordEvents told = events_of(record);
      for (std::uint8_t sub = 1; sub <= told.count; ++sub, ++lines) {
        append_event(record, told, sub, to_cursor({record.at, sub}), out);
        out.push_back('\n');
      }
    }
    if (out.size() > 200'000) {
      octets += out.size();
      out.clear();
    }
  }
  fmt::print("events: {:.0f} ns each, {:.0f} octets each\n",
             (cpu_ns() - start) / static_cast<double>(lines),
             static_cast<double>(octets) / static_cast<double>(lines));
}

void index(const std::filesystem::path& folder, std::uint64_t entries) {
  constexpr std::uint64_t kPerFile = 500'000;
  auto files = queue::make_posix_file_system(queue::IoBackend::threads);
  std::vector<IndexFile> indexes;
  std::uint64_t sequence = 1;
  const auto building = Clock::now();
  for (std::uint64_t file = 1; file <= entries / kPerFile; ++file) {
    std::vector<IndexEntry> sequences;
    std::vector<IndexEntry> names;
    std::mt19937_64 random(file);
    for (std::uint64_t i = 0; i < kPerFile; i += 4) {  // four records each; one in fifty days late
      for (std::uint64_t record = 0; record < 4; ++record) {
        const bool is_late = record == 3 && random() % 50 == 0;
        sequences.push_back(
            {is_late ? 1 + random() % sequence : sequence, file << 44 | (i + record)});
      }
      names.push_back({random(), file << 44 | i});
      names.push_back({random(), file << 44 | (i + 2)});
      ++sequence;
    }
    const auto path = folder / fmt::format("{:08}.index", file);
    if (!IndexFile::write(**files, path, static_cast<std::uint32_t>(file), 7, sequences, names)) {
      fmt::print("index: cannot write\n");
      return;
    }
    auto opened = IndexFile::open(**files, path, static_cast<std::uint32_t>(file), 7);
    if (opened) indexes.push_back(std::move(*opened));
  }
  fmt::print("index: {} entries in {} files written in {:.1f} s, {} MiB resident\n", entries,
             indexes.size(), ns_since(building) / 1e9, resident_octets() >> 20);
  std::mt19937_64 random(3);
  std::vector<double> took;
  std::uint64_t found = 0;
  for (int i = 0; i < 1000; ++i) {
    std::vector<std::uint64_t> places;
    const std::uint64_t wanted = 1 + random() % (sequence - 1);
    const auto start = Clock::now();
    for (IndexFile& each : indexes) each.find_sequence(wanted, places);
    took.push_back(ns_since(start) / 1000);
    found += places.size();
  }
  std::ranges::sort(took);
  fmt::print("index by sequence: {:.0f} us median, {:.0f} us slowest of 1000, {:.1f} places each\n",
             took[500], took.back(), static_cast<double>(found) / 1000);
  took.clear();
  for (int i = 0; i < 200; ++i) {
    std::vector<std::uint64_t> places;
    const std::uint64_t wanted = random();
    const auto start = Clock::now();
    for (IndexFile& each : indexes) each.find_name(wanted, places);
    took.push_back(ns_since(start) / 1000);
  }
  std::ranges::sort(took);
  fmt::print("index by name, through all files: {:.0f} us median, {:.0f} us slowest of 200\n",
             took[100], took.back());
}

// The segments as messages of two parts: what these take besides.
void growth_of_parts(std::uint64_t segments) {
  MessageParts parts;
  const std::uint64_t before = resident_octets();
  std::uint64_t peak = 0;
  for (std::uint64_t i = 0; i < segments / 2; ++i) {
    parts.expect(queue::Locator(i + 1), 2);
    if (i % 16'000 == 0) peak = std::max(peak, resident_octets());
  }
  peak = std::max(peak, resident_octets());
  fmt::print("growth of messages of two parts: {} MiB more at the peak for {} of them\n",
             (peak - before) >> 20, segments / 2);
}

// Twice as many as are kept: what they take, and the longest pause that a put makes.
void growth_of_settled() {
  SettledSegments settled;
  const std::uint64_t before = resident_octets();
  double worst = 0;
  const double start = cpu_ns();
  constexpr std::uint64_t kAtOnce = 16;
  for (std::uint64_t i = 0; i < 2 * SettledSegments::kEntriesMax; i += kAtOnce) {
    const double sixteen = cpu_ns();
    for (std::uint64_t each = i; each < i + kAtOnce; ++each) {
      SettledSegment segment;
      segment.at = queue::Locator(each + 1);
      settled.put(key_of(each), segment);
    }
    worst = std::max(worst, cpu_ns() - sixteen);
  }
  fmt::print(
      "growth of settled segments: {} MiB for {}, put {:.0f} ns mean, {:.3f} ms the longest "
      "sixteen\n",
      (resident_octets() - before) >> 20, SettledSegments::kEntriesMax,
      (cpu_ns() - start) / (2.0 * SettledSegments::kEntriesMax), worst / 1e6);
}

void grow(std::uint64_t segments, const std::filesystem::path& folder) {
  {
    Outstanding outstanding({}, 1'790'000'000);
    growth("in memory", outstanding, segments);
  }
  {
    auto files = queue::make_posix_file_system(queue::IoBackend::threads);
    Outstanding outstanding({}, 1'790'000'000);
    outstanding.spill_to(
        std::make_unique<SegmentSpill>(**files, folder, "bench", Outstanding::kMaps), segments / 8);
    growth("7/8 on disk", outstanding, segments);
  }
  growth_of_parts(segments);
  growth_of_settled();
}

int run(std::uint64_t segments, const std::filesystem::path& folder, std::uint64_t entries,
        std::string_view only) {
  std::filesystem::create_directories(folder);
  const auto is_asked = [only](std::string_view question) {
    return only.empty() || only == question;
  };
  if (is_asked("growth")) grow(segments, folder);
  if (is_asked("receipts")) {
    receipts("of single parts, verbatim", 1, protocol::MessageIdRule::verbatim);
    receipts("of single parts, auto", 1, protocol::MessageIdRule::automatic);
    receipts("of three parts, verbatim", 3, protocol::MessageIdRule::verbatim);
  }
  if (is_asked("records")) records(folder);
  if (is_asked("events")) events();
  if (is_asked("index")) index(folder, entries);
  return 0;
}

}  // namespace
}  // namespace stentor::daemon

int main(int count, char** arguments) {
  const auto number = [&](int which, std::uint64_t otherwise) {
    return count > which ? std::strtoull(arguments[which], nullptr, 10) : otherwise;
  };
  // In a folder of its own, which goes afterwards.
  const std::filesystem::path folder =
      std::filesystem::path(count > 2 ? arguments[2] : "/tmp") / "stentor-tracking-bench";
  const int status = stentor::daemon::run(number(1, 10'000'000), folder, number(3, 10'000'000),
                                          count > 4 ? arguments[4] : "");
  std::filesystem::remove_all(folder);
  return status;
}
