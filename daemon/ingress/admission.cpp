#include "daemon/ingress/admission.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cassert>
#include <unordered_set>

#include "daemon/delivery/coding.h"
#include "daemon/delivery/order_key.h"
#include "daemon/hours/number_region.h"
#include "daemon/ingress/json.h"
#include "daemon/ingress/number.h"
#include "daemon/ingress/preview.h"
#include "daemon/optout/opt_outs.h"
#include "daemon/records/subject_extras.h"

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kLifetimeMs = 259'200'000;  // three days, the protocol's default
constexpr std::size_t kConcatenationCounters = 1u << 16;
// What a record needs beside its texts: ids, places, times, lengths. Measured at 110.
constexpr std::size_t kRecordOverheadOctets = 160;

std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

std::string_view kept_text(const std::array<char, kMessageIdCharacters>& id) {
  return {id.data(), id.size()};
}

Refusal refuse(std::string_view code, std::string detail) {
  return Refusal{code, std::move(detail), {}};
}

}  // namespace

void append_rejection(const Refusal& refusal, std::string& reply) {
  reply.push_back('{');
  if (!refusal.ref.empty()) append_member("ref", refusal.ref, reply);
  append_member("status", "rejected", reply);
  append_key("error", reply);
  reply.push_back('{');
  append_member("code", refusal.code, reply);
  append_member("detail", refusal.detail, reply);
  reply.append("}}");
}

struct Admission::Recipient {
  std::string to;  ///< kept form; as written where it is refused
  std::uint16_t carrier = 0;
  std::string from;
  Cost cost;
  std::uint64_t due_ms = 0;  ///< goes no earlier: not_before, or when its hours begin; 0: now
  std::string zone;          ///< of its hours
  encoding::Replacement replacement = encoding::Replacement::none;
  RouteReason route;
  std::optional<Refusal> refusal;
};

// What is known of a send once it has been checked: one entry for each distinct destination.
struct Admission::Checked {
  std::vector<Recipient> recipients;
  std::uint64_t content = 0;
  std::uint64_t not_before_ms = 0;
  std::uint32_t expires = 0;
};

Admission::Admission(const Config& config, const Routing& routing, CommitFeed& feed,
                     queue::JournalReader& reader, Start start)
    : config_(config),
      routing_(routing),
      feed_(feed),
      reader_(reader),
      start_(std::move(start)),
      sequence_next_(start_.sequence_next),
      time_ms_last_(start_.time_ms_last),
      references_(std::move(start_.references)),
      campaigns_(*start_.campaigns),
      concatenation_(std::make_unique<std::uint16_t[]>(kConcatenationCounters)) {
  // Not all from 0: a restart should not repeat the references of a minute ago.
  for (std::size_t i = 0; i < kConcatenationCounters; ++i) {
    concatenation_[i] = static_cast<std::uint16_t>(start_.seed >> (i % 48) ^ i);
  }
}

std::optional<queue::Locator> Admission::find(std::string_view client, std::string_view ref) {
  const auto found = references_->find(references_->key_of(client, ref));
  if (!found || !*found || (*found)->durable.is_nowhere()) return std::nullopt;
  return (*found)->durable;
}

std::optional<Refusal> Admission::check_times(const SendRequest& request, std::uint64_t now_ms,
                                              Checked& out) const {
  const auto resolve = [now_ms](const TimeWish& wish, std::uint64_t fallback) {
    switch (wish.form) {
      case TimeWish::Form::none: return fallback;
      case TimeWish::Form::at_ms: return wish.value;
      case TimeWish::Form::in_seconds: return now_ms + wish.value * 1000;
    }
    return fallback;
  };
  const std::uint64_t not_before = resolve(request.not_before, 0);
  out.not_before_ms = not_before <= now_ms ? 0 : not_before;  // the past means now
  const std::uint64_t from = std::max(not_before, now_ms);
  const std::uint64_t expires = resolve(request.expires, from + kLifetimeMs);
  if (expires <= now_ms) return refuse("expired", "expires: lies in the past");
  if (expires <= from) return refuse("bad_time", "expires: not after not_before");
  constexpr std::uint64_t kLastSecond = 0xffffffff;  // the year 2106
  if (expires / 1000 > kLastSecond) return refuse("bad_time", "expires: after the year 2105");
  out.expires = static_cast<std::uint32_t>((expires + 999) / 1000);
  return std::nullopt;
}

