#include "daemon/delivery/in_doubt.h"

#include "daemon/delivery/submit_composer.h"

namespace stentor::daemon {

template <class Each>
void InDoubt::for_each_part(std::uint64_t sequence, const Held& held, Each&& each) {
  const MessageId id = MessageId::make(0, 0, 0, sequence);
  for (std::uint16_t part = 0; part < held.doubt.size(); ++part) {
    if (held.doubt[part]) each(user_message_reference_of(id, part), Part{sequence, part});
  }
}

void InDoubt::put(std::uint64_t sequence, Held held) {
  (void)take(sequence);  // other parts of it may be in doubt now
  next_ms_ = std::min(next_ms_, end_of(held));
  for_each_part(sequence, held, [this](std::uint16_t reference, Part part) {
    by_reference_[reference].push_back(part);
  });
  held_[sequence] = std::make_unique<Held>(std::move(held));
}

std::optional<Held> InDoubt::take(std::uint64_t sequence) {
  const auto found = held_.find(sequence);
  if (found == held_.end()) return std::nullopt;
  Held taken = std::move(*found->second);
  held_.erase(found);
  for_each_part(sequence, taken, [this](std::uint16_t reference, Part part) {
    const auto named = by_reference_.find(reference);
    std::erase(named->second, part);
    if (named->second.empty()) by_reference_.erase(named);
  });
  return taken;
}

std::vector<InDoubt::Part> InDoubt::named(std::uint16_t reference) const {
  const auto found = by_reference_.find(reference);
  return found == by_reference_.end() ? std::vector<Part>() : found->second;
}

}  // namespace stentor::daemon
