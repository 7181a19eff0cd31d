// The PDUs stentor speaks, as plain structs whose texts and octets are views.
//
// Units    Octets. Addresses and ids without their terminating NUL.
// Owns     Nothing: a decoded PDU views the buffer it was decoded from; one to encode views the
//          caller's.
// Threads  Plain values.
// Spec     SMPP 3.4 section 4 (PDUs), section 5.2 (fields), section 5.3 (TLVs).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/command_status.h"

namespace stentor::protocol {

inline constexpr std::uint32_t kResponseBit = 0x80000000;       // of command_id, section 5.1.2.1
inline constexpr std::uint8_t kUserDataHeaderIndicator = 0x40;  // of esm_class, section 5.2.12

enum class CommandId : std::uint32_t {
  generic_nack = 0x80000000,
  bind_receiver = 0x00000001,
  bind_receiver_resp = 0x80000001,
  bind_transmitter = 0x00000002,
  bind_transmitter_resp = 0x80000002,
  query_sm = 0x00000003,
  query_sm_resp = 0x80000003,
  submit_sm = 0x00000004,
  submit_sm_resp = 0x80000004,
  deliver_sm = 0x00000005,
  deliver_sm_resp = 0x80000005,
  unbind = 0x00000006,
  unbind_resp = 0x80000006,
  replace_sm = 0x00000007,
  replace_sm_resp = 0x80000007,
  cancel_sm = 0x00000008,
  cancel_sm_resp = 0x80000008,
  bind_transceiver = 0x00000009,
  bind_transceiver_resp = 0x80000009,
  outbind = 0x0000000b,
  enquire_link = 0x00000015,
  enquire_link_resp = 0x80000015,
  submit_multi = 0x00000021,
  submit_multi_resp = 0x80000021,
  alert_notification = 0x00000102,
  data_sm = 0x00000103,
  data_sm_resp = 0x80000103
};

inline constexpr std::size_t kHeaderOctets = 16;
inline constexpr std::size_t kPduOctetsMax = 65536;              // see Limits in session.h
inline constexpr std::uint32_t kSequenceNumberMax = 0x7fffffff;  // section 3.2, then again 1

struct Header {
  std::uint32_t command_length = 0;
  CommandId command_id{};
  CommandStatus command_status{};
  std::uint32_t sequence_number = 0;
};

/// TON and NPI of an address, section 5.2.5 and 5.2.6.
struct Numbering {
  std::uint8_t ton = 0;
  std::uint8_t npi = 0;
  friend bool operator==(const Numbering&, const Numbering&) = default;
};

struct Address {
  Numbering numbering{};
  /// At most 20 octets (section 4.4.1: 21 with the NUL), 64 in data_sm (section 4.7.1) and where a
  /// peer's is longer than it should be.
  std::string_view digits{};
};

/// One optional parameter; `value` views the PDU.
struct Tlv {
  std::uint16_t tag = 0;
  std::span<const std::uint8_t> value{};
};

namespace tag {
inline constexpr std::uint16_t kQosTimeToLive = 0x0017;
inline constexpr std::uint16_t kUserMessageReference = 0x0204;
inline constexpr std::uint16_t kSarMsgRefNum = 0x020c;
inline constexpr std::uint16_t kSarTotalSegments = 0x020e;
inline constexpr std::uint16_t kSarSegmentSeqnum = 0x020f;
inline constexpr std::uint16_t kScInterfaceVersion = 0x0210;
inline constexpr std::uint16_t kReceiptedMessageId = 0x001e;
inline constexpr std::uint16_t kMsAvailabilityStatus = 0x0422;
inline constexpr std::uint16_t kNetworkErrorCode = 0x0423;
inline constexpr std::uint16_t kMessagePayload = 0x0424;
inline constexpr std::uint16_t kMoreMessagesToSend = 0x0426;
inline constexpr std::uint16_t kMessageState = 0x0427;
}  // namespace tag

/// More TLVs than this in one PDU is a peer at play: the standard knows some forty.
inline constexpr std::size_t kTlvsMax = 64;

/// The optional parameters of a decoded PDU, checked when it was decoded: iterating cannot fail.
class Tlvs {
 public:
  Tlvs() = default;
  /// `octets` must have passed the decoder's check (decoder.h).
  explicit Tlvs(std::span<const std::uint8_t> octets) noexcept : octets_(octets) {}

