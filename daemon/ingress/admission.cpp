#include "daemon/ingress/admission.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cassert>

#include "daemon/delivery/order_key.h"
#include "daemon/ingress/json.h"
#include "daemon/records/subject_extras.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

constexpr std::size_t kConcatenationCounters = 1u << 16;

std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

std::string_view kept_text(const std::array<char, kMessageIdCharacters>& id) {
  return {id.data(), id.size()};
}

void append_error(const Refusal& refusal, std::string& reply) {
  append_key("error", reply);
  reply.push_back('{');
  append_member("code", refusal.code, reply);
  append_member("detail", refusal.detail, reply);
  reply.push_back('}');
}

// What an accepted reply says before it comes to the ids.
void append_opening(const SendRequest& request, const CheckedSend& checked, std::string& reply) {
  const SendCost& cost = std::ranges::find_if(checked.recipients, [](const CheckedRecipient& r) {
                           return !r.refusal;
                         })->cost;
  reply.push_back('{');
  if (!request.ref.empty()) append_member("ref", request.ref, reply);
  append_member("status", "accepted", reply);
  append_member("segments", cost.segments, reply);
  append_member("encoding", cost.encoding, reply);
  if (!cost.replaced.empty()) reply.append(",").append(cost.replaced);
  if (!request.to_is_array) return;
  append_key("messages", reply);
  reply.push_back('[');
}

}  // namespace

void append_rejection(const Refusal& refusal, std::string& reply) {
  reply.push_back('{');
  if (!refusal.ref.empty()) append_member("ref", refusal.ref, reply);
  append_member("status", "rejected", reply);
  append_error(refusal, reply);
  reply.push_back('}');
}

std::string rejection(std::string_view code, std::string detail) {
  std::string reply;
  append_rejection({code, std::move(detail), {}}, reply);
  return reply;
}

Admission::Admission(const Config& config, const Routing& routing, CommitFeed& feed,
                     queue::JournalReader& reader, Start start)
    : config_(config),
      routing_(routing),
      feed_(feed),
      reader_(reader),
      start_(std::move(start)),
      sequence_next_(start_.sequence_next),
      time_ms_last_(start_.time_ms_last + 1),  // another incarnation: it comes before the sequence
      references_(std::move(start_.references)),
      campaigns_(*start_.campaigns,
                 [&config](std::string_view client) { return weight_of_client(config, client); }),
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

std::uint64_t Admission::content_of(const SendRequest& request, bool is_named) {
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
  const auto name = [&](std::uint8_t field) {
    if (is_named) content_.u8(field);
  };
  if (!request.callback.empty()) {
    name(1);
    content_.text(request.callback);
  }
  if (request.smpp.service_type) {
    name(2);
    content_.text(*request.smpp.service_type);
  }
  if (request.smpp.protocol_id) {
    name(3);
    content_.u8(*request.smpp.protocol_id);
  }
  if (!request.smpp.tlvs.empty()) {
    name(4);
    content_.raw(request.smpp.tlvs);
  }
  if (request.uncertain) {
    name(5);
    content_.text(to_string(*request.uncertain));
  }
  if (request.hours) {
    name(6);
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
    // Whose file is there, and whose octets do not verify, is not forgotten for that.
    if (!record && (record.error() != queue::JournalError::no_such_record ||
                    place->durable.file() >= feed_.oldest_file())) {
      return cannot_tell();
    }
    if (record) accepted = decode_accepted(record->payload);
  }
  if (!accepted) return std::nullopt;  // its file is gone: so is the guard
  const auto subject = decode_subject(accepted->subject);
  if (!subject || subject->client != peer.client || subject->ref != request.ref) {
    return std::nullopt;  // another reference with the same hash
  }
  const auto guard_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(config_.queue.guard).count());
  if (subject->id.time_ms() + guard_ms < now_ms - suspected_lead_ms()) return std::nullopt;

  if (accepted->content != content && accepted->content != content_of(request, false)) {
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
  now_ms_ = now_ms;
  time_ms_last_ = std::max(time_ms_last_, now_ms);  // never backwards, whatever the clock does
  return MessageId::make(time_ms_last_, config_.node, start_.incarnation, sequence_next_++);
}

