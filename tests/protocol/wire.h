// Octets written down in hexadecimal, as the tests expect or send them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stentor::protocol::test {

using Octets = std::vector<std::uint8_t>;

/// "00 0a ff" -> octets; spaces and line ends are passed over.
inline Octets hex(std::string_view text) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  Octets octets;
  int high = -1;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    if (high < 0) {
      high = value(c);
    } else {
      octets.push_back(static_cast<std::uint8_t>(high << 4 | value(c)));
      high = -1;
    }
  }
  return octets;
}

inline Octets octets_of(std::string_view text) {
  return {text.begin(), text.end()};
}

inline std::string text_of(std::span<const std::uint8_t> octets) {
  return {octets.begin(), octets.end()};
}

inline void put_u32(Octets& out, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

/// A PDU written by hand: its length is counted, the rest is as given.
inline Octets pdu(std::uint32_t command_id, std::uint32_t status, std::uint32_t sequence_number,
                  const Octets& body = {}) {
  Octets out;
  put_u32(out, static_cast<std::uint32_t>(16 + body.size()));
  put_u32(out, command_id);
  put_u32(out, status);
  put_u32(out, sequence_number);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

/// Some PDUs in a row, as a socket might deliver them.
inline Octets operator+(Octets first, const Octets& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace stentor::protocol::test
