#include "queue/checksum.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace stentor::queue::test {
namespace {

// RFC 3720 appendix B.4.
TEST(Checksum, GivesThePublishedValues) {
  const std::array<std::uint8_t, 9> digits{'1', '2', '3', '4', '5', '6', '7', '8', '9'};
  const std::vector<std::uint8_t> zeros(32, 0x00);
  const std::vector<std::uint8_t> ones(32, 0xff);

  EXPECT_EQ(crc32c(digits), 0xe3069283u);
  EXPECT_EQ(crc32c(zeros), 0x8a9136aau);
  EXPECT_EQ(crc32c(ones), 0x62a8ab43u);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST(Checksum, GoesOnFromWhatCameBefore) {
  const std::array<std::uint8_t, 9> digits{'1', '2', '3', '4', '5', '6', '7', '8', '9'};

  EXPECT_EQ(crc32c(std::span(digits).subspan(4), crc32c(std::span(digits).first(4))), 0xe3069283u);
}

}  // namespace
}  // namespace stentor::queue::test
