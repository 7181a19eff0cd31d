// From the journal to everything that stands in memory, or a line that says why not.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "daemon/control/daemon_body.h"
#include "daemon/control/in_doubt_told.h"
#include "daemon/failpoints/failpoint.h"
#include "daemon/failpoints/failpoint_files.h"
#include "daemon/log.h"
#include "daemon/recovery/journal_start.h"
#include "daemon/wall_clock.h"
#include "queue/journal_format.h"
#include "queue/journal_recovery.h"
#include "queue/spill_io.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// As much as lanes may have of the memory for what waits: when the journal is read, this is free
// for them.
constexpr std::uint64_t kLivePart = 8;

void tell_recovered(const Config& config, const JournalStart& started, const Replay::Report& report,
                    Clock::duration took) {
  const queue::Recovered& recovered = started.recovered;
  const auto& checkpoint = started.checkpoint;
  log::info(
      "journal: {}{} records in {} files, {} torn octets cut; {} messages wait, {}; {} await a "
      "receipt; {} ms",
      checkpoint ? fmt::format("checkpoint before file {} of {} KiB, then ", checkpoint->before,
                               checkpoint->octets >> 10)
                 : std::string(),
      recovered.records, recovered.files.size(), recovered.torn_octets, report.waiting,
      in_doubt_told(config, report, wall_clock_ms()), report.awaiting_receipt,
      std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  if (recovered.torn_octets > 0 && !recovered.files.empty()) {
    log::warn(
        "journal-{:08}.stj: {} octets of a commit that was never acknowledged cut from "
        "its end",
        recovered.files.back().number, recovered.torn_octets);
  }
  if (report.without_carrier > 0) {
    log::error(
        "journal: {} messages wait for a carrier that is not in the configuration any "
        "more, and no default route leads elsewhere",
        report.without_carrier);
  }
  if (report.not_understood > 0) {
    log::error("journal: {} records are of a kind this version does not know",
               report.not_understood);
  }
}

}  // namespace

void tell_newer(const std::optional<NewerFile>& newer) {
  if (newer) log::warn("{}: what it holds is read from the journal again", to_string(*newer));
}

CarrierDelivery& Daemon::Body::carrier(std::uint16_t number) {
  return shards_[number % shards_.size()]->carrier(number);
}

void Daemon::Body::check_origin(Adoption adopt, const MachineMarks& marks) const {
  const auto origin = origin_of(config_.state_dir, marks);
  if (!origin) throw JournalRefused(origin.error());
  if (adopt != Adoption::none || *origin == StateOrigin::own || *origin == StateOrigin::unclaimed) {
    return;
  }
  throw JournalRefused(fmt::format(
      "state_dir {}: {}. What waits in it may have been sent since by the original. Once, and with "
      "the original stopped for good: --adopt moved, if it was stopped before the copy was made, "
      "else --adopt copy, which suspends every carrier and holds what is in doubt",
      config_.state_dir.string(),
      *origin == StateOrigin::other_machine
          ? "another machine wrote it"
          : "its files are copies of those that were written here, such as a restored backup"));
}

// Durable with the first file of the journal that is begun, so before anything is sent.
void Daemon::Body::suspend_all() {
  for (std::size_t i = 0; i < config_.carriers.size(); ++i) {
    CarrierSwitched record;
    record.carrier = config_.carriers[i].name;
    record.suspended = true;
    record.time_ms = wall_clock_ms();
    record.client = "--adopt copy";
    carrier(static_cast<std::uint16_t>(i)).restore_switch(record);
  }
  log::warn(
      "--adopt copy: every carrier is suspended and what is in doubt is held. Judge what waits, "
      "resolve what is held, then resume the carriers; do not start with --adopt again");
}

