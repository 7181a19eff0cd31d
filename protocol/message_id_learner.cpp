#include "protocol/message_id_learner.h"

#include <algorithm>

namespace stentor::protocol {

bool MessageIdLearner::on_match(const Spellings& spellings, std::uint8_t which) noexcept {
  // One digit is the same in both bases, so that it says nothing.
  if (spellings.count == 1 && spellings.candidates[0].text().size() == 1) return false;
  const MessageIdRule rule = spellings.rules[which];
  if (learnt_) {
    if (rule == *learnt_) return false;
    learnt_.reset();
    candidate_ = rule;
    matches_ = 1;
    return true;
  }
  if (rule != candidate_) matches_ = 0;
  candidate_ = rule;
  if (++matches_ < kMatchesMin) return false;
  learnt_ = rule;
  return true;
}

Spellings MessageIdLearner::in_order(Spellings spellings) const noexcept {
  if (!learnt_) return spellings;
  for (std::uint8_t i = 1; i < spellings.count; ++i) {
    if (spellings.rules[i] != *learnt_) continue;
    std::rotate(spellings.candidates.begin(), spellings.candidates.begin() + i,
                spellings.candidates.begin() + i + 1);
    std::rotate(spellings.rules.begin(), spellings.rules.begin() + i,
                spellings.rules.begin() + i + 1);
    break;
  }
  return spellings;
}

std::string_view name_of(MessageIdRule rule) noexcept {
  switch (rule) {
    case MessageIdRule::automatic: return "auto";
    case MessageIdRule::verbatim: return "verbatim";
    case MessageIdRule::decimal: return "decimal";
    case MessageIdRule::hex: break;
  }
  return "hex";
}

}  // namespace stentor::protocol
