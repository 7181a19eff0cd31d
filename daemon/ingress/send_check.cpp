#include "daemon/ingress/send_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "daemon/commit/commit_feed.h"
#include "daemon/delivery/carrier_fit.h"
#include "daemon/hours/number_region.h"
#include "daemon/ingress/number.h"
#include "daemon/ingress/preview.h"
#include "daemon/optout/opt_outs.h"

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kLifetimeMs = 259'200'000;  // three days, the protocol's default
constexpr std::uint64_t kLastSecond = 0xffffffff;   // the year 2106
constexpr std::size_t kWrittenOctetsMax = 64;       // of a number that is none, in its refusal
// What a record needs beside its texts: ids, places, times, lengths. Measured at 110.
constexpr std::size_t kRecordOverheadOctets = 160;

Refusal refuse(std::string_view code, std::string detail) {
  return Refusal{code, std::move(detail), {}};
}

std::uint64_t resolve(const TimeWish& wish, std::uint64_t now_ms, std::uint64_t fallback) {
  switch (wish.form) {
    case TimeWish::Form::none: return fallback;
    case TimeWish::Form::at_ms: return wish.value;
    case TimeWish::Form::in_seconds: return now_ms + wish.value * 1000;
  }
  return fallback;
}

// One request under check.
class Check {
 public:
  Check(const SendRequest& request, const Peer& peer, std::uint64_t now_ms, const SendRules& rules)
      : request_(request), peer_(peer), now_ms_(now_ms), rules_(rules) {}

  std::expected<CheckedSend, Refusal> run();

 private:
  using Outcome = std::optional<Refusal>;

  Outcome check_carrier();
  Outcome check_sender();
  Outcome check_times();
  void check_recipient(std::string_view written);
  Outcome check_recipient(CheckedRecipient& recipient);
  Outcome choose_carrier(CheckedRecipient& recipient) const;
  Outcome check_hours(CheckedRecipient& recipient) const;
  [[nodiscard]] Outcome check_permission(const CheckedRecipient& recipient) const;
  Outcome count_cost(CheckedRecipient& recipient);
  [[nodiscard]] Content content_for(const CheckedRecipient& recipient) const;
  [[nodiscard]] std::expected<SendCost, Refusal> plan(std::uint16_t carrier,
                                                      const Content& content) const;
  [[nodiscard]] Outcome check_client() const;
  [[nodiscard]] Outcome check_size() const;
  [[nodiscard]] const CarrierConfig& carrier_of(const CheckedRecipient& recipient) const {
    return rules_.config.carriers[recipient.carrier];
  }

  const SendRequest& request_;
  const Peer& peer_;
  const std::uint64_t now_ms_;
  const SendRules& rules_;
  std::optional<std::uint16_t> named_carrier_;
  std::string from_;  // kept form; empty: the route's own
  std::unordered_set<std::string> seen_;
  CheckedSend checked_;
  // Recipients of one carrier and one rule of replacement cost the same.
  std::optional<std::pair<std::uint16_t, encoding::Replacement>> planned_for_;
  std::expected<SendCost, Refusal> planned_;
};

std::expected<CheckedSend, Refusal> Check::run() {
  if (auto refusal = check_carrier()) return std::unexpected(std::move(*refusal));
  if (auto refusal = check_sender()) return std::unexpected(std::move(*refusal));
  if (auto refusal = check_times()) return std::unexpected(std::move(*refusal));
  for (const std::string_view written : request_.to) check_recipient(written);

  const bool none_left = std::ranges::all_of(
      checked_.recipients, [](const CheckedRecipient& r) { return r.refusal.has_value(); });
  if (none_left) return std::unexpected(*checked_.recipients.front().refusal);
  if (auto refusal = check_client()) return std::unexpected(std::move(*refusal));
  if (auto refusal = check_size()) return std::unexpected(std::move(*refusal));
  return std::move(checked_);
}

Check::Outcome Check::check_carrier() {
  if (request_.carrier.empty()) return std::nullopt;
  named_carrier_ = rules_.routing.carrier_named(request_.carrier);
  if (named_carrier_) return std::nullopt;
  return refuse("unknown_carrier", "carrier: not in the configuration");
}

