// Where encoding meets SMPP: a carrier's settings and upstream's wishes become a plan, a plan's
// alphabet a data_coding. The only place that knows both sides.
//
// Units    Octets of user data; segments as the handset counts them, parts as SMPP sends them.
// Owns     A MessagePlan owns its cuts and refers to the content by offsets; the carrier's settings
//          must outlive it.
// Errors   CodingFault: a code of the local protocol and a detail, never content.
// Threads  Pure functions.
// Spec     SMPP 3.4 section 5.2.19 (data_coding); TS 23.038 section 4 (message class).
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "daemon/config/config.h"
#include "daemon/records/accept_reasons.h"
#include "daemon/records/records.h"
#include "encoding/binary_segmenter.h"
#include "encoding/segmenter.h"

namespace stentor::daemon {

/// What is to be sent: text, or octets behind a caller's user-data header.
struct Content {
  std::string_view body;  ///< UTF-8, or octets when `is_binary`
  std::string_view udh;   ///< the caller's own, its length octet first
  bool is_binary = false;
  bool flash = false;  ///< message class 0: shown at once, not kept
  EncodingWish encoding = EncodingWish::automatic;
  encoding::Replacement replacement = encoding::Replacement::none;
  encoding::NationalLanguages national;
};

/// The content of an accepted record.
[[nodiscard]] Content content_of(const Accepted& accepted) noexcept;

struct CodingFault {
  std::string_view code;  ///< a literal
  std::string detail;
};

[[nodiscard]] encoding::Concatenation concatenation_of(const CarrierConfig& carrier) noexcept;

/// How a text would be cut for this carrier. Fails where the carrier lacks the wished encoding.
[[nodiscard]] std::expected<encoding::PlanOptions, CodingFault> plan_options(
    const Content& content, const CarrierConfig& carrier, std::size_t segments_max);

class MessagePlan {
 public:
  /// Decides how `content` travels to this carrier.
  [[nodiscard]] static std::expected<MessagePlan, CodingFault> make(const Content& content,
                                                                    const CarrierConfig& carrier,
                                                                    std::size_t segments_max);

  [[nodiscard]] std::size_t parts() const;                        ///< submit_sm it takes
  [[nodiscard]] std::uint32_t segments() const;                   ///< what the handset gets
  [[nodiscard]] std::string_view encoding_word() const noexcept;  ///< gsm7, ucs2, latin1, …
  [[nodiscard]] std::uint8_t data_coding() const noexcept { return data_coding_; }
  /// How its parts are tied: the carrier's way, save that what has a header of another kind is
  /// tied in the header too. UDH and SAR parameters in one submit_sm would contradict each other.
  [[nodiscard]] encoding::Concatenation concatenation() const noexcept { return concatenation_; }
  /// Nothing for binary content.
  [[nodiscard]] const encoding::Plan* text() const noexcept {
    return std::get_if<encoding::Plan>(&plan_);
  }
  /// Room that encode() needs.
  [[nodiscard]] std::size_t part_octets_max(const Content& content) const noexcept;
  [[nodiscard]] encoding::EncodedPart encode(const Content& content, std::size_t part,
                                             encoding::Concatenation concatenation,
                                             encoding::Tie tie, std::span<std::uint8_t> out) const;

 private:
  std::variant<encoding::Plan, encoding::BinaryPlan> plan_;
  std::uint8_t data_coding_ = 0;
  encoding::Concatenation concatenation_ = encoding::Concatenation::udh8;
};

/// The protocol's word for an alphabet: gsm7 (packed or not), latin1, ascii, ucs2.
[[nodiscard]] std::string_view encoding_word(encoding::Alphabet alphabet) noexcept;
/// Why it travels as it does.
[[nodiscard]] EncodingReason reason_of(const MessagePlan& plan, const Content& content);

}  // namespace stentor::daemon
