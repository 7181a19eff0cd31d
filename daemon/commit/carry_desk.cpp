#include "daemon/commit/carry_desk.h"

namespace stentor::daemon {

CarryWanted CarryDesk::wanted() const {
  const std::lock_guard lock(guard_);
  return wanted_;
}

void CarryDesk::propose(std::uint32_t before, std::uint64_t messages) {
  const std::lock_guard lock(guard_);
  proposed_before_ = before;
  proposed_messages_ = messages;
  answer_ = Answer::open;
}

CarryDesk::Answer CarryDesk::answer() const {
  const std::lock_guard lock(guard_);
  return answer_;
}

void CarryDesk::offer(const CarriedUse& carried) {
  const std::lock_guard lock(guard_);
  offered_ = carried;
}

CarriedUse CarryDesk::taken() const {
  const std::lock_guard lock(guard_);
  return taken_;
}

void CarryDesk::want(const CarryWanted& wanted) {
  const std::lock_guard lock(guard_);
  wanted_ = wanted;
}

// Its maker asked a checkpoint what lived a while ago: fewer live now, never more.
void CarryDesk::judge(const std::function<std::uint64_t(std::uint32_t)>& live_before) {
  const std::lock_guard lock(guard_);
  if (proposed_before_ == 0 || answer_ != Answer::open) return;
  const bool has_all = live_before(proposed_before_) <= proposed_messages_;
  answer_ = has_all ? Answer::complete : Answer::lacking;
}

CarriedUse CarryDesk::offered() const {
  const std::lock_guard lock(guard_);
  return offered_;
}

void CarryDesk::take(const CarriedUse& carried) {
  const std::lock_guard lock(guard_);
  taken_ = carried;
  if (carried.before == 0) offered_ = {};
}

}  // namespace stentor::daemon
