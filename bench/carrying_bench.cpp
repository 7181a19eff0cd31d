// What does it cost to carry live messages out of old journal files?
//
// Makes a journal of some OCTETS (argument 2, default 1 GiB) in FOLDER (argument 1): messages of
// four records, accepted, intent, part and receipt, of which LIVE (argument 3, default 100,000),
// evenly spread, have the first alone.
//
// Timed      the checkpoint that says what lives; the excerpt, with its last sync and reading it
//            back; reading each live message's record from it in order. All without the pauses that
//            the daemon makes, which take three times the work.
// Not timed  writing the journal. It is read back from the page cache, as far as that has it.
// Reads as   seconds, CPU seconds of this thread, and octets on disk.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "daemon/records/records.h"
#include "daemon/recovery/carried_files.h"
#include "daemon/recovery/checkpoint_files.h"
#include "queue/journal_reader.h"
#include "queue/journal_recovery.h"
#include "queue/journal_writer.h"

namespace stentor::daemon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kNow = 1'790'000'000'000;
constexpr std::uint64_t kPerBatch = 500;

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_THREAD, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

void timed(const std::string& what, const std::function<std::string()>& work) {
  const double cpu = cpu_seconds();
  const auto start = Clock::now();
  const std::string told = work();
  fmt::print("{}: {:.2f} s, {:.2f} CPU s; {}\n", what,
             std::chrono::duration<double>(Clock::now() - start).count(), cpu_seconds() - cpu,
             told);
}

class Journal {
 public:
  Journal(queue::FileSystem& files, const std::filesystem::path& folder) : files_(files) {
    auto recovered = queue::recover(files_, folder, {}, [](const queue::Record&) {});
    if (!recovered) return;
    lock_ = std::move(recovered->lock);
    auto writer = queue::JournalWriter::start(
        files_, {.directory = folder, .file_octets = 64u << 20}, recovered->end, [this] {
          queue::JournalWriter::Preamble preamble;
          add(preamble.records, RecordKind::totals, totals_);
          return preamble;
        });
    if (writer) writer_ = std::move(*writer);
  }
  [[nodiscard]] queue::JournalWriter* writer() { return writer_.get(); }
  [[nodiscard]] const std::vector<queue::Locator>& live() const { return live_; }

  /// A batch of accepted messages, then what became of those that do not live.
  [[nodiscard]] bool write(std::uint64_t one_lives_in) {
    queue::RecordBatch accepted;
    std::vector<std::uint32_t> offsets;
    offsets.reserve(kPerBatch);
    const std::uint64_t first = totals_.sequence_next;
    for (std::uint64_t i = 0; i < kPerBatch; ++i) offsets.push_back(accept(accepted, first + i));
    if (!commit(accepted)) return false;
    queue::RecordBatch ends;
    Intent intent;
    intent.carrier = "north";
    for (std::uint64_t i = 0; i < kPerBatch; ++i) {
      const queue::Locator at = accepted.at(offsets[i]);
      if ((first + i) % one_lives_in == 0) {
        live_.push_back(at);
        continue;
      }
      intent.sequences.push_back(first + i);
      deliver(ends, first + i, at);
      ++totals_.sent;
      ++totals_.delivered;
    }
    add(ends, RecordKind::intent, intent);
    totals_.accepted += kPerBatch;
    totals_.sequence_next += kPerBatch;
    return commit(ends);
  }