void Daemon::Body::recover(StartWish wish) {
  const auto began = Clock::now();
  notify_.status("recovering the journal");
  (void)notify_.extend_timeout(10min);  // a large journal: minutes, not a reason to be killed
  std::error_code uncreated;
  std::filesystem::create_directories(config_.state_dir, uncreated);  // 0700 by our umask
  if (uncreated) {
    throw std::runtime_error(
        fmt::format("state_dir {}: {}", config_.state_dir.string(), uncreated.message()));
  }
  clock_watch_.look_at_note();
  const std::uint64_t forgets_by_ms = wall_clock_ms() - suspected_lead_ms();
  const auto marks = MachineMarks::of(config_.state_dir);
  check_origin(wish.adopt, marks);
  const auto journal = config_.state_dir / "journal";
  open_references(journal);
  Replay replay(config_, routing_,
                [this](std::uint16_t number) -> CarrierDelivery& { return carrier(number); },
                *references_, consumers_, campaigns_, forgets_by_ms,
                {.files = &*files_,
                 .folder = config_.state_dir / "spill",
                 .octets = config_.queue.memory_octets / kLivePart});
  if (const auto loaded = opt_outs_.load(*files_); !loaded) {
    throw JournalRefused(fmt::format("opt-outs: {}", loaded.error()));
  }
  replay.set_on_opt_out(
      [this](const OptOutChange& change, queue::Locator at) { opt_outs_.restore(change, at); });
  replay.set_on_dead_letter([this](const DeadLetter& letter) { callbacks_->restore(letter); });
  std::optional<LostMessages> lost;
  if (wish.salvage) lost.emplace();
  if (wish.adopt == Adoption::copy) {
    for (std::size_t i = 0; i < config_.carriers.size(); ++i) {
      carrier(static_cast<std::uint16_t>(i)).hold_restored_doubts();
    }
  }
  auto started = start_from_journal(
      *files_, journal,
      {.salvage = wish.salvage, .on_checkpoint = [this, &replay] { rebuild_references(replay); }},
      replay, lost ? &*lost : nullptr);
  if (!started) throw JournalRefused(fmt::format("journal: {}", started.error()));
  queue::Recovered& recovered = started->recovered;
  const auto& checkpoint = started->checkpoint;
  tell_newer(started->newer_checkpoint);
  journal_lock_ = std::move(recovered.lock);
  queue::remove_spill_files(*files_, config_.state_dir / "spill");
  for (const std::string& line : started->set_aside) {
    log::error("journal: set aside: {}", line);
  }
  if (lost && !started->set_aside.empty()) tell_lost(*lost, journal);
  if (wish.salvage) {
    if (const auto removed = CheckpointFiles(*files_, journal).remove_all(); !removed) {
      throw std::runtime_error(
          fmt::format("journal: checkpoints of before the salvage: {}", removed.error().message()));
    }
  }
  campaigns_.weigh_clients(
      [this](std::string_view client) { return weight_of_client(config_, client); });
  for (const CampaignLedger::Standing& standing : campaigns_.all()) {
    const FlowOrder order = order_of(standing.campaign);
    if (order.asks_for_nothing()) continue;
    for (const auto& shard : shards_) (void)shard->ask(order, true);
  }
  if (wish.adopt == Adoption::copy) suspend_all();
  latest_ms_ = replay.latest_ms();
  clock_watch_.on_start(latest_ms_);
  Ledger totals = replay.ledger();
  // A sequence of a message that salvaging has cost is not given again.
  if (lost) totals.sequence_next = std::max(totals.sequence_next, lost->sequence_next());
  sequence_next_ = totals.sequence_next;
  commit_.restore(totals, replay.files(), started->carried);
  commit_.set_add_to_preamble([this](queue::RecordBatch& preamble) {
    consumers_.add_to(preamble);
    campaigns_.add_to(preamble);
    switches_.add_to(preamble);
  });
  commit_.set_on_counted([this](const CommitBatch& batch) { campaigns_.apply(batch); });
  failpoints_recovered();
  failpoint(Failpoint::start_recovered);
  auto writer = queue::JournalWriter::start(*files_, {.directory = journal}, recovered.end,
                                            [this] { return commit_.make_preamble(); });
  if (!writer) {
    throw std::runtime_error(fmt::format("journal: {}", writer.error().message()));
  }
  commit_.adopt(std::move(*writer));
  if (const auto claimed = claim_state(config_.state_dir, marks); !claimed) {
    throw std::runtime_error(claimed.error());
  }
  start_checkpoints(journal, checkpoint);

  tell_recovered(config_, *started, replay.report(), Clock::now() - began);
}

