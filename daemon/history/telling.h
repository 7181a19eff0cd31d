// Tells the story of one message out of its records: what each step was, and why.
//
// Units    Times are RFC 3339 with milliseconds; latencies milliseconds.
// Owns     The JSON under way. Views the accepted record, which must stay.
// Errors   A record that is not about the message, or of an unknown kind, tells nothing.
// Threads  One thread.
// Spec     docs/protocol.md, "message"
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/history/waits.h"
#include "daemon/hours/open_hours.h"
#include "daemon/records/cancel_records.h"
#include "daemon/records/conflict_record.h"
#include "daemon/records/pause_records.h"
#include "daemon/records/records.h"
#include "daemon/records/taken_twice_record.h"
#include "queue/record_batch.h"

namespace stentor::daemon {

class Telling {
 public:
  /// `pauses`: of its campaign, in order.
  Telling(const Accepted& accepted, const Subject& subject, const Config& config,
          OpenHours& open_hours, std::vector<Stretch> pauses = {});

  /// In the order of the journal.
  void tell(const queue::Record& record);
  /// What it waits for, if it does; `limiter` is what holds its carrier back just now.
  void tell_waiting(std::uint64_t now_ms, std::uint8_t limiter);

  [[nodiscard]] State state() const noexcept { return state_; }
  /// That has it now.
  [[nodiscard]] std::string_view carrier() const noexcept {
    return carrier_.empty() ? subject_.carrier : std::string_view(carrier_);
  }
  [[nodiscard]] bool is_possible_duplicate() const noexcept { return possible_duplicate_; }

  /// A part that the carrier has taken and has not reported on, and the id it gave.
  struct AtCarrier {
    std::uint8_t part = 1;
    std::string message_id;
  };
  [[nodiscard]] std::vector<AtCarrier> at_carrier() const;

  /// The members of a reply, without braces: who, what, state; with all steps or without.
  [[nodiscard]] std::string members(bool with_history) const;

 private:
  struct PartStanding {
    std::string carrier_id;
    State state = State::none;
    std::uint64_t taken_ms = 0;
    std::uint64_t reported_ms = 0;
  };

  void tell_accepted();
  void tell_intent(const Intent& intent);
  void tell_part(const PartAnswered& part);
  void tell_receipt(const ReceiptCame& receipt, bool is_repeated);
  void tell_cancel(const CancelAnswered& answered);
  void tell_paused(const Paused& paused);
  void tell_taken_twice(const TakenTwice& twice);
  void tell_verdict(const Verdict& verdict);
  void tell_conflict(const Conflict& conflict);
  void step(std::uint64_t time_ms, std::string_view what);
  void end() { steps_.push_back('}'); }
  void note(const Following& of);
  [[nodiscard]] bool is_about(const Following& of) const;
  [[nodiscard]] bool is_among(const std::vector<std::uint64_t>& sequences) const;
  [[nodiscard]] PartStanding* part(std::uint8_t number);
  void append_parts(std::string& out) const;
  void append_latencies(std::string& out) const;
  void append_encoding(std::string& out) const;
  void append_route(std::string& out) const;
  void tell_waits(std::uint64_t until_ms, std::vector<WaitSpan> carrier);
  void tell_wait(const Stretch& stretch);
  void tell_wait_at_bind(const PartAnswered& answered);
  void wait_again(std::uint64_t since_ms);

  const Accepted& accepted_;
  const Subject& subject_;
  const Config& config_;
  std::string carrier_;  // where it has moved to; empty: where it was accepted for
  State state_ = State::none;
  bool was_intended_ = false;
  bool possible_duplicate_ = false;
  OpenHours& open_hours_;
  [[nodiscard]] bool is_paused() const noexcept;
  std::vector<Stretch> pauses_;      // of its campaign
  std::vector<Stretch> own_pauses_;  // its own
  // The wait under way: nothing while it is at a bind, with the carrier or final.
  std::optional<std::uint64_t> waiting_since_ms_;
  std::uint64_t reserved_ms_ = 0;  // and nothing of it answered since; 0: not reserved
  std::uint64_t due_ms_ = 0;
  std::string_view due_cause_;
  std::vector<PartStanding> parts_;
  std::string steps_;
};

}  // namespace stentor::daemon
