// Where encoding meets SMPP: an alphabet becomes a data_coding, a carrier's settings become the
// segmenter's options. The only file that knows both sides.
//
// Threads  Pure functions.
// Spec     SMPP 3.4 section 5.2.19 (data_coding), 5.2.12 (esm_class).
#pragma once

#include <cstdint>
#include <span>

#include "daemon/config/config.h"
#include "daemon/records/records.h"
#include "encoding/segmenter.h"

namespace stentor::daemon {

/// How a text would be, or will be, cut for this carrier.
[[nodiscard]] encoding::PlanOptions plan_options(const CarrierConfig& carrier, EncodingWish wish,
                                                 std::size_t segments_max);

[[nodiscard]] encoding::Concatenation concatenation_of(const CarrierConfig& carrier) noexcept;

/// 0 for the carrier's default alphabet, 8 for UCS-2.
[[nodiscard]] std::uint8_t data_coding_of(const CarrierConfig& carrier,
                                          encoding::Alphabet alphabet) noexcept;

/// The protocol's word: gsm7 (packed or not), latin1, ascii, ucs2.
[[nodiscard]] std::string_view encoding_word(encoding::Alphabet alphabet) noexcept;

}  // namespace stentor::daemon
