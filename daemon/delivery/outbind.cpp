// Connections that the carrier's SMSC has opened to us, and the binds that go over them.
#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/links/outbind_listener.h"

namespace stentor::daemon {

void CarrierDelivery::listen_for_outbind() {
  const auto& outbind = config_.outbind;
  if (!outbind) return;
  // Links stand in the order receivers, transceivers, transmitters: a receiver is preferred, as
  // SMPP 3.4 section 2.2.1 has it.
  outbind_ = std::make_unique<OutbindListener>(
      services_.context, config_, *outbind,
      [this](OutbindListener::Socket& socket) {
        return std::ranges::any_of(lines_,
                                   [&](const auto& line) { return line->link->offer(socket); });
      },
      [this](std::span<const std::uint8_t> pdu) {
        if (links_.trace) links_.trace->on_outbind(pdu);
      });
}

void CarrierDelivery::start_outbind() {
  if (outbind_) outbind_->start();
}

void CarrierDelivery::stop_outbind() {
  if (outbind_) outbind_->stop();
}

std::optional<OutbindStats> CarrierDelivery::outbinds() const {
  if (!outbind_) return std::nullopt;
  return outbind_->stats();
}

}  // namespace stentor::daemon
