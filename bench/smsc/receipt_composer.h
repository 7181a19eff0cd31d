// Composes the deliver_sm of a receipt, in one of its many forms.
//
// Units    Octets.
// Owns     Buffers that are used again for each receipt: nothing is allocated once warm.
// Errors   None: all fields are bounded before they get here.
// Threads  One thread.
// Spec     SMPP 3.4 appendix B (text), section 5.3.2.12, 5.3.2.35 (TLVs), 5.2.12 (esm_class).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/smsc/delivery.h"
#include "bench/smsc/settings.h"
#include "protocol/encoder.h"

namespace stentor::smsc {

class ReceiptComposer {
 public:
  ReceiptComposer(ReceiptForm form, bool by_data_sm) noexcept
      : form_(form), by_data_sm_(by_data_sm) {}

  /// Appends one deliver_sm, or data_sm; `message_id` is spelt as receipts spell it.
  void append(protocol::Octets& out, std::uint32_t sequence_number, const Delivery& delivery,
              std::string_view message_id, const Now& now);

 private:
  // "YYMMDDhhmm" in UTC, reckoned once a minute: gmtime costs more than all the rest.
  class Stamp {
   public:
    [[nodiscard]] std::string_view at(std::uint32_t unix_seconds) noexcept;

   private:
    std::uint32_t minute_ = 0;
    std::array<char, 10> digits_{};
  };

  [[nodiscard]] std::string_view compose_text(const Delivery& delivery, std::string_view message_id,
                                              const Now& now);

  [[nodiscard]] std::string_view compose_csv(const Delivery& delivery, std::string_view message_id,
                                             const Now& now);

  ReceiptForm form_;
  bool by_data_sm_;
  Stamp submitted_;
  Stamp done_;
  std::array<char, 256> text_{};  // the longest text composed has 200 characters
  std::string csv_;
  protocol::Octets tlvs_;
};

}  // namespace stentor::smsc
