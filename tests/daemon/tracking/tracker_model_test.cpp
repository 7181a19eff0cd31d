// Random histories of parts, receipts (by their ids, long and short ones, or by the reference they
// give back), repeats, ids that are given again, delays of days and restarts, and what a plain
// model makes of each: the tracker must tell the same. STENTOR_TRACKER_HISTORIES sets how many,
// STENTOR_TRACKER_SEED repeats one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "tests/daemon/tracking/tracked_carrier.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using protocol::MessageState;

// A message as the model sees it: every rule is written out, nothing is packed or indexed.
struct ModelPart {
  std::string id;
  std::string spelt;  // in receipts
  bool is_submitted = false;
  bool is_in_doubt = false;  // it was, before a restart, which came before the answer
  std::uint64_t submitted_s = 0;
  bool is_taken = false;
  State state = State::none;
  std::uint64_t silent_after_s = 0;
  bool is_named = false;  // its receipts have a strange id, or none, and give our reference back
};

struct Early {  // a receipt that nobody was waiting for
  MessageState said;
  bool intermediate;
  std::uint64_t came_s;
};

struct ModelMessage {
  queue::Locator at;
  std::string to;
  ReceiptWish wish = ReceiptWish::all;
  std::vector<ModelPart> parts;
  std::vector<State> told;
  std::size_t conflicts = 0;
  bool is_forgotten = false;  // of parts of it: its time passed, or it was final at a restart
};

int rank(State state) {
  return state == State::failed      ? 4
         : state == State::expired   ? 3
         : state == State::unknown   ? 2
         : state == State::delivered ? 1
                                     : 0;
}

State final_of(MessageState state) {
  return state_of(protocol::verdict_of(state));
}

bool is_closed(const ModelMessage& message) {
  return !message.told.empty() && message.told.back() != State::unknown;
}

// Tells the message's verdict when it is known or a told unknown has become something better.
void conclude(ModelMessage& message) {
  if (is_closed(message)) return;
  State worst = State::none;
  for (const ModelPart& part : message.parts) {
    State state = part.state;
    if (state == State::none) {
      if (message.told.empty()) return;
      state = State::unknown;
    }
    if (rank(state) > rank(worst)) worst = state;
  }
  if (!message.told.empty() && worst == State::unknown) return;
  message.told.push_back(worst);
}

void report(ModelMessage& message, ModelPart& part, MessageState said, bool intermediate) {
  const State state = intermediate ? State::none : final_of(said);
  if (state == State::none) return;
  if (part.state != State::none && !(part.state == State::unknown && state != State::unknown)) {
    if (state != part.state && state != State::unknown) ++message.conflicts;
    return;
  }
  part.state = state;
  conclude(message);
}

void fall_silent(ModelMessage& message, std::uint64_t now_s) {
  if (!message.told.empty()) return;
  bool any = false;
  for (const ModelPart& part : message.parts) {
    any = any || (part.is_taken && part.state == State::none && part.silent_after_s < now_s);
  }
  if (!any) return;
  State worst = State::none;
  for (const ModelPart& part : message.parts) {
    if (rank(part.state) > rank(worst)) worst = part.state;
  }
  if (rank(worst) <= rank(State::unknown)) {
    const bool heard_unknown = worst == State::unknown;
    worst =
        message.wish == ReceiptWish::failure && !heard_unknown ? State::sent_final : State::unknown;
  }
  message.told.push_back(worst);
  message.is_forgotten = true;
}

std::string spelt(std::uint64_t number, bool hex) {
  char text[32];
  std::snprintf(text, sizeof text, hex ? "%016lX" : "%lu", number);
  return text;
}

// Ids of one to three digits, which are numbers in either base. Where the carrier's rule is known
// each receipt has one spelling, and any of them may be given; else only such as read in one way:
// what is believed of the others is tracker_test's.
class ShortIds {
 public:
  ShortIds(protocol::MessageIdRule rule, std::mt19937_64& random) : rule_(rule), random_(random) {}

  /// Gives the part an id, and how its receipts write it; false where none was found.
  bool give(ModelPart& part) {
    for (int attempt = 0; attempt < 20; ++attempt) {
      const std::uint64_t number = 1 + random_() % kBelow[random_() % std::size(kBelow)];
      const std::string decimal = std::to_string(number);
      char hex[20];
      std::snprintf(hex, sizeof hex, random_() % 2 == 0 ? "%lx" : "%04lX", number);
      const bool is_hex = is_hex_in_answers();
      const std::string id = is_hex ? canonical(hex) : decimal;
      const std::string spelt = is_same_in_receipts() ? id : is_hex ? decimal : std::string(hex);
      if (ids_.contains(id) || !reads_in_one_way(id, spelt)) continue;
      ids_.insert(id);
      const auto readings = readings_of(spelt);
      readings_.insert(readings.begin(), readings.end());
      part.id = id;
      part.spelt = spelt;
      return true;
    }
    return false;
  }

