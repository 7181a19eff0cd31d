#include "bench/smsc/smsc.h"

#include <algorithm>
#include <utility>

#include "protocol/command_status.h"

namespace stentor::smsc {
namespace {

// The purposes of the dice: a number once given keeps its meaning, so that seeds stay good.
enum Purpose : std::uint8_t {
  latency = 1,
  receipt_delay,
  outcomes,
  errors,
  duplicates,
  reply,
  garbage
};

// A tenth of a second's worth may come at once: carriers count over some window, never per PDU.
constexpr double kBurstSeconds = 0.1;

// registered_delivery, section 5.2.17: bits 0 and 1, and bit 4.
constexpr std::uint8_t kReceiptMask = 0x03;
constexpr std::uint8_t kReceiptOnFailure = 0x02;
constexpr std::uint8_t kIntermediate = 0x10;

// Microseconds since 2020: a later run always counts from a higher number, unless more than a
// million messages a second came on average.
std::uint64_t first_number(const Now& now) noexcept {
  constexpr std::int64_t kStart = 1'577'836'800;
  return static_cast<std::uint64_t>(now.wall_nanoseconds / 1000 - kStart * 1'000'000);
}

}  // namespace

Smsc::Smsc(Settings settings, Capture* capture, const Now& now)
    : settings_(std::move(settings)),
      capture_(capture),
      receipts_(settings_.receipt_form, settings_.receipts_by_data_sm),
      replies_(settings_.replies),
      next_number_(settings_.first_id != 0 ? settings_.first_id : first_number(now)),
      latency_(settings_.seed, Purpose::latency),
      receipt_delay_(settings_.seed, Purpose::receipt_delay),
      outcomes_(settings_.seed, Purpose::outcomes),
      errors_(settings_.seed, Purpose::errors),
      duplicates_(settings_.seed, Purpose::duplicates),
      reply_(settings_.seed, Purpose::reply),
      garbage_(settings_.seed, Purpose::garbage),
      tokens_(settings_.throttle_above * kBurstSeconds),
      tokens_at_(now.steady) {}

std::uint32_t Smsc::judge_bind(const protocol::Bind& bind) {
  const std::uint64_t judged = binds_judged_++;
  const std::uint64_t refusals = settings_.refuse_bind_count;
  if (settings_.refuse_bind != 0 && (refusals == 0 || judged < refusals)) {
    return settings_.refuse_bind;
  }
  if (!settings_.system_id.empty() && bind.system_id != settings_.system_id) {
    return std::to_underlying(protocol::CommandStatus::invalid_system_id);
  }
  if (!settings_.password.empty() && bind.password != settings_.password) {
    return std::to_underlying(protocol::CommandStatus::invalid_password);
  }
  return 0;
}

Account* Smsc::account_of(std::string_view system_id) {
  for (const auto& account : accounts_) {
    if (account->system_id() == system_id) return account.get();
  }
  if (accounts_.size() == kAccountsMax) return nullptr;
  return accounts_
      .emplace_back(
          std::make_unique<Account>(std::string(system_id), settings_.receipts_to_any_bind))
      .get();
}

std::uint32_t Smsc::judge_submit(const Now& now) {
  if (settings_.throttle_above != 0 && over_rate(now)) {
    return std::to_underlying(protocol::CommandStatus::throttled);
  }
  if (settings_.errors.empty()) return 0;
  double drawn = errors_.share();
  for (const auto& [status, share] : settings_.errors) {
    if (drawn < share) return status;
    drawn -= share;
  }
  return 0;
}

void Smsc::schedule(Account& account, Delivery& delivery, std::uint8_t registered_delivery,
                    TimePoint responded) {
  delivery.outcome = draw_outcome();
  const nanoseconds delay = settings_.receipts_before_response
                                ? nanoseconds(0)
                                : draw(settings_.receipt_delay, receipt_delay_);
  if (!receipts_from_) receipts_from_ = responded + settings_.receipts_after;
  delivery.due = std::max(responded + delay, *receipts_from_);

  const std::uint8_t wanted = registered_delivery & kReceiptMask;
  const bool is_good = delivery.outcome == Outcome::delivered;
  const bool is_due = wanted != 0 && !(wanted == kReceiptOnFailure && is_good);
  if (settings_.receipts && (registered_delivery & kIntermediate) != 0) {
    Delivery notification = delivery;
    notification.kind = DeliveryKind::intermediate;
    notification.outcome = Outcome::enroute;
    notification.due = std::max(responded + delay / 2, *receipts_from_);
    keep(account, notification);
  }
  if (settings_.receipts && is_due && delivery.outcome != Outcome::none) keep(account, delivery);

  if (replies_.texts() == 0 || !is_good || reply_.share() >= settings_.reply_share) return;
  Delivery answer = delivery;
  answer.kind = DeliveryKind::reply;
  answer.reply = static_cast<std::uint16_t>(reply_.next() % replies_.texts());
  for (std::size_t part = 0; part < replies_.parts_of(answer.reply); ++part) {
    answer.reply_part = static_cast<std::uint8_t>(part);
    keep(account, answer);
  }
}

void Smsc::keep(Account& account, const Delivery& delivery) {
  if (!account.keep(delivery)) ++totals_.receipts_purged;
}

void Smsc::deliver_due(const Now& now) {
  for (const auto& account : accounts_) account->deliver_due(now);
}

TimePoint Smsc::deadline() const noexcept {
  TimePoint earliest = TimePoint::max();
  for (const auto& account : accounts_) earliest = std::min(earliest, account->deadline());
  return earliest;
}

std::size_t Smsc::waiting() const noexcept {
  std::size_t count = 0;
  for (const auto& account : accounts_) count += account->waiting();
  return count;
}

nanoseconds Smsc::draw(const Delay& delay, Dice& dice) noexcept {
  if (delay.jitter.count() == 0) return delay.base;
  return delay.base + nanoseconds(static_cast<std::int64_t>(
                          static_cast<double>(delay.jitter.count()) * dice.share()));
}

Outcome Smsc::draw_outcome() noexcept {
  if (settings_.outcomes.size() == 1) return settings_.outcomes.front().outcome;
  double drawn = outcomes_.share();
  for (const auto& [outcome, share] : settings_.outcomes) {
    if (drawn < share) return outcome;
    drawn -= share;
  }
  return settings_.outcomes.back().outcome;
}

bool Smsc::over_rate(const Now& now) noexcept {
  const double rate = settings_.throttle_above;
  const double passed = std::chrono::duration<double>(now.steady - tokens_at_).count();
  tokens_ = std::min(tokens_ + passed * rate, std::max(1.0, rate * kBurstSeconds));
  tokens_at_ = now.steady;
  if (tokens_ < 1) return true;
  tokens_ -= 1;
  return false;
}

}  // namespace stentor::smsc
