// Planning and encoding a text of up to ten segments allocates nothing. In a program of its own,
// as operator new is replaced in it.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "encoding/segmenter.h"
#include "tests/protocol/allocation_count.h"

namespace stentor::encoding {
namespace {

std::uint64_t allocations_for(std::string_view text, const PlanOptions& options,
                              std::size_t segments) {
  std::array<std::uint8_t, kPartOctetsMax> out{};
  EXPECT_TRUE(plan(text, options));  // opens ICU's iterator on this thread
  const std::uint64_t before = protocol::test::allocation_count();
  const auto planned = plan(text, options);
  for (std::size_t part = 0; part < planned->parts.size(); ++part) {
    (void)encode_part(text, *planned, part, options.concatenation, {}, out);
  }
  const std::uint64_t made = protocol::test::allocation_count() - before;
  EXPECT_EQ(planned->parts.size(), segments);
  return made;
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string all;
  while (times-- > 0) all += text;
  return all;
}

TEST(Allocations, AreNoneUpToTenSegments) {
  EXPECT_EQ(allocations_for("Hello", {}, 1), 0u);
  EXPECT_EQ(allocations_for(repeat("a", 1530), {}, 10), 0u);
  EXPECT_EQ(allocations_for(repeat("€", 760), {}, 10), 0u);
  EXPECT_EQ(allocations_for(repeat("Ж", 670), {}, 10), 0u);
  EXPECT_EQ(allocations_for(repeat("Ж😀👨‍👩‍👧‍👦 ", 40), {}, 10), 0u);
  PlanOptions options;
  options.national.allow(NationalLanguage::hindi);
  options.national.allow(NationalLanguage::turkish);
  EXPECT_EQ(allocations_for(repeat("ğ", 1490), options, 10), 0u);
  constexpr std::array kPacked{Alphabet::gsm7_packed};
  options.alphabets = kPacked;
  EXPECT_EQ(allocations_for(repeat("a", 1530), options, 10), 0u);
}

}  // namespace
}  // namespace stentor::encoding
