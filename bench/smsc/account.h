// One system_id at the carrier: what is to be delivered to it, and the binds that may take it.
//
// A delivery goes to the connection its message was submitted on, else to any receiving bind of
// the same account in turn; with no such bind it waits.
//
// Owns     The waiting deliveries, at most kWaitingMax; not the sessions.
// Errors   Beyond the bound the oldest is dropped and counted, as carriers purge.
// Threads  One thread.
#pragma once

#include <string>
#include <vector>

#include "bench/smsc/delivery.h"
#include "bench/smsc/due_queue.h"

namespace stentor::smsc {

class Session;

class Account {
 public:
  Account(std::string system_id, bool to_any_bind)
      : system_id_(std::move(system_id)), to_any_bind_(to_any_bind) {}

  [[nodiscard]] const std::string& system_id() const noexcept { return system_id_; }
  /// A bind that receives has come, or is about to go.
  void add(Session& receiver) { receivers_.push_back(&receiver); }
  void remove(const Session& receiver) { std::erase(receivers_, &receiver); }

  /// False when the oldest had to go.
  [[nodiscard]] bool keep(const Delivery& delivery);
  /// Hands over what is due and finds a bind with room.
  void deliver_due(const Now& now);
  /// When the next delivery falls due; TimePoint::max() while nothing can be done about it.
  [[nodiscard]] TimePoint deadline() const noexcept;
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  [[nodiscard]] Session* receiver_for(const Delivery& delivery) noexcept;

  // Receipts that a carrier would keep for an account that does not fetch them: 400 MB here, and
  // ten seconds' worth at the highest rate measured.
  static constexpr std::size_t kWaitingMax = 4'000'000;

  std::string system_id_;
  bool to_any_bind_;
  std::vector<Session*> receivers_;
  std::size_t turn_ = 0;
  bool is_blocked_ = false;  ///< something is due, and no bind has room for it
  DueQueue<Delivery> waiting_;
};

}  // namespace stentor::smsc
