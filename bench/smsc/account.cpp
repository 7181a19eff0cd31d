#include "bench/smsc/account.h"

#include "bench/smsc/session.h"

namespace stentor::smsc {

bool Account::keep(const Delivery& delivery) {
  const bool is_full = waiting_.size() == kWaitingMax;
  if (is_full) waiting_.pop();
  waiting_.push(delivery);
  return !is_full;
}

void Account::deliver_due(const Now& now) {
  is_blocked_ = false;
  while (!waiting_.empty() && waiting_.front().due <= now.steady) {
    Session* const receiver = receiver_for(waiting_.front());
    if (receiver == nullptr) {
      is_blocked_ = true;
      return;
    }
    const Delivery delivery = waiting_.front();  // delivering may queue a duplicate
    waiting_.pop();
    receiver->deliver(delivery, now);
  }
}

TimePoint Account::deadline() const noexcept {
  return waiting_.empty() || is_blocked_ ? TimePoint::max() : waiting_.front().due;
}

// A submitter that is merely full is waited for: its receipts stay in order.
Session* Account::receiver_for(const Delivery& delivery) noexcept {
  if (!to_any_bind_) {
    for (Session* const receiver : receivers_) {
      if (receiver->number() == delivery.session) return receiver->has_room() ? receiver : nullptr;
    }
  }
  for (std::size_t tried = 0; tried < receivers_.size(); ++tried) {
    Session* const receiver = receivers_[turn_++ % receivers_.size()];
    if (receiver->has_room()) return receiver;
  }
  return nullptr;
}

}  // namespace stentor::smsc
