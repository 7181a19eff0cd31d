// The configuration as the daemon uses it: checked, with defaults filled in.
//
// Units    Times are std::chrono, sizes octets, rates segments (carrier) or messages (client) per
//          second; 0 means no limit.
// Owns     Everything it says. Passwords included: never print one; describe() masks them.
// Errors   load_config() answers every mistake at once, each with file, line and key.
// Threads  Read-only once loaded; share it by shared_ptr<const Config>.
// Spec     docs/configuration.md; the keys are a contract.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/config/callback_config.h"
#include "daemon/config/delivery_config.h"
#include "daemon/config/opt_out_config.h"
#include "daemon/config/outbind_config.h"
#include "daemon/config/uncertain_policy.h"
#include "daemon/config/upstream_config.h"
#include "daemon/config/wire_config.h"
#include "encoding/segmenter.h"
#include "queue/ticket.h"

namespace stentor::daemon {

struct SocketConfig {
  std::filesystem::path path = "/run/stentor/stentor.sock";
  std::uint32_t mode = 0660;
  std::string group;  ///< empty: the daemon's own
};

struct MetricsConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 9477;
};

enum class JournalIo : std::uint8_t { automatic, uring, threads };

struct JournalConfig {
  std::chrono::milliseconds commit_delay{0};  ///< 0: adaptive
  std::chrono::seconds retention{72 * 3600};
  std::uint64_t retention_octets = 20ull << 30;
  std::uint64_t free_octets_min = 1ull << 30;
  std::uint64_t checkpoint_octets = 256ull << 20;
  JournalIo io = JournalIo::automatic;
};

struct QueueConfig {
  std::uint64_t memory_octets = 512ull << 20;
  std::chrono::seconds guard{24 * 3600};
  /// How long one in retry or doubt holds back later ones of its order key; 0: not at all.
  std::chrono::milliseconds order_hold{10'000};
  std::uint32_t shards = 0;  ///< 0: as many as cores and carriers allow
};

struct ClientConfig {
  std::string name;
  std::vector<std::string> users;
  std::vector<std::string> groups;
  bool may_submit = false;
  bool may_observe = false;
  bool is_admin = false;
  std::vector<std::string> senders;   ///< empty: any
  std::vector<std::string> carriers;  ///< empty: any
  std::uint32_t rate = 0;             ///< messages per second
  std::uint64_t waiting_max = 1000000;
  std::uint16_t weight = 1;  ///< segments a turn: of its messages, and of each campaign it starts
  bool may_send_binary = false;
  std::optional<CallbackConfig> callback;
};

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

enum class LongMessages : std::uint8_t { udh8, udh16, sar, payload };
enum class MessageIds : std::uint8_t { automatic, hex, decimal, verbatim };
enum class ValidityForm : std::uint8_t { relative, absolute, none };

struct BindCounts {
  std::uint32_t transceivers = 1;
  std::uint32_t transmitters = 0;
  std::uint32_t receivers = 0;
};

struct TonNpi {
  std::uint8_t ton = 0;
  std::uint8_t npi = 0;
};

/// TON and NPI by the form of an address, where a carrier wants others than usual.
struct FormNumbering {
  std::optional<TonNpi> international;
  std::optional<TonNpi> national;  ///< what rewriting made national
  std::optional<TonNpi> short_code;
  std::optional<TonNpi> alphanumeric;
  std::optional<TonNpi> others;  ///< the forms without one of their own

