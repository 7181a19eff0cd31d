#include "bench/smsc/settings.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace stentor::smsc {
namespace {

// A delay beyond a week is a slip of the unit, and would overflow nothing but patience.
constexpr double kNanosecondsMax = 7.0 * 24 * 3600 * 1e9;

std::unexpected<std::string> expected_but(std::string_view wanted, std::string_view got) {
  return std::unexpected("expected " + std::string(wanted) + ", got \"" + std::string(got) + "\"");
}

// The leading number of `text`, which is shortened to what follows it.
parsed<double> take_number(std::string_view& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value) || value < 0) {
    return expected_but("a number", text);
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

parsed<std::uint64_t> parse_count(std::string_view text, int base = 10) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) {
    return expected_but("a whole number", text);
  }
  return value;
}

// Calls `each` for every "name=value" between commas.
template <class Each>
parsed<bool> split_pairs(std::string_view text, Each&& each) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) return expected_but("name=value", pair);
    if (auto fault = each(pair.substr(0, equals), pair.substr(equals + 1)); !fault) return fault;
  }
  return true;
}

constexpr std::array<std::pair<std::string_view, Outcome>, 9> kOutcomes{{
    {"ENROUTE", Outcome::enroute},
    {"DELIVRD", Outcome::delivered},
    {"EXPIRED", Outcome::expired},
    {"DELETED", Outcome::deleted},
    {"UNDELIV", Outcome::undeliverable},
    {"ACCEPTD", Outcome::accepted},
    {"UNKNOWN", Outcome::unknown},
    {"REJECTD", Outcome::rejected},
    {"NONE", Outcome::none},
}};

constexpr std::array<std::pair<std::string_view, IdStyle>, 7> kIdStyles{{
    {"hex", IdStyle::hex},
    {"HEX", IdStyle::hex_upper},
    {"decimal", IdStyle::decimal},
    {"padded", IdStyle::padded},
    {"uuid", IdStyle::uuid},
    {"oversize", IdStyle::oversize},
    {"mixed", IdStyle::mixed},
}};

constexpr std::array<std::pair<std::string_view, ReceiptForm>, 5> kReceiptForms{{
    {"text", ReceiptForm::text},
    {"tlv", ReceiptForm::tlv},
    {"both", ReceiptForm::both},
    {"payload", ReceiptForm::payload},
    {"csv", ReceiptForm::csv},
}};

constexpr std::array<std::pair<std::string_view, Garbage>, 4> kGarbage{{
    {"garbage", Garbage::garbage},
    {"half-pdu", Garbage::half_pdu},
    {"length-2gb", Garbage::length_2gb},
    {"short-length", Garbage::short_length},
}};

template <class Table>
auto find_name(const Table& table, std::string_view name)
    -> parsed<typename Table::value_type::second_type> {
  std::string names;
  for (const auto& [known, value] : table) {
    if (known == name) return value;
    names += (names.empty() ? "" : ", ") + std::string(known);
  }
  return expected_but("one of " + names, name);
}

}  // namespace

parsed<nanoseconds> parse_duration(std::string_view text) {
  std::string_view unit = text;
  const auto number = take_number(unit);
  if (!number) return std::unexpected(number.error());
  double scale = 0;
  if (unit == "ns") scale = 1;
  if (unit == "us") scale = 1e3;
  if (unit == "ms" || unit.empty()) scale = 1e6;
  if (unit == "s") scale = 1e9;
  if (unit == "m") scale = 60e9;
  if (unit == "h") scale = 3600e9;
  const double value = *number * scale;
  if (scale == 0 || value > kNanosecondsMax) {
    return expected_but("a time such as 250us, 10ms or 1.5s, at most a week", text);
  }
  return nanoseconds(static_cast<std::int64_t>(value));
}

parsed<Delay> parse_delay(std::string_view text) {
  const std::size_t plus = text.find('+');
  const auto base = parse_duration(text.substr(0, plus));
  if (!base) return std::unexpected(base.error());
  if (plus == std::string_view::npos) return Delay{.base = *base};
  const auto jitter = parse_duration(text.substr(plus + 1));
  if (!jitter) return std::unexpected(jitter.error());
  return Delay{.base = *base, .jitter = *jitter};
}

parsed<double> parse_share(std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (!number) return std::unexpected(number.error());
  const double share = rest == "%" ? *number / 100 : *number;
  if ((!rest.empty() && rest != "%") || share > 1) {
    return expected_but("a share such as 5% or 0.05, at most 100%", text);
  }
  return share;
}

parsed<After> parse_after(std::string_view text) {
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
    const auto count = parse_count(text);
    if (!count) return std::unexpected(count.error());
    return After{.submits = *count};
  }
  const auto time = parse_duration(text);
  if (!time) return expected_but("a number of submit_sm, or a time with its unit", text);
  return After{.time = *time};
}

