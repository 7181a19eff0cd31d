#include "encoding/utf16_writer.h"

#include <gtest/gtest.h>
#include <unicode/unistr.h>

#include <array>
#include <random>
#include <string>
#include <vector>

namespace stentor::encoding {
namespace {

using Octets = std::vector<std::uint8_t>;

// As ICU converts it.
Octets expected_of(const std::string& text) {
  const icu::UnicodeString units = icu::UnicodeString::fromUTF8(text);
  Octets octets;
  for (std::int32_t at = 0; at < units.length(); ++at) {
    octets.push_back(static_cast<std::uint8_t>(units[at] >> 8));
    octets.push_back(static_cast<std::uint8_t>(units[at] & 0xff));
  }
  return octets;
}

TEST(Utf16Writer, WritesWhatIcuWritesWithAndWithoutVectors) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::array<std::string, 9> pieces{
      "a", "Ж", "é", "€", "😀", "\u07ff", "\u0800", "привет ", "hello, world "};
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (std::size_t count = random() % 30; count-- > 0;) text += pieces[random() % pieces.size()];
    const Octets expected = expected_of(text);
    Octets out(expected.size() + kUtf16Slack);
    std::size_t octets = write_utf16(text, out.data());
    ASSERT_EQ(Octets(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(octets)), expected);
    octets = write_utf16_portably(text, out.data());
    ASSERT_EQ(Octets(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(octets)), expected);
  }
}

}  // namespace
}  // namespace stentor::encoding