// Held until its hours begin, never dropped; what expires before that is refused now.
std::optional<Refusal> Admission::check_hours(const SendRequest& request, const Checked& checked,
                                              std::uint64_t now_ms, Recipient& recipient) {
  recipient.zone = request.hours->zone;
  if (recipient.zone.empty()) {
    std::string_view digits = recipient.to;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const std::string_view regions = request.is_short ? std::string_view{} : regions_of(digits);
    if (regions.empty()) {
      return refuse("bad_field", "hours.zone: this number does not tell its zone; give one");
    }
    recipient.zone.append("@").append(regions);
  }
  if (!open_hours_.knows(recipient.zone)) return refuse("bad_field", "hours.zone: not a zone");
  const std::uint64_t from = std::max(checked.not_before_ms, now_ms);
  const auto opens =
      open_hours_.next_open({request.hours->from, request.hours->to, recipient.zone}, from);
  if (!opens) {
    return refuse("never_in_hours",
                  "hours: never at one time in all zones of this number's region;"
                  " give a zone");
  }
  if (*opens / 1000 >= checked.expires) {
    return refuse("never_in_hours", "hours: it expires before they begin");
  }
  if (*opens > from) recipient.due_ms = *opens;
  return std::nullopt;
}

Content Admission::content_for(std::uint16_t carrier, const SendRequest& request,
                               std::string_view to, std::string_view from) const {
  return {.body = request.text,
          .udh = request.udh,
          .is_binary = request.is_binary,
          .flash = request.flash,
          .encoding = request.encoding,
          .replacement = request.replacement.value_or(
              routing_.default_replacement({to, from, request.campaign})),
          .national = request.national.value_or(config_.carriers[carrier].national)};
}

std::expected<Admission::Cost, Refusal> Admission::plan(std::uint16_t carrier,
                                                        const Content& content,
                                                        std::size_t segments_max) const {
  const auto planned = MessagePlan::make(content, config_.carriers[carrier], segments_max);
  if (!planned) return std::unexpected(refuse(planned.error().code, planned.error().detail));
  Cost cost{.segments = planned->segments(),
            .parts = static_cast<std::uint8_t>(planned->parts()),
            .encoding = planned->encoding_word(),
            .replaced = {},
            .reason = reason_of(*planned, content)};
  if (planned->text() != nullptr && !planned->text()->replacements.empty()) {
    append_replacements(content, config_.carriers[carrier], *planned->text(), cost.replaced);
  }
  return cost;
}