Check::Outcome Check::check_sender() {
  if (request_.from.empty()) return std::nullopt;
  auto sender = normalise_sender(request_.from);
  if (!sender) return refuse("bad_sender", fmt::format("from: {}", sender.error()));
  from_ = std::move(*sender);
  if (peer_.config != nullptr && !Peer::allows(peer_.config->senders, from_)) {
    return refuse("not_permitted", "from: not among this client's senders");
  }
  return std::nullopt;
}

Check::Outcome Check::check_times() {
  const std::uint64_t not_before = resolve(request_.not_before, now_ms_, 0);
  checked_.not_before_ms = not_before <= now_ms_ ? 0 : not_before;  // the past means now
  const std::uint64_t from = std::max(not_before, now_ms_);
  const std::uint64_t expires = resolve(request_.expires, now_ms_, from + kLifetimeMs);
  if (expires <= now_ms_) return refuse("expired", "expires: lies in the past");
  if (expires <= from) return refuse("bad_time", "expires: not after not_before");
  if (expires / 1000 > kLastSecond) return refuse("bad_time", "expires: after the year 2105");
  // Where nobody said when, a second more or less is nothing to anybody, and four octets are.
  const bool is_said = request_.expires.form != TimeWish::Form::none;
  checked_.expires_ms = is_said ? expires : (expires + 999) / 1000 * 1000;
  return std::nullopt;
}

void Check::check_recipient(std::string_view written) {
  auto number = request_.is_short ? normalise_short_code(written) : normalise_destination(written);
  CheckedRecipient recipient;
  if (number) {
    if (request_.to_is_array && !seen_.insert(*number).second) return;
    recipient.to = std::move(*number);
    recipient.refusal = check_recipient(recipient);
  } else {
    recipient.to = std::string(written.substr(0, kWrittenOctetsMax));
    recipient.refusal = refuse("bad_destination", fmt::format("to: {}", number.error()));
  }
  checked_.recipients.push_back(std::move(recipient));
}

Check::Outcome Check::check_recipient(CheckedRecipient& recipient) {
  if (auto refusal = choose_carrier(recipient)) return refusal;
  recipient.due_ms = checked_.not_before_ms;
  if (auto refusal = check_hours(recipient)) return refusal;
  if (recipient.from.empty()) {
    return refuse("bad_sender", "from: none given, and the route has none");
  }
  if (auto refusal = check_permission(recipient)) return refusal;
  return count_cost(recipient);
}

Check::Outcome Check::choose_carrier(CheckedRecipient& recipient) const {
  const RouteQuery question(recipient.to, from_, request_.campaign);
  recipient.from = from_;
  if (named_carrier_) {
    recipient.carrier = *named_carrier_;
    recipient.route.is_named = true;
    if (from_.empty()) recipient.from = rules_.routing.default_from(question);
    return std::nullopt;
  }
  const auto choice = rules_.routing.choose(question);
  if (!choice) return refuse("no_route", "to: no route leads there");
  recipient.carrier = choice->carrier;
  recipient.route = reason_of(*choice, rules_.config);
  if (from_.empty()) recipient.from = choice->default_from;
  return std::nullopt;
}

// Held until its hours begin, never dropped; what expires before that is refused now.
Check::Outcome Check::check_hours(CheckedRecipient& recipient) const {
  if (!request_.hours) return std::nullopt;
  const HoursWish& wish = *request_.hours;
  recipient.zone = wish.zone;
  if (recipient.zone.empty()) {
    std::string_view digits = recipient.to;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const std::string_view regions = request_.is_short ? std::string_view{} : regions_of(digits);
    if (regions.empty()) {
      return refuse("bad_field", "hours.zone: this number does not tell its zone; give one");
    }
    recipient.zone.append("@").append(regions);
  }
  if (!rules_.open_hours.knows(recipient.zone))
    return refuse("bad_field", "hours.zone: not a zone");
  const std::uint64_t from = std::max(checked_.not_before_ms, now_ms_);
  const auto opens = rules_.open_hours.next_open({wish.from, wish.to, recipient.zone}, from);
  if (!opens) {
    return refuse("never_in_hours",
                  "hours: never at one time in all zones of this number's region; give a zone");
  }
  if (*opens >= checked_.expires_ms) {
    return refuse("never_in_hours", "hours: it expires before they begin");
  }
  if (*opens > from) recipient.due_ms = *opens;
  return std::nullopt;
}