void Daemon::Body::start_checkpoints(const std::filesystem::path& journal,
                                     const std::optional<Checkpoint>& newest) {
  checkpointer_ = std::make_unique<Checkpointer>(
      *files_, journal, commit_,
      Checkpointer::Options{
          .every_octets = config_.journal.checkpoint_octets,
          .guard = std::chrono::duration_cast<std::chrono::milliseconds>(config_.queue.guard),
          .references_from = [index = references_.get()] { return index->durable_to(); }},
      newest);
  checkpointer_->set_on_trouble([](const std::string& why) {
    log::warn("journal: no checkpoint could be made, the next start takes longer: {}", why);
  });
  checkpointer_->set_on_turn([this] { clock_watch_.note_when_due(); });
  checkpointer_->set_on_damage([](const Checkpointer::Damage& damage) {
    log::error("journal: damage in what the start had not read: {}; {}", damage.where,
               damage.is_refused
                   ? "what lives goes on, and the next start refuses this journal: stop, and start "
                     "once with --salvage, which lists what was lost"
                   : "what lives goes on; copy the state while the disk still reads");
  });
  checkpointer_->set_on_carry_trouble([](const std::string& why) {
    log::warn(
        "journal: live messages could not be carried out of old files, which stay beyond "
        "retention: {}",
        why);
  });
  checkpointer_->set_on_carried([](const Carried& carried) {
    log::info(
        "journal: {} live messages carried out of the files before {} into {} KiB, in {} ms; those "
        "files may go",
        carried.excerpt.messages, carried.excerpt.before, carried.excerpt.octets >> 10,
        carried.took.count());
  });
}

void Daemon::Body::open_references(const std::filesystem::path& journal) {
  // The table of 34 octets an entry, the one being written and the filters: a quarter of the memory
  // at most, so that messages that wait have the rest.
  constexpr std::uint64_t kTablePart = 16;
  constexpr std::uint64_t kFilterPart = 8;
  constexpr std::uint64_t kEntriesMin = 1u << 14;
  const std::uint64_t memory = config_.queue.memory_octets;
  const auto folder = config_.state_dir / "references";
  auto opened = ReferenceIndex::open(
      *files_, folder, journal,
      {.seed = seed_,
       .guard_ms = static_cast<std::uint64_t>(
           std::chrono::duration_cast<std::chrono::milliseconds>(config_.queue.guard).count()),
       .entries_max = std::max(kEntriesMin, memory / kTablePart / ReferenceTable::kOctetsPerEntry),
       .filter_octets_max = memory / kFilterPart,
       .now_ms = wall_clock_ms()});
  if (!opened) {
    throw JournalRefused(fmt::format("{}: {}", folder.string(), opened.error().message()));
  }
  references_ = std::move(*opened);
  tell_newer(references_->met_newer());
  references_->set_on_trouble([](const std::string& what) { log::error("references: {}", what); });
}

// A checkpoint leaves out the references that were on disk when it was made. What has been lost of
// them since is read from the journal, as far back as the guard reaches.
void Daemon::Body::rebuild_references(const Replay& restored) {
  const auto guard = std::chrono::duration_cast<std::chrono::milliseconds>(config_.queue.guard);
  for (const auto& [number, use] : restored.files()) {
    const std::uint64_t now_ms = wall_clock_ms() - suspected_lead_ms();
    if (use.last_ms + static_cast<std::uint64_t>(guard.count()) < now_ms) continue;
    const auto rebuilt = references_->rebuild_missing(queue::Locator(number, queue::kFirstBlock, 0),
                                                      restored.references_from());
    if (!rebuilt) {
      throw JournalRefused(fmt::format("references: {}", rebuilt.error().message()));
    }
    return;
  }
}

void Daemon::Body::tell_lost(LostMessages& lost, const std::filesystem::path& journal) {
  CheckpointFiles checkpoints(*files_, journal);
  if (const auto checkpoint = checkpoints.find_newest()) {
    // One that is damaged names fewer: what it has shown is true all the same.
    (void)checkpoints.for_each(*checkpoint, [&lost](const queue::Record& record) {
      lost.visit_checkpoint(record);
      return queue::result<void>{};
    });
  }
  const LostMessages::Report report = lost.report();
  const auto written = write_lost(*files_, journal, report);
  const std::string known_before =
      report.unknown_before == 0
          ? std::string()
          : fmt::format("; what was accepted before sequence {} is not known",
                        report.unknown_before);
  log::error(
      "journal: what was set aside held {} messages that are known by name, {} of them without "
      "an end, and at most {} others{}; {}",
      report.named.size(), report.live, report.unnamed_at_most, known_before,
      written ? "listed in " + *written
              : "the list could not be written: " + written.error().message());
}

}  // namespace stentor::daemon
