#include "daemon/records/accept_reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace stentor::daemon {
namespace {

// The places are on disk.
constexpr std::array<std::string_view, 5> kEncodings{"gsm7", "ucs2", "latin1", "ascii", "binary"};

std::string_view digits_of(std::string_view number) {
  if (number.starts_with('+')) number.remove_prefix(1);
  return number;
}

}  // namespace

void encode(const RouteReason& reason, FieldWriter& out) {
  out.u8(static_cast<std::uint8_t>((reason.is_named ? 1u : 0u) | (reason.by_campaign ? 2u : 0u) |
                                   (reason.by_sender ? 4u : 0u) | (reason.is_shared ? 8u : 0u)));
  if (reason.is_named) return;
  out.varint(reason.route);
  out.u8(reason.prefix_digits);
  for (const RouteReason::PassedOver& passed : reason.passed_over) {
    out.text(passed.carrier);
    out.text(passed.health);
  }
}

std::optional<RouteReason> decode_route_reason(std::span<const std::uint8_t> octets) {
  if (octets.empty()) return std::nullopt;
  FieldReader in(octets);
  RouteReason reason;
  const std::uint8_t flags = in.u8();
  reason.is_named = (flags & 1u) != 0;
  reason.by_campaign = (flags & 2u) != 0;
  reason.by_sender = (flags & 4u) != 0;
  reason.is_shared = (flags & 8u) != 0;
  if (reason.is_named) return reason;
  reason.route = static_cast<std::uint32_t>(in.varint());
  reason.prefix_digits = in.u8();
  while (in.is_good() && !in.is_at_end()) {
    const std::string_view carrier = in.text();
    reason.passed_over.push_back({carrier, in.text()});
  }
  if (!in.is_good()) return std::nullopt;
  return reason;
}

std::string describe(const RouteReason& reason, std::string_view to) {
  if (reason.is_named) return "the request names its carrier";
  std::string why;
  const auto add = [&why](std::string_view what) {
    why += fmt::format("{}{}", why.empty() ? "" : ", ", what);
  };
  if (reason.by_campaign) add("its campaign");
  if (reason.by_sender) add("its sender");
  if (reason.prefix_digits > 0) {
    add(fmt::format("the longest prefix, {}", digits_of(to).substr(0, reason.prefix_digits)));
  } else {
    add(why.empty() ? "the default route: no prefix matches" : "any destination");
  }
  return why;
}

void encode(const EncodingReason& reason, FieldWriter& out) {
  const auto place = std::ranges::find(kEncodings, reason.encoding);
  out.u8(static_cast<std::uint8_t>(place - kEncodings.begin()));
  out.u8(static_cast<std::uint8_t>(reason.why));
  if (reason.why != EncodingReason::Why::forced) return;
  out.varint(reason.code_point);
  out.varint(reason.index);
}

std::optional<EncodingReason> decode_encoding_reason(std::span<const std::uint8_t> octets) {
  FieldReader in(octets);
  EncodingReason reason;
  const std::uint8_t place = in.u8();
  const std::uint8_t why = in.u8();
  if (place >= kEncodings.size() || why > static_cast<std::uint8_t>(EncodingReason::Why::octets)) {
    return std::nullopt;
  }
  reason.encoding = kEncodings[place];
  reason.why = static_cast<EncodingReason::Why>(why);
  if (reason.why == EncodingReason::Why::forced) {
    reason.code_point = static_cast<std::uint32_t>(in.varint());
    reason.index = in.varint();
  }
  if (!in.is_good()) return std::nullopt;
  return reason;
}

std::string describe(const EncodingReason& reason) {
  switch (reason.why) {
    case EncodingReason::Why::cheapest: break;
    case EncodingReason::Why::asked: return "asked for";
    case EncodingReason::Why::octets: return "octets, as given";
    case EncodingReason::Why::forced:
      return fmt::format("U+{:04X} at {} is in no cheaper alphabet", reason.code_point,
                         reason.index);
  }
  return "the cheapest that writes it";
}

}  // namespace stentor::daemon
