#include "daemon/records/consumer_records.h"

namespace stentor::daemon {

void encode(const ConsumerCampaign& consumer, FieldWriter& out) {
  out.text(consumer.client);
  out.text(consumer.name);
  out.text(consumer.campaign);
  out.text(consumer.missed_campaign);
  out.u64(consumer.missed_to);
  for (const std::uint64_t count : consumer.missed) out.varint(count);
}

std::optional<ConsumerCampaign> decode_consumer_campaign(std::span<const std::uint8_t> payload) {
  FieldReader in(payload);
  ConsumerCampaign consumer;
  consumer.client = in.text();
  consumer.name = in.text();
  consumer.campaign = in.text();
  consumer.missed_campaign = in.text();
  consumer.missed_to = in.u64();
  for (std::uint64_t& count : consumer.missed) count = in.varint();
  if (!in.is_good()) return std::nullopt;
  return consumer;
}

}  // namespace stentor::daemon