 private:
  static constexpr std::uint64_t kBelow[] = {9, 99, 999};

  static std::string canonical(std::string_view id) {
    return std::string(protocol::CanonicalId(id).text());
  }
  [[nodiscard]] bool is_hex_in_answers() {
    if (rule_ == protocol::MessageIdRule::automatic) return random_() % 2 == 0;
    return rule_ == protocol::MessageIdRule::decimal;
  }
  [[nodiscard]] bool is_same_in_receipts() {
    if (rule_ == protocol::MessageIdRule::automatic) return random_() % 2 == 0;
    return rule_ == protocol::MessageIdRule::verbatim;
  }
  [[nodiscard]] std::set<std::string> readings_of(std::string_view receipt_id) const {
    const auto spellings = protocol::spellings_of(receipt_id, rule_);
    std::set<std::string> readings;
    for (std::uint8_t i = 0; i < spellings.count; ++i) {
      readings.emplace(spellings.candidates[i].text());
    }
    return readings;
  }
  // No receipt before may be of this id, and none of this may be of an id before.
  [[nodiscard]] bool reads_in_one_way(const std::string& id, std::string_view spelt) const {
    if (readings_.contains(id)) return false;
    return std::ranges::none_of(readings_of(spelt), [&](const std::string& reading) {
      return reading != id && ids_.contains(reading);
    });
  }

  protocol::MessageIdRule rule_;
  std::mt19937_64& random_;
  std::set<std::string> ids_;
  std::set<std::string> readings_;
};

