// How the simulated carrier behaves: everything the command line can ask of it.
//
// Units    Delays are nanoseconds; shares are 0 to 1; rates are segments per second.
// Owns     Its texts.
// Errors   The parse functions answer a phrase that says what was expected.
// Threads  Plain values and pure functions.
// Spec     SMPP 3.4 section 5.1.3 (command_status), 5.2.28 (message_state).
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "encoding/segmenter.h"

namespace stentor::smsc {

using std::chrono::nanoseconds;

/// `base` plus a uniformly drawn 0 to `jitter`.
struct Delay {
  nanoseconds base{0};
  nanoseconds jitter{0};
};

/// How a message id is written; one number under all of these.
enum class IdStyle : std::uint8_t { hex, hex_upper, decimal, padded, uuid, oversize, mixed };

/// A receipt may write the id otherwise than submit_sm_resp did.
struct IdStyles {
  IdStyle response = IdStyle::hex;
  IdStyle receipt = IdStyle::hex;
};

enum class ReceiptForm : std::uint8_t {
  text,
  tlv,
  both,
  payload,  ///< the text in message_payload, short_message empty
  csv       ///< "stat,done,submitted,err,destination,source,id", as one large carrier writes it
};

/// What a query_sm is answered: a state, a refusal, or nothing at all.
struct QueryAnswer {
  std::uint8_t message_state = 0;
  std::uint32_t status = 0;
  bool is_silent = false;
};

/// What becomes of a message: a message_state, or no receipt ever.
enum class Outcome : std::uint8_t {
  enroute,
  delivered,
  expired,
  deleted,
  undeliverable,
  accepted,
  unknown,
  rejected,
  none  ///< the receipt is lost
};
struct OutcomeShare {
  Outcome outcome = Outcome::delivered;
  double share = 1;
};

/// A submit_sm is answered with `status` this often.
struct ErrorShare {
  std::uint32_t status = 0;
  double share = 0;
};

/// After so many submit_sm on one connection, or so long after it was opened; both 0: never.
struct After {
  std::uint64_t submits = 0;
  nanoseconds time{0};
  [[nodiscard]] bool is_set() const noexcept { return submits != 0 || time.count() != 0; }
};

enum class Garbage : std::uint8_t {
  none,
  garbage,      ///< octets that are no SMPP
  half_pdu,     ///< the first half of the answer, and then silence
  length_2gb,   ///< a header whose command_length is 0x7fffffff
  short_length  ///< a header whose command_length is 15
};

/// TLS on the listening socket: files as OpenSSL reads them (PEM).
struct TlsSettings {
  std::string certificate{};       ///< empty: no TLS; else the chain, our own first
  std::string key{};               ///< of the certificate
  std::string client_authority{};  ///< clients must show a certificate that this one signed
  std::string version{};           ///< this one only: "1.1", "1.2", "1.3"; empty: what is usual
};

struct Settings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 2775;
  std::string system_id{};  ///< empty: anyone
  std::string password{};   ///< empty: any
  TlsSettings tls{};

  Delay latency{};
  Delay receipt_delay{};
  nanoseconds receipts_after{};  ///< of the first submit_sm: none goes out sooner
  bool receipts = true;
  std::vector<OutcomeShare> outcomes{{.outcome = Outcome::delivered, .share = 1}};
  IdStyles id_styles{};
  std::uint64_t first_id = 0;  ///< 0: from the wall clock, so that no run repeats another's ids
  ReceiptForm receipt_form = ReceiptForm::both;
  bool receipts_before_response = false;
  bool receipts_to_any_bind = false;
  bool receipts_by_data_sm = false;
  bool echo_user_message_reference = false;
  double duplicate_receipts = 0;
  std::uint32_t receipt_window = 10000;  ///< unanswered deliver_sm on one connection
  nanoseconds receipt_retry = std::chrono::seconds(1);

  std::vector<ErrorShare> errors{};
  std::uint32_t throttle_above = 0;  ///< 0: no limit
  std::uint32_t window = 0;          ///< 0: no limit
  std::uint32_t window_status = 0x14;

  After disconnect_after{};
  bool cut_mid_pdu = false;
  bool reset = false;
  bool unbind = false;     ///< leaves politely instead
  nanoseconds trickle{0};  ///< one octet each time; 0: all at once
  After silent_after{};
  After stall_after{};
  Garbage garbage = Garbage::none;
  std::uint64_t garbage_after = 0;      ///< good answers first, the bind's included
  std::uint32_t refuse_bind = 0;        ///< 0: binds are taken
  std::uint64_t refuse_bind_count = 0;  ///< 0: for ever

  std::vector<std::string> replies{};  ///< texts of mobile-originated messages
  double reply_share = 1;
  nanoseconds enquire_link{0};  ///< 0: never asks
  /// Told in bind responses; 0 is not told. SMPP 3.3 tells none, and knows no transceiver.
  std::uint8_t interface_version = 0x34;
  std::optional<QueryAnswer> query{};     ///< nothing: query_sm is unknown
  std::optional<std::uint32_t> cancel{};  ///< status of cancel_sm_resp; nothing: it is unknown

  std::uint64_t seed = 1;
  std::string capture{};
  std::optional<encoding::Alphabet> capture_text{};
  nanoseconds stats_every{0};
  bool json = false;
};

template <class T>
using parsed = std::expected<T, std::string>;

/// "250us", "10ms", "1.5s", "2m", "1h"; a bare number is milliseconds.
[[nodiscard]] parsed<nanoseconds> parse_duration(std::string_view text);
/// A duration, or "10ms+5ms": base and jitter.
[[nodiscard]] parsed<Delay> parse_delay(std::string_view text);
/// "5%" or "0.05".
[[nodiscard]] parsed<double> parse_share(std::string_view text);
/// A plain number counts submit_sm; with a unit it is a time.
[[nodiscard]] parsed<After> parse_after(std::string_view text);
/// "0x58" or "88".
[[nodiscard]] parsed<std::uint32_t> parse_status(std::string_view text);
/// "0x58=5%,0x08=1%".
[[nodiscard]] parsed<std::vector<ErrorShare>> parse_errors(std::string_view text);
/// "DELIVRD=97,UNDELIV=2,NONE=1": weights, scaled so that they sum to 1.
[[nodiscard]] parsed<std::vector<OutcomeShare>> parse_outcomes(std::string_view text);
/// "hex", "mixed", or a pair "hex-decimal": response, then receipt.
[[nodiscard]] parsed<IdStyles> parse_id_styles(std::string_view text);
/// "text", "tlv", "both", "payload" or "csv".
[[nodiscard]] parsed<ReceiptForm> parse_receipt_form(std::string_view text);
/// A stat such as "DELIVRD", a status such as "0x0c", or "silent".
[[nodiscard]] parsed<QueryAnswer> parse_query_answer(std::string_view text);
/// "0x33", "0x34" or "0x50".
[[nodiscard]] parsed<std::uint8_t> parse_version(std::string_view text);
/// "half-pdu" or "half-pdu:3": three good answers first.
[[nodiscard]] parsed<std::pair<Garbage, std::uint64_t>> parse_garbage(std::string_view text);
/// "127.0.0.1:2775" or "[::1]:2775".
[[nodiscard]] parsed<std::pair<std::string, std::uint16_t>> parse_listen(std::string_view text);

/// Its message_state, section 5.2.28.
[[nodiscard]] std::uint8_t message_state_of(Outcome outcome) noexcept;
/// "DELIVRD"; "" for none.
[[nodiscard]] std::string_view stat_of(Outcome outcome) noexcept;

}  // namespace stentor::smsc
