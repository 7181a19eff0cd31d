#include "daemon/tracking/message_parts.h"

#include <fmt/format.h>

#include <algorithm>

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

State MessageParts::state_of(const Entry& entry, std::uint8_t part) {
  if (entry.parts > kPartsInline) return entry.worse->states[part - 1u];
  return static_cast<State>(entry.states >> (4u * (part - 1u)) & 0xfu);
}

void MessageParts::set_state(Entry& entry, std::uint8_t part, State state) {
  if (entry.parts > kPartsInline) {
    entry.worse->states[part - 1u] = state;
    return;
  }
  const unsigned shift = 4u * (part - 1u);
  entry.states = (entry.states & ~(std::uint64_t{0xf} << shift)) |
                 std::uint64_t{static_cast<std::uint8_t>(state)} << shift;
}

// Missing parts count as `silence`.
State MessageParts::verdict_of(const Entry& entry, State silence) {
  State worst = State::none;
  for (unsigned part = 1; part <= entry.parts; ++part) {
    State state = state_of(entry, static_cast<std::uint8_t>(part));
    if (state == State::none) state = silence;
    if (badness(state) > badness(worst)) worst = state;
  }
  return worst;
}

// "stat:UNDELIV err:001; part 2 failed; parts 1, 3 delivered": short even for 255 parts, since
// neighbours are told together.
std::string MessageParts::detail_of(const Entry& entry) {
  std::string detail = entry.worse ? entry.worse->words : std::string();
  constexpr State kToldInTurn[] = {State::failed,  State::expired,   State::cancelled,
                                   State::unknown, State::delivered, State::sent_final,
                                   State::none};
  for (const State told : kToldInTurn) {
    std::string numbers;
    unsigned count = 0;
    for (unsigned part = 1; part <= entry.parts; ++part) {
      if (state_of(entry, static_cast<std::uint8_t>(part)) != told) continue;
      unsigned last = part;
      while (last < entry.parts && state_of(entry, static_cast<std::uint8_t>(last + 1)) == told) {
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

bool MessageParts::has_unknown_part(const Entry& entry) {
  for (unsigned part = 1; part <= entry.parts; ++part) {
    if (state_of(entry, static_cast<std::uint8_t>(part)) == State::unknown) return true;
  }
  return false;
}

void MessageParts::expect(queue::Locator message, std::uint8_t parts, bool possible_duplicate) {
  Entry& entry = map_of(message)[message.bits()];
  if (possible_duplicate) entry.possible_duplicate = true;
  if (entry.parts != 0) return;
  entry.parts = parts;
  if (parts > kPartsInline) {
    entry.worse = std::make_unique<Worse>();
    entry.worse->states.resize(parts, State::none);
  }
}

bool MessageParts::is_known(queue::Locator message) const {
  return maps_[(message.bits() >> 4) % kMaps].contains(message.bits());
}

PartsVerdict MessageParts::settle(queue::Locator message, std::uint8_t part, State state,
                                  std::string_view code, std::string_view words) {
  Map& map = map_of(message);
  const auto found = map.find(message.bits());
  if (found == map.end()) return {};  // the message is final already
  Entry& entry = found->second;
  if (part < 1 || part > entry.parts) return {};
  const State before = state_of(entry, part);
  if (!is_better_known(before, state)) return {};
  PartsVerdict verdict;
  verdict.is_first = entry.reported == 0;
  verdict.possible_duplicate = entry.possible_duplicate;
  if (before == State::none) ++entry.reported;
  set_state(entry, part, state);
  if (badness(state) >= badness(State::unknown) && badness(state) > badness(entry.worst)) {
    if (!entry.worse) entry.worse = std::make_unique<Worse>();
    entry.worse->code = code;
    entry.worse->words = words;
    entry.worst = state;
  }
  const bool all_known = entry.reported == entry.parts;
  if (!all_known && entry.told == State::none) return verdict;
  const State now = verdict_of(entry, State::unknown);
  if (entry.told == now) return verdict;  // told unknown, and still nothing better is known
  verdict.state = now;
  verdict.corrects = entry.told;
  if (now != State::delivered && now != State::sent_final && entry.worse) {
    verdict.code = entry.worse->code;
  }
  if (now == State::delivered && entry.worse) entry.worse->words.clear();  // of the unknown it was
  verdict.detail = detail_of(entry);
  if (now == State::unknown) {
    entry.told = State::unknown;
  } else {
    verdict.has_unknown_part = has_unknown_part(entry);
    map.erase(found);
  }
  return verdict;
}

PartsVerdict MessageParts::on_silence(queue::Locator message, State silence) {
  Map& map = map_of(message);
  const auto found = map.find(message.bits());
  if (found == map.end() || found->second.told != State::none) return {};
  Entry& entry = found->second;
  PartsVerdict verdict;
  verdict.possible_duplicate = entry.possible_duplicate;
  verdict.state = verdict_of(entry, State::unknown);
  verdict.code = entry.worse && verdict.state != State::unknown ? entry.worse->code : "no_receipt";
  // Where a receipt said "unknown", silence is no good news, whatever was asked for.
  const bool heard_unknown = verdict_of(entry, State::none) == State::unknown;
  if (verdict.state == State::unknown && !heard_unknown) verdict.state = silence;
  verdict.detail = detail_of(entry);
  if (verdict.state == State::unknown) {
    entry.told = State::unknown;
  } else {
    verdict.has_unknown_part = has_unknown_part(entry);
    map.erase(found);
  }
  return verdict;
}

void MessageParts::restore_unknown(queue::Locator message) {
  Map& map = map_of(message);
  const auto found = map.find(message.bits());
  if (found != map.end()) found->second.told = State::unknown;
}

void MessageParts::give_up(queue::Locator message) {
  Map& map = map_of(message);
  const auto found = map.find(message.bits());
  if (found != map.end() && found->second.told == State::unknown) map.erase(found);
}

void MessageParts::keep_only(const std::function<bool(queue::Locator)>& is_wanted) {
  for (Map& map : maps_) {
    boost::unordered::erase_if(
        map, [&](const auto& entry) { return !is_wanted(queue::Locator(entry.first)); });
  }
}

}  // namespace stentor::daemon