// Views the writers' octets, which the next message overwrites.
Accepted Admission::describe(const SendRequest& request, const Peer& peer,
                             const CheckedSend& checked, const CheckedRecipient& recipient,
                             MessageId id) {
  const CarrierConfig& carrier = config_.carriers[recipient.carrier];
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
  route_reason_.clear();
  encode(recipient.route, route_reason_);
  encoding_reason_.clear();
  encode(recipient.cost.reason, encoding_reason_);

  Accepted accepted;
  accepted.subject = subject_.octets();
  accepted.not_before_ms = checked.not_before_ms;
  accepted.expires = static_cast<std::uint32_t>((checked.expires_ms + 999) / 1000);
  accepted.expires_early_ms =
      static_cast<std::uint16_t>(std::uint64_t{accepted.expires} * 1000 - checked.expires_ms);
  accepted.flow_is_number = true;
  accepted.priority = static_cast<std::uint8_t>(request.priority.value_or(
      request.campaign.empty() ? queue::Priority::normal : queue::Priority::bulk));
  accepted.receipt = carrier.receipts ? request.receipt : ReceiptWish::none;
  accepted.encoding = request.encoding;
  accepted.to_short_code = request.is_short;
  accepted.names_carrier = !request.carrier.empty();
  accepted.ignores_opt_out = request.ignores_opt_out;
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
  accepted.route_reason = route_reason_.octets();
  accepted.encoding_reason = encoding_reason_.octets();
  if (recipient.cost.parts > 1) {
    accepted.reference =
        ++concatenation_[hash_of(recipient.to, start_.seed) % kConcatenationCounters];
  }
  return accepted;
}

// Into the open batch; answers where in it.
std::uint32_t Admission::write(const Accepted& accepted, const CheckedRecipient& recipient,
                               std::uint32_t order_key) {
  record_.clear();
  encode(accepted, record_);
  CommitBatch& batch = feed_.open();
  Arrival arrival;
  arrival.record_offset =
      batch.records.add(static_cast<std::uint8_t>(RecordKind::accepted), record_.octets());
  arrival.expires_ms = accepted.expires_ms();
  arrival.key = order_key;
  arrival.flow = accepted.flow;
  arrival.due_ms = recipient.due_ms;
  arrival.carrier = recipient.carrier;
  arrival.priority = static_cast<queue::Priority>(accepted.priority);
  batch.arrivals[recipient.carrier % start_.shards].push_back(arrival);
  ++batch.accepted;
  ++batch.delta.accepted;
  batch.count(accepted.flow, State::none, false);
  batch.delta.sequence_next = sequence_next_;
  return arrival.record_offset;
}

void Admission::remember(std::uint64_t reference, std::uint32_t record_offset) {
  references_->put_pending(reference, feed_.open_number(), record_offset);
  if (pending_references_.empty() || pending_references_.back().batch != feed_.open_number()) {
    pending_references_.push_back({feed_.open_number(), {}});
  }
  pending_references_.back().references.push_back({reference, record_offset});
}

void Admission::count(const SendCost& cost) {
  ++stats_.accepted;
  std::uint64_t& segments = cost.encoding == "ucs2"   ? stats_.segments_ucs2
                            : cost.encoding == "gsm7" ? stats_.segments_gsm7
                                                      : stats_.segments_other;
  segments += cost.segments;
}

Admission::Answer Admission::send(const SendRequest& request, const Peer& peer,
                                  std::uint64_t now_ms, std::string& reply) {
  const std::uint64_t content = content_of(request);
  if (!request.ref.empty()) {
    if (auto known = answer_known(request, peer, content, now_ms, reply)) return *known;
  }
  auto checked =
      check_send(request, peer, now_ms, {config_, routing_, start_.opt_outs, open_hours_});
  if (!checked) {
    checked.error().ref = request.ref;
    append_rejection(checked.error(), reply);
    return {.refused = checked.error().code};
  }
  const auto flow = campaigns_.number_of(peer.client, request.campaign, now_ms, feed_.open());
  if (!flow) {
    append_rejection({"busy", "campaign: as many as can be kept have messages under way",
                      std::string(request.ref)},
                     reply);
    return {.refused = "busy"};
  }

  append_opening(request, *checked, reply);
  bool owns_ref = !request.ref.empty();  // the first of them does
  for (const CheckedRecipient& recipient : checked->recipients) {
    if (request.to_is_array) {
      if (reply.back() != '[') reply.push_back(',');
      reply.push_back('{');
      append_member("to", recipient.to, reply);
    }
    if (recipient.refusal) {  // only in an array: alone, the whole was refused
      append_error(*recipient.refusal, reply);
    } else {
      const MessageId id = next_id(now_ms);
      Accepted accepted = describe(request, peer, *checked, recipient, id);
      accepted.content = content;
      accepted.flow = *flow;
      accepted.owns_ref = owns_ref;
      const std::uint32_t at =
          write(accepted, recipient,
                order_key(recipient.to, recipient.from, request.campaign, accepted.priority));
      if (owns_ref) remember(references_->key_of(peer.client, request.ref), at);
      owns_ref = false;
      count(recipient.cost);
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
        references_->put_durable(reference.key, batch.records.at(reference.offset), now_ms_);
      }
    }
    pending_references_.pop_front();
  }
}

}  // namespace stentor::daemon
