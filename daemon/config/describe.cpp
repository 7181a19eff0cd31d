// Writes the configuration in force back as TOML, so that it can be read, compared and kept.
#include <fmt/format.h>

#include <iterator>
#include <string>

#include "daemon/config/config.h"
#include "daemon/config/describe_delivery.h"
#include "daemon/config/units.h"
#include "protocol/pdu.h"

namespace stentor::daemon {
namespace {

using namespace config_file;

// TOML's basic string. Controls are written as \uXXXX, as TOML asks.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (octet < 0x20 || octet == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", octet);
    } else {
      out.push_back(c);
    }
  }
  return out.append("\"");
}

std::string in_quotes(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out.append(", ");
    out.append(in_quotes(text));
  }
  return out.append("]");
}

std::string address(const HostPort& at) {
  if (at.host.find(':') != std::string::npos) return fmt::format("[{}]:{}", at.host, at.port);
  return fmt::format("{}:{}", at.host, at.port);
}

std::string_view word(JournalIo io) {
  switch (io) {
    case JournalIo::automatic: return "auto";
    case JournalIo::uring: return "uring";
    case JournalIo::threads: return "threads";
  }
  return {};
}

// The list as the file writes it: the short form says the same as alphabet = "gsm7".
std::string encodings(const CarrierConfig& carrier) {
  std::string list;
  for (std::size_t i = 0; i < carrier.alphabets.size(); ++i) {
    list += fmt::format("{}{{ alphabet = \"{}\", data_coding = {} }}", i == 0 ? "" : ", ",
                        encoding::name_of(carrier.alphabets[i]), carrier.data_codings[i]);
  }
  return "[" + list + "]";
}

std::string national(const encoding::NationalLanguages& allowed) {
  std::string list;
  for (std::size_t i = 1; i <= encoding::kNationalLanguages; ++i) {
    const auto language = static_cast<encoding::NationalLanguage>(i);
    if (!allowed.allows(language)) continue;
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", encoding::code_of(language));
  }
  return "[" + list + "]";
}

std::string_view word(encoding::Replacement replacement) {
  switch (replacement) {
    case encoding::Replacement::none: return "none";
    case encoding::Replacement::safe: return "safe";
    case encoding::Replacement::transliterate: return "transliterate";
  }
  return {};
}

std::string_view word(LongMessages form) {
  switch (form) {
    case LongMessages::udh8: return "udh8";
    case LongMessages::udh16: return "udh16";
    case LongMessages::sar: return "sar";
    case LongMessages::payload: return "payload";
  }
  return {};
}

std::string_view word(MessageIds ids) {
  switch (ids) {
    case MessageIds::automatic: return "auto";
    case MessageIds::hex: return "hex";
    case MessageIds::decimal: return "decimal";
    case MessageIds::verbatim: return "verbatim";
  }
  return {};
}

std::string_view word(ValidityForm form) {
  switch (form) {
    case ValidityForm::relative: return "relative";
    case ValidityForm::absolute: return "absolute";
    case ValidityForm::none: return "none";
  }
  return {};
}

