// Takes what a carrier's handsets send: joins, decodes, routes, and writes it into the journal.
//
// Units    Octets; wall time in records, steady_clock for patience.
// Owns     The unfinished messages of one carrier, their pin on the journal's files.
// Errors   None: whatever a handset sends is taken. What is no text is kept as octets.
// Threads  The shard's thread; restoring comes before it starts.
// Spec     docs/architecture.md; docs/protocol.md, "events"
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "daemon/commit/commit_feed.h"
#include "daemon/config/config.h"
#include "daemon/inbound/inbound_router.h"
#include "daemon/inbound/reassembly.h"
#include "daemon/inbound/reply_stats.h"
#include "daemon/optout/opt_out_words.h"
#include "daemon/optout/opt_outs.h"
#include "daemon/records/inbound_records.h"
#include "protocol/pdu.h"

namespace stentor::daemon {

/// What the intakes of all carriers share. Read-only once threads run.
struct InboundServices {
  const Config& config;
  InboundRouter router;
  CommitThread& commit;
  std::uint16_t incarnation = 0;  ///< makes the ids of this run its own
  OptOutWords words;
  /// A reply wants no more messages, or messages again; its record is being made durable.
  std::function<void(OptOutNotice)> on_opt_out;
  const OptOuts* opt_outs = nullptr;  ///< who is not to be sent to; null: nobody said so
};

class ReplyIntake {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  ReplyIntake(const InboundServices& services, const CarrierConfig& carrier, std::uint16_t number,
              CommitFeed& feed);

  /// Writes it into the feed's open batch: once that is durable the carrier may be answered.
  void take(const protocol::DeliverSm& deliver, TimePoint now);
  /// Gives out what has waited for its parts too long.
  void on_time(TimePoint now) { give_out(now); }
  [[nodiscard]] bool is_waiting() const noexcept { return reassembly_.unfinished() > 0; }

  // Recovery, in the order of the journal.
  void restore(const InboundPart& part, std::uint32_t file, TimePoint now);
  void restore(const InboundCame& came);

  [[nodiscard]] ReplyStats stats() const;

 private:
  void give_out(TimePoint now);
  void write(const Reassembly::Joined& joined, TimePoint now);
  void note_wish(OptOutWish wish, const InboundCame& came, std::string_view word);
  [[nodiscard]] bool fits_a_send(const IncomingPart& reply) const;
  void tell_unmatched(TimePoint now);
  void encode_part(const IncomingPart& part);
  void pin_files();
  [[nodiscard]] MessageId next_id(std::uint64_t now_ms);

  const InboundServices& services_;
  const CarrierConfig& carrier_;
  const std::uint64_t sequence_base_;
  CommitFeed& feed_;
  FilePin& pin_;
  Reassembly reassembly_;
  std::uint64_t next_number_ = 1;
  ReplyStats stats_;
  std::optional<TimePoint> unmatched_told_;
  std::uint64_t unmatched_untold_ = 0;
  FieldWriter fields_;
  FieldWriter part_;
};

}  // namespace stentor::daemon
