#include "daemon/links/carrier_switches.h"

namespace stentor::daemon {

CarrierSwitches::CarrierSwitches(const Config& config) {
  for (const CarrierConfig& carrier : config.carriers) entries_.push_back({carrier.name, {}});
}

void CarrierSwitches::set(std::uint16_t carrier, CarrierSwitch to) {
  const std::lock_guard lock(guard_);
  entries_[carrier].is = std::move(to);
}

CarrierSwitch CarrierSwitches::get(std::uint16_t carrier) const {
  const std::lock_guard lock(guard_);
  return entries_[carrier].is;
}

void CarrierSwitches::add_to(queue::RecordBatch& preamble) const {
  const std::lock_guard lock(guard_);
  FieldWriter fields;
  for (const auto& [name, is] : entries_) {
    if (is.time_ms == 0) continue;
    fields.clear();
    encode(
        CarrierSwitched{
            .carrier = name, .suspended = is.suspended, .time_ms = is.time_ms, .client = is.client},
        fields);
    preamble.add(static_cast<std::uint8_t>(RecordKind::carrier_switched), fields.octets());
  }
}

}  // namespace stentor::daemon
