// SMPP as a test writes and reads it by hand: no code is shared with what is tested.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stentor::wire {

using Octets = std::vector<std::uint8_t>;

inline void put32(Octets& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

inline void put_text(Octets& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
  out.push_back(0);
}

inline Octets pdu(std::uint32_t command_id, std::uint32_t sequence, const Octets& body = {},
                  std::uint32_t status = 0) {
  Octets out;
  put32(out, static_cast<std::uint32_t>(16 + body.size()));
  put32(out, command_id);
  put32(out, status);
  put32(out, sequence);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

inline constexpr std::uint32_t kReceiver = 0x01;
inline constexpr std::uint32_t kTransmitter = 0x02;
inline constexpr std::uint32_t kTransceiver = 0x09;
inline constexpr std::uint32_t kSubmit = 0x04;
inline constexpr std::uint32_t kDeliver = 0x05;
inline constexpr std::uint32_t kUnbind = 0x06;
inline constexpr std::uint32_t kEnquire = 0x15;
inline constexpr std::uint32_t kData = 0x103;
inline constexpr std::uint32_t kResponse = 0x80000000;

inline Octets bind(std::uint32_t command_id, std::uint32_t sequence,
                   std::string_view system_id = "stentor", std::string_view password = "secret") {
  Octets body;
  put_text(body, system_id);
  put_text(body, password);
  put_text(body, "");
  body.insert(body.end(), {0x34, 0, 0, 0});
  return pdu(command_id, sequence, body);
}

inline Octets submit(std::uint32_t sequence, std::string_view to = "79161234567",
                     std::string_view text = "Hello", std::uint8_t registered_delivery = 1,
                     const Octets& tlvs = {}) {
  Octets body{0, 5, 0};  // service_type, source: alphanumeric
  put_text(body, "SHOP");
  body.insert(body.end(), {1, 1});
  put_text(body, to);
  body.insert(body.end(), {0, 0, 0, 0, 0, registered_delivery, 0, 0, 0,
                           static_cast<std::uint8_t>(text.size())});
  body.insert(body.end(), text.begin(), text.end());
  body.insert(body.end(), tlvs.begin(), tlvs.end());
  return pdu(kSubmit, sequence, body);
}

struct Pdu {
  std::uint32_t command_id = 0;
  std::uint32_t status = 0;
  std::uint32_t sequence = 0;
  std::string body;

  /// The text up to its NUL: the message_id of a submit_sm_resp.
  [[nodiscard]] std::string text() const { return body.substr(0, body.find('\0')); }
};

inline std::uint32_t get32(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 |
         at[3];
}

/// The whole PDUs at the front of `octets`, which are taken off.
inline std::vector<Pdu> take_pdus(Octets& octets) {
  std::vector<Pdu> pdus;
  std::size_t at = 0;
  while (octets.size() - at >= 16) {
    const std::uint32_t size = get32(octets.data() + at);
    if (size < 16 || size > octets.size() - at) break;
    pdus.push_back({.command_id = get32(octets.data() + at + 4),
                    .status = get32(octets.data() + at + 8),
                    .sequence = get32(octets.data() + at + 12),
                    .body = std::string(octets.begin() + static_cast<std::ptrdiff_t>(at + 16),
                                        octets.begin() + static_cast<std::ptrdiff_t>(at + size))});
    at += size;
  }
  octets.erase(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(at));
  return pdus;
}

}  // namespace stentor::wire
