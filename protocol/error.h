// What can go wrong between us and an SMSC, in two separate spaces: CodecError is what we find in
// octets; CommandStatus (command_status.h) is what the SMSC tells us.
//
// Errors   CodecError converts to std::error_code, so one `result<T>` carries it.
// Threads  Plain values.
// Spec     SMPP 3.4 section 3 (PDU format).
#pragma once

#include <expected>
#include <system_error>

namespace stentor::protocol {

template <class T>
using result = std::expected<T, std::error_code>;

enum class CodecError {  // NOLINT(performance-enum-size): std::error_code holds an int
  truncated = 1,         ///< a field or TLV runs past the PDU; answer an error, keep the link
  bad_length,            ///< command_length under 16 or over the limit; framing is lost: close
  unknown_command,       ///< answer generic_nack, keep the link
  unterminated_string,   ///< a C-octet string ran past its field; answer an error, keep the link
  too_many_tlvs,         ///< more than kTlvsMax; answer an error, keep the link
  field_too_long         ///< what we were asked to encode does not fit; our own input was wrong
};

[[nodiscard]] std::error_code make_error_code(CodecError error) noexcept;

[[nodiscard]] inline std::unexpected<std::error_code> field_too_long() noexcept {
  return std::unexpected(make_error_code(CodecError::field_too_long));
}

}  // namespace stentor::protocol

template <>
struct std::is_error_code_enum<stentor::protocol::CodecError> : std::true_type {};
