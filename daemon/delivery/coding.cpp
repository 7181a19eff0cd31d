#include "daemon/delivery/coding.h"

#include <array>

namespace stentor::daemon {
namespace {

using encoding::Alphabet;

constexpr std::uint8_t kSmscDefault = 0x00;
constexpr std::uint8_t kUcs2 = 0x08;

// One element each, so that a PlanOptions can view them for as long as it likes.
constexpr std::array<Alphabet, 1> kGsm7 = {Alphabet::gsm7};
constexpr std::array<Alphabet, 1> kGsm7Packed = {Alphabet::gsm7_packed};
constexpr std::array<Alphabet, 1> kLatin1 = {Alphabet::latin1};
constexpr std::array<Alphabet, 1> kAscii = {Alphabet::ascii};
constexpr std::array<Alphabet, 1> kUcs2Only = {Alphabet::ucs2};

std::span<const Alphabet> default_alphabet(const CarrierConfig& carrier) noexcept {
  switch (carrier.alphabet) {
    case DefaultAlphabet::gsm7: return kGsm7;
    case DefaultAlphabet::gsm7_packed: return kGsm7Packed;
    case DefaultAlphabet::latin1: return kLatin1;
    case DefaultAlphabet::ascii: return kAscii;
  }
  return kGsm7;
}

}  // namespace

encoding::Concatenation concatenation_of(const CarrierConfig& carrier) noexcept {
  switch (carrier.long_messages) {
    case LongMessages::udh8: return encoding::Concatenation::udh8;
    case LongMessages::udh16: return encoding::Concatenation::udh16;
    case LongMessages::sar: return encoding::Concatenation::sar;
    case LongMessages::payload: return encoding::Concatenation::payload;
  }
  return encoding::Concatenation::udh8;
}

encoding::PlanOptions plan_options(const CarrierConfig& carrier, EncodingWish wish,
                                   std::size_t segments_max) {
  encoding::PlanOptions options;
  options.concatenation = concatenation_of(carrier);
  options.segments_max = segments_max;
  options.alphabets = default_alphabet(carrier);
  switch (wish) {
    case EncodingWish::automatic: break;
    case EncodingWish::gsm7: options.strict = true; break;
    case EncodingWish::ucs2:
      options.alphabets = kUcs2Only;
      options.strict = true;
      break;
  }
  return options;
}

std::uint8_t data_coding_of(const CarrierConfig& /*carrier*/, Alphabet alphabet) noexcept {
  return alphabet == Alphabet::ucs2 ? kUcs2 : kSmscDefault;
}

std::string_view encoding_word(Alphabet alphabet) noexcept {
  switch (alphabet) {
    case Alphabet::gsm7:
    case Alphabet::gsm7_packed: return "gsm7";
    case Alphabet::latin1: return "latin1";
    case Alphabet::ascii: return "ascii";
    case Alphabet::ucs2: return "ucs2";
  }
  return "ucs2";
}

}  // namespace stentor::daemon