std::optional<Refusal> Admission::check(const SendRequest& request, const Peer& peer,
                                        std::uint64_t now_ms, Checked& out) {
  std::optional<std::uint16_t> named;
  if (!request.carrier.empty()) {
    named = routing_.carrier_named(request.carrier);
    if (!named) return refuse("unknown_carrier", "carrier: not in the configuration");
  }
  std::string from;
  if (!request.from.empty()) {
    auto sender = normalise_sender(request.from);
    if (!sender) return refuse("bad_sender", fmt::format("from: {}", sender.error()));
    from = std::move(*sender);
    if (peer.config != nullptr && !Peer::allows(peer.config->senders, from)) {
      return refuse("not_permitted", "from: not among this client's senders");
    }
  }
  if (auto refusal = check_times(request, now_ms, out)) return refusal;

  std::unordered_set<std::string> seen;
  // Recipients of one carrier and one rule of replacement cost the same.
  std::optional<std::pair<std::uint16_t, encoding::Replacement>> planned_for;
  std::expected<Cost, Refusal> planned;
  for (const std::string_view written : request.to) {
    Recipient recipient;
    auto number = request.is_short ? normalise_short_code(written) : normalise_destination(written);
    if (!number) {
      recipient.to = std::string(written.substr(0, 64));
      recipient.refusal = refuse("bad_destination", fmt::format("to: {}", number.error()));
      out.recipients.push_back(std::move(recipient));
      continue;
    }
    if (request.to_is_array && !seen.insert(*number).second) continue;
    recipient.to = std::move(*number);
    recipient.from = from;
    if (named) {
      recipient.carrier = *named;
      recipient.route.is_named = true;
      if (from.empty())
        recipient.from = routing_.default_from({recipient.to, from, request.campaign});
    } else if (const auto choice = routing_.choose({recipient.to, from, request.campaign})) {
      recipient.carrier = choice->carrier;
      recipient.route = reason_of(*choice, config_);
      if (from.empty()) recipient.from = choice->default_from;
    } else {
      recipient.refusal = refuse("no_route", "to: no route leads there");
    }
    recipient.due_ms = out.not_before_ms;
    if (!recipient.refusal && request.hours) {
      recipient.refusal = check_hours(request, out, now_ms, recipient);
    }
    if (!recipient.refusal && recipient.from.empty()) {
      recipient.refusal = refuse("bad_sender", "from: none given, and the route has none");
    }
    if (!recipient.refusal && peer.config != nullptr &&
        !Peer::allows(peer.config->carriers, config_.carriers[recipient.carrier].name)) {
      recipient.refusal = refuse("not_permitted", "carrier: not among this client's carriers");
    }
    if (!recipient.refusal && request.smpp.protocol_id &&
        config_.carriers[recipient.carrier].wire.by_data_sm) {
      recipient.refusal =
          refuse("bad_field", "protocol_id: the carrier takes data_sm, which has none");
    }
    if (!recipient.refusal && start_.opt_outs != nullptr && !request.ignores_opt_out &&
        start_.opt_outs->forbids({.to = recipient.to,
                                  .from = recipient.from,
                                  .campaign = request.campaign,
                                  .client = peer.client,
                                  .is_urgent = request.priority == queue::Priority::urgent})) {
      recipient.refusal = refuse("opted_out", "to: wants no messages from this sender");
    }
    if (!recipient.refusal) {
      const Content content = content_for(recipient.carrier, request, recipient.to, from);
      recipient.replacement = content.replacement;
      if (planned_for != std::pair(recipient.carrier, content.replacement)) {
        planned = plan(recipient.carrier, content, request.max_segments);
        planned_for = std::pair(recipient.carrier, content.replacement);
      }
      if (planned) {
        recipient.cost = *planned;
      } else {
        recipient.refusal = planned.error();
      }
    }
    out.recipients.push_back(std::move(recipient));
  }

  const auto refused = std::ranges::find_if(
      out.recipients, [](const Recipient& r) { return r.refusal.has_value(); });
  const bool none_left =
      std::ranges::all_of(out.recipients, [](const Recipient& r) { return r.refusal.has_value(); });
  if (none_left) return refused->refusal;
  if (!request.callback.empty() && (peer.config == nullptr || !peer.config->callback)) {
    return refuse("not_permitted", "callback: the configuration has none for this client");
  }
  if (request.is_binary && peer.config != nullptr && !peer.config->may_send_binary) {
    return refuse("not_permitted", "binary: not allowed for this client");
  }

  const std::size_t octets =
      out.recipients.size() *
      (request.text.size() + request.udh.size() + request.meta.size() + request.ref.size() +
       request.campaign.size() + request.callback.size() + request.smpp.tlvs.size() +
       kRecordOverheadOctets);
  if (octets > kRequestOctetsMax) {
    return refuse("bad_field",
                  fmt::format("to: {} recipients with a text this long are more than one "
                              "transaction of {} KiB; send them in several",
                              out.recipients.size(), kRequestOctetsMax >> 10));
  }
  return std::nullopt;
}

std::uint64_t Admission::content_of(const SendRequest& request) {
  content_.clear();
  for (const std::string_view to : request.to) content_.text(to);
  for (const std::string_view text :
       {request.text, request.udh, request.from, request.campaign, request.carrier, request.meta}) {
    content_.text(text);
  }
  content_.u8(static_cast<std::uint8_t>((request.is_short ? 1 : 0) | (request.is_binary ? 2 : 0) |
                                        (request.flash ? 4 : 0)));
  content_.u8(request.replacement ? static_cast<std::uint8_t>(*request.replacement) : 0xff);
  content_.u16(request.national ? request.national->bits() : 0xffff);
  content_.u8(request.priority ? static_cast<std::uint8_t>(*request.priority) : 0xff);
  for (const TimeWish& wish : {request.not_before, request.expires}) {
    content_.u8(static_cast<std::uint8_t>(wish.form));
    content_.u64(wish.value);
  }
  content_.u8(static_cast<std::uint8_t>(request.encoding));
  content_.u8(static_cast<std::uint8_t>(request.receipt));
  content_.u32(request.max_segments);
  if (!request.callback.empty()) content_.text(request.callback);
  if (request.smpp.service_type) content_.text(*request.smpp.service_type);
  if (request.smpp.protocol_id) content_.u8(*request.smpp.protocol_id);
  content_.raw(request.smpp.tlvs);
  if (request.uncertain) content_.text(to_string(*request.uncertain));
  if (request.hours) {
    content_.text(request.hours->zone);
    content_.u32(std::uint32_t{request.hours->from} << 16 | request.hours->to);
  }
  return XXH3_64bits(content_.octets().data(), content_.size());  // in the journal: no seed
}

