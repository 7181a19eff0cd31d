// Orphans of a carrier whose id rule was corrected: tried again, some at a time.
#include <utility>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/log.h"
#include "protocol/message_id_learner.h"

namespace stentor::daemon {
namespace {

// Each may read a record back from the disk: what waits behind a slice waits for some milliseconds
// at worst, and 20,000 orphans are through in two hundred of them.
constexpr std::size_t kTriedAtOnce = 100;

}  // namespace

bool CarrierDelivery::rematch(protocol::MessageIdRule rule, std::string_view client,
                              std::function<void(Rematched)> done) {
  if (rematching_) return false;
  log::info(
      "carrier {}: {} has its orphans tried again; until the next start message ids are "
      "read by the rule \"{}\"",
      config_.name, client, protocol::name_of(rule));
  tracker_.start_rematch(rule);
  rematching_ = {.so_far = {}, .done = std::move(done)};
  rematch_some();
  return true;
}

void CarrierDelivery::rematch_some() {
  const Rematched now = tracker_.rematch_some(kTriedAtOnce, moment_now());
  rematching_->so_far.tried += now.tried;
  rematching_->so_far.matched += now.matched;
  if (now.tried > 0) {
    schedule_pump();  // what was matched goes to be committed
    boost::asio::post(services_.context, [this] { rematch_some(); });
    return;
  }
  Rematching over = std::move(*rematching_);
  rematching_.reset();
  switching_.push_back({outcomes_.batch(), [over = std::move(over)] { over.done(over.so_far); }});
  tell_switched();
  schedule_pump();
}

}  // namespace stentor::daemon