  [[nodiscard]] bool is_given() const noexcept {
    return international || national || short_code || alphanumeric || others;
  }
};

struct TlsConfig {
  bool enabled = false;
  bool is_stated = false;  ///< `tls` stands in the file: plain text is what somebody wants
  std::string ca;          ///< file of the authorities believed; empty: the system's
  std::string cert;
  std::string key;
  std::vector<std::string> pins;  ///< SHA-256 of the peer's public key, base64; empty: any
};

struct CarrierConfig {
  std::string name;
  std::vector<HostPort> hosts;  ///< in order of preference
  std::string system_id;
  std::string password;
  std::string system_type;
  std::string service_type;
  std::string address_range;
  TonNpi address_numbering{};  ///< `addr_ton`, `addr_npi`: of what the binds are for
  FormNumbering source;        ///< instead of the form's own
  FormNumbering destination;
  std::uint8_t interface_version = 0x34;
  TlsConfig tls;
  BindCounts binds;
  std::uint32_t window = 100;
  std::uint32_t rate = 0;
  /// What it takes, in order of preference, each with its data_coding; ucs2 is there without.
  std::vector<encoding::Alphabet> alphabets{encoding::Alphabet::gsm7};
  std::vector<std::uint8_t> data_codings{0};
  encoding::NationalLanguages national;  ///< tables its handsets are known to have
  LongMessages long_messages = LongMessages::udh8;
  /// What the carrier's own error numbers mean: words of docs/protocol.md, "Outcome codes".
  std::vector<std::pair<std::string, std::string>> errors;
  MessageIds message_id = MessageIds::automatic;
  bool receipts = true;
  ValidityForm validity = ValidityForm::relative;
  std::chrono::seconds validity_max{0};  ///< it is told no longer expiry; 0: it takes any
  UncertainWish uncertain;
  std::chrono::milliseconds enquire_link{30000};
  std::chrono::milliseconds response_timeout{60000};
  std::chrono::milliseconds bind_timeout{10000};
  /// A bind on which no message passed for so long is made anew; 0: never.
  std::chrono::milliseconds inactivity{0};
  /// How long at least an account rests that was refused.
  std::chrono::milliseconds credentials_retry{60000};
  WireConfig wire;
  /// `priority_flag` of what is urgent, normal and bulk here; by queue::Priority.
  std::array<std::uint8_t, queue::kPriorities> priority_flags{};
  std::optional<OutbindConfig> outbind{};  ///< its SMSC may connect to us

  // How its messages are delivered: daemon/config/carrier_delivery_keys.cpp.
  std::vector<StatusOverlay> status;  ///< goes before the standard's classes
  RetryConfig retry;
  bool window_is_automatic = false;  ///< `window` is its upper bound then
  std::vector<RateLimit> limits;
  std::vector<Rewrite> rewrite;         ///< of destinations; the longest `from` wins
  std::vector<Rewrite> rewrite_source;  ///< of numeric senders
  std::chrono::seconds failover_after{5};
};

struct RouteConfig {
  std::vector<std::string> prefixes;  ///< digits; empty with is_default
  bool is_default = false;
  std::vector<std::string> carriers;     ///< in order
  std::vector<std::uint32_t> weights{};  ///< of each; empty: in order, no sharing. 0: stands by
  std::vector<std::string> senders{};    ///< of these only; a `*` at the end matches any rest
  std::vector<std::string> campaigns{};  ///< likewise
  std::string from;                      ///< sender where the request names none
  encoding::Replacement replacement = encoding::Replacement::none;  ///< where it names none
};

struct Config {
  std::uint32_t node = 1;  ///< 0..1023
  std::filesystem::path state_dir = "/var/lib/stentor";
  SocketConfig socket;
  MetricsConfig metrics;
  JournalConfig journal;
  QueueConfig queue;
  std::vector<ClientConfig> clients;
  std::vector<CarrierConfig> carriers;
  std::vector<RouteConfig> routes;
  std::vector<InboundRule> inbound;
  OptOutConfig opt_out;
  CallbacksConfig callbacks;
};

/// What the client's messages without a campaign weigh, and its campaigns as long as nobody says
/// otherwise.
[[nodiscard]] std::uint16_t weight_of_client(const Config& config, std::string_view name) noexcept;

struct ConfigMistake {
  std::string file;
  std::uint32_t line = 0;  ///< 0: the file as a whole
  std::string key;         ///< dotted, for example carrier[0].window
  std::string what;        ///< a lower-case phrase
};

/// "stentor.toml:12: carrier[0].window: must be at least 1"
[[nodiscard]] std::string to_string(const ConfigMistake& mistake);

/// The configuration in force, defaults included, as TOML; every password as "***".
[[nodiscard]] std::string describe(const Config& config);

/// Reads and checks the file, password files and systemd credentials included.
[[nodiscard]] std::expected<Config, std::vector<ConfigMistake>> load_config(
    const std::filesystem::path& file);

}  // namespace stentor::daemon