std::optional<Admission::Answer> Admission::answer_known(const SendRequest& request,
                                                         const Peer& peer, std::uint64_t content,
                                                         std::uint64_t now_ms, std::string& reply) {
  const auto cannot_tell = [&] {
    append_rejection({"unavailable", "ref: cannot be looked up at the moment; send it again",
                      std::string(request.ref)},
                     reply);
    return Answer{.refused = "unavailable"};
  };
  const auto found = references_->find(references_->key_of(peer.client, request.ref));
  if (!found) return cannot_tell();
  const auto& place = *found;
  if (!place) return std::nullopt;
  std::optional<Accepted> accepted;
  if (place->durable.is_nowhere()) {
    const auto payload = feed_.pending_record(place->batch, place->record_offset);
    if (payload) accepted = decode_accepted(*payload);
  } else {
    const auto record = reader_.read(place->durable);
    if (!record && record.error() != queue::JournalError::no_such_record) return cannot_tell();
    if (record) accepted = decode_accepted(record->payload);
  }
  if (!accepted) return std::nullopt;  // its file is gone: so is the guard
  const auto subject = decode_subject(accepted->subject);
  if (!subject || subject->client != peer.client || subject->ref != request.ref) {
    return std::nullopt;  // another reference with the same hash
  }
  const auto guard_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(config_.queue.guard).count());
  if (subject->id.time_ms() + guard_ms < now_ms) return std::nullopt;

  if (accepted->content != content) {
    append_rejection({"conflict", "ref: used before with other content", std::string(request.ref)},
                     reply);
    return Answer{.refused = "conflict"};
  }
  reply.push_back('{');
  append_member("ref", request.ref, reply);
  append_member("status", "duplicate", reply);
  append_member("id", kept_text(subject->id.text()), reply);
  reply.push_back('}');
  ++stats_.duplicates;
  return Answer{.waits_for = place->batch};
}

MessageId Admission::next_id(std::uint64_t now_ms) {
  time_ms_last_ = std::max(time_ms_last_, now_ms);  // never backwards, whatever the clock does
  return MessageId::make(time_ms_last_, config_.node, start_.incarnation, sequence_next_++);
}

void Admission::write_message(const SendRequest& request, const Peer& peer, const Checked& checked,
                              std::size_t which, std::uint64_t now_ms, bool owns_ref,
                              queue::Flow flow, MessageId& id) {
  const Recipient& recipient = checked.recipients[which];
  const CarrierConfig& carrier = config_.carriers[recipient.carrier];
  id = next_id(now_ms);
  Subject subject;
  subject.id = id;
  subject.parts = recipient.cost.parts;
  subject.client = peer.client;
  subject.ref = request.ref;
  subject.campaign = request.campaign;
  subject.to = recipient.to;
  subject.from = recipient.from;
  subject.carrier = carrier.name;
  subject.meta = request.meta;
  subject_.clear();
  encode(subject, subject_);
  append_callback(request.callback, subject_);

  const auto priority = request.priority.value_or(request.campaign.empty() ? queue::Priority::normal
                                                                           : queue::Priority::bulk);

  Accepted accepted;
  accepted.subject = subject_.octets();
  accepted.content = checked.content;
  accepted.not_before_ms = checked.not_before_ms;
  accepted.expires = checked.expires;
  accepted.flow = flow;
  accepted.flow_is_number = true;
  accepted.priority = static_cast<std::uint8_t>(priority);
  accepted.receipt = carrier.receipts ? request.receipt : ReceiptWish::none;
  accepted.encoding = request.encoding;
  accepted.to_short_code = request.is_short;
  accepted.names_carrier = !request.carrier.empty();
  accepted.owns_ref = owns_ref;
  accepted.text = request.text;
  accepted.udh = request.udh;
  accepted.is_binary = request.is_binary;
  accepted.flash = request.flash;
  accepted.replacement = recipient.replacement;
  accepted.national = request.national.value_or(carrier.national).bits();
  accepted.service_type = request.smpp.service_type;
  accepted.protocol_id = request.smpp.protocol_id;
  accepted.tlvs = request.smpp.tlvs;
  accepted.uncertain = request.uncertain;
  if (request.hours) {
    accepted.hours = Hours{request.hours->from, request.hours->to, recipient.zone};
  }
  route_reason_.clear();
  encode(recipient.route, route_reason_);
  accepted.route_reason = route_reason_.octets();
  encoding_reason_.clear();
  encode(recipient.cost.reason, encoding_reason_);
  accepted.encoding_reason = encoding_reason_.octets();
  if (recipient.cost.parts > 1) {
    accepted.reference =
        ++concatenation_[hash_of(recipient.to, start_.seed) % kConcatenationCounters];
  }
  record_.clear();
  encode(accepted, record_);

  CommitBatch& batch = feed_.open();
  Arrival arrival;
  arrival.record_offset =
      batch.records.add(static_cast<std::uint8_t>(RecordKind::accepted), record_.octets());
  arrival.expires = checked.expires;
  arrival.key = order_key(recipient.to, recipient.from, request.campaign, accepted.priority);
  arrival.flow = accepted.flow;
  arrival.due_ms = recipient.due_ms;
  arrival.carrier = recipient.carrier;
  arrival.priority = priority;
  batch.arrivals[recipient.carrier % start_.shards].push_back(arrival);
  ++batch.accepted;
  ++batch.delta.accepted;
  batch.count(flow, State::none, false);
  batch.delta.sequence_next = sequence_next_;

  if (owns_ref) {
    const std::uint64_t key = references_->key_of(peer.client, request.ref);
    references_->put_pending(key, feed_.open_number(), arrival.record_offset);
    if (pending_references_.empty() || pending_references_.back().batch != feed_.open_number()) {
      pending_references_.push_back({feed_.open_number(), {}});
    }
    pending_references_.back().references.push_back({key, arrival.record_offset});
  }
  ++stats_.accepted;
  const std::string_view encoding = recipient.cost.encoding;
  std::uint64_t& segments = encoding == "ucs2"   ? stats_.segments_ucs2
                            : encoding == "gsm7" ? stats_.segments_gsm7
                                                 : stats_.segments_other;
  segments += recipient.cost.segments;
}

