#include "encoding/binary_segmenter.h"

#include <gtest/gtest.h>

#include <vector>

namespace stentor::encoding {
namespace {

using Octets = std::vector<std::uint8_t>;

const Octets ports{6, 0x05, 4, 0x0b, 0x84, 0x23, 0xf0};  // WAP push

Octets part_of(const Octets& header, const Octets& body, const BinaryPlan& plan, std::size_t index,
               Concatenation concatenation) {
  Octets out(kPartOctetsMax);
  const auto total = static_cast<std::uint8_t>(plan.parts.size());
  const Tie tie{0x0102, total, static_cast<std::uint8_t>(index + 1)};
  const auto encoded = encode_binary_part(header, body, plan, index, concatenation, tie, out);
  out.resize(encoded.octets);
  return out;
}

TEST(BinarySegmenter, FillsOnePartBesideTheCallersHeader) {
  const Octets body(133, 0xaa);
  const BinaryPlan plan = plan_binary(ports, body.size(), Concatenation::udh8, 1).value();

  ASSERT_EQ(plan.parts.size(), 1u);
  const Octets part = part_of(ports, body, plan, 0, Concatenation::udh8);
  ASSERT_EQ(part.size(), 140u);
  EXPECT_EQ(Octets(part.begin(), part.begin() + 7), ports);
}

TEST(BinarySegmenter, PutsTheTieBeforeTheCallersElements) {
  const Octets body(134, 0xaa);
  const BinaryPlan plan = plan_binary(ports, body.size(), Concatenation::udh8, 10).value();

  ASSERT_EQ(plan.parts.size(), 2u);
  EXPECT_EQ(plan.parts[0].end, 128u);
  EXPECT_EQ(part_of(ports, body, plan, 1, Concatenation::udh8),
            (Octets{11, 0, 3, 2, 2, 2, 0x05, 4, 0x0b, 0x84, 0x23, 0xf0, 0xaa, 0xaa, 0xaa, 0xaa,
                    0xaa, 0xaa}));
}

TEST(BinarySegmenter, KnowsTheRoomOfEachTie) {
  EXPECT_EQ(plan_binary({}, 140, Concatenation::udh8, 10)->parts.size(), 1u);
  EXPECT_EQ(plan_binary({}, 141, Concatenation::udh8, 10)->parts[0].end, 134u);
  EXPECT_EQ(plan_binary({}, 141, Concatenation::udh16, 10)->parts[0].end, 133u);
  EXPECT_EQ(plan_binary({}, 141, Concatenation::sar, 10)->parts[0].end, 134u);
  const BinaryPlan payload = plan_binary({}, 1000, Concatenation::payload, 10).value();
  EXPECT_EQ(payload.parts.size(), 1u);
  EXPECT_EQ(payload.segments, 8u);
}

TEST(BinarySegmenter, RefusesWhatItCannotSend) {
  EXPECT_EQ(plan_binary({}, 0, Concatenation::udh8, 10).error(), BinaryFault::empty);
  EXPECT_EQ(plan_binary(Octets{5, 0, 3, 1}, 10, Concatenation::udh8, 10).error(),
            BinaryFault::bad_header);
  EXPECT_EQ(plan_binary(Octets{0, 'x'}, 10, Concatenation::udh8, 10).error(),
            BinaryFault::bad_header);
  EXPECT_EQ(plan_binary(Octets{5, 0, 3, 1, 2, 1}, 135, Concatenation::udh8, 10).error(),
            BinaryFault::already_tied);
  EXPECT_TRUE(plan_binary(Octets{5, 0, 3, 1, 2, 1}, 134, Concatenation::udh8, 10));
  EXPECT_EQ(plan_binary({}, 269, Concatenation::udh8, 2).error(), BinaryFault::too_many_segments);
  EXPECT_EQ(plan_binary({}, 134 * 255 + 1, Concatenation::udh8, 1000).error(),
            BinaryFault::too_many_segments);
  for (const auto fault : {BinaryFault::empty, BinaryFault::bad_header, BinaryFault::already_tied,
                           BinaryFault::too_many_segments}) {
    EXPECT_FALSE(describe(fault).empty());
  }
}

}  // namespace
}  // namespace stentor::encoding