parsed<std::uint32_t> parse_status(std::string_view text) {
  const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
  const auto value = is_hex ? parse_count(text.substr(2), 16) : parse_count(text);
  if (!value || *value > 0xffffffff) return expected_but("a command_status such as 0x58", text);
  return static_cast<std::uint32_t>(*value);
}

parsed<std::vector<ErrorShare>> parse_errors(std::string_view text) {
  std::vector<ErrorShare> errors;
  double total = 0;
  const auto done = split_pairs(text, [&](auto name, auto value) -> parsed<bool> {
    const auto status = parse_status(name);
    if (!status) return std::unexpected(status.error());
    const auto share = parse_share(value);
    if (!share) return std::unexpected(share.error());
    errors.push_back({.status = *status, .share = *share});
    total += *share;
    return true;
  });
  if (!done) return std::unexpected(done.error());
  // A hair of rounding is not a mistake: 33.3% + 33.3% + 33.4%.
  if (total > 1 + 1e-9) return expected_but("shares of at most 100% together", text);
  return errors;
}

parsed<std::vector<OutcomeShare>> parse_outcomes(std::string_view text) {
  std::vector<OutcomeShare> outcomes;
  double total = 0;
  const auto done = split_pairs(text, [&](auto name, std::string_view value) -> parsed<bool> {
    const auto outcome = find_name(kOutcomes, name);
    if (!outcome) return std::unexpected(outcome.error());
    if (value.ends_with('%')) value.remove_suffix(1);
    std::string_view rest = value;
    const auto weight = take_number(rest);
    if (!weight || !rest.empty()) return expected_but("a weight", value);
    outcomes.push_back({.outcome = *outcome, .share = *weight});
    total += *weight;
    return true;
  });
  if (!done) return std::unexpected(done.error());
  if (total <= 0) return expected_but("at least one outcome with a weight", text);
  for (OutcomeShare& outcome : outcomes) outcome.share /= total;
  return outcomes;
}

parsed<IdStyles> parse_id_styles(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto response = find_name(kIdStyles, text.substr(0, dash));
  if (!response) return std::unexpected(response.error());
  if (dash == std::string_view::npos) return IdStyles{.response = *response, .receipt = *response};
  const auto receipt = find_name(kIdStyles, text.substr(dash + 1));
  if (!receipt) return std::unexpected(receipt.error());
  if (*response == IdStyle::mixed || *receipt == IdStyle::mixed) {
    return expected_but("mixed alone, not in a pair", text);
  }
  return IdStyles{.response = *response, .receipt = *receipt};
}

parsed<ReceiptForm> parse_receipt_form(std::string_view text) {
  return find_name(kReceiptForms, text);
}

parsed<QueryAnswer> parse_query_answer(std::string_view text) {
  if (text == "silent") return QueryAnswer{.is_silent = true};
  if (const auto status = parse_status(text)) return QueryAnswer{.status = *status};
  const auto outcome = find_name(kOutcomes, text);
  if (!outcome || *outcome == Outcome::none) {
    return expected_but("a stat such as DELIVRD, a status such as 0x0c, or silent", text);
  }
  return QueryAnswer{.message_state = message_state_of(*outcome)};
}

parsed<std::uint8_t> parse_version(std::string_view text) {
  const auto version = parse_status(text);
  if (!version || (*version != 0x33 && *version != 0x34 && *version != 0x50)) {
    return expected_but("0x33, 0x34 or 0x50", text);
  }
  return static_cast<std::uint8_t>(*version);
}

parsed<std::pair<Garbage, std::uint64_t>> parse_garbage(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto kind = find_name(kGarbage, text.substr(0, colon));
  if (!kind) return std::unexpected(kind.error());
  if (colon == std::string_view::npos) return std::pair{*kind, std::uint64_t{0}};
  const auto good = parse_count(text.substr(colon + 1));
  if (!good) return std::unexpected(good.error());
  return std::pair{*kind, *good};
}

parsed<std::pair<std::string, std::uint16_t>> parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return expected_but("host:port", text);
  const auto port = parse_count(text.substr(colon + 1));
  if (!port || *port > 0xffff) return expected_but("host:port", text);
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return std::pair{std::string(host), static_cast<std::uint16_t>(*port)};
}

std::uint8_t message_state_of(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::enroute: return 1;
    case Outcome::delivered: return 2;
    case Outcome::expired: return 3;
    case Outcome::deleted: return 4;
    case Outcome::undeliverable: return 5;
    case Outcome::accepted: return 6;
    case Outcome::unknown: return 7;
    case Outcome::rejected: return 8;
    case Outcome::none: break;
  }
  return 7;
}

std::string_view stat_of(Outcome outcome) noexcept {
  if (outcome == Outcome::none) return "";
  for (const auto& [name, known] : kOutcomes) {
    if (known == outcome) return name;
  }
  return "";
}

}  // namespace stentor::smsc
