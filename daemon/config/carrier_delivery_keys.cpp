#include "daemon/config/carrier_delivery_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "daemon/config/units.h"

namespace stentor::daemon::config_file {
namespace {

using namespace std::chrono_literals;

constexpr std::pair<std::string_view, StatusClass> kClasses[] = {
    {"throttle", StatusClass::throttle},   {"queue_full", StatusClass::queue_full},
    {"temporary", StatusClass::temporary}, {"unknown", StatusClass::unknown},
    {"permanent", StatusClass::permanent}, {"bind", StatusClass::bind},
    {"doubt", StatusClass::doubt},
};
// A carrier's whole list of its own statuses; each is looked up for an answer that is not ok.
constexpr std::size_t kOverlaysMax = 256;
// The journal keeps the number of an attempt in one octet.
constexpr std::int64_t kAttemptsMax = 255;
constexpr std::size_t kPausesMax = 64;
constexpr auto kPauseMax = 24h;
constexpr auto kWithinMax = 31 * 24h;
// In doubt after a crash is a window of each bind; a window over this no SMSC grants.
constexpr std::int64_t kWindowMax = 65536;
// An automatic one: 10,000 segments a second at 100 ms. Who needs more says so by window_max.
constexpr std::uint32_t kAutoWindowMax = 1000;
// Each message is compared with each limit of its carrier.
constexpr std::size_t kLimitsMax = 64;
constexpr std::size_t kRewritesMax = 256;
// With a whole number behind it, it still fits an address: 20 digits (SMPP 3.4 section 5.2.9).
constexpr std::size_t kRewrittenDigits = 5;
constexpr std::size_t kSenderOctets = 64;
// Code words stand in events and in the journal beside each refusal.
constexpr std::size_t kCodeOctets = 32;

std::optional<std::uint32_t> parse_status(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
  }
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_code(std::string_view text) {
  return !text.empty() && text.size() <= kCodeOctets && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::optional<StatusClass> class_named(std::string_view word) {
  for (const auto& [name, meaning] : kClasses) {
    if (name == word) return meaning;
  }
  return std::nullopt;
}

// "temporary", or { class = "permanent", code = "blocked" }.
void read_overlay(Section& section, const Entry& entry, CarrierConfig& carrier) {
  const std::string below = fmt::format("status.{}", entry.key);
  const auto say = [&](std::string what) {
    section.mistake_at(entry.line, below, std::move(what));
  };
  StatusOverlay overlay;
  const auto status = parse_status(entry.key);
  if (!status || *status == 0) {
    return say("is not a command_status: a number such as 0x58, and not 0");
  }
  overlay.command_status = *status;
  if (std::ranges::find(carrier.status, *status, &StatusOverlay::command_status) !=
      carrier.status.end()) {
    return say("names a status twice");
  }
  constexpr std::string_view kWanted =
      "must be throttle, queue_full, temporary, unknown, permanent, doubt or bind, or "
      "{ class = \"permanent\", code = \"word\" }";
  const auto take_class = [&](const Value& value) {
    const auto* word = std::get_if<std::string>(&value.is);
    const auto named = word == nullptr ? std::nullopt : class_named(*word);
    if (named) overlay.is = *named;
    return named.has_value();
  };
  if (const auto* table = std::get_if<Table>(&entry.value.is)) {
    bool has_class = false;
    for (const Entry& part : *table) {
      if (part.key == "class") {
        has_class = take_class(part.value);
      } else if (part.key == "code") {
        const auto* word = std::get_if<std::string>(&part.value.is);
        if (word == nullptr || !is_code(*word)) {
          return say("code must be a word of 1 to 32 lower-case letters, digits and _");
        }
        overlay.code = *word;
      } else {
        return say(fmt::format("unknown key \"{}\"; class and code are known", part.key));
      }
    }
    if (!has_class) return say(std::string(kWanted));
  } else if (!take_class(entry.value)) {
    return say(std::string(kWanted));
  }
  carrier.status.push_back(std::move(overlay));
}

void read_status(Section& section, CarrierConfig& carrier) {
  const Value* given = section.find("status");
  if (given == nullptr) return;
  const auto* table = std::get_if<Table>(&given->is);
  if (table == nullptr) {
    return section.mistake("status", "must be a table, such as { 0x400 = \"temporary\" }");
  }
  if (table->size() > kOverlaysMax) {
    return section.mistake("status", fmt::format("may name at most {}", kOverlaysMax));
  }
  for (const Entry& entry : *table) read_overlay(section, entry, carrier);
  std::ranges::sort(carrier.status, {}, &StatusOverlay::command_status);
}

void read_pauses(Section& rule, std::vector<std::chrono::seconds>& into) {
  std::vector<std::string> texts;
  rule.texts("pauses", texts);
  if (rule.find("pauses") == nullptr || rule.has_mistake("pauses")) return;
  if (texts.empty() || texts.size() > kPausesMax) {
    return rule.mistake("pauses", fmt::format("must name 1 to {} times", kPausesMax));
  }
  std::vector<std::chrono::seconds> pauses;
  for (const std::string& text : texts) {
    const auto pause = parse_duration(text);
    if (!pause || *pause < 1s || *pause > kPauseMax || *pause % 1s != 0ms) {
      return rule.mistake("pauses", fmt::format("\"{}\" is not a time of 1s to 24h in whole "
                                                "seconds",
                                                text));
    }
    pauses.push_back(std::chrono::duration_cast<std::chrono::seconds>(*pause));
  }
  into = std::move(pauses);
}

void read_rule(Section& retry, std::string_view key, RetryRule& into) {
  auto rule = retry.table(key, "retry_rule");
  if (!rule) return;
  rule->number("attempts", into.attempts, 1, kAttemptsMax);
  read_pauses(*rule, into.pauses);
  rule->duration("within", into.within, 0s, kWithinMax);
  rule->finish();
}

void read_retry(Section& section, RetryConfig& retry) {
  auto table = section.table("retry", "retry");
  if (!table) return;
  read_rule(*table, "temporary", retry.temporary);
  read_rule(*table, "unknown", retry.unknown);
  read_rule(*table, "queue_full", retry.queue_full);
  read_rule(*table, "throttle", retry.throttle);
  // What these two leave out is as the temporary one has it.
  retry.bind = retry.temporary;
  retry.doubt = retry.temporary;
  read_rule(*table, "bind", retry.bind);
  read_rule(*table, "doubt", retry.doubt);
  table->finish();
}

// A number, or "auto" with an upper bound.
void read_window(Section& section, CarrierConfig& carrier) {
  const Value* given = section.find("window");
  const auto* word = given == nullptr ? nullptr : std::get_if<std::string>(&given->is);
  if (word == nullptr) {
    section.number("window", carrier.window, 1, kWindowMax);
    if (section.find("window_max") != nullptr) {
      section.mistake("window_max", "goes with window = \"auto\" only");
    }
    return;
  }
  if (*word != "auto") return section.mistake("window", "must be a number or \"auto\"");
  carrier.window_is_automatic = true;
  carrier.window = kAutoWindowMax;
  section.number("window_max", carrier.window, 1, kWindowMax);
}

bool is_digits(std::string_view text, std::size_t most) {
  return text.size() <= most && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void read_rewrites(Section& section, std::string_view key, std::vector<Rewrite>& rewrites) {
  auto list = section.tables(key);
  if (list.size() > kRewritesMax) {
    return section.mistake(key, fmt::format("may name at most {}", kRewritesMax));
  }
  for (Section& entry : list) {
    Rewrite rewrite;
    entry.text("from", rewrite.from, kPrefixDigits);
    entry.text("to", rewrite.to, kRewrittenDigits);
    if (entry.find("national") != nullptr) entry.flag("national", rewrite.is_national.emplace());
    if (rewrite.from.empty() || !is_digits(rewrite.from, kPrefixDigits)) {
      if (!entry.has_mistake("from")) entry.mistake("from", "must be 1 to 15 digits, no +");
    } else if (std::ranges::find(rewrites, rewrite.from, &Rewrite::from) != rewrites.end()) {
      entry.mistake("from", "has a rule already");
    }
    if (entry.find("to") == nullptr) {
      entry.mistake("", "needs a to, which may be empty");
    } else if (!is_digits(rewrite.to, kRewrittenDigits) && !entry.has_mistake("to")) {
      entry.mistake("to", "must be up to 5 digits, no +");
    }
    entry.finish();
    rewrites.push_back(std::move(rewrite));
  }
}

void read_limits(Section& section, std::vector<RateLimit>& limits) {
  auto list = section.tables("limits");
  if (list.size() > kLimitsMax) {
    return section.mistake("limits", fmt::format("may name at most {}", kLimitsMax));
  }
  for (Section& entry : list) {
    RateLimit limit;
    entry.text("sender", limit.sender, kSenderOctets);
    entry.text("prefix", limit.prefix, kPrefixDigits);
    entry.number("rate", limit.rate, 1, 10'000'000);
    const bool has_sender = entry.find("sender") != nullptr;
    if (has_sender == (entry.find("prefix") != nullptr)) {
      entry.mistake("", "needs either a sender or a prefix");
    } else if (has_sender ? limit.sender.empty()
                          : limit.prefix.empty() || !is_digits(limit.prefix, kPrefixDigits)) {
      entry.mistake(has_sender ? "sender" : "prefix",
                    has_sender ? "must not be empty" : "must be 1 to 15 digits, no +");
    }
    if (entry.find("rate") == nullptr) entry.mistake("", "needs a rate");
    entry.finish();
    limits.push_back(std::move(limit));
  }
}

}  // namespace

void read_delivery_keys(Section& section, CarrierConfig& carrier) {
  read_status(section, carrier);
  read_retry(section, carrier.retry);
  read_window(section, carrier);
  read_limits(section, carrier.limits);
  section.duration("failover_after", carrier.failover_after, 0s, 24h);
  read_rewrites(section, "rewrite", carrier.rewrite);
  read_rewrites(section, "rewrite_source", carrier.rewrite_source);
}

}  // namespace stentor::daemon::config_file
