#include "encoding/decoder.h"

#include <boost/container/small_vector.hpp>
#include <utility>

#include "encoding/gsm_alphabet.h"
#include "encoding/septet_packing.h"
#include "encoding/utf8.h"

namespace stentor::encoding {

namespace {

constexpr char32_t kReplacementCharacter = 0xfffd;

// How many septets from the start are the ASCII code of what they show.
std::size_t plain_run(std::span<const std::uint8_t> septets) noexcept {
  std::size_t run = 0;
  while (run < septets.size()) {
    const std::uint8_t septet = septets[run];
    const bool letter = (septet >= 'a' && septet <= 'z') || (septet >= 'A' && septet <= 'Z');
    const bool sign = septet >= ' ' && septet < '@' && septet != '$';
    if (!letter && !sign) break;
    ++run;
  }
  return run;
}

constexpr bool is_high(char16_t unit) noexcept {
  return (unit & 0xfc00u) == 0xd800u;
}
constexpr bool is_low(char16_t unit) noexcept {
  return (unit & 0xfc00u) == 0xdc00u;
}

}  // namespace

void Decoder::add(std::span<const std::uint8_t> user_data, bool has_header) {
  UserDataHeader header;
  if (has_header) header = read_header(user_data).value_or(UserDataHeader{});
  const auto body = user_data.subspan(header.octets);
  switch (alphabet_) {
    case Alphabet::gsm7: add_septets(body, header.shifts); break;
    case Alphabet::gsm7_packed: {
      boost::container::small_vector<std::uint8_t, kPartOctetsMax> septets;
      septets.resize(body.size() * 8 / 7, boost::container::default_init);
      const std::size_t count = unpack(body, fill_bits(header.octets), septets);
      add_septets(std::span(septets).first(count), header.shifts);
      break;
    }
    case Alphabet::latin1:
      for (const std::uint8_t octet : body) append_utf8(text_, octet);
      break;
    case Alphabet::ascii:
      for (const std::uint8_t octet : body) {
        append_utf8(text_, octet < 0x80 ? octet : kReplacementCharacter);
      }
      break;
    case Alphabet::ucs2: add_units(body); break;
  }
}

void Decoder::add_septets(std::span<const std::uint8_t> septets, Shifts shifts) {
  text_.reserve(text_.size() + septets.size());
  for (std::size_t at = 0; at < septets.size(); ++at) {
    if (!escaped_ && shifts.are_default()) {
      const std::size_t plain = plain_run(septets.subspan(at));
      const auto run = septets.subspan(at, plain);
      text_.append(run.begin(), run.end());
      at += plain;
      if (at == septets.size()) break;
    }
    const std::uint8_t septet = septets[at];
    if (septet > 0x7f) {
      append_utf8(text_, kReplacementCharacter);
      escaped_ = false;
    } else if (escaped_) {
      append_utf8(text_, escaped_character_of(septet, shifts));
      escaped_ = false;
    } else if (septet == kEscape) {
      escaped_ = true;
    } else {
      append_utf8(text_, character_of(septet, shifts));
    }
  }
}

void Decoder::add_units(std::span<const std::uint8_t> octets) {
  std::size_t at = 0;
  for (; at + 2 <= octets.size(); at += 2) {
    put_unit(static_cast<char16_t>(octets[at] << 8 | octets[at + 1]));
  }
  if (at < octets.size()) {  // half a code unit
    put_lone();
    append_utf8(text_, kReplacementCharacter);
  }
}

void Decoder::put_unit(char16_t unit) {
  if (is_low(unit) && high_ != 0) {
    append_utf8(text_,
                0x10000u + (static_cast<char32_t>(high_ - 0xd800u) << 10) + (unit - 0xdc00u));
    high_ = 0;
    return;
  }
  put_lone();
  if (is_high(unit)) {
    high_ = unit;
  } else {
    append_utf8(text_, is_low(unit) ? kReplacementCharacter : unit);
  }
}

void Decoder::put_lone() {
  if (high_ != 0) append_utf8(text_, kReplacementCharacter);
  high_ = 0;
}

std::string Decoder::take() {
  put_lone();
  if (escaped_) text_.push_back(' ');  // an escape with nothing after it shows a space
  escaped_ = false;
  return std::exchange(text_, {});
}

std::string decode_part(Alphabet alphabet, std::span<const std::uint8_t> user_data,
                        bool has_header) {
  Decoder decoder(alphabet);
  decoder.add(user_data, has_header);
  return decoder.take();
}

}  // namespace stentor::encoding
