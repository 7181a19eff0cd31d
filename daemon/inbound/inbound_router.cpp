#include "daemon/inbound/inbound_router.h"

#include "daemon/inbound/first_word.h"

namespace stentor::daemon {

InboundRouter::InboundRouter(const Config& config) : rules_(config.inbound) {
  for (InboundRule& rule : rules_) rule.keyword = first_word(rule.keyword).word;
  if (config.clients.size() == 1) only_client_ = config.clients.front().name;
}

std::string_view InboundRouter::client_for(std::string_view to, std::string_view word) const {
  const InboundRule* best = nullptr;
  int best_exactness = -1;
  for (const InboundRule& rule : rules_) {
    if (!rule.to.empty() && rule.to != to) continue;
    if (!rule.keyword.empty() && rule.keyword != word) continue;
    const int exactness = (rule.to.empty() ? 0 : 2) + (rule.keyword.empty() ? 0 : 1);
    if (exactness > best_exactness) {
      best = &rule;
      best_exactness = exactness;
    }
  }
  if (best != nullptr) return best->client;
  return only_client_;
}

}  // namespace stentor::daemon
