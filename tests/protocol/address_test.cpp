#include "protocol/address.h"

#include <gtest/gtest.h>

namespace stentor::protocol {
namespace {

TEST(Address, IsKnownByItsForm) {
  EXPECT_EQ(form_of("79161234567"), AddressForm::international);
  EXPECT_EQ(form_of("+79161234567"), AddressForm::international);
  EXPECT_EQ(form_of("+123"), AddressForm::international);
  EXPECT_EQ(form_of("12345678"), AddressForm::short_code);
  EXPECT_EQ(form_of("123456789"), AddressForm::international);
  EXPECT_EQ(form_of("100"), AddressForm::short_code);
  EXPECT_EQ(form_of("01711234567"), AddressForm::national);
  EXPECT_EQ(form_of("+01711234567"), AddressForm::international) << "somebody says so";
  EXPECT_EQ(form_of("00491711234567"), AddressForm::international);
  EXPECT_EQ(form_of("01234567"), AddressForm::short_code);
  EXPECT_EQ(form_of("SHOP"), AddressForm::alphanumeric);
  EXPECT_EQ(form_of("7 916"), AddressForm::alphanumeric);
  EXPECT_EQ(form_of("2GIS"), AddressForm::alphanumeric);
  EXPECT_EQ(form_of("+"), AddressForm::alphanumeric);
  EXPECT_EQ(form_of(""), AddressForm::alphanumeric);
}

TEST(Address, IsNumberedByItsForm) {
  EXPECT_EQ(numbering_of(AddressForm::international), (Numbering{1, 1}));
  EXPECT_EQ(numbering_of(AddressForm::national), (Numbering{2, 1}));
  EXPECT_EQ(numbering_of(AddressForm::short_code), (Numbering{3, 0}));
  EXPECT_EQ(numbering_of(AddressForm::alphanumeric), (Numbering{5, 0}));
}

}  // namespace
}  // namespace stentor::protocol