void play(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
  using Rule = protocol::MessageIdRule;
  constexpr Rule kRules[] = {Rule::verbatim, Rule::decimal, Rule::hex};
  // Long ids are of carriers whose rule is found out, short ones of any.
  const bool has_short_ids = chance(40);
  const Rule rule =
      has_short_ids && chance(60) ? kRules[random() % std::size(kRules)] : Rule::automatic;
  ShortIds short_ids(rule, random);
  TrackedCarrier carrier(rule);
  std::vector<ModelMessage> messages;
  struct Holder {
    ModelMessage* message;
    ModelPart* part;
  };
  std::map<std::string, Holder> holders;                 // of ids: the one that has it since last
  std::map<std::string, std::vector<Early>> early;       // by id
  std::map<ModelPart*, std::vector<Early>> early_named;  // by the part whose reference they give
  const std::size_t count = 1 + random() % 8;
  for (std::size_t i = 0; i < count; ++i) {
    ModelMessage message;
    message.wish = chance(20) ? ReceiptWish::failure : ReceiptWish::all;
    // The same references to each of three handsets.
    message.to = "7916000000" + std::to_string(i % 3);
    message.at = carrier.accept(message.wish, "+" + message.to, 10 * (i / 3 + 1) + 8192 * (i % 3));
    message.parts.resize(chance(50) ? 1 : 1 + random() % 20);
    for (ModelPart& part : message.parts) {
      const std::uint64_t number = random() | 1ull << 63;  // long enough to be one number only
      if (!has_short_ids || !short_ids.give(part)) {
        const bool hex = rule == Rule::automatic ? chance(50) : rule == Rule::decimal;
        const bool is_same = rule == Rule::automatic ? chance(50) : rule == Rule::verbatim;
        part.id = spelt(number, hex);
        part.spelt = is_same ? part.id : spelt(number, !hex);
      }
      part.is_named = chance(25);
      if (part.is_named) part.spelt = chance(50) ? "" : "stranger-" + std::to_string(number);
    }
    messages.push_back(message);
  }
  constexpr MessageState kStates[] = {MessageState::delivered, MessageState::delivered,
                                      MessageState::delivered, MessageState::undeliverable,
                                      MessageState::expired,   MessageState::unknown,
                                      MessageState::enroute};
  const auto receive = [&](const ModelMessage& message, std::size_t index, MessageState said,
                           bool intermediate) {
    const ModelPart& part = message.parts[index];
    protocol::Receipt receipt;
    receipt.message_id = part.spelt;
    receipt.state = said;
    receipt.stat = protocol::name_of(said);
    receipt.is_intermediate = intermediate;
    if (part.is_named) {
      receipt.user_message_reference =
          carrier.reference_of(message.at, static_cast<std::uint8_t>(index + 1));
      receipt.source = message.to;
      receipt.destination = "SHOP";
    }
    carrier.receive(receipt);
  };
  // What a receipt for this part comes to, by the rules of docs/carriers.md.
  const auto note = [&](ModelMessage& message, ModelPart& part, MessageState said,
                        bool intermediate) {
    const Early came{said, intermediate, carrier.now().wall_ms / 1000};
    if (part.is_named) {
      if (part.is_taken) return report(message, part, said, intermediate);
      return early_named[&part].push_back(came);
    }
    const auto holder = holders.find(part.id);
    if (holder == holders.end()) return early[part.id].push_back(came);
    report(*holder->second.message, *holder->second.part, said, intermediate);
  };
  const auto take = [&](ModelMessage& message, std::size_t index) {
    ModelPart& part = message.parts[index];
    const std::uint64_t now_s = carrier.now().wall_ms / 1000;
    part.is_taken = true;
    // The minute it is kept to, and the hour for late carriers.
    part.silent_after_s = now_s + 3600 + 3600 + 60;
    if (!part.is_named && chance(15) && !holders.empty()) {  // an id that was another's
      const Holder& other =
          std::next(holders.begin(), static_cast<std::ptrdiff_t>(random() % holders.size()))
              ->second;
      const bool awaits = other.message->told.empty() && other.part->state == State::none;
      const bool is_settled =
          !other.message->is_forgotten &&
          (other.part->state == State::delivered || other.part->state == State::failed);
      if (awaits || is_settled) {
        part.id = other.part->id;
        part.spelt = other.part->spelt;
      }
    }
    if (!part.is_named) holders[part.id] = {&message, &part};
    carrier.after_doubt = part.is_in_doubt;
    carrier.take(message.at, part.id, static_cast<std::uint8_t>(index + 1),
                 static_cast<std::uint8_t>(message.parts.size()));
    auto& kept = part.is_named ? early_named[&part] : early[part.id];
    for (const Early& each : std::exchange(kept, {})) {
      // A stranger's, for all we know.
      const bool is_strange = (part.is_named && now_s > each.came_s + 60) ||
                              (each.came_s < part.submitted_s && !part.is_in_doubt);
      if (is_strange) {
        kept.push_back(each);
      } else {
        report(message, part, each.said, each.intermediate);
      }
    }
  };
  // Sixty hours together: what was told unknown may be corrected for seventy-two.
  std::vector<std::chrono::seconds> pauses{40h, 3h, 3h, 3h, 3h, 3h, 20min, 20min, 20min, 20min};
  std::ranges::shuffle(pauses, random);
  const std::size_t steps = 20 + random() % 160;
  for (std::size_t step = 0; step < steps; ++step) {
    ModelMessage& message = messages[random() % messages.size()];
    const std::size_t index = random() % message.parts.size();
    ModelPart& part = message.parts[index];
    if (chance(3)) {
      carrier.restart();
      for (ModelMessage& each : messages) {
        for (ModelPart& lost : each.parts) {
          if (lost.is_submitted && !lost.is_taken) lost.is_in_doubt = true;
          // What would be corrected of it makes no difference any more.
          if (is_closed(each) && lost.state == State::unknown) each.is_forgotten = true;
          lost.is_submitted = lost.is_taken;
        }
      }
    } else if (chance(4) && !pauses.empty()) {
      carrier.pass(pauses.back());
      pauses.pop_back();
      carrier.sweep();
      for (ModelMessage& each : messages) fall_silent(each, carrier.now().wall_ms / 1000);
    } else if (!part.is_taken) {
      // What has ended is not sent on: its lane's expiry is an hour before any silence.
      if (!message.told.empty()) continue;
      if (chance(25)) {  // a receipt ahead of its response, or of somebody else's message
        const MessageState said = kStates[random() % std::size(kStates)];
        receive(message, index, said, false);
        note(message, part, said, false);
      } else if (!part.is_submitted) {
        carrier.pass(1s);
        part.is_submitted = true;
        part.submitted_s = carrier.now().wall_ms / 1000;
        carrier.submit(message.at, static_cast<std::uint8_t>(index + 1));
      } else {
        take(message, index);
      }
    } else {
      const MessageState said = kStates[random() % std::size(kStates)];
      const bool intermediate = chance(10);
      receive(message, index, said, intermediate);
      note(message, part, said, intermediate);
    }
    for (const ModelMessage& each : messages) {
      ASSERT_EQ(carrier.told_of(each.at), each.told)
          << "seed " << seed << ", step " << step << ", message of " << each.parts.size();
      if (each.is_forgotten) continue;
      ASSERT_EQ(carrier.conflicts_of(each.at), each.conflicts)
          << "seed " << seed << ", step " << step << ", message of " << each.parts.size();
    }
  }
}

TEST(TrackerModel, TellsWhatAPlainModelTells) {
  const char* histories = std::getenv("STENTOR_TRACKER_HISTORIES");
  const char* only = std::getenv("STENTOR_TRACKER_SEED");
  if (only != nullptr) return play(std::strtoull(only, nullptr, 10));
  const std::uint64_t count = histories == nullptr ? 1000 : std::strtoull(histories, nullptr, 10);
  const std::uint64_t first = std::random_device{}();
  std::printf("seeds from %lu\n", first);
  for (std::uint64_t i = 0; i < count && !testing::Test::HasFailure(); ++i) play(first + i);
}

}  // namespace
}  // namespace stentor::daemon