  class Iterator {
   public:
    explicit Iterator(std::span<const std::uint8_t> rest) noexcept : rest_(rest) {}
    [[nodiscard]] Tlv operator*() const noexcept {
      return {.tag = static_cast<std::uint16_t>(rest_[0] << 8 | rest_[1]),
              .value = rest_.subspan(4, value_octets())};
    }
    Iterator& operator++() noexcept {
      rest_ = rest_.subspan(4 + value_octets());
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) noexcept {
      return a.rest_.size() == b.rest_.size();
    }

   private:
    [[nodiscard]] std::size_t value_octets() const noexcept {
      return static_cast<std::size_t>(rest_[2] << 8 | rest_[3]);
    }
    std::span<const std::uint8_t> rest_;
  };
  [[nodiscard]] Iterator begin() const noexcept { return Iterator(octets_); }
  [[nodiscard]] Iterator end() const noexcept { return Iterator(octets_.last(0)); }
  /// The first with this tag; an empty Tlv with tag 0 when there is none.
  [[nodiscard]] Tlv find(std::uint16_t tag) const noexcept;
  /// All of them as they travel.
  [[nodiscard]] std::span<const std::uint8_t> octets() const noexcept { return octets_; }

 private:
  std::span<const std::uint8_t> octets_;
};

/// submit_sm and deliver_sm share one layout (sections 4.4.1 and 4.6.1). Each field has a default,
/// so that designated initializers name only what matters.
struct ShortMessage {
  std::string_view service_type{};  ///< at most 5 octets
  Address source{};
  Address destination{};
  std::uint8_t esm_class = 0;
  std::uint8_t protocol_id = 0;
  std::uint8_t priority_flag = 0;
  std::string_view schedule_delivery_time{};  ///< empty or 16 octets
  std::string_view validity_period{};         ///< empty or 16 octets
  std::uint8_t registered_delivery = 0;
  std::uint8_t replace_if_present_flag = 0;
  std::uint8_t data_coding = 0;
  std::uint8_t sm_default_msg_id = 0;
  /// The user data: its header first, in the same octets or in front of them. Encoding writes
  /// `user_data_header` then `short_message`; decoding leaves the header empty and the whole of
  /// the field in `short_message`.
  std::span<const std::uint8_t> user_data_header{};
  std::span<const std::uint8_t> short_message{};  ///< both together at most 254 octets
  Tlvs tlvs{};
};
using SubmitSm = ShortMessage;
using DeliverSm = ShortMessage;

/// What the phone's text is read from: short_message, or the message_payload TLV where that is
/// empty (section 5.3.2.32). Begins with the user-data header when esm_class has bit 0x40.
[[nodiscard]] std::span<const std::uint8_t> user_data_of(const ShortMessage& message) noexcept;

enum class BindType : std::uint8_t { transmitter, receiver, transceiver };

struct Bind {
  BindType type = BindType::transceiver;
  std::string_view system_id{};    ///< at most 15 octets
  std::string_view password{};     ///< at most 8 octets
  std::string_view system_type{};  ///< at most 12 octets
  std::uint8_t interface_version = 0x34;
  Numbering numbering{};
  std::string_view address_range{};  ///< at most 40 octets
};

struct BindResp {
  std::string_view system_id{};        ///< the SMSC's name for itself; may be empty
  std::uint8_t interface_version = 0;  ///< of sc_interface_version; 0 when not told
};

/// query_sm and cancel_sm name a message by its id and the addresses it was submitted with
/// (sections 4.8.1 and 4.9.1).
struct QuerySm {
  std::string_view message_id{};  ///< at most 64 octets
  Address source{};
};

struct CancelSm {
  std::string_view service_type{};
  std::string_view message_id{};  ///< never empty here: an empty one cancels by addresses alone
  Address source{};
  Address destination{};
};

/// A handset for which a message waits can be reached again (section 4.12.1). It has no response.
struct AlertNotification {
  Address source{};  ///< the handset
  Address esme{};    ///< who had asked to be told
  Tlvs tlvs{};       ///< ms_availability_status
};

/// An SMSC that has connected to us asks us to bind (section 4.1.7). It has no response.
struct Outbind {
  std::string_view system_id{};
  std::string_view password{};
};

struct QueryResp {
  std::string_view message_id{};
  std::string_view final_date{};   ///< empty or 16 octets
  std::uint8_t message_state = 0;  ///< as receipt.h names them
  std::uint8_t error_code = 0;
};

}  // namespace stentor::protocol
