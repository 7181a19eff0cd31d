// Answers `carrier`: looks at a carrier's binds, suspends and resumes it, cancels what waits there.
//
// Owns     Nothing: the parts it asks outlive it.
// Errors   unknown_carrier. A reply that should tell of a durable change never comes when the
//          journal fails; the daemon stops then.
// Threads  ask() from any thread; the reply is called on the thread of the part that answered.
// Spec     docs/protocol.md, "carrier"
#pragma once

#include <functional>
#include <string>

#include "daemon/control/figures.h"
#include "daemon/delivery/routing.h"
#include "daemon/ingress/peer.h"
#include "daemon/ingress/request.h"

namespace stentor::daemon {

class CarrierDelivery;

class CarrierDesk {
 public:
  using Reply = std::function<void(std::string)>;
  /// Runs a function on the carrier's own thread.
  using OnCarrier =
      std::function<void(std::uint16_t number, std::function<void(CarrierDelivery&)>)>;

  CarrierDesk(const FigureCollector& figures, const Routing& routing, OnCarrier on_carrier)
      : figures_(figures), routing_(routing), on_carrier_(std::move(on_carrier)) {}

  void ask(CarrierRequest request, const Peer& peer, Reply reply) const;

 private:
  void list(const std::string& name, Reply reply) const;
  void show(std::uint16_t number, Reply reply) const;
  void doubts(std::uint16_t number, Reply reply) const;
  void orphans(std::uint16_t number, Reply reply) const;
  void rematch(std::uint16_t number, protocol::MessageIdRule rule, const Peer& peer,
               Reply reply) const;
  void suspend(std::uint16_t number, bool suspended, const Peer& peer, Reply reply) const;
  void cancel(std::uint16_t number, const Peer& peer, Reply reply) const;
  void trace(std::uint16_t number, const CarrierRequest& request, const Peer& peer,
             Reply reply) const;

  const FigureCollector& figures_;
  const Routing& routing_;
  OnCarrier on_carrier_;
};

}  // namespace stentor::daemon
