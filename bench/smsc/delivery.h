// One thing the carrier is to send to a client: a receipt or a reply, small enough to wait by the
// million.
//
// Units    `submitted` is Unix seconds; addresses have at most 20 octets (SMPP 3.4 section 4.4.1).
// Owns     Its octets; refers to nothing.
// Threads  Plain values.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "bench/smsc/due_queue.h"
#include "bench/smsc/settings.h"
#include "protocol/pdu.h"

namespace stentor::smsc {

/// An address that keeps its octets.
class KeptAddress {
 public:
  KeptAddress() = default;
  explicit KeptAddress(const protocol::Address& address) noexcept
      : ton_(address.numbering.ton), npi_(address.numbering.npi) {
    const std::size_t size = std::min(address.digits.size(), octets_.size());
    std::copy_n(address.digits.begin(), size, octets_.begin());
    size_ = static_cast<std::uint8_t>(size);
  }
  [[nodiscard]] protocol::Address view() const noexcept {
    return {.numbering = {.ton = ton_, .npi = npi_}, .digits = {octets_.data(), size_}};
  }

 private:
  std::uint8_t ton_ = 0;
  std::uint8_t npi_ = 0;
  std::uint8_t size_ = 0;
  std::array<char, 20> octets_{};
};

enum class DeliveryKind : std::uint8_t {
  receipt,
  intermediate,  ///< an intermediate notification: the message is on its way
  reply,
  enquire  ///< not a delivery: enquire_link uses up a sequence_number like one
};

struct Delivery {
  TimePoint due{};
  std::uint64_t message_number = 0;  ///< what the id is written from (message_id_text.h)
  std::uint32_t submitted = 0;
  std::uint32_t session = 0;  ///< the connection it was submitted on
  std::uint16_t user_message_reference = 0;
  std::uint16_t reply = 0;  ///< which of Settings::replies
  std::uint8_t reply_part = 0;
  std::uint8_t attempt = 0;
  DeliveryKind kind = DeliveryKind::receipt;
  Outcome outcome = Outcome::delivered;
  bool has_user_message_reference = false;
  bool is_duplicate = false;
  bool is_answered = false;
  KeptAddress source{};  ///< of the submit_sm: a delivery goes the other way
  KeptAddress destination{};
};

/// The time as the caller read it, once for a whole batch of octets.
struct Now {
  TimePoint steady{};
  std::int64_t wall_nanoseconds = 0;  ///< since the Unix epoch, for what people read
  [[nodiscard]] std::uint32_t wall_seconds() const noexcept {
    return static_cast<std::uint32_t>(wall_nanoseconds / 1'000'000'000);
  }
};

}  // namespace stentor::smsc
