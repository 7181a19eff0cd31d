// Reads one line of the local socket: JSON, fields, types. What the values mean is admission's.
//
// Every known field is collected first and checked against its `op` afterwards, so that a refusal
// can carry the request's `ref` wherever in the line it stands.
//
// Units    Octets.
// Owns     The parser's memory; a Request views it until the next parse().
// Errors   Refusal with bad_json, bad_utf8, bad_text, unknown_field, bad_field, bad_destination,
//          bad_time, empty_text or not_supported.
// Threads  One thread.
// Spec     RFC 8259; docs/protocol.md
#pragma once

#include <expected>
#include <memory>
#include <string_view>

#include "daemon/ingress/request.h"

namespace stentor::daemon {

/// Octets behind a line that must be readable (not meaningful): simdjson looks ahead.
inline constexpr std::size_t kLinePaddingOctets = 64;

class RequestParser {
 public:
  RequestParser();
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  /// `line` has no newline and at least kLinePaddingOctets readable octets behind it.
  [[nodiscard]] std::expected<Request, Refusal> parse(std::string_view line);

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace stentor::daemon