 private:
  template <class Body>
  std::uint32_t add(queue::RecordBatch& batch, RecordKind kind, const Body& body) {
    fields_.clear();
    encode(body, fields_);
    return batch.add(static_cast<std::uint8_t>(kind), fields_.octets());
  }
  void set_subject(std::uint64_t sequence) {
    const std::string ref = fmt::format("order-{}", sequence);
    Subject subject;
    subject.id = MessageId::make(kNow + sequence / 1000, 1, 0, sequence);
    subject.client = "crm";
    subject.ref = ref;
    subject.to = "+79161234567";
    subject.from = "SHOP";
    subject.carrier = "north";
    subject_.clear();
    encode(subject, subject_);
  }
  std::uint32_t accept(queue::RecordBatch& batch, std::uint64_t sequence) {
    static const std::string text(100, 'x');
    set_subject(sequence);
    Accepted accepted;
    accepted.subject = subject_.octets();
    accepted.expires = 0xfffffffe;
    accepted.owns_ref = true;
    accepted.text = text;
    return add(batch, RecordKind::accepted, accepted);
  }
  void deliver(queue::RecordBatch& batch, std::uint64_t sequence, queue::Locator at) {
    set_subject(sequence);
    const std::string id = fmt::format("{:016x}", sequence);
    PartAnswered part;
    part.of = {.accepted = at, .subject = subject_.octets(), .time_ms = kNow, .state = State::sent};
    part.message_id = id;
    add(batch, RecordKind::part, part);
    ReceiptCame receipt;
    receipt.of = part.of;
    receipt.of.state = State::delivered;
    add(batch, RecordKind::receipt, receipt);
  }
  [[nodiscard]] bool commit(queue::RecordBatch& batch) {
    queue::RecordBatch* const batches[] = {&batch};
    return writer_->commit(batches).has_value();
  }

  queue::FileSystem& files_;
  std::unique_ptr<queue::File> lock_;
  std::unique_ptr<queue::JournalWriter> writer_;
  Ledger totals_;
  std::vector<queue::Locator> live_;
  FieldWriter subject_;
  FieldWriter fields_;
};

int run(int count, char** arguments) {
  if (count < 2) {
    fmt::print("usage: carrying_bench FOLDER [OCTETS [LIVE]]\n");
    return 2;
  }
  const std::filesystem::path folder = arguments[1];
  const std::uint64_t octets = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1ull << 30;
  const std::uint64_t live = count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 100'000;
  constexpr std::uint64_t kOctetsEach = 560;  // of four records, with their share of blocks
  auto files = queue::make_posix_file_system(queue::IoBackend::threads);
  if (!files) return 1;
  Journal journal(**files, folder);
  if (journal.writer() == nullptr) return 1;
  const std::uint64_t one_lives_in = std::max<std::uint64_t>(1, octets / kOctetsEach / live);
  while (journal.live().size() < live) {
    if (!journal.write(one_lives_in)) return 1;
  }
  const std::uint32_t before = journal.writer()->durable_end().file();
  fmt::print("{} MiB in {} files, one message in {} lives\n",
             journal.writer()->stats().octets >> 20, before, one_lives_in);

  Checkpoint checkpoint;
  bool has_failed = false;
  timed("checkpoint", [&] {
    CheckpointFiles::Making making;
    making.oldest = 1;
    making.before = before;
    making.now_ms = kNow;
    making.pace = unpaced;
    making.is_still_true = [] { return true; };
    const auto made = CheckpointFiles(**files, folder).make(making);
    if (!made) return has_failed = true, made.error().message();
    checkpoint = *made;
    return fmt::format("{} MiB", made->octets >> 20);
  });
  timed("excerpt", [&] {
    CarriedFiles::Making making;
    making.checkpoint = checkpoint;
    making.oldest = 1;
    making.before = before;
    making.pace = unpaced;
    making.is_complete = [](std::uint64_t) { return true; };
    const auto made = CarriedFiles(**files, folder).make(making);
    if (!made) return has_failed = true, made.error().message();
    return fmt::format("{} messages, {:.1f} MiB", made->messages,
                       static_cast<double>(made->octets) / (1 << 20));
  });
  if (has_failed || !journal.writer()->drop_before(before)) return 1;
  while (std::filesystem::exists(folder / "journal-00000001.stj")) {
    std::this_thread::yield();  // files go in the background
  }
  timed("reading from it", [&] {
    queue::JournalReader reader(**files, folder, {});
    std::uint64_t read = 0;
    for (const queue::Locator at : journal.live()) read += reader.read(at).has_value();
    return fmt::format("{} of {} records, {} out of the excerpt", read, journal.live().size(),
                       reader.stats().carried);
  });
  return 0;
}

}  // namespace
}  // namespace stentor::daemon

int main(int count, char** arguments) {
  return stentor::daemon::run(count, arguments);
}
