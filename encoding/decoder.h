// Parts back to text: what a handset would show.
//
// Units    Octets in, UTF-8 out.
// Owns     The text so far, and at most a code unit of a character that its sender cut in two.
// Errors   None: inbound octets are somebody else's. What is no character becomes U+FFFD.
// Threads  One decoder belongs to one thread.
// Spec     TS 23.038 section 6.2.1 and annex A; TS 23.040 section 9.2.3.24.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "encoding/segmenter.h"
#include "encoding/user_data_header.h"

namespace stentor::encoding {

/// Takes the parts of one message in their order. Escape and surrogate pairs that another sender
/// cut in two come together again.
class Decoder {
 public:
  explicit Decoder(Alphabet alphabet) noexcept : alphabet_(alphabet) {}

  /// `user_data` begins with a user-data header when `has_header` (esm_class says so). A header
  /// that cannot be read is taken for text, as nothing says where it would end.
  void add(std::span<const std::uint8_t> user_data, bool has_header);

  /// The text of all parts added; the decoder is as new after it.
  [[nodiscard]] std::string take();

 private:
  void add_septets(std::span<const std::uint8_t> septets, Shifts shifts);
  void add_units(std::span<const std::uint8_t> octets);
  void put_unit(char16_t unit);
  void put_lone();

  Alphabet alphabet_;
  bool escaped_ = false;  // the last septet was an escape
  char16_t high_ = 0;     // a high surrogate that waits for its low one
  std::string text_;
};

/// One part alone.
[[nodiscard]] std::string decode_part(Alphabet alphabet, std::span<const std::uint8_t> user_data,
                                      bool has_header);

}  // namespace stentor::encoding
