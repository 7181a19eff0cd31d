// stentor-smsc: a carrier to rehearse on.
//
// Speaks SMPP 3.4 as a server, and does wrong whatever the command line asks for. Ends on SIGTERM
// or SIGINT with a table of what it counted. docs/rehearsal.md tells what to try.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <utility>

#include "bench/smsc/capture.h"
#include "bench/smsc/server.h"
#include "bench/smsc/settings.h"

namespace {

using namespace stentor::smsc;

// Binds an option to one of the parse functions: a text it refuses is a usage error that says why.
template <class Parse, class Store>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, Parse parse, Store store,
                        const std::string& description) {
  const auto take = [parse, store, name](const std::string& text) {
    auto value = parse(text);
    if (!value) throw CLI::ValidationError(name, value.error());
    store(*value);
  };
  return app.add_option_function<std::string>(name, take, description)->type_name("");
}

void add_service(CLI::App& app, Settings& settings) {
  add_parsed(
      app, "--listen", parse_listen,
      [&](const auto& value) { std::tie(settings.host, settings.port) = value; },
      "HOST:PORT to listen on; port 0 takes a free one, printed at start [127.0.0.1:2775]")
      ->group("Service");
  app.add_option("--system-id", settings.system_id,
                 "refuse other system_ids with 0x0f [anyone may bind]")
      ->group("Service");
  app.add_option("--password", settings.password, "refuse other passwords with 0x0e [any]")
      ->group("Service");
  add_parsed(
      app, "--latency", parse_delay, [&](Delay value) { settings.latency = value; },
      "of submit_sm_resp: 250us, 10ms, or with jitter 10ms+5ms [0]")
      ->group("Service");
  add_parsed(
      app, "--enquire-link", parse_duration,
      [&](nanoseconds value) { settings.enquire_link = value; },
      "ask after so long a silence [never]")
      ->group("Service");
}

void add_language(CLI::App& app, Settings& settings) {
  const char* const group = "Service";
  add_parsed(
      app, "--interface-version", parse_version,
      [&](std::uint8_t value) { settings.interface_version = value; },
      "SMPP 0x33 (tells no version, knows no transceiver), 0x34 or 0x50 [0x34]")
      ->group(group);
  add_parsed(
      app, "--query", parse_query_answer, [&](QueryAnswer value) { settings.query = value; },
      "answer query_sm: a stat such as DELIVRD, a status such as 0x0c, or silent [unknown command]")
      ->group(group);
  add_parsed(
      app, "--cancel", parse_status, [&](std::uint32_t value) { settings.cancel = value; },
      "answer cancel_sm with this status; receipts come all the same [unknown command]")
      ->group(group);
}

void add_tls(CLI::App& app, TlsSettings& tls) {
  const char* const group = "TLS";
  CLI::Option* const certificate =
      app.add_option("--tls-cert", tls.certificate,
                     "listen by TLS, with this certificate chain (PEM); without it, plain TCP")
          ->type_name("FILE")
          ->group(group);
  CLI::Option* const key = app.add_option("--tls-key", tls.key, "its private key (PEM)")
                               ->type_name("FILE")
                               ->group(group)
                               ->needs(certificate);
  certificate->needs(key);
  app.add_option("--tls-client-ca", tls.client_authority,
                 "clients must show a certificate of this authority (PEM)")
      ->type_name("FILE")
      ->group(group)
      ->needs(certificate);
  app.add_option("--tls-version", tls.version, "this version only: 1.1, 1.2 or 1.3 [1.2 and 1.3]")
      ->check(CLI::IsMember({"1.1", "1.2", "1.3"}))
      ->type_name("VERSION")
      ->group(group)
      ->needs(certificate);
}