class Page {
 public:
  void section(std::string_view heading) { fmt::format_to(end(), "\n{}\n", heading); }
  void line(std::string_view key, std::string_view value) {
    fmt::format_to(end(), "{} = {}\n", key, value);
  }
  // Not called line: a literal would convert to bool sooner than to string_view.
  void flag(std::string_view key, bool value) {
    line(key, std::string_view(value ? "true" : "false"));
  }
  void line(std::string_view key, std::uint64_t value) { line(key, std::to_string(value)); }
  void line(std::string_view key, std::chrono::milliseconds value) {
    line(key, in_quotes(write_duration(value)));
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::back_insert_iterator<std::string> end() { return std::back_inserter(text_); }
  std::string text_;
};

void describe_opt_out(Page& page, const OptOutConfig& opt_out) {
  page.section("[opt_out]");
  page.line("stop", in_quotes(opt_out.stop));
  page.line("stop_alone", in_quotes(opt_out.stop_alone));
  page.line("start", in_quotes(opt_out.start));
  page.line("scope", in_quotes(opt_out.for_all ? "all" : "sender"));
  page.line("stop_reply", in_quotes(opt_out.stop_reply));
  page.line("start_reply", in_quotes(opt_out.start_reply));
  page.line("exempt",
            fmt::format("{{ priorities = [{}], campaigns = {}, clients = {} }}",
                        opt_out.urgent_is_exempt ? "\"urgent\"" : "",
                        in_quotes(opt_out.exempt_campaigns), in_quotes(opt_out.exempt_clients)));
}

std::string texts_of(const auto& entries) {
  std::string list;
  for (const auto& [name, text] : entries) {
    list += fmt::format("{}{} = {}", list.empty() ? "" : ", ", in_quotes(name), in_quotes(text));
  }
  return list.empty() ? "{}" : "{ " + list + " }";
}

// Headers may carry a token: names only.
void describe_callback(Page& page, const CallbackConfig& callback) {
  page.section("[client.callback]");
  if (!callback.url.empty()) page.line("url", in_quotes(callback.url));
  page.line("campaigns", texts_of(callback.campaigns));
  auto masked = callback.headers;
  for (auto& [name, value] : masked) value = "***";
  page.line("headers", texts_of(masked));
  if (!callback.secret.empty()) page.line("secret", in_quotes("***"));
  page.line("types", in_quotes(callback.types));
  page.line("timeout", callback.timeout);
  page.line("batch", callback.batch);
  page.line("give_up_after", callback.give_up_after);
}

void describe_client(Page& page, const ClientConfig& client) {
  std::vector<std::string> roles;
  if (client.may_submit) roles.emplace_back("submit");
  if (client.may_observe) roles.emplace_back("observe");
  if (client.is_admin) roles.emplace_back("admin");
  page.section("[[client]]");
  page.line("name", in_quotes(client.name));
  page.line("users", in_quotes(client.users));
  page.line("groups", in_quotes(client.groups));
  page.line("roles", in_quotes(roles));
  page.line("senders", in_quotes(client.senders));
  page.line("carriers", in_quotes(client.carriers));
  page.line("weight", client.weight);
  page.flag("binary", client.may_send_binary);
  if (client.callback) describe_callback(page, *client.callback);
}

std::string tlvs(const std::vector<std::uint8_t>& octets) {
  std::string text;
  for (const protocol::Tlv tlv : protocol::Tlvs(octets)) {
    fmt::format_to(std::back_inserter(text), "{}\"0x{:04x}\" = \"{:02x}\"",
                   text.empty() ? "{ " : ", ", tlv.tag, fmt::join(tlv.value, ""));
  }
  return text + " }";
}

std::string_view word(protocol::MessageState state) {
  switch (state) {
    case protocol::MessageState::delivered: return "delivered";
    case protocol::MessageState::expired: return "expired";
    case protocol::MessageState::deleted: return "deleted";
    case protocol::MessageState::undeliverable: return "undeliverable";
    case protocol::MessageState::rejected: return "rejected";
    case protocol::MessageState::enroute: return "enroute";
    case protocol::MessageState::accepted: return "accepted";
    case protocol::MessageState::scheduled:
    case protocol::MessageState::skipped:
    case protocol::MessageState::unknown: return "unknown";
  }
  return {};
}

std::string states(const std::vector<std::pair<std::string, protocol::MessageState>>& of) {
  std::string out = "{ ";
  for (const auto& [stat, state] : of) {
    if (out.size() > 2) out += ", ";
    out += fmt::format("{} = {}", in_quotes(stat), in_quotes(std::string(word(state))));
  }
  return out + " }";
}

std::string_view word(TlvUse use) {
  switch (use) {
    case TlvUse::never: return "false";
    case TlvUse::where_known: return "\"auto\"";
    case TlvUse::always: return "true";
  }
  return {};
}

void describe_wire(Page& page, const WireConfig& wire) {
  page.line("submit", in_quotes(wire.by_data_sm ? "data_sm" : "submit_sm"));
  if (!wire.tlvs.empty()) page.line("tlv", tlvs(wire.tlvs));
  page.line("user_message_reference", word(wire.user_message_reference));
  page.flag("match_by_reference", wire.match_by_reference);
  page.line("more_messages_to_send", word(wire.more_messages_to_send));
  if (wire.registered_delivery) page.line("registered_delivery", *wire.registered_delivery);
  if (wire.query_after.count() > 0) page.line("query_after", wire.query_after);
  page.flag("cancel_sm", wire.cancel_sm);
  if (!wire.receipt_pattern_text.empty()) {
    page.line("receipt_pattern", in_quotes(wire.receipt_pattern_text));
  }
  if (!wire.receipt_states.empty()) page.line("receipt_states", states(wire.receipt_states));
}

std::string numbering(const FormNumbering& of) {
  std::string out = "{";
  const auto add = [&out](std::string_view name, const std::optional<TonNpi>& form) {
    if (!form) return;
    const std::string pair = fmt::format("ton = {}, npi = {}", form->ton, form->npi);
    out += out.size() == 1 ? " " : ", ";
    out += name.empty() ? pair : fmt::format("{} = {{ {} }}", name, pair);
  };
  add({}, of.others);
  add("international", of.international);
  add("national", of.national);
  add("short", of.short_code);
  add("alphanumeric", of.alphanumeric);
  return out + " }";
}

std::string write_outbind(const OutbindConfig& outbind) {
  std::string text = "{ listen = " + in_quotes(outbind.listen);
  if (!outbind.system_id.empty()) text += ", system_id = " + in_quotes(outbind.system_id);
  if (!outbind.password.empty()) text += ", password = \"***\"";
  return text + fmt::format(", allow = {}, connect = {} }}", in_quotes(outbind.allow_text),
                            outbind.connect);
}

void describe_carrier(Page& page, const CarrierConfig& carrier) {
  std::vector<std::string> hosts;
  hosts.reserve(carrier.hosts.size());
  for (const HostPort& host : carrier.hosts) hosts.push_back(address(host));
  page.section("[[carrier]]");
  page.line("name", in_quotes(carrier.name));
  page.line("hosts", in_quotes(hosts));
  page.line("system_id", in_quotes(carrier.system_id));
  page.line("password", in_quotes("***"));
  page.line("system_type", in_quotes(carrier.system_type));
  page.line("service_type", in_quotes(carrier.service_type));
  page.line("address_range", in_quotes(carrier.address_range));
  page.line("addr_ton", carrier.address_numbering.ton);
  page.line("addr_npi", carrier.address_numbering.npi);
  if (carrier.source.is_given()) page.line("source", numbering(carrier.source));
  if (carrier.destination.is_given()) page.line("destination", numbering(carrier.destination));
  page.flag("tls", carrier.tls.enabled);
  if (carrier.tls.enabled) {
    if (!carrier.tls.ca.empty()) page.line("ca", in_quotes(carrier.tls.ca));
    if (!carrier.tls.cert.empty()) page.line("cert", in_quotes(carrier.tls.cert));
    if (!carrier.tls.key.empty()) page.line("key", in_quotes(carrier.tls.key));
    if (!carrier.tls.pins.empty()) page.line("pin", in_quotes(carrier.tls.pins));
  }
  page.line("interface_version", fmt::format("0x{:02x}", carrier.interface_version));
  page.line("binds", fmt::format("{{ transceiver = {}, transmitter = {}, receiver = {} }}",
                                 carrier.binds.transceivers, carrier.binds.transmitters,
                                 carrier.binds.receivers));
  if (carrier.window_is_automatic) page.line("window", in_quotes(std::string_view("auto")));
  page.line(carrier.window_is_automatic ? "window_max" : "window", carrier.window);
  page.line("rate", carrier.rate);
  page.line("encodings", encodings(carrier));
  page.line("national", national(carrier.national));
  page.line("long", in_quotes(word(carrier.long_messages)));
  page.line("message_id", in_quotes(word(carrier.message_id)));
  if (!carrier.errors.empty()) {
    std::string errors;
    for (const auto& [number, word] : carrier.errors) {
      errors +=
          fmt::format("{}{} = {}", errors.empty() ? "" : ", ", in_quotes(number), in_quotes(word));
    }
    page.line("errors", fmt::format("{{ {} }}", errors));
  }
  page.flag("receipts", carrier.receipts);
  page.line("validity", in_quotes(word(carrier.validity)));
  if (carrier.validity_max.count() > 0) page.line("validity_max", carrier.validity_max);
  page.line("uncertain", in_quotes(to_string(carrier.uncertain)));
  page.line("enquire_link", carrier.enquire_link);
  page.line("response_timeout", carrier.response_timeout);
  page.line("bind_timeout", carrier.bind_timeout);
  if (carrier.inactivity.count() > 0) page.line("inactivity", carrier.inactivity);
  page.line("credentials_retry", carrier.credentials_retry);
  if (carrier.outbind) page.line("outbind", write_outbind(*carrier.outbind));
  describe_wire(page, carrier.wire);
  if (const auto& flags = carrier.priority_flags; flags != CarrierConfig{}.priority_flags) {
    const auto flag_of = [&flags](queue::Priority priority) {
      return flags[static_cast<std::size_t>(priority)];
    };
    page.line(
        "priority_flag",
        fmt::format("{{ urgent = {}, normal = {}, bulk = {} }}", flag_of(queue::Priority::urgent),
                    flag_of(queue::Priority::normal), flag_of(queue::Priority::bulk)));
  }
  if (!carrier.status.empty()) page.line("status", write_status(carrier.status));
  page.line("retry", write_retry(carrier.retry));
  page.line("failover_after", carrier.failover_after);
  if (!carrier.rewrite.empty()) page.line("rewrite", write_rewrites(carrier.rewrite));
  if (!carrier.rewrite_source.empty()) {
    page.line("rewrite_source", write_rewrites(carrier.rewrite_source));
  }
  if (!carrier.limits.empty()) page.line("limits", write_limits(carrier.limits));
}

}  // namespace

