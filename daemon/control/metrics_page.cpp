#include "daemon/control/metrics_page.h"

#include <fmt/format.h>

#include "daemon/version.h"
#include "daemon/wall_clock.h"
#include "queue/journal_format.h"

namespace stentor::daemon {
namespace {

using prometheus::MetricFamily;

// More consumers than this share a label: names are the clients' to choose.
constexpr std::size_t kConsumerLabelsMax = 100;

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

void add_one(Exposition::Families& all, MetricFamily family, double value) {
  add_sample(family, {}, value);
  all.push_back(std::move(family));
}

// One sample a carrier, of whatever `figure` finds in it.
template <class Figure>
void add_by_carrier(Exposition::Families& all, MetricFamily family, const Figures& figures,
                    Figure figure) {
  for (const CarrierSnapshot& carrier : figures.carriers) {
    add_sample(family, {{"carrier", carrier.name}}, figure(carrier));
  }
  all.push_back(std::move(family));
}

void add_ledger(Exposition::Families& all, const Figures& figures) {
  const Ledger& ledger = figures.commit.ledger;
  add_one(all, counter_family("stentor_accepted_total", "Messages accepted: durable here."),
          number(ledger.accepted));
  MetricFamily finals = counter_family("stentor_messages_final_total",
                                       "Messages that reached a final state, by state.");
  for (const auto& [state, count] :
       {std::pair{"delivered", ledger.delivered}, std::pair{"sent_final", ledger.sent_final},
        std::pair{"failed", ledger.failed}, std::pair{"expired", ledger.expired},
        std::pair{"cancelled", ledger.cancelled}, std::pair{"unknown", ledger.unknown}}) {
    add_sample(finals, {{"state", state}}, number(count));
  }
  all.push_back(std::move(finals));
  add_one(all,
          counter_family("stentor_sent_total", "Messages whose every part a carrier accepted."),
          number(ledger.sent));
  add_one(all, gauge_family("stentor_paused_messages", "Messages that were paused one by one."),
          number(figures.paused));
  add_one(all, gauge_family("stentor_live_messages", "Messages accepted and not final."),
          number(figures.commit.live));
  add_one(all,
          gauge_family("stentor_journal_overdue_bytes",
                       "Journal past retention that live messages keep."),
          number(figures.commit.overdue.octets));
  add_one(all,
          gauge_family("stentor_journal_overdue_live_messages",
                       "Live messages that keep journal past retention."),
          number(figures.commit.overdue.live));
  add_one(all,
          gauge_family("stentor_journal_carried_bytes",
                       "Excerpt of live messages carried out of journal files."),
          number(figures.commit.carried.octets));
  add_one(all,
          gauge_family("stentor_journal_carried_live_messages",
                       "Messages in that excerpt that are not final."),
          number(figures.commit.carried.live));
  add_one(all,
          counter_family("stentor_journal_carries_total",
                         "Times that live messages were carried out of old files."),
          number(figures.checkpoints.carried));
  add_one(all,
          counter_family("stentor_journal_carry_failures_total",
                         "Times that they could not be: the files stay beyond retention."),
          number(figures.checkpoints.carries_failed));
  add_one(all,
          gauge_family("stentor_journal_damaged",
                       "1 when a block of the journal's history does not verify: the next start "
                       "refuses."),
          figures.checkpoints.is_damaged ? 1 : 0);
  add_one(all,
          gauge_family("stentor_journal_unverified_files",
                       "Files of the history that were not read since the start."),
          figures.checkpoints.unverified);
  add_one(all,
          gauge_family("stentor_ledger_imbalance",
                       "Accepted less final less live; anything but 0 is a fault of stentor."),
          static_cast<double>(figures.commit.imbalance()));
}

void add_ingress(Exposition::Families& all, const Figures& figures) {
  const IngressSnapshot& ingress = figures.ingress;
  MetricFamily rejected = counter_family("stentor_rejected_total", "Requests refused, by code.");
  for (const RefusalCount& refusal : ingress.refusals) {
    add_sample(rejected, {{"code", refusal.code}}, number(refusal.count));
  }
  all.push_back(std::move(rejected));
  add_one(all, counter_family("stentor_requests_total", "Lines received on the local socket."),
          number(ingress.requests));
  add_one(all, counter_family("stentor_duplicates_total", "Sends answered by an earlier id."),
          number(ingress.admission.duplicates));
  add_one(all, gauge_family("stentor_connections", "Open connections of the local socket."),
          number(ingress.connections));
  MetricFamily callbacks =
      counter_family("stentor_callback_events_total", "Events posted to callbacks, by outcome.");
  MetricFamily failures =
      counter_family("stentor_callback_failures_total", "Requests of callbacks that failed.");
  MetricFamily unread = counter_family(
      "stentor_callback_unread_total",
      "Stretches of the journal whose events could not be read to be posted to callbacks.");
  for (const CallbackFigures& target : figures.callbacks) {
    add_sample(unread, {{"client", target.client}, {"target", target.target}},
               number(target.unread));
    for (const auto& [outcome, count] :
         {std::pair{"posted", target.posted}, std::pair{"dead", target.dead}}) {
      add_sample(callbacks,
                 {{"client", target.client}, {"target", target.target}, {"outcome", outcome}},
                 number(count));
    }
    add_sample(failures, {{"client", target.client}, {"target", target.target}},
               number(target.failed));
  }
  all.push_back(std::move(callbacks));
  all.push_back(std::move(failures));
  all.push_back(std::move(unread));
  add_one(all, gauge_family("stentor_opt_outs", "Numbers that want no more messages, by sender."),
          number(figures.ingress.opt_outs));
  add_one(all, gauge_family("stentor_references", "References remembered for idempotency."),
          number(ingress.references));
  add_one(all, gauge_family("stentor_reference_runs", "Sorted files of references on disk."),
          number(ingress.reference_runs));
  add_one(all, gauge_family("stentor_reference_bytes", "Memory that references take."),
          number(ingress.reference_octets));
  MetricFamily planned = counter_family("stentor_segments_accepted_total",
                                        "Segments of accepted messages, by encoding.");
  add_sample(planned, {{"encoding", "gsm7"}}, number(ingress.admission.segments_gsm7));
  add_sample(planned, {{"encoding", "ucs2"}}, number(ingress.admission.segments_ucs2));
  add_sample(planned, {{"encoding", "other"}}, number(ingress.admission.segments_other));
  all.push_back(std::move(planned));
  add_one(all,
          gauge_family("stentor_storage_low", "1 while new messages are refused for lack of disk."),
          ingress.storage_is_low ? 1 : 0);
}

void add_journal(Exposition::Families& all, const Figures& figures) {
  const CommitSnapshot& commit = figures.commit;
  MetricFamily seconds =
      histogram_family("stentor_commit_seconds", "Write and fdatasync of one group commit.");
  add_sample(seconds, {}, commit.commit_seconds);
  all.push_back(std::move(seconds));
  add_one(all, counter_family("stentor_commits_total", "Group commits."),
          number(commit.journal.commits));
  add_one(all, counter_family("stentor_commit_bytes_total", "Octets written by group commits."),
          number(commit.journal.octets));
  add_one(all, gauge_family("stentor_journal_bytes", "Octets of journal files on disk."),
          number(commit.journal.octets_on_disk));
  add_one(all, gauge_family("stentor_journal_free_bytes", "Free octets on the journal's disk."),
          number(figures.free_octets));
  add_one(all,
          gauge_family("stentor_journal_numbers_left",
                       "Journal files that there can still be; the last 1,024 accept nothing."),
          number(queue::kFileNumberMax - commit.journal.file));
  add_one(all, gauge_family("stentor_journal_failed", "1 after a write or fsync failed."),
          commit.has_failed ? 1 : 0);
}

void add_queue(Exposition::Families& all, const Figures& figures) {
  MetricFamily depth =
      gauge_family("stentor_queue_messages", "Messages that wait, by carrier and priority.");
  MetricFamily age = gauge_family("stentor_queue_oldest_seconds",
                                  "Age of the longest-waiting message, by carrier and priority.");
  const auto now = static_cast<std::uint32_t>(wall_clock_ms() / 1000);
  for (const CarrierSnapshot& carrier : figures.carriers) {
    const std::size_t waiting[] = {carrier.waiting_urgent, carrier.waiting_normal,
                                   carrier.waiting_bulk};
    constexpr std::string_view kNames[] = {"urgent", "normal", "bulk"};
    for (std::size_t i = 0; i < queue::kPriorities; ++i) {
      add_sample(depth, {{"carrier", carrier.name}, {"priority", kNames[i]}}, number(waiting[i]));
      const auto since = carrier.oldest_since[i];
      add_sample(age, {{"carrier", carrier.name}, {"priority", kNames[i]}},
                 since && *since < now ? now - *since : 0);
    }
  }
  all.push_back(std::move(depth));
  all.push_back(std::move(age));
  add_by_carrier(all,
                 gauge_family("stentor_scheduled_messages",
                              "Messages that wait for a time: scheduled or in retry."),
                 figures, [](const CarrierSnapshot& c) { return number(c.waiting_timers); });
  add_by_carrier(all,
                 gauge_family("stentor_queue_held_messages",
                              "Messages that wait in paused campaigns, or for a paused carrier."),
                 figures, [](const CarrierSnapshot& c) { return number(c.waiting_held); });
  add_by_carrier(all,
                 gauge_family("stentor_queue_spilled_messages",
                              "Waiting messages whose ticket is on disk instead of in memory."),
                 figures, [](const CarrierSnapshot& c) { return number(c.waiting_spilled); });
  add_by_carrier(all,
                 counter_family("stentor_queue_spill_failures_total",
                                "Blocks of tickets that could not be written or read at first."),
                 figures, [](const CarrierSnapshot& c) { return number(c.spill_failures); });
}

void add_links(Exposition::Families& all, const Figures& figures) {
  MetricFamily bound = gauge_family("stentor_link_bound", "1 while the bind is bound.");
  MetricFamily used = gauge_family("stentor_window_used", "Unanswered submit_sm of the bind.");
  MetricFamily connects = counter_family("stentor_link_connects_total", "Connections made.");
  MetricFamily losses = counter_family("stentor_link_losses_total", "Connections lost or closed.");
  MetricFamily malformed =
      counter_family("stentor_link_malformed_total", "PDUs answered with an error or nack.");
  MetricFamily unexpected = counter_family("stentor_link_unexpected_responses_total",
                                           "Responses late, twice, or never asked for.");
  MetricFamily stuck = counter_family("stentor_link_stuck_total",
                                      "Binds that were bound with answers due, and nothing moved.");
  MetricFamily alerts = counter_family("stentor_link_alert_notifications_total",
                                       "Handsets that the carrier said can be reached again.");
  MetricFamily refused = gauge_family("stentor_link_credentials_refused",
                                      "1 while the carrier refuses the bind's account.");
  MetricFamily certificate =
      gauge_family("stentor_tls_certificate_expiry_seconds",
                   "Until the carrier's certificate, or ours if sooner, ends; under TLS.");
  const double now = static_cast<double>(wall_clock_ms()) / 1000;
  for (const CarrierSnapshot& carrier : figures.carriers) {
    for (const LinkSnapshot& link : carrier.links) {
      const std::string bind = std::to_string(link.number);
      const Labels labels = {{"carrier", carrier.name}, {"bind", bind}};
      add_sample(bound, labels, link.state == LinkState::bound ? 1 : 0);
      add_sample(used, labels, number(link.in_flight));
      add_sample(connects, labels, number(link.stats.connects));
      add_sample(losses, labels, number(link.stats.losses));
      add_sample(malformed, labels, number(link.stats.malformed));
      add_sample(unexpected, labels, number(link.stats.unexpected_responses));
      add_sample(stuck, labels, number(link.stats.stuck));
      add_sample(alerts, labels, number(link.stats.alerts));
      add_sample(refused, labels, link.credentials_refused ? 1 : 0);
      if (link.certificate_end) {
        add_sample(certificate, labels, static_cast<double>(*link.certificate_end) - now);
      }
    }
  }
  for (MetricFamily* family : {&bound, &used, &connects, &losses, &malformed, &unexpected, &stuck,
                               &alerts, &refused, &certificate}) {
    all.push_back(std::move(*family));
  }
  add_by_carrier(all,
                 counter_family("stentor_link_suspected_total",
                                "Binds left for new ones since they answered system error alone."),
                 figures, [](const CarrierSnapshot& c) { return number(c.stats.suspected); });
  add_by_carrier(all,
                 gauge_family("stentor_carrier_addresses_refused",
                              "1 while the carrier refuses many messages for their addresses."),
                 figures, [](const CarrierSnapshot& c) { return c.addresses_refused ? 1 : 0; });
  add_by_carrier(all,
                 gauge_family("stentor_carrier_encoding_refused",
                              "1 while the carrier refuses many messages for their encoding."),
                 figures, [](const CarrierSnapshot& c) { return c.encoding_refused ? 1 : 0; });
  add_by_carrier(all, gauge_family("stentor_window_limit", "Window of each bind."), figures,
                 [](const CarrierSnapshot& c) { return number(c.window); });
  MetricFamily limited = gauge_family("stentor_limited_by",
                                      "1 for what held the carrier back most of the last second.");
  for (const CarrierSnapshot& carrier : figures.carriers) {
    add_sample(limited, {{"carrier", carrier.name}, {"limiter", carrier.limited_by}}, 1);
  }
  all.push_back(std::move(limited));
  add_by_carrier(all,
                 gauge_family("stentor_queue_limited_messages",
                              "Messages that wait for a limit of their sender or prefix."),
                 figures, [](const CarrierSnapshot& c) { return number(c.waiting_limits); });
  add_by_carrier(all,
                 gauge_family("stentor_queue_held_back_messages",
                              "Messages behind an earlier one of their order, in retry or doubt."),
                 figures, [](const CarrierSnapshot& c) { return number(c.waiting_held_back); });
  add_by_carrier(all, gauge_family("stentor_rate_configured", "Segments per second; 0: no limit."),
                 figures, [](const CarrierSnapshot& c) { return number(c.rate_configured); });
  add_by_carrier(all, gauge_family("stentor_rate_current", "Segments per second; 0: no limit."),
                 figures, [](const CarrierSnapshot& c) { return number(c.rate_current); });
}

void add_submits(Exposition::Families& all, const Figures& figures) {
  add_by_carrier(all, counter_family("stentor_submits_total", "submit_sm sent."), figures,
                 [](const CarrierSnapshot& c) { return number(c.stats.submitted); });
  MetricFamily responses =
      counter_family("stentor_submit_responses_total", "submit_sm_resp, by command_status.");
  MetricFamily segments =
      counter_family("stentor_segments_sent_total", "Segments submitted, by encoding.");
  MetricFamily wait = histogram_family("stentor_accept_to_submit_seconds",
                                       "From acceptance to the first submit_sm.");
  MetricFamily response =
      histogram_family("stentor_submit_seconds", "From submit_sm to submit_sm_resp.");
  MetricFamily uncertain = counter_family("stentor_uncertain_total",
                                          "Messages written whose answer was lost, by reason.");
  for (const CarrierSnapshot& carrier : figures.carriers) {
    for (const StatusCount& status : carrier.stats.statuses) {
      add_sample(
          responses,
          {{"carrier", carrier.name}, {"status", fmt::format("{:#010x}", status.command_status)}},
          number(status.count));
    }
    const CarrierStats& stats = carrier.stats;
    if (stats.statuses_other > 0) {
      add_sample(responses, {{"carrier", carrier.name}, {"status", "other"}},
                 number(stats.statuses_other));
    }
    add_sample(segments, {{"carrier", carrier.name}, {"encoding", "gsm7"}},
               number(stats.segments_gsm7));
    add_sample(segments, {{"carrier", carrier.name}, {"encoding", "ucs2"}},
               number(stats.segments_ucs2));
    add_sample(segments, {{"carrier", carrier.name}, {"encoding", "other"}},
               number(stats.segments_other));
    add_sample(wait, {{"carrier", carrier.name}}, stats.accept_to_submit);
    add_sample(response, {{"carrier", carrier.name}}, stats.submit_response);
    add_sample(uncertain, {{"carrier", carrier.name}, {"reason", "crash"}},
               number(stats.uncertain_crash));
    add_sample(uncertain, {{"carrier", carrier.name}, {"reason", "link_lost"}},
               number(stats.uncertain_link_lost));
    add_sample(uncertain, {{"carrier", carrier.name}, {"reason", "timeout"}},
               number(stats.uncertain_timeout));
    add_sample(uncertain, {{"carrier", carrier.name}, {"reason", "shutdown"}},
               number(stats.uncertain_shutdown));
    add_sample(uncertain, {{"carrier", carrier.name}, {"reason", "ambiguous_status"}},
               number(stats.uncertain_status));
  }
  MetricFamily in_doubt = gauge_family(
      "stentor_in_doubt", "Messages held since nobody knows whether the carrier has them.");
  MetricFamily stuck = gauge_family("stentor_carrier_stuck",
                                    "1 while the carrier can be bound to and answers nothing.");
  MetricFamily ended =
      counter_family("stentor_in_doubt_resolved_total", "Doubts that ended, by what ended them.");
  for (const CarrierSnapshot& carrier : figures.carriers) {
    add_sample(in_doubt, {{"carrier", carrier.name}}, number(carrier.in_doubt));
    add_sample(stuck, {{"carrier", carrier.name}}, carrier.is_stuck ? 1 : 0);
    for (const DoubtEnd end :
         {DoubtEnd::said_sent, DoubtEnd::said_unsent, DoubtEnd::abandoned, DoubtEnd::receipt,
          DoubtEnd::waited, DoubtEnd::cancelled, DoubtEnd::expired}) {
      add_sample(ended, {{"carrier", carrier.name}, {"by", std::string(name_of(end))}},
                 number(carrier.stats.doubts_ended[static_cast<std::size_t>(end)]));
    }
  }
  for (MetricFamily* family :
       {&responses, &segments, &wait, &response, &uncertain, &in_doubt, &stuck, &ended}) {
    all.push_back(std::move(*family));
  }
  add_by_carrier(all, counter_family("stentor_throttled_total", "Segments answered too fast."),
                 figures, [](const CarrierSnapshot& c) { return number(c.stats.throttled); });
  add_by_carrier(all, counter_family("stentor_retries_total", "Messages put off for a retry."),
                 figures,
                 [](const CarrierSnapshot& c) { return number(c.stats.retries_messages); });
  add_by_carrier(all,
                 counter_family("stentor_retry_counts_forgotten_total",
                                "Refused messages that are counted anew: too many wait."),
                 figures,
                 [](const CarrierSnapshot& c) { return number(c.stats.retries_forgotten); });
  add_by_carrier(all,
                 counter_family("stentor_order_passed_total",
                                "Messages sent before an earlier one of their order."),
                 figures, [](const CarrierSnapshot& c) { return number(c.stats.order_passed); });
  add_by_carrier(all,
                 counter_family("stentor_moved_total",
                                "Messages that waited here and moved to another carrier."),
                 figures, [](const CarrierSnapshot& c) { return number(c.stats.messages_moved); });
  add_by_carrier(
      all,
      counter_family("stentor_possible_duplicates_total", "Messages sent again while in doubt."),
      figures, [](const CarrierSnapshot& c) { return number(c.stats.possible_duplicates); });
}

void add_receipts(Exposition::Families& all, const Figures& figures) {
  MetricFamily receipts =
      counter_family("stentor_receipts_total", "Receipts matched to a segment, by outcome.");
  MetricFamily after =
      histogram_family("stentor_receipt_seconds", "From submit_sm to the final receipt.");
  MetricFamily first =
      histogram_family("stentor_first_receipt_seconds",
                       "From submit_sm to the first final receipt of a message of several parts.");
  MetricFamily last =
      histogram_family("stentor_last_receipt_seconds",
                       "From submit_sm to the last final receipt of a message of several parts.");
  for (const CarrierSnapshot& carrier : figures.carriers) {
    const CarrierStats& stats = carrier.stats;
    for (const auto& [outcome, count] :
         {std::pair{"delivered", stats.receipts_delivered},
          std::pair{"failed", stats.receipts_failed}, std::pair{"expired", stats.receipts_expired},
          std::pair{"unknown", stats.receipts_unknown},
          std::pair{"intermediate", stats.receipts_intermediate}}) {
      add_sample(receipts, {{"carrier", carrier.name}, {"outcome", outcome}}, number(count));
    }
    add_sample(after, {{"carrier", carrier.name}}, stats.receipt_after);
    add_sample(first, {{"carrier", carrier.name}}, stats.first_receipt_after);
    add_sample(last, {{"carrier", carrier.name}}, stats.last_receipt_after);
  }
  all.push_back(std::move(receipts));
  all.push_back(std::move(after));
  MetricFamily rule = gauge_family("stentor_message_id_rule_info",
                                   "Constant 1; how the carrier's receipts write ids is a label.");
  MetricFamily queries =
      counter_family("stentor_queries_total", "query_sm about missing receipts, by what came.");
  for (const CarrierSnapshot& carrier : figures.carriers) {
    add_sample(rule, {{"carrier", carrier.name}, {"rule", std::string(carrier.message_id_rule)}},
               1);
    const auto add = [&](const char* outcome, std::uint64_t count) {
      add_sample(queries, {{"carrier", carrier.name}, {"outcome", outcome}}, number(count));
    };
    add("final", carrier.queries.final);
    add("waiting", carrier.queries.waiting);
    add("refused", carrier.queries.refused);
    add("unanswered", carrier.queries.unanswered);
    add("unasked", carrier.queries.unasked);
  }
  all.push_back(std::move(rule));
  all.push_back(std::move(queries));
  MetricFamily cancels = counter_family("stentor_carrier_cancels_total",
                                        "Segments called back by cancel_sm, by what came of it.");
  for (const CarrierSnapshot& carrier : figures.carriers) {
    const auto add = [&](const char* outcome, std::uint64_t count) {
      add_sample(cancels, {{"carrier", carrier.name}, {"outcome", outcome}}, number(count));
    };
    add("cancelled", carrier.cancels.cancelled);
    add("refused", carrier.cancels.refused);
    add("unanswered", carrier.cancels.unanswered);
  }
  all.push_back(std::move(cancels));
  MetricFamily outbinds = counter_family("stentor_carrier_outbinds_total",
                                         "Connections to where outbind is awaited, by outcome.");
  for (const CarrierSnapshot& carrier : figures.carriers) {
    if (!carrier.outbinds) continue;
    for (std::size_t i = 0; i < kOutbindOutcomeNames.size(); ++i) {
      add_sample(outbinds,
                 {{"carrier", carrier.name}, {"outcome", std::string(kOutbindOutcomeNames[i])}},
                 number(carrier.outbinds->counts[i]));
    }
  }
  all.push_back(std::move(outbinds));
  all.push_back(std::move(first));
  all.push_back(std::move(last));
  add_by_carrier(all,
                 counter_family("stentor_messages_corrected_total",
                                "Messages told unknown of which a late receipt knew better."),
                 figures,
                 [](const CarrierSnapshot& c) { return number(c.stats.messages_corrected); });
  add_by_carrier(all, gauge_family("stentor_orphan_receipts", "Receipts kept that match nothing."),
                 figures, [](const CarrierSnapshot& c) { return number(c.early_receipts); });
  add_by_carrier(all,
                 counter_family("stentor_receipts_unmatched_total",
                                "Receipts that matched nothing when they came."),
                 figures,
                 [](const CarrierSnapshot& c) { return number(c.stats.receipts_unmatched); });
  add_by_carrier(all,
                 counter_family("stentor_receipts_matched_by_reference_total",
                                "Receipts matched by user_message_reference, not by their id."),
                 figures,
                 [](const CarrierSnapshot& c) { return number(c.stats.receipts_by_reference); });
  add_by_carrier(
      all,
      counter_family("stentor_receipts_matched_late_total",
                     "Of these, matched when their submit_sm_resp came, or by another rule."),
      figures, [](const CarrierSnapshot& c) { return number(c.stats.receipts_matched_late); });
  add_by_carrier(
      all, counter_family("stentor_receipts_unparsed_total", "Receipts that name no message id."),
      figures, [](const CarrierSnapshot& c) { return number(c.stats.receipts_unparsed); });
  add_by_carrier(all,
                 counter_family("stentor_receipts_unread_total",
                                "Receipts kept as orphans since the record of their message could "
                                "not be read."),
                 figures, [](const CarrierSnapshot& c) { return number(c.stats.receipts_unread); });
  add_by_carrier(all,
                 counter_family("stentor_receipts_duplicate_total",
                                "Receipts that repeat one that came before."),
                 figures,
                 [](const CarrierSnapshot& c) { return number(c.stats.receipts_duplicate); });
  add_by_carrier(all,
                 counter_family("stentor_receipts_conflicting_total",
                                "Final receipts that contradict an earlier one."),
                 figures,
                 [](const CarrierSnapshot& c) { return number(c.stats.receipts_conflicting); });
  add_by_carrier(all,
                 counter_family("stentor_confirmed_duplicates_total",
                                "Segments that went again in doubt, and that the carrier reported "
                                "on under two ids."),
                 figures,
                 [](const CarrierSnapshot& c) { return number(c.stats.confirmed_duplicates); });
  add_by_carrier(all,
                 counter_family("stentor_replies_total", "Messages from handsets told upstream."),
                 figures, [](const CarrierSnapshot& c) { return number(c.replies.messages); });
  add_by_carrier(all,
                 counter_family("stentor_replies_incomplete_total",
                                "Messages from handsets told without parts that never came."),
                 figures, [](const CarrierSnapshot& c) { return number(c.replies.incomplete); });
  add_by_carrier(all,
                 counter_family("stentor_reply_parts_repeated_total",
                                "Parts of messages from handsets that had come before."),
                 figures, [](const CarrierSnapshot& c) { return number(c.replies.repeated); });
  add_by_carrier(all,
                 counter_family("stentor_opt_outs_unmatched_total",
                                "Replies that want no more messages and fit no send, since the "
                                "carrier writes their numbers in another form."),
                 figures,
                 [](const CarrierSnapshot& c) { return number(c.replies.stops_unmatched); });
  add_by_carrier(
      all,
      gauge_family("stentor_replies_unfinished", "Messages from handsets that wait for parts."),
      figures, [](const CarrierSnapshot& c) { return number(c.replies.unfinished); });
  add_by_carrier(all,
                 gauge_family("stentor_outstanding_segments", "Segments whose receipt is awaited."),
                 figures, [](const CarrierSnapshot& c) { return number(c.outstanding); });
  add_by_carrier(all,
                 counter_family("stentor_records_unreadable_total",
                                "Journal records that could not be read back."),
                 figures,
                 [](const CarrierSnapshot& c) { return number(c.stats.records_unreadable); });
}

void add_consumers(Exposition::Families& all, const Figures& figures) {
  MetricFamily behind = gauge_family("stentor_consumer_behind_bytes",
                                     "Journal an event consumer has not acknowledged.");
  std::uint64_t others = 0;
  for (std::size_t i = 0; i < figures.consumers.size(); ++i) {
    const ConsumerSnapshot& consumer = figures.consumers[i];
    if (i < kConsumerLabelsMax) {
      add_sample(behind, {{"client", consumer.client}, {"consumer", consumer.name}},
                 number(consumer.behind_octets));
    } else {
      others = std::max(others, consumer.behind_octets);
    }
  }
  if (figures.consumers.size() > kConsumerLabelsMax) {
    add_sample(behind, {{"client", "_other"}, {"consumer", "_other"}}, number(others));
  }
  all.push_back(std::move(behind));
}

}  // namespace

Exposition::Families metric_families(const Figures& figures) {
  Exposition::Families all;
  MetricFamily build = gauge_family("stentor_build_info", "Constant 1; the version is a label.");
  add_sample(build, {{"version", kVersion}}, 1);
  all.push_back(std::move(build));
  add_one(all, gauge_family("stentor_uptime_seconds", "Since the daemon started."),
          static_cast<double>(figures.uptime.count()));
  add_one(all,
          gauge_family("stentor_clock_difference_seconds",
                       "How far the system's clock is ahead of the date that stentord goes by."),
          static_cast<double>(process_date().difference().count()) / 1000);
  add_one(all, gauge_family("stentor_memory_bytes", "Resident memory."),
          number(figures.memory_octets));
  add_ledger(all, figures);
  add_ingress(all, figures);
  add_journal(all, figures);
  add_queue(all, figures);
  add_links(all, figures);
  add_submits(all, figures);
  add_receipts(all, figures);
  add_consumers(all, figures);
  return all;
}

}  // namespace stentor::daemon
