// A look at a carrier's wire, for a bounded time.
#include "daemon/delivery/carrier_delivery.h"
#include "daemon/log.h"

namespace stentor::daemon {

bool CarrierDelivery::trace(TraceOrder order, std::string_view client,
                            std::function<void(std::string)> done) {
  if (links_.trace) return false;
  log::info("carrier {}: wire trace for {} s by {}{}", config_.name, order.within.count(), client,
            order.clear ? ", numbers and texts included" : "");
  links_.trace = std::make_unique<WireTrace>(services_.context, order,
                                             [this, done = std::move(done)](std::string lines) {
                                               done(std::move(lines));
                                               links_.trace.reset();
                                             });
  return true;
}

}  // namespace stentor::daemon