std::string describe(const Config& config) {
  Page page;
  page.line("node", config.node);
  page.line("state_dir", in_quotes(config.state_dir.string()));

  page.section("[socket]");
  page.line("path", in_quotes(config.socket.path.string()));
  page.line("mode", in_quotes(fmt::format("{:04o}", config.socket.mode)));
  if (!config.socket.group.empty()) page.line("group", in_quotes(config.socket.group));

  page.section("[metrics]");
  page.line("listen", in_quotes(address({config.metrics.host, config.metrics.port})));

  page.section("[journal]");
  page.line("commit_delay", config.journal.commit_delay);
  page.line("retention", config.journal.retention);
  page.line("retention_size", in_quotes(write_size(config.journal.retention_octets)));
  page.line("min_free", in_quotes(write_size(config.journal.free_octets_min)));
  page.line("checkpoint", in_quotes(write_size(config.journal.checkpoint_octets)));
  page.line("io", in_quotes(word(config.journal.io)));

  page.section("[queue]");
  page.line("memory", in_quotes(write_size(config.queue.memory_octets)));
  page.line("guard", config.queue.guard);
  page.line("order_hold", config.queue.order_hold);
  page.line("shards",
            config.queue.shards == 0 ? in_quotes("auto") : std::to_string(config.queue.shards));

  page.section("[callbacks]");
  page.line("allow", in_quotes(config.callbacks.allow_text));
  page.line("in_flight", config.callbacks.in_flight);
  if (!config.callbacks.ca.empty()) page.line("ca", in_quotes(config.callbacks.ca));

  for (const ClientConfig& client : config.clients) describe_client(page, client);
  for (const CarrierConfig& carrier : config.carriers) describe_carrier(page, carrier);
  for (const RouteConfig& route : config.routes) {
    page.section("[[route]]");
    if (route.is_default) page.flag("default", true);
    if (!route.prefixes.empty()) page.line("prefix", in_quotes(route.prefixes));
    if (!route.senders.empty()) page.line("senders", in_quotes(route.senders));
    if (!route.campaigns.empty()) page.line("campaigns", in_quotes(route.campaigns));
    page.line("carriers", write_targets(route));
    if (!route.from.empty()) page.line("from", in_quotes(route.from));
    page.line("replace", in_quotes(word(route.replacement)));
  }
  for (const InboundRule& rule : config.inbound) {
    page.section("[[inbound]]");
    if (!rule.to.empty()) page.line("to", in_quotes(rule.to));
    if (!rule.keyword.empty()) page.line("keyword", in_quotes(rule.keyword));
    page.line("client", in_quotes(rule.client));
  }
  describe_opt_out(page, config.opt_out);
  return page.take();
}

}  // namespace stentor::daemon
