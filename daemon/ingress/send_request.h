// Reads a send, or its preview, from the fields of a request.
//
// Units    Octets.
// Owns     What of a send is not kept as it stood in the line: decoded octets, optional parameters.
// Errors   Refusal with bad_field, bad_json, bad_utf8, unknown_field, bad_destination, bad_sender,
//          bad_time, empty_text or not_supported.
// Threads  One thread. A SendRequest views the reader and what `fields` views until the next
//          read().
// Spec     docs/protocol.md, "send" and "preview"
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "daemon/ingress/request.h"
#include "daemon/ingress/request_fields.h"
#include "daemon/ingress/smpp_wish.h"

namespace stentor::daemon {

class SendRequestReader {
 public:
  SendRequestReader();
  ~SendRequestReader();

  [[nodiscard]] std::expected<SendRequest, Refusal> read(const RequestFields& fields);

 private:
  [[nodiscard]] std::expected<void, Refusal> read_content(const RequestFields& fields,
                                                          SendRequest& out);
  [[nodiscard]] std::expected<void, Refusal> read_meta(const RequestFields& fields,
                                                       SendRequest& out);

  class Json;
  std::unique_ptr<Json> json_;
  std::string binary_;
  std::string udh_;
  SmppWishReader smpp_wish_;
};

[[nodiscard]] std::expected<PreviewRequest, Refusal> read_preview_request(
    const RequestFields& fields);

}  // namespace stentor::daemon
