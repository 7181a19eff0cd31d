#include "bench/smsc/message_id_text.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace stentor::smsc {
namespace {

TEST(MessageIdText, WritesOneNumberInEachStyle) {
  // The pair of a hexadecimal response and a decimal receipt that a large vendor sends.
  constexpr std::uint64_t kNumber = 9308878062554710043u;
  EXPECT_EQ(id_text(kNumber, IdStyle::hex).view(), "812fc7470000001b");
  EXPECT_EQ(id_text(kNumber, IdStyle::hex_upper).view(), "812FC7470000001B");
  EXPECT_EQ(id_text(kNumber, IdStyle::decimal).view(), "9308878062554710043");
  EXPECT_EQ(id_text(kNumber, IdStyle::padded).view(), "09308878062554710043");
  EXPECT_EQ(id_text(7, IdStyle::padded).view(), "00000000000000000007");
  EXPECT_EQ(id_text(~std::uint64_t{0}, IdStyle::padded).view(), "18446744073709551615");
  EXPECT_EQ(id_text(7, IdStyle::oversize).view(), std::string(80, 'x') + "00000000000000000007");
}

TEST(MessageIdText, WritesUuidsOfVersion4) {
  std::set<std::string> seen;
  for (std::uint64_t number = 0; number < 1000; ++number) {
    const IdText text = id_text(number, IdStyle::uuid);
    const std::string_view uuid = text.view();
    ASSERT_EQ(uuid.size(), 36u);
    EXPECT_EQ(uuid[8], '-');
    EXPECT_EQ(uuid[23], '-');
    EXPECT_EQ(uuid[14], '4');
    EXPECT_NE(std::string_view("89ab").find(uuid[19]), std::string_view::npos);
    seen.emplace(uuid);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(MessageIdText, MixesStylesButRepeatsItself) {
  std::set<std::size_t> sizes;
  for (std::uint64_t number = 1'000'000'000; number < 1'000'000'100; ++number) {
    const IdText first = id_text(number, IdStyle::mixed);
    EXPECT_EQ(first.view(), id_text(number, IdStyle::mixed).view());
    sizes.insert(first.view().size());
  }
  EXPECT_EQ(sizes, (std::set<std::size_t>{8, 10, 20, 36}));
}

}  // namespace
}  // namespace stentor::smsc
