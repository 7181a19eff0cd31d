// Writes down all that a carrier got, one JSON object a line, for a judge that shares no code
// with stentor.
//
// Lines    Each has "type", "time" (Unix nanoseconds; one reading of the clock per batch read),
//          and "connection". docs/rehearsal.md lists the rest.
// Units    Octets of user data and TLVs are lower-case hex, as they came.
// Owns     The file and a buffer of kBufferOctets.
// Errors   A file that cannot be opened throws std::system_error from the constructor; a write
//          that fails later is remembered: failure() says which, and nothing more is written.
// Threads  One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>

#include "bench/smsc/delivery.h"
#include "encoding/decoder.h"
#include "protocol/pdu.h"

namespace stentor::smsc {

class Capture {
 public:
  explicit Capture(const char* file);
  /// Adds "text" to each submit_sm whose data_coding says that it is one: as a handset would show
  /// the part, data_coding 0 read in this alphabet.
  void show_text(encoding::Alphabet default_alphabet) noexcept { shown_in_ = default_alphabet; }
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  /// `command` is "submit_sm" or "data_sm". `is_answered`: a response went out or is due.
  void on_submit(const Now& now, std::uint32_t connection, std::string_view command,
                 std::uint32_t sequence_number, const protocol::ShortMessage& message,
                 std::uint32_t status, std::string_view message_id, bool is_answered);
  /// A response that was due when the connection ended, and never went out whole.
  void on_unanswered(const Now& now, std::uint32_t connection, std::uint32_t sequence_number);
  void on_bind(const Now& now, std::uint32_t connection, std::string_view command,
               std::string_view system_id, std::uint32_t status);
  /// "connect", "disconnect", "unbind", …; `detail` may be empty.
  void on_connection(const Now& now, std::uint32_t connection, std::string_view type,
                     std::string_view detail);
  void on_deliver(const Now& now, std::uint32_t connection, std::uint32_t sequence_number,
                  const Delivery& delivery, std::string_view message_id);
  void on_deliver_resp(const Now& now, std::uint32_t connection, std::uint32_t sequence_number,
                       const Delivery& delivery, std::string_view message_id, std::uint32_t status);

  /// Hands what is buffered to the kernel.
  void flush();
  [[nodiscard]] std::error_code failure() const noexcept { return failure_; }

 private:
  void open_line(std::string_view type, const Now& now, std::uint32_t connection);
  void close_line();
  void field(std::string_view name_and_colon, std::uint64_t value);
  void text_field(std::string_view name_and_quote, std::string_view value);
  void raw(std::string_view octets);
  void hex(std::span<const std::uint8_t> octets);
  void escaped(std::string_view octets);
  void utf8_field(std::string_view name_and_quote, std::string_view text);
  void text_of(const protocol::ShortMessage& message, encoding::Alphabet alphabet);

  std::optional<encoding::Alphabet> shown_in_;

  // A megabyte a write keeps the system calls under one in 2,000 lines.
  static constexpr std::size_t kBufferOctets = 1 << 20;
  // The longest line: a PDU of 64 KiB, each octet of it written in hex (2) and, where it is text,
  // again with every character escaped (6 for an octet), with room for the names around 64 TLVs.
  static constexpr std::size_t kLineOctetsMax = 9 * protocol::kPduOctetsMax + 8192;

  int file_;
  std::unique_ptr<char[]> buffer_;
  char* at_;
  std::error_code failure_;
};

}  // namespace stentor::smsc
