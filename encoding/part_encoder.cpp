// encode_part(): the octets of one part, as its plan says.
#include <algorithm>
#include <array>
#include <boost/container/small_vector.hpp>
#include <cassert>
#include <cstring>

#include "encoding/gsm_alphabet.h"
#include "encoding/octet_block.h"
#include "encoding/segmenter.h"
#include "encoding/septet_packing.h"
#include "encoding/user_data_header.h"
#include "encoding/utf8.h"

namespace stentor::encoding {

namespace {

// Both writers below may write a block past the end of what they give; callers leave the room.
static_assert(kPartOctetsMax >= 160 + 14 + 2 * kBlockOctets);

// One septet an octet.
std::size_t write_septets(std::string_view text, Shifts shifts, std::uint8_t* out) noexcept {
  std::uint8_t* const begin = out;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= kBlockOctets && shifts.are_default()) {
      const OctetBlock block = load_block(text.data() + at);
      if (!any(~is_gsm_basic(block))) {
        const OctetBlock septets = gsm_of_basic(block);
        std::memcpy(out, &septets, sizeof septets);
        out += kBlockOctets;
        at += kBlockOctets;
        continue;
      }
    }
    for (const std::size_t end = at + kBlockOctets; at < text.size() && at < end;) {
      const CodePoint next = code_point_at(text, at);
      const GsmCode code = code_of(next.value, shifts);
      assert(code.exists() && "a plan names an alphabet that has every character");
      if (code.is_escaped()) *out++ = kEscape;
      *out++ = code.septet();
      at += next.octets;
    }
  }
  return static_cast<std::size_t>(out - begin);
}

std::size_t write_octets(std::string_view text, std::uint8_t* out) noexcept {
  std::uint8_t* const begin = out;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = code_point_at(text, at);
    *out++ = static_cast<std::uint8_t>(next.value);
    at += next.octets;
  }
  return static_cast<std::size_t>(out - begin);
}

std::uint8_t* put_unit(std::uint8_t* out, char32_t unit) noexcept {
  *out++ = static_cast<std::uint8_t>(unit >> 8);
  *out++ = static_cast<std::uint8_t>(unit & 0xff);
  return out;
}

using UnitBlock [[gnu::vector_size(2 * kBlockOctets)]] = std::uint16_t;

// A block of characters below U+0800: every octet is taken for the first of one, and those that
// are not are written over. Branches on word ends would cost more than the work.
std::uint8_t* put_block(std::uint8_t* out, OctetBlock block, OctetBlock after) noexcept {
  const UnitBlock leads = __builtin_convertvector(block, UnitBlock);
  const UnitBlock seconds = __builtin_convertvector(after, UnitBlock);
  const UnitBlock twos = (leads & 0x1f) << 6 | (seconds & 0x3f);
  const UnitBlock is_two = static_cast<UnitBlock>(leads >= 0x80);
  const UnitBlock units = (twos & is_two) | (leads & ~is_two);
  const UnitBlock swapped = units << 8 | units >> 8;
  std::array<std::uint16_t, kBlockOctets> each;
  std::memcpy(each.data(), &swapped, sizeof swapped);
  std::array<std::uint8_t, kBlockOctets> octets;
  std::memcpy(octets.data(), &block, sizeof block);
  for (std::size_t at = 0; at < kBlockOctets; ++at) {
    std::memcpy(out, &each[at], 2);
    out += (octets[at] & 0xc0u) == 0x80u ? 0 : 2;
  }
  return out;
}

static_assert(std::endian::native == std::endian::little, "put_block swaps octets");

std::size_t write_units(std::string_view text, std::uint8_t* out) noexcept {
  std::uint8_t* const begin = out;
  std::size_t at = 0;
  while (at < text.size()) {
    // One octet more than a block, for the second octet of its last character.
    while (text.size() - at > kBlockOctets) {
      const OctetBlock block = load_block(text.data() + at);
      if (any(block >= 0xe0)) break;
      out = put_block(out, block, load_block(text.data() + at + 1));
      at += kBlockOctets;
      while (is_continuation(text[at])) ++at;  // already taken with its first octet
    }
    for (const std::size_t end = at + kBlockOctets; at < text.size() && at < end;) {
      const CodePoint next = code_point_at(text, at);
      if (next.value > 0xffff) {
        out = put_unit(out, 0xd7c0 + (next.value >> 10));
        out = put_unit(out, 0xdc00 + (next.value & 0x3ff));
      } else {
        out = put_unit(out, next.value);
      }
      at += next.octets;
    }
  }
  return static_cast<std::size_t>(out - begin);
}

}  // namespace

EncodedPart encode_part(std::string_view text, const Plan& plan, std::size_t index,
                        Concatenation concatenation, Tie tie, std::span<std::uint8_t> out) {
  assert(index < plan.parts.size() && "the plan has this part");
  const Part& part = plan.parts[index];
  const std::string_view sent = plan.replaced.empty() ? text : std::string_view(plan.replaced);
  const std::string_view stretch = sent.substr(part.begin, part.end - part.begin);
  assert(out.size() >=
         (concatenation == Concatenation::payload ? payload_octets_max(plan) : kPartOctetsMax));

  const Shifts shifts{plan.locking_shift, plan.single_shift};
  const bool in_header =
      concatenation == Concatenation::udh8 || concatenation == Concatenation::udh16;
  const bool tied = in_header && plan.parts.size() > 1;
  const std::size_t header = write_header(tied ? std::optional(tie) : std::nullopt,
                                          concatenation == Concatenation::udh16, shifts, out);
  std::uint8_t* const body = out.data() + header;
  std::size_t octets = 0;
  switch (plan.alphabet) {
    case Alphabet::gsm7: octets = write_septets(stretch, shifts, body); break;
    case Alphabet::gsm7_packed: {
      boost::container::small_vector<std::uint8_t, kPartOctetsMax> septets;
      septets.resize(part.units + std::size_t{2} * kBlockOctets, boost::container::default_init);
      const std::size_t count = write_septets(stretch, shifts, septets.data());
      octets = pack(std::span(septets).first(count), fill_bits(header), out.subspan(header));
      break;
    }
    case Alphabet::latin1:
    case Alphabet::ascii: octets = write_octets(stretch, body); break;
    case Alphabet::ucs2: octets = write_units(stretch, body); break;
  }
  return {header, header + octets};
}

}  // namespace stentor::encoding
