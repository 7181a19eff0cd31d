// Rebuilds what the daemon knew from the records of the journal, one after the other.
//
// A state machine over records: for each message what was promised, written and answered. What
// cannot be known (an intent without an answer) is in doubt and said so.
//
// Units    Milliseconds of Unix time.
// Owns     A table of the messages that are not final yet (live_table.h), most of it on disk where
//          they are many; what few of them have beside it.
// Errors   A record that does not decode is counted and passed over: its octets were good, so it
//          is a kind this version does not know.
// Threads  Runs alone, before any thread of the daemon.
// Spec     reliability.md section 5.2 (what is known after a crash)
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/campaigns/campaign_ledger.h"
#include "daemon/commit/commit_thread.h"
#include "daemon/config/config.h"
#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/routing.h"
#include "daemon/events/consumers.h"
#include "daemon/records/callback_records.h"
#include "daemon/records/carried_records.h"
#include "daemon/records/opt_out_records.h"
#include "daemon/recovery/live_table.h"
#include "daemon/references/reference_index.h"
#include "queue/record_batch.h"

namespace stentor::daemon {

class Replay {
 public:
  using CarrierOf = std::function<CarrierDelivery&(std::uint16_t)>;

  Replay(const Config& config, const Routing& routing, CarrierOf carrier_of,
         ReferenceIndex& references, Consumers& consumers, CampaignLedger& campaigns,
         std::uint64_t now_ms, LiveTable::Spill spill = {});

  /// Before finish(): what was accepted before this place may have ended in what is set aside.
  void set_lost_behind(queue::Locator place) noexcept { lost_behind_ = place; }
  /// Who is told of people who want no more messages.
  void set_on_opt_out(std::function<void(const OptOutChange&, queue::Locator)> on_opt_out) {
    on_opt_out_ = std::move(on_opt_out);
  }
  void set_on_dead_letter(std::function<void(const DeadLetter&)> on_dead_letter) {
    on_dead_letter_ = std::move(on_dead_letter);
  }
  void visit(const queue::Record& record);
  /// Before any visit(): a record of the checkpoint or of the carried excerpt that stands for the
  /// journal's first files (behind those that the first file there is begins with). What
  /// its records add to the ledger and to campaigns is in the totals that it begins with.
  void restore(const queue::Record& record);
  /// After the last record: forgets files before `oldest`, which are gone, and hands every message
  /// that is not final to its carrier.
  void finish(std::uint32_t oldest = 0);

  /// What is in doubt at one carrier after a start, by the policy that was applied.
  struct Doubts {
    std::array<std::uint64_t, kUncertainPolicies> by_policy{};
    std::uint64_t since_ms = UINT64_MAX;  ///< the oldest: noted then, or the process died then
  };
  struct Report {
    std::uint64_t waiting = 0;   ///< to be sent, what goes again after its doubt included
    std::uint64_t in_doubt = 0;  ///< found so by this start
    std::uint64_t held = 0;      ///< in doubt since before, until somebody or something ends it
    std::map<std::uint16_t, Doubts> doubts;  ///< of both, by carrier
    std::uint64_t awaiting_receipt = 0;
    std::uint64_t without_carrier = 0;  ///< their carrier is gone and no route leads elsewhere
    std::uint64_t not_understood = 0;
  };
  [[nodiscard]] const Report& report() const noexcept { return report_; }
  [[nodiscard]] const Ledger& ledger() const noexcept { return ledger_; }
  [[nodiscard]] const std::map<std::uint32_t, FileUse>& files() const noexcept { return files_; }
  /// What the journal says last of its carried excerpt.
  [[nodiscard]] const CarriedNow& carried() const noexcept { return carried_; }
  /// After finish(): messages that live, and whose files are gone.
  [[nodiscard]] std::uint64_t carried_live() const noexcept { return carried_live_; }
  [[nodiscard]] std::uint64_t latest_ms() const noexcept { return latest_ms_; }
  /// After restore(): where the checkpoint's references of final messages begin. Those before lie
  /// in their own runs, and what those have lost has to be read from the journal.
  [[nodiscard]] queue::Locator references_from() const noexcept { return references_from_; }