void add_receipts(CLI::App& app, Settings& settings) {
  const char* const group = "Receipts and replies";
  app.add_flag("--receipts,!--no-receipts", settings.receipts,
               "send the receipts that registered_delivery asks for [on]")
      ->group(group);
  add_parsed(
      app, "--receipt-delay", parse_delay, [&](Delay value) { settings.receipt_delay = value; },
      "from the response to the receipt, kept to 1 ms: 100ms, or with jitter 1s+500ms [0]")
      ->group(group);
  add_parsed(
      app, "--receipts-after", parse_duration,
      [&](nanoseconds value) { settings.receipts_after = value; },
      "of the first submit_sm: until then they pile up [0]")
      ->group(group);
  add_parsed(
      app, "--outcomes", parse_outcomes, [&](const auto& value) { settings.outcomes = value; },
      "weights of DELIVRD, UNDELIV, EXPIRED, DELETED, REJECTD, UNKNOWN, ACCEPTD, ENROUTE, "
      "NONE (the receipt is lost): DELIVRD=97,UNDELIV=2,EXPIRED=1 [DELIVRD=1]")
      ->group(group);
  add_parsed(
      app, "--id-style", parse_id_styles, [&](IdStyles value) { settings.id_styles = value; },
      "hex, HEX, decimal, padded, uuid, oversize (100 characters) or mixed; a pair such as "
      "hex-decimal is for the "
      "response and for the receipt [hex]")
      ->group(group);
  app.add_option("--first-id", settings.first_id, "number of the first message [from the clock]")
      ->group(group);
  add_parsed(
      app, "--receipt-form", parse_receipt_form,
      [&](ReceiptForm value) { settings.receipt_form = value; },
      "text, tlv, both, payload (the text in message_payload) or csv [both]")
      ->group(group);
  app.add_flag("--receipts-before-response", settings.receipts_before_response,
               "each receipt goes out before its submit_sm_resp; without delay")
      ->excludes("--receipts-after")
      ->group(group);
  app.add_flag("--receipts-to-any-bind", settings.receipts_to_any_bind,
               "to the account's binds in turn, not to the one that submitted")
      ->group(group);
  app.add_flag("--receipts-by-data-sm", settings.receipts_by_data_sm,
               "receipts come in data_sm, not in deliver_sm")
      ->group(group);
  add_parsed(
      app, "--duplicate-receipts", parse_share,
      [&](double value) { settings.duplicate_receipts = value; },
      "this share of receipts comes twice: 5% [0]")
      ->group(group);
  app.add_flag("--echo-reference", settings.echo_user_message_reference,
               "receipts repeat the submit's user_message_reference")
      ->group(group);
  app.add_option("--receipt-window", settings.receipt_window,
                 "unanswered deliver_sm on one connection, at most 1000000 [10000]")
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("N")
      ->group(group);
  add_parsed(
      app, "--receipt-retry", parse_duration,
      [&](nanoseconds value) { settings.receipt_retry = value; },
      "pause before a refused receipt comes again, five times in all [1s]")
      ->group(group);
  app.add_option("--mo", settings.replies,
                 "answer delivered messages with this text; repeat it for several")
      ->type_name("TEXT")
      ->group(group);
  add_parsed(
      app, "--mo-share", parse_share, [&](double value) { settings.reply_share = value; },
      "this share of delivered messages is answered [100%]")
      ->group(group);
}

void add_faults(CLI::App& app, Settings& settings) {
  const char* const group = "Faults";
  add_parsed(
      app, "--error", parse_errors, [&](const auto& value) { settings.errors = value; },
      "command_status of some submit_sm_resp: 0x58=5%,0x08=1%")
      ->group(group);
  app.add_option("--throttle-above", settings.throttle_above,
                 "segments per second, over all connections; more is answered with 0x58")
      ->type_name("N")
      ->group(group);
  app.add_option("--window", settings.window,
                 "unanswered submit_sm allowed on one connection; more is counted and refused")
      ->type_name("N")
      ->group(group);
  add_parsed(
      app, "--window-status", parse_status,
      [&](std::uint32_t value) { settings.window_status = value; },
      "what is answered beyond the window; 0 only counts [0x14]")
      ->group(group);
  add_parsed(
      app, "--disconnect-every", parse_after,
      [&](After value) { settings.disconnect_after = value; },
      "end each connection after N submit_sm (the last is taken, not answered) or a time "
      "such as 5s")
      ->group(group);
  app.add_flag("--cut-mid-pdu", settings.cut_mid_pdu, "and leave half a PDU behind")->group(group);
  app.add_flag("--reset", settings.reset, "and end it by RST")->group(group);
  app.add_flag("--unbind", settings.unbind, "or end it by unbind")->group(group);
  add_parsed(
      app, "--trickle", parse_duration, [&](nanoseconds value) { settings.trickle = value; },
      "write one octet each such time: 1s")
      ->group(group);
  add_parsed(
      app, "--silent-after", parse_after, [&](After value) { settings.silent_after = value; },
      "then take everything on that connection, but answer nothing: N submit_sm or a time")
      ->group(group);
  add_parsed(
      app, "--stall-after", parse_after, [&](After value) { settings.stall_after = value; },
      "then do not even read: N submit_sm or a time")
      ->group(group);
  add_parsed(
      app, "--garbage", parse_garbage,
      [&](auto value) { std::tie(settings.garbage, settings.garbage_after) = value; },
      "KIND or KIND:N: after N good answers, the bind's included, one is garbage, half-pdu, "
      "length-2gb or short-length, then silence [N: 0]")
      ->group(group);
  const auto parse_refusal =
      [](const std::string& text) -> parsed<std::pair<std::uint32_t, std::uint64_t>> {
    const std::size_t colon = text.find(':');
    const auto status = parse_status(std::string_view(text).substr(0, colon));
    if (!status) return std::unexpected(status.error());
    if (colon == std::string::npos) return std::pair{*status, std::uint64_t{0}};
    const auto count = parse_status(std::string_view(text).substr(colon + 1));
    if (!count) return std::unexpected(count.error());
    return std::pair{*status, std::uint64_t{*count}};
  };
  add_parsed(
      app, "--refuse-bind", parse_refusal,
      [&](auto value) { std::tie(settings.refuse_bind, settings.refuse_bind_count) = value; },
      "STATUS or STATUS:N: refuse binds with it, or only the first N")
      ->group(group);
}