Admission::Answer Admission::send(const SendRequest& request, const Peer& peer,
                                  std::uint64_t now_ms, std::string& reply) {
  Checked checked;
  checked.content = content_of(request);
  if (!request.ref.empty()) {
    if (auto known = answer_known(request, peer, checked.content, now_ms, reply)) return *known;
  }
  if (auto refusal = check(request, peer, now_ms, checked)) {
    refusal->ref = request.ref;
    append_rejection(*refusal, reply);
    return {.refused = refusal->code};
  }

  const auto flow = campaigns_.number_of(peer.client, request.campaign, now_ms, feed_.open());
  if (!flow) {
    append_rejection({"busy", "campaign: as many as can be kept have messages under way",
                      std::string(request.ref)},
                     reply);
    return {.refused = "busy"};
  }
  bool owns_ref = !request.ref.empty();
  const Cost& first =
      std::ranges::find_if(checked.recipients, [](const Recipient& r) { return !r.refusal; })->cost;
  reply.push_back('{');
  if (!request.ref.empty()) append_member("ref", request.ref, reply);
  append_member("status", "accepted", reply);
  append_member("segments", first.segments, reply);
  append_member("encoding", first.encoding, reply);
  if (!first.replaced.empty()) reply.append(",").append(first.replaced);
  if (request.to_is_array) {
    append_key("messages", reply);
    reply.push_back('[');
  }
  for (std::size_t i = 0; i < checked.recipients.size(); ++i) {
    const Recipient& recipient = checked.recipients[i];
    if (request.to_is_array) {
      if (i > 0) reply.push_back(',');
      reply.push_back('{');
      append_member("to", recipient.to, reply);
    }
    if (recipient.refusal) {  // only in an array: alone, check() refused the whole
      append_key("error", reply);
      reply.push_back('{');
      append_member("code", recipient.refusal->code, reply);
      append_member("detail", recipient.refusal->detail, reply);
      reply.push_back('}');
    } else {
      MessageId id;
      write_message(request, peer, checked, i, now_ms, owns_ref, *flow, id);
      owns_ref = false;
      append_member("id", kept_text(id.text()), reply);
    }
    if (request.to_is_array) reply.push_back('}');
  }
  if (request.to_is_array) reply.push_back(']');
  reply.push_back('}');
  return {.waits_for = feed_.open_number()};
}

std::optional<MessageId> Admission::id_of(std::string_view client, std::string_view ref) {
  const auto place = find(client, ref);
  if (!place) return std::nullopt;
  const auto record = reader_.read(*place);
  const auto accepted = record ? decode_accepted(record->payload) : std::nullopt;
  const auto subject = accepted ? decode_subject(accepted->subject) : std::nullopt;
  return subject ? std::optional(subject->id) : std::nullopt;
}

void Admission::on_settled(const CommitBatch& batch) {
  if (batch.failure && !batch.campaigns.empty()) campaigns_.on_failed(batch);
  while (!pending_references_.empty() && pending_references_.front().batch <= batch.number) {
    for (const NewReference& reference : pending_references_.front().references) {
      if (batch.failure) {
        references_->drop(reference.key);
      } else {
        references_->put_durable(reference.key, batch.records.at(reference.offset), time_ms_last_);
      }
    }
    pending_references_.pop_front();
  }
}

}  // namespace stentor::daemon
