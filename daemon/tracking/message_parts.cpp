#include "daemon/tracking/message_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/records/own_outcomes.h"

namespace stentor::daemon {
namespace {

// Larger is worse: the verdict of a message is that of its worst part.
int badness(State state) {
  switch (state) {
    case State::failed: return 6;
    case State::expired: return 5;
    case State::cancelled: return 4;
    case State::unknown: return 3;
    case State::delivered: return 2;
    case State::sent_final: return 1;  // a part that can have no receipt says nothing
    case State::none:
    case State::sent: return 0;
  }
  return 0;
}

bool is_better_known(State before, State after) {
  if (before == State::none) return true;
  return before == State::unknown && after != State::unknown;
}

}  // namespace

bool is_worse(State state, State other) noexcept {
  return badness(state) > badness(other);
}

std::optional<MessageParts::Known> MessageParts::find(queue::Locator message) {
  Map& map = map_of(message);
  const auto entry = map.entries.find(message.bits());
  if (entry == map.entries.end()) return std::nullopt;
  const auto rest = map.rests.find(message.bits());
  return Known{.bits = message.bits(),
               .map = map,
               .entry = entry->second,
               .rest = rest == map.rests.end() ? nullptr : &rest->second};
}

MessageParts::Rest& MessageParts::rest_of(Known& known) {
  if (known.rest == nullptr) known.rest = &known.map.rests[known.bits];
  return *known.rest;
}

void MessageParts::erase(const Known& known) {
  known.map.rests.erase(known.bits);
  known.map.entries.erase(known.bits);
}

void MessageParts::note_reported(const Known& known) {
  if (++known.entry.reported >= known.entry.parts) erase(known);
}

void MessageParts::forget(queue::Locator message) {
  if (const auto known = find(message)) erase(*known);
}

State MessageParts::state_of(const Known& known, std::uint8_t part) {
  if (known.entry.parts > kPartsInline) return known.rest->states[part - 1u];
  return static_cast<State>(known.entry.states >> (4u * (part - 1u)) & 0xfu);
}

void MessageParts::set_state(Known& known, std::uint8_t part, State state) {
  if (known.entry.parts > kPartsInline) {
    known.rest->states[part - 1u] = state;
    return;
  }
  const unsigned shift = 4u * (part - 1u);
  known.entry.states = (known.entry.states & ~(0xfu << shift)) |
                       std::uint32_t{static_cast<std::uint8_t>(state)} << shift;
}

// Missing parts count as `silence`.
State MessageParts::verdict_of(const Known& known, State silence) {
  State worst = State::none;
  for (unsigned part = 1; part <= known.entry.parts; ++part) {
    State state = state_of(known, static_cast<std::uint8_t>(part));
    if (state == State::none) state = silence;
    if (badness(state) > badness(worst)) worst = state;
  }
  return worst;
}

// "stat:UNDELIV err:001; part 2 failed; parts 1, 3 delivered": short even for 255 parts, since
// neighbours are told together.
std::string MessageParts::detail_of(const Known& known) {
  std::string detail = known.rest != nullptr ? known.rest->words : std::string();
  constexpr State kToldInTurn[] = {State::failed,  State::expired,   State::cancelled,
                                   State::unknown, State::delivered, State::sent_final,
                                   State::none};
  for (const State told : kToldInTurn) {
    std::string numbers;
    unsigned count = 0;
    for (unsigned part = 1; part <= known.entry.parts; ++part) {
      if (state_of(known, static_cast<std::uint8_t>(part)) != told) continue;
      unsigned last = part;
      while (last < known.entry.parts &&
             state_of(known, static_cast<std::uint8_t>(last + 1)) == told) {
        ++last;
      }
      if (!numbers.empty()) numbers += ", ";
      numbers += part == last ? fmt::format("{}", part) : fmt::format("{}-{}", part, last);
      count += last - part + 1;
      part = last;
    }
    if (count == 0) continue;
    if (!detail.empty()) detail += "; ";
    detail +=
        fmt::format("{} {} {}", count == 1 ? "part" : "parts", numbers,
                    told == State::none ? std::string_view("without receipt") : name_of(told));
  }
  return detail;
}

bool MessageParts::has_unknown_part(const Known& known) {
  for (unsigned part = 1; part <= known.entry.parts; ++part) {
    if (state_of(known, static_cast<std::uint8_t>(part)) == State::unknown) return true;
  }
  return false;
}

void MessageParts::expect(queue::Locator message, std::uint8_t parts, bool possible_duplicate) {
  Map& map = map_of(message);
  Entry& entry = map.entries[message.bits()];
  if (possible_duplicate) entry.possible_duplicate = true;
  if (entry.parts != 0) return;
  entry.parts = parts;
  if (parts > kPartsInline) map.rests[message.bits()].states.resize(parts, State::none);
}

bool MessageParts::is_known(queue::Locator message) const {
  return maps_[(message.bits() >> 4) % kMaps].entries.contains(message.bits());
}

PartsVerdict MessageParts::settle(queue::Locator message, std::uint8_t part, State state,
                                  std::string_view code, std::string_view words) {
  auto known = find(message);
  if (!known) return {};  // the message is final already
  Entry& entry = known->entry;
  if (part < 1 || part > entry.parts) return {};
  const State before = state_of(*known, part);
  if (!is_better_known(before, state)) return {};
  if (entry.told != State::none && entry.told != State::unknown) {
    set_state(*known, part, state);
    if (before == State::none) note_reported(*known);
    return {};
  }
  PartsVerdict verdict;
  verdict.is_first = entry.reported == 0;
  verdict.possible_duplicate = entry.possible_duplicate;
  if (before == State::none) ++entry.reported;
  set_state(*known, part, state);
  if (badness(state) >= badness(State::unknown) && badness(state) > badness(entry.worst)) {
    Rest& rest = rest_of(*known);
    rest.code = code;
    rest.words = words;
    entry.worst = state;
  }
  const bool all_known = entry.reported == entry.parts;
  if (!all_known && entry.told == State::none) return verdict;
  const State now = verdict_of(*known, State::unknown);
  if (entry.told == now) return verdict;  // told unknown, and still nothing better is known
  verdict.state = now;
  verdict.corrects = entry.told;
  if (now != State::delivered && now != State::sent_final && known->rest != nullptr) {
    verdict.code = known->rest->code;
  }
  // Of the unknown it was.
  if (now == State::delivered && known->rest != nullptr) known->rest->words.clear();
  verdict.detail = detail_of(*known);
  if (now == State::unknown) {
    entry.told = State::unknown;
  } else {
    verdict.has_unknown_part = has_unknown_part(*known);
    erase(*known);
  }
  return verdict;
}

PartsVerdict MessageParts::on_silence(queue::Locator message, State silence) {
  const auto known = find(message);
  if (!known || known->entry.told == State::unknown) return {};
  PartsVerdict verdict;
  if (known->entry.told != State::none) {
    verdict.over_as = known->entry.told;
    note_reported(*known);
    return verdict;
  }
  verdict.possible_duplicate = known->entry.possible_duplicate;
  verdict.state = verdict_of(*known, State::unknown);
  const bool has_words = known->rest != nullptr && verdict.state != State::unknown;
  verdict.code = has_words ? known->rest->code : own_outcome::kNoReceipt;
  // Where a receipt said "unknown", silence is no good news, whatever was asked for.
  const bool heard_unknown = verdict_of(*known, State::none) == State::unknown;
  if (verdict.state == State::unknown && !heard_unknown) verdict.state = silence;
  verdict.detail = detail_of(*known);
  if (verdict.state == State::unknown) {
    known->entry.told = State::unknown;
  } else {
    // One was silent. Of `sent_final` nothing else was to be expected.
    verdict.has_unknown_part = verdict.state != State::sent_final;
    verdict.over_as = known->entry.told = verdict.state;
    note_reported(*known);
  }
  return verdict;
}

void MessageParts::restore_unknown(queue::Locator message) {
  if (const auto known = find(message)) known->entry.told = State::unknown;
}

void MessageParts::give_up(queue::Locator message) {
  const auto known = find(message);
  if (known && known->entry.told == State::unknown) erase(*known);
}

void MessageParts::keep_only(const std::function<bool(queue::Locator)>& is_wanted) {
  const auto is_unwanted = [&](const auto& one) { return !is_wanted(queue::Locator(one.first)); };
  for (Map& map : maps_) {
    boost::unordered::erase_if(map.entries, is_unwanted);
    boost::unordered::erase_if(map.rests, is_unwanted);
  }
}

}  // namespace stentor::daemon