void add_records(CLI::App& app, Settings& settings) {
  const char* const group = "Records";
  app.add_option("--seed", settings.seed, "of all that is left to chance [1]")
      ->type_name("N")
      ->group(group);
  app.add_option("--capture", settings.capture, "append all it got to FILE, one JSON object a line")
      ->type_name("FILE")
      ->group(group);
  app.add_option_function<std::string>(
         "--capture-text",
         [&settings](const std::string& word) {
           for (const auto alphabet :
                {stentor::encoding::Alphabet::gsm7, stentor::encoding::Alphabet::gsm7_packed,
                 stentor::encoding::Alphabet::latin1, stentor::encoding::Alphabet::ascii}) {
             if (stentor::encoding::name_of(alphabet) == word) settings.capture_text = alphabet;
           }
         },
         "and each part's text as a phone shows it; data_coding 0 is gsm7, gsm7_packed, latin1 or "
         "ascii")
      ->check(CLI::IsMember({"gsm7", "gsm7_packed", "latin1", "ascii"}))
      ->group(group);
  add_parsed(
      app, "--stats-every", parse_duration,
      [&](nanoseconds value) { settings.stats_every = value; }, "print a line of counts")
      ->group(group);
  app.add_flag("--json", settings.json, "counts as JSON, one object a line")->group(group);
}

int serve(const Settings& settings) {
  // Blocked here, read from a descriptor in the server: no handler runs among its work.
  sigset_t stop;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTERM);
  ::sigaddset(&stop, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  const auto capture =
      settings.capture.empty() ? nullptr : std::make_unique<Capture>(settings.capture.c_str());
  if (capture && settings.capture_text) capture->show_text(*settings.capture_text);
  Server server(settings, capture.get());
  if (settings.json) {
    fmt::print("{{\"type\":\"listening\",\"address\":\"{}\"}}\n", server.address());
  } else {
    fmt::print("listening on {}\n", server.address());
  }
  std::fflush(stdout);

  const std::error_code why = server.run();
  const auto levels = server.levels();
  fmt::print("{}{}",
             settings.json ? to_json("totals", server.totals(), levels)
                           : to_table(server.totals(), levels),
             settings.json ? "\n" : "");
  if (!why) return 0;
  fmt::print(stderr, "stentor-smsc: {}: {}\n",
             settings.capture.empty() ? "epoll" : settings.capture, why.message());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Settings settings;
    CLI::App app("A carrier to rehearse on: SMPP 3.4 as a server, with the faults you ask for.",
                 "stentor-smsc");
    app.set_version_flag("--version", "stentor-smsc " STENTOR_VERSION);
    add_service(app, settings);
    add_language(app, settings);
    add_tls(app, settings.tls);
    add_receipts(app, settings);
    add_faults(app, settings);
    add_records(app, settings);
    CLI11_PARSE(app, argc, argv);
    return serve(settings);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stentor-smsc: %s\n", error.what());
    return 1;
  }
}
