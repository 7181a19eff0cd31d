// Composes the deliver_sm of replies: messages that the recipient's phone sends back.
//
// Units    Texts are UTF-8. A part has at most 153 characters (plain) or 67 UTF-16 code units.
// Owns     The texts, cut and encoded once.
// Errors   Text that is not UTF-8 throws std::invalid_argument from the constructor.
// Threads  One thread.
// Spec     3GPP TS 23.038 section 6.2.1, TS 23.040 section 9.2.3.24.1 (concatenation).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/smsc/delivery.h"
#include "protocol/encoder.h"

namespace stentor::smsc {

class ReplyComposer {
 public:
  explicit ReplyComposer(const std::vector<std::string>& texts);

  [[nodiscard]] std::size_t texts() const noexcept { return texts_.size(); }
  [[nodiscard]] std::size_t parts_of(std::size_t text) const noexcept {
    return texts_[text].parts.size();
  }
  /// Appends part `delivery.reply_part` of text `delivery.reply`, from the number that the
  /// submitted message went to.
  void append(protocol::Octets& out, std::uint32_t sequence_number, const Delivery& delivery);

 private:
  struct Text {
    std::uint8_t data_coding = 0;
    std::vector<protocol::Octets> parts;  ///< without their headers
  };
  std::vector<Text> texts_;
};

}  // namespace stentor::smsc
