// Splits one text into the short-message segments that carry it.
//
// plan() decides alphabet, cuts and cost once; encode_part() then writes each segment's octets.
//
// Units    Texts are UTF-8 and offsets into them octets. `units` are septets (gsm7, gsm7_packed),
//          UTF-16 code units (ucs2) or octets (latin1, ascii); never counted with the header.
// Owns     A Plan owns everything it says; it refers back to the text by offsets alone.
// Errors   EncodingError with the octet offset where it was found. Nothing throws but bad_alloc.
// Threads  Pure functions: call them from anywhere.
// Spec     3GPP TS 23.038 section 6.2.1 (alphabet), annex A (national tables);
//          TS 23.040 section 9.2.3.24 (user-data header), 9.2.3.24.1 (concatenation).
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "encoding/error.h"
#include "encoding/grapheme.h"
#include "encoding/national_language.h"

namespace stentor::encoding {

enum class Alphabet : std::uint8_t { gsm7, gsm7_packed, latin1, ascii, ucs2 };
[[nodiscard]] std::string_view name_of(Alphabet alphabet) noexcept;  ///< "gsm7", "ucs2", …

/// How the parts of a long message are tied together.
enum class Concatenation : std::uint8_t {
  udh8,    ///< 8-bit reference in a 6-octet header: 153 septets, 67 code units, 134 octets
  udh16,   ///< 16-bit reference in a 7-octet header: 152, 66, 133
  sar,     ///< SAR TLVs, no header: the caller adds them; parts as large as with udh8
  payload  ///< one message_payload, never cut here; counted as the carrier cuts it, with udh8
};

/// What may be changed in a text so that it stays in a cheaper alphabet.
enum class Replacement : std::uint8_t { none, safe, transliterate };

struct PlanOptions {
  /// In order of preference: of those that can carry the text in the fewest segments, the first.
  /// ucs2 is always there as the last resort unless `strict`.
  std::span<const Alphabet> alphabets;  ///< empty: gsm7, then ucs2
  bool strict = false;                  ///< only the alphabets named; else not_encodable
  Concatenation concatenation = Concatenation::udh8;
  NationalLanguages national;  ///< tables that may be used; none by default
  Replacement replacement = Replacement::none;
  std::size_t segments_max = 255;  ///< more than 255 is taken as 255: the count is one octet
};

/// One segment's stretch of the text (of Plan::replaced when that is not empty).
struct Part {
  std::uint32_t begin = 0;  ///< octets of UTF-8
  std::uint32_t end = 0;
  std::uint16_t units = 0;
};

/// The first character that the cheapest preferred alphabet could not carry.
struct ForcedBy {
  std::uint32_t offset = 0;  ///< octets from the start of the text
  std::uint32_t index = 0;   ///< user-perceived characters before it
  char32_t code_point = 0;
};

struct Replaced {
  std::uint32_t offset = 0;  ///< in the original text
  std::string from;
  std::string to;
};

inline constexpr std::size_t kPartsInline = 10;  // the default max_segments: no allocation so far
using PartList = boost::container::small_vector<Part, kPartsInline>;

struct Plan {
  Plan() noexcept {}  // by hand: a defaulted one would have the room for parts cleared each time

  Alphabet alphabet = Alphabet::gsm7;
  NationalLanguage locking_shift = NationalLanguage::none;
  NationalLanguage single_shift = NationalLanguage::none;
  std::uint32_t units = 0;
  bool cut_inside_cluster = false;  ///< a single character was longer than a segment
  std::uint32_t segments = 1;       ///< parts.size(), save with payload: what the handset gets
  PartList parts;
  std::optional<ForcedBy> forced_by;  ///< set when the first preference could not carry the text
  std::string replaced;               ///< the text as it will be sent, when it was changed
  std::vector<Replaced> replacements;
};

/// Decides how `text` travels.
///
/// A segment never splits an escape pair, a surrogate pair, or a character as people perceive it
/// (a grapheme cluster), unless one cluster alone is longer than a segment: that one is cut
/// between code points. No cutting under these rules has fewer segments.
///
/// The text is put into Normalization Form C where that saves a segment, keeps it in an alphabet
/// of higher preference, or saves a unit; it is replaced as `replacement` allows only where that
/// saves a segment, or where the text could not be sent at all. Both show in Plan::replaced.
///
/// Fails with invalid_utf8, empty_text, forbidden_character (U+0000), not_encodable (strict) or
/// too_many_segments.
[[nodiscard]] result<Plan> plan(std::string_view text, const PlanOptions& options);

/// The reference and count that tie parts together.
struct Tie {
  std::uint16_t reference = 0;  ///< udh8 uses the low octet
  std::uint8_t total = 1;
  std::uint8_t number = 1;  ///< from 1
};

/// Room for any part: 140 octets of user data packed, or 160 septets unpacked, plus a header.
inline constexpr std::size_t kPartOctetsMax = 256;

struct EncodedPart {
  std::size_t header_octets = 0;  ///< of user-data header at the start; 0 without one
  std::size_t octets = 0;         ///< header and body together
};

/// Writes part `index` of `plan` for `text` (the one given to plan()): user-data header when it
/// needs one (concatenation or national tables), then the body. `out` has room for kPartOctetsMax,
/// or with Concatenation::payload for payload_octets_max(plan).
[[nodiscard]] EncodedPart encode_part(std::string_view text, const Plan& plan, std::size_t index,
                                      Concatenation concatenation, Tie tie,
                                      std::span<std::uint8_t> out);

/// Room that encode_part() needs for the one part of a payload.
[[nodiscard]] constexpr std::size_t payload_octets_max(const Plan& plan) noexcept {
  return kPartOctetsMax + std::size_t{2} * plan.units;
}

}  // namespace stentor::encoding