Check::Outcome Check::check_permission(const CheckedRecipient& recipient) const {
  if (peer_.config != nullptr &&
      !Peer::allows(peer_.config->carriers, carrier_of(recipient).name)) {
    return refuse("not_permitted", "carrier: not among this client's carriers");
  }
  if (const auto misfit = misfit_of(request_.smpp, carrier_of(recipient))) {
    return refuse("bad_field", std::string(*misfit));
  }
  if (rules_.opt_outs != nullptr && !request_.ignores_opt_out &&
      rules_.opt_outs->forbids({.to = recipient.to,
                                .from = recipient.from,
                                .campaign = request_.campaign,
                                .client = peer_.client,
                                .is_urgent = request_.priority == queue::Priority::urgent})) {
    return refuse("opted_out", "to: wants no messages from this sender");
  }
  return std::nullopt;
}

Check::Outcome Check::count_cost(CheckedRecipient& recipient) {
  const Content content = content_for(recipient);
  recipient.replacement = content.replacement;
  const std::pair wanted(recipient.carrier, content.replacement);
  if (planned_for_ != wanted) {
    planned_ = plan(recipient.carrier, content);
    planned_for_ = wanted;
  }
  if (!planned_) return planned_.error();
  recipient.cost = *planned_;
  return std::nullopt;
}

Content Check::content_for(const CheckedRecipient& recipient) const {
  return {.body = request_.text,
          .udh = request_.udh,
          .is_binary = request_.is_binary,
          .flash = request_.flash,
          .encoding = request_.encoding,
          .replacement = request_.replacement.value_or(
              rules_.routing.default_replacement({recipient.to, from_, request_.campaign})),
          .national = request_.national.value_or(carrier_of(recipient).national)};
}

std::expected<SendCost, Refusal> Check::plan(std::uint16_t carrier, const Content& content) const {
  const CarrierConfig& config = rules_.config.carriers[carrier];
  const auto planned = MessagePlan::make(content, config, request_.max_segments);
  if (!planned) return std::unexpected(refuse(planned.error().code, planned.error().detail));
  SendCost cost{.segments = planned->segments(),
                .parts = static_cast<std::uint8_t>(planned->parts()),
                .encoding = planned->encoding_word(),
                .replaced = {},
                .reason = reason_of(*planned, content)};
  if (planned->text() != nullptr && !planned->text()->replacements.empty()) {
    append_replacements(content, config, *planned->text(), cost.replaced);
  }
  return cost;
}

Check::Outcome Check::check_client() const {
  if (!request_.callback.empty() && (peer_.config == nullptr || !peer_.config->callback)) {
    return refuse("not_permitted", "callback: the configuration has none for this client");
  }
  if (request_.is_binary && peer_.config != nullptr && !peer_.config->may_send_binary) {
    return refuse("not_permitted", "binary: not allowed for this client");
  }
  return std::nullopt;
}

// Its records travel in one batch, all or none.
Check::Outcome Check::check_size() const {
  const std::size_t each = request_.text.size() + request_.udh.size() + request_.meta.size() +
                           request_.ref.size() + request_.campaign.size() +
                           request_.callback.size() + request_.smpp.tlvs.size() +
                           kRecordOverheadOctets;
  if (checked_.recipients.size() * each <= kRequestOctetsMax) return std::nullopt;
  return refuse("bad_field",
                fmt::format("to: {} recipients with a text this long are more than one "
                            "transaction of {} KiB; send them in several",
                            checked_.recipients.size(), kRequestOctetsMax >> 10));
}

}  // namespace

std::expected<CheckedSend, Refusal> check_send(const SendRequest& request, const Peer& peer,
                                               std::uint64_t now_ms, const SendRules& rules) {
  return Check(request, peer, now_ms, rules).run();
}

}  // namespace stentor::daemon
