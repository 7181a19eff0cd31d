// What a request is told whose JSON is none.
//
// Errors   None of its own.
// Threads  A pure function.
// Spec     docs/protocol.md, "Codes"
#pragma once

#include <simdjson.h>

#include <expected>

#include "daemon/ingress/request_fields.h"

namespace stentor::daemon {

[[nodiscard]] inline std::unexpected<Refusal> refuse_json(const RequestFields& fields,
                                                          simdjson::error_code error) {
  if (error == simdjson::UTF8_ERROR) {
    return fields.refuse("bad_utf8", "the line is not valid UTF-8");
  }
  return fields.refuse("bad_json", simdjson::error_message(error));
}

}  // namespace stentor::daemon