 private:
  static constexpr std::uint16_t kNoCarrier = LiveTable::kNoCarrier;
  using Entry = LiveTable::Entry;
  struct Partial {
    PartSet taken;
  };
  struct HeldEntry {
    PartSet doubt;
    std::uint64_t since_ms = 0;
    std::uint64_t until_ms = 0;
    UncertainPolicy policy = UncertainPolicy::hold;
    UncertainPolicy then = UncertainPolicy::hold;
  };

  [[nodiscard]] Entry* entry_of(const Following& of, std::uint64_t& sequence);
  void apply(const queue::Record& record);
  void remember(std::string_view client, std::string_view ref, std::uint64_t time_ms,
                queue::Locator at);
  void visit_totals(const queue::Record& record);
  void visit_accepted(const queue::Record& record);
  [[nodiscard]] std::uint16_t carrier_for(std::string_view name, bool is_fixed,
                                          const Subject& subject) const;
  void visit_intent(const queue::Record& record);
  void visit_released(const queue::Record& record);
  void visit_part(const queue::Record& record);
  void note_refusal(std::uint64_t sequence, const Entry& entry, const PartAnswered& part);
  [[nodiscard]] bool visit_slowed(const queue::Record& record);
  [[nodiscard]] bool visit_paused(const queue::Record& record);
  [[nodiscard]] bool visit_carrier_cancelled(const queue::Record& record);
  void restore_clearings();
  [[nodiscard]] RefusalCounts& refusals_of(std::uint64_t sequence, const Entry& entry);
  [[nodiscard]] StatusClass class_of(const Entry& entry, std::uint32_t command_status) const;
  void visit_receipt(const queue::Record& record);
  void visit_orphan(const queue::Record& record);
  [[nodiscard]] bool visit_inbound(const queue::Record& record);
  void visit_uncertain(const queue::Record& record);
  void visit_resolved(const queue::Record& record);
  void end_doubt_of_part(std::uint64_t sequence, std::uint8_t part);
  void restore_told(const Following& of, const Entry* entry, queue::Locator at);
  void advance(const Following& of, Entry* entry, std::uint64_t sequence,
               State corrects = State::none);
  [[nodiscard]] bool visit_taken_twice(const queue::Record& record);
  void hand_over(std::uint64_t sequence, const Entry& entry, std::vector<std::uint64_t>& awaiting);
  [[nodiscard]] static std::uint64_t expires_ms_of(const Entry& entry) noexcept {
    return std::uint64_t{entry.expires} * 1000 - entry.expires_early * 1000 / 64;
  }
  void hand_over_held(CarrierDelivery& carrier, std::uint64_t sequence, const Entry& entry,
                      const HeldEntry& held, const queue::Lanes::Pick& pick, Retry retry);
  void count_doubt(const Entry& entry, UncertainPolicy policy, std::uint64_t since_ms);

  const Config& config_;
  const Routing& routing_;
  CarrierOf carrier_of_;
  ReferenceIndex& references_;
  Consumers& consumers_;
  std::function<void(const OptOutChange&, queue::Locator)> on_opt_out_;
  std::function<void(const DeadLetter&)> on_dead_letter_;
  CampaignLedger& campaigns_;
  const std::uint64_t now_ms_;
  queue::Locator lost_behind_;
  std::vector<StatusPolicy> policies_;  // by carrier
  LiveTable live_;
  std::unordered_map<std::uint64_t, Partial> partials_;  // messages of several parts
  // Messages that were refused for now, by sequence: all but those of which the number of their
  // attempts says as much, so that millions that a carrier's outage put off take nothing here.
  std::unordered_map<std::uint64_t, RefusalCounts> refused_;
  std::unordered_map<std::uint64_t, queue::Flow> told_unknown_;  // by place: may be corrected
  std::unordered_map<std::uint64_t, HeldEntry> held_;            // in doubt, by sequence
  std::vector<queue::Locator>
      cleared_before_;                   // by carrier: the latest order; nowhere: none is due
  std::vector<std::string> cleared_by_;  // likewise: who gave it
  Ledger ledger_;
  bool has_base_ = false;
  std::uint32_t first_visited_ = UINT32_MAX;  // the file that visit() began with
  bool is_restoring_ = false;
  std::map<std::uint32_t, FileUse> files_;
  CarriedNow carried_;
  std::uint64_t carried_live_ = 0;
  std::uint64_t latest_ms_ = 0;
  queue::Locator references_from_;
  Report report_;
};

}  // namespace stentor::daemon
