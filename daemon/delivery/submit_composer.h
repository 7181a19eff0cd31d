// The submit_sm of one segment: a message's plan, its wishes and its carrier's become SMPP fields.
//
// Units    Octets; `now_ms` is milliseconds of Unix time.
// Owns     What the last composed submit views, until the next one.
// Errors   None: what does not fit its field is found when it is encoded (protocol/encoder.h).
// Threads  One thread.
// Spec     SMPP 3.4 sections 3.4 (who takes optional parameters), 4.4.1 (submit_sm), 4.7.1
//          (data_sm), 5.2.12 (esm_class), 5.2.14 (priority_flag), 5.2.17 (registered_delivery),
//          5.3.2 (optional parameters), 7.1.1 (times); docs/carriers.md, "Versions".
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/delivery/sending.h"
#include "encoding/segmenter.h"
#include "protocol/encoder.h"
#include "protocol/pdu.h"

namespace stentor::daemon {

/// Which message and part a segment is, in the 16 bits that a carrier may repeat in its receipts.
/// The same for every attempt. Numbers come again after 65,536 segments: ask for the destination
/// too.
[[nodiscard]] std::uint16_t user_message_reference_of(MessageId id, std::uint16_t part) noexcept;

class SubmitComposer {
 public:
  /// `carrier` outlives the composer.
  explicit SubmitComposer(const CarrierConfig& carrier) noexcept : carrier_(carrier) {}

  /// `part` counts from 0; `peer_version` is what the peer told of its bind, 0: nothing. Views into
  /// `sending` and this composer.
  [[nodiscard]] protocol::SubmitSm compose(const Sending& sending, std::uint16_t part,
                                           std::uint8_t peer_version, std::uint64_t now_ms);

 private:
  [[nodiscard]] std::string_view validity(std::uint32_t expires, std::uint64_t now_ms);
  void put_tlvs(const Sending& sending, std::uint16_t part, const encoding::Tie& tie,
                std::uint8_t peer_version, std::uint64_t now_ms);

  const CarrierConfig& carrier_;
  std::array<std::uint8_t, encoding::kPartOctetsMax> part_{};
  std::vector<std::uint8_t> payload_;
  protocol::Octets tlvs_;
  std::array<char, 17> time_{};
};

}  // namespace stentor::daemon
