// The carrier behind the connections: decides what becomes of each message, and keeps its accounts.
//
// Owns     Accounts, dice, totals; refers to the capture.
// Errors   None. Throws nothing but std::bad_alloc.
// Threads  One thread.
// Spec     SMPP 3.4 section 5.1.3 (command_status).
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "bench/smsc/account.h"
#include "bench/smsc/capture.h"
#include "bench/smsc/dice.h"
#include "bench/smsc/receipt_composer.h"
#include "bench/smsc/reply_composer.h"
#include "bench/smsc/settings.h"
#include "bench/smsc/totals.h"
#include "protocol/pdu.h"

namespace stentor::smsc {

class Smsc {
 public:
  /// `capture` may be null. Ids count from `settings.first_id`, or else from the wall clock.
  Smsc(Settings settings, Capture* capture, const Now& now);

  [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
  [[nodiscard]] Capture* capture() noexcept { return capture_; }
  [[nodiscard]] Totals& totals() noexcept { return totals_; }
  [[nodiscard]] ReceiptComposer& receipts() noexcept { return receipts_; }
  [[nodiscard]] ReplyComposer& replies() noexcept { return replies_; }

  /// The command_status a bind deserves.
  [[nodiscard]] std::uint32_t judge_bind(const protocol::Bind& bind);
  /// The account of a system_id; null when there are too many.
  [[nodiscard]] Account* account_of(std::string_view system_id);

  /// The command_status a submit_sm gets, window and bind state aside.
  [[nodiscard]] std::uint32_t judge_submit(const Now& now);
  [[nodiscard]] std::uint64_t next_message_number() noexcept { return next_number_++; }
  [[nodiscard]] nanoseconds draw_latency() noexcept { return draw(settings_.latency, latency_); }
  [[nodiscard]] bool draw_duplicate() noexcept {
    return settings_.duplicate_receipts > 0 && duplicates_.share() < settings_.duplicate_receipts;
  }
  [[nodiscard]] std::uint64_t draw_garbage() noexcept { return garbage_.next(); }
  /// Fills in a receipt's outcome and due time and hands it to the account, or not: by
  /// registered_delivery, by the outcome drawn, and by chance. Replies likewise.
  void schedule(Account& account, Delivery& delivery, std::uint8_t registered_delivery,
                TimePoint responded);
  void keep(Account& account, const Delivery& delivery);

  void deliver_due(const Now& now);
  [[nodiscard]] TimePoint deadline() const noexcept;
  [[nodiscard]] std::size_t waiting() const noexcept;

 private:
  [[nodiscard]] static nanoseconds draw(const Delay& delay, Dice& dice) noexcept;
  [[nodiscard]] Outcome draw_outcome() noexcept;
  [[nodiscard]] bool over_rate(const Now& now) noexcept;

  // A rehearsal has a handful of accounts; a client that makes names up is not let further.
  static constexpr std::size_t kAccountsMax = 1024;

  Settings settings_;
  Capture* capture_;
  Totals totals_;
  ReceiptComposer receipts_;
  ReplyComposer replies_;
  std::vector<std::unique_ptr<Account>> accounts_;
  std::uint64_t next_number_;
  std::uint64_t binds_judged_ = 0;
  std::optional<TimePoint> receipts_from_;  ///< since the first submit_sm is known
  Dice latency_;
  Dice receipt_delay_;
  Dice outcomes_;
  Dice errors_;
  Dice duplicates_;
  Dice reply_;
  Dice garbage_;
  double tokens_ = 0;  ///< segments that may still come at once without being throttled
  TimePoint tokens_at_;
};

}  // namespace stentor::smsc
