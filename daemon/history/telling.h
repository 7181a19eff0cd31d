// Tells the story of one message out of its records: what each step was, and why.
//
// Units    Times are RFC 3339 with milliseconds; latencies milliseconds.
// Owns     The JSON under way. Views the accepted record, which must stay.
// Errors   A record that is not about the message, or of an unknown kind, tells nothing.
// Threads  One thread.
// Spec     docs/protocol.md, "message"
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/records/records.h"
#include "queue/record_batch.h"

namespace stentor::daemon {

class Telling {
 public:
  Telling(const Accepted& accepted, const Subject& subject, const Config& config);

  /// In the order of the journal.
  void tell(const queue::Record& record);

  [[nodiscard]] State state() const noexcept { return state_; }
  /// That has it now.
  [[nodiscard]] std::string_view carrier() const noexcept {
    return carrier_.empty() ? subject_.carrier : std::string_view(carrier_);
  }
  [[nodiscard]] bool is_possible_duplicate() const noexcept { return possible_duplicate_; }

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
  void tell_receipt(const ReceiptCame& receipt);
  void tell_verdict(const Verdict& verdict, std::string_view what);
  void step(std::uint64_t time_ms, std::string_view what);
  void end() { steps_.push_back('}'); }
  void note(const Following& of);
  [[nodiscard]] bool is_about(const Following& of) const;
  [[nodiscard]] bool is_among(const std::vector<std::uint64_t>& sequences) const;
  [[nodiscard]] PartStanding* part(std::uint8_t number);
  void append_parts(std::string& out) const;
  void append_encoding(std::string& out) const;

  const Accepted& accepted_;
  const Subject& subject_;
  const Config& config_;
  std::string carrier_;  // where it has moved to; empty: where it was accepted for
  State state_ = State::none;
  bool was_intended_ = false;
  bool possible_duplicate_ = false;
  std::uint64_t waiting_since_ms_ = 0;
  std::vector<PartStanding> parts_;
  std::string steps_;
};

}  // namespace stentor::daemon
