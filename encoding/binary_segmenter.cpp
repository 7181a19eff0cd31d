#include "encoding/binary_segmenter.h"

#include <algorithm>
#include <cassert>
#include <optional>

#include "encoding/capacity.h"
#include "encoding/user_data_header.h"

namespace stentor::encoding {

namespace {

// The tie's own octets; its length octet is the header's.
std::size_t tie_octets(Concatenation concatenation) noexcept {
  return header_octets({}, true, concatenation) - 1;
}

}  // namespace

std::string_view describe(BinaryFault fault) noexcept {
  switch (fault) {
    case BinaryFault::empty: return "there is nothing to send";
    case BinaryFault::bad_header: return "the user-data header is malformed";
    case BinaryFault::already_tied:
      return "the user-data header ties parts, and there is too much for one";
    case BinaryFault::too_many_segments: return "the octets take too many segments";
  }
  return "unknown fault";
}

std::expected<BinaryPlan, BinaryFault> plan_binary(std::span<const std::uint8_t> header,
                                                   std::size_t octets, Concatenation concatenation,
                                                   std::size_t segments_max) {
  if (header.empty() && octets == 0) return std::unexpected(BinaryFault::empty);
  std::optional<UserDataHeader> known;
  if (!header.empty()) {
    known = read_header(header);
    if (!known || known->octets != header.size() || header.size() > kUserDataOctets) {
      return std::unexpected(BinaryFault::bad_header);
    }
  }
  BinaryPlan plan;
  const auto end = static_cast<std::uint32_t>(std::min<std::size_t>(octets, UINT32_MAX));
  if (octets <= kUserDataOctets - header.size()) {
    plan.parts.push_back({0, end});
    return plan;
  }
  if (known && known->tie) return std::unexpected(BinaryFault::already_tied);
  const std::size_t overhead = std::max<std::size_t>(header.size(), 1) + tie_octets(concatenation);
  if (overhead >= kUserDataOctets) return std::unexpected(BinaryFault::bad_header);
  const std::size_t room = kUserDataOctets - overhead;
  const std::size_t segments = octets / room + (octets % room == 0 ? 0 : 1);
  const bool payload = concatenation == Concatenation::payload;
  if (segments > std::min(segments_max, kSegmentsMax) ||
      (payload && header.size() + octets > kPayloadOctets)) {
    return std::unexpected(BinaryFault::too_many_segments);
  }
  plan.segments = static_cast<std::uint32_t>(segments);
  const auto step = static_cast<std::uint32_t>(payload ? octets : room);
  for (std::uint32_t begin = 0; begin < end; begin += step) {
    plan.parts.push_back({begin, std::min(begin + step, end)});
  }
  return plan;
}

EncodedPart encode_binary_part(std::span<const std::uint8_t> header,
                               std::span<const std::uint8_t> body, const BinaryPlan& plan,
                               std::size_t index, Concatenation concatenation, Tie tie,
                               std::span<std::uint8_t> out) {
  assert(index < plan.parts.size() && "the plan has this part");
  const BinaryPart& part = plan.parts[index];
  const bool wide = concatenation == Concatenation::udh16;
  const bool tied = plan.parts.size() > 1 && (wide || concatenation == Concatenation::udh8);
  std::size_t at = write_header(tied ? std::optional(tie) : std::nullopt, wide, {}, out);
  const auto put = [&](std::span<const std::uint8_t> octets) {
    std::ranges::copy(octets, out.begin() + static_cast<std::ptrdiff_t>(at));
    at += octets.size();
  };
  if (at == 0) {
    put(header);
  } else if (!header.empty()) {
    put(header.subspan(1));
    out[0] = static_cast<std::uint8_t>(at - 1);
  }
  const std::size_t header_end = at;
  put(body.subspan(part.begin, part.end - part.begin));
  return {header_end, at};
}

}  // namespace stentor::encoding
