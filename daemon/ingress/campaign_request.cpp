// Reads a `campaign` request.
#include "daemon/ingress/campaign_request.h"

#include <algorithm>
#include <array>

#include "queue/lanes.h"

namespace stentor::daemon {
namespace {

struct ActionWord {
  std::string_view word;
  CampaignAction action;
};
constexpr std::array kActions = {
    ActionWord{"list", CampaignAction::list},     ActionWord{"show", CampaignAction::show},
    ActionWord{"create", CampaignAction::create}, ActionWord{"set", CampaignAction::set},
    ActionWord{"pause", CampaignAction::pause},   ActionWord{"resume", CampaignAction::resume},
    ActionWord{"cancel", CampaignAction::cancel}, ActionWord{"move", CampaignAction::move},
    ActionWord{"wait", CampaignAction::wait},     ActionWord{"report", CampaignAction::report}};

// More than stentor sends on two cores: a mistake rather than a wish.
constexpr std::uint64_t kRateMax = 1'000'000;

}  // namespace

std::expected<CampaignRequest, Refusal> read_campaign_request(const RequestFields& fields) {
  static const FieldSet allowed = set_of(Field::op, Field::action, Field::name, Field::client,
                                         Field::weight, Field::rate, Field::carrier);
  if (auto only = fields.allow_only(allowed); !only) return std::unexpected(only.error());
  std::string_view word;
  if (auto read = fields.read_text(Field::action, word, 16); !read) {
    return std::unexpected(read.error());
  }
  const auto* const known = std::ranges::find(kActions, word, &ActionWord::word);
  if (known == kActions.end()) {
    return fields.refuse("bad_field",
                         "action: must be list, show, create, set, pause, resume, "
                         "cancel, move, wait or report");
  }
  CampaignRequest out;
  out.action = known->action;
  if (auto read = fields.read_text(Field::name, out.name, 64); !read) {
    return std::unexpected(read.error());
  }
  if (auto read = fields.read_text(Field::client, out.client, 64); !read) {
    return std::unexpected(read.error());
  }
  if (out.action == CampaignAction::list) {
    if (fields.has(Field::name)) return fields.refuse("bad_field", "name: list takes none");
  } else if (out.name.empty()) {
    return fields.refuse("bad_field", "name: which campaign?");
  }
  const bool may_set = out.action == CampaignAction::create || out.action == CampaignAction::set;
  if (fields.has(Field::weight)) {
    if (!may_set) return fields.refuse("bad_field", "weight: goes with create and set");
    std::uint64_t weight = 1;
    if (auto read = fields.read_whole(Field::weight, weight, 1, queue::kWeightMax); !read) {
      return std::unexpected(read.error());
    }
    out.weight = static_cast<std::uint16_t>(weight);
  }
  if (fields.has(Field::rate)) {
    if (!may_set) return fields.refuse("bad_field", "rate: goes with create and set");
    std::uint64_t rate = 0;
    if (auto read = fields.read_whole(Field::rate, rate, 0, kRateMax); !read) {
      return std::unexpected(read.error());
    }
    out.rate = static_cast<std::uint32_t>(rate);
  }
  if (out.action == CampaignAction::set && !out.weight && !out.rate) {
    return fields.refuse("bad_field", "weight, rate: nothing to set is given");
  }
  if (out.action == CampaignAction::move) {
    if (auto read = fields.read_text(Field::carrier, out.carrier, 32); !read) {
      return std::unexpected(read.error());
    }
    if (out.carrier.empty()) return fields.refuse("bad_field", "carrier: where to?");
  } else if (fields.has(Field::carrier)) {
    return fields.refuse("bad_field", "carrier: goes with move");
  }
  return out;
}

}  // namespace stentor::daemon
