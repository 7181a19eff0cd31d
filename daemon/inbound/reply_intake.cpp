#include "daemon/inbound/reply_intake.h"

#include <algorithm>
#include <utility>

#include "daemon/inbound/first_word.h"
#include "daemon/ingress/number.h"
#include "daemon/log.h"
#include "daemon/wall_clock.h"
#include "encoding/decoder.h"

namespace stentor::daemon {
namespace {

// Ids of inbound messages have the highest bit of the sequence set, and their carrier's number
// below it: no thread asks another for the next one, and none is ever a sent message's.
constexpr std::uint64_t kInboundSequence = 1ull << 53;
constexpr unsigned kCarrierShift = 37;

// A record has 128 KiB: room for any text of 255 parts; only a message_payload can be longer.
constexpr std::size_t kTextOctetsMax = 120u << 10;

// As often as an operator wants to read the same line: the counter has each of them.
constexpr std::chrono::minutes kUnmatchedPause{10};

// Never inside a character.
std::size_t cut_at(std::string_view text, std::size_t octets_max) {
  if (text.size() <= octets_max) return text.size();
  std::size_t end = octets_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return end;
}

std::string text_of(const Reassembly::Joined& joined, encoding::Alphabet alphabet) {
  encoding::Decoder decoder(alphabet);
  for (const IncomingPart& part : joined.parts) decoder.add(part.user_data, part.has_header);
  return decoder.take();
}

std::string octets_of(const Reassembly::Joined& joined) {
  std::string octets;
  for (const IncomingPart& part : joined.parts) {
    octets.append(reinterpret_cast<const char*>(part.user_data.data()), part.user_data.size());
  }
  return octets;
}

}  // namespace

ReplyIntake::ReplyIntake(const InboundServices& services, const CarrierConfig& carrier,
                         std::uint16_t number, CommitFeed& feed)
    : services_(services),
      carrier_(carrier),
      sequence_base_(kInboundSequence | std::uint64_t{number} << kCarrierShift),
      feed_(feed),
      pin_(services.commit.add_pin()) {}

MessageId ReplyIntake::next_id(std::uint64_t now_ms) {
  return MessageId::make(now_ms, services_.config.node, services_.incarnation,
                         sequence_base_ | next_number_++);
}

void ReplyIntake::take(const protocol::DeliverSm& deliver, TimePoint now) {
  ++stats_.parts;
  IncomingPart part = read_incoming(deliver, carrier_);
  if (!part.is_alone()) encode_part(part);
  // Where the record will lie is known when it is durable; it cannot be before this file.
  const std::uint32_t file = services_.commit.durable_end().file();
  const auto outcome = reassembly_.add(std::move(part), now, file);
  if (outcome == Reassembly::Outcome::repeated) ++stats_.repeated;
  // Before the part's own record: what it pushed out may have had its reference. The last part
  // needs no record, since the message has it.
  give_out(now);
  if (outcome == Reassembly::Outcome::kept) {
    feed_.open().records.add(static_cast<std::uint8_t>(InboundRecordKind::part), part_.octets());
  }
}

void ReplyIntake::give_out(TimePoint now) {
  while (const auto joined = reassembly_.take(now)) write(*joined, now);
  pin_files();
}

void ReplyIntake::encode_part(const IncomingPart& part) {
  InboundPart record;
  record.time_ms = wall_clock_ms();
  if (part.alphabet) record.alphabet = static_cast<std::uint8_t>(*part.alphabet);
  record.has_header = part.has_header;
  record.fits_no_send = part.fits_no_send;
  record.reference = part.tie.reference;
  record.total = part.tie.total;
  record.number = part.tie.number;
  record.carrier = carrier_.name;
  record.from = part.from;
  record.to = part.to;
  record.user_data = part.user_data;
  part_.clear();
  encode(record, part_);
}

void ReplyIntake::write(const Reassembly::Joined& joined, TimePoint now) {
  const IncomingPart& first = joined.parts.front();
  const bool is_text = std::ranges::all_of(
      joined.parts, [&](const IncomingPart& part) { return part.alphabet == first.alphabet; });
  InboundCame came;
  came.is_binary = !is_text || !first.alphabet;
  const std::string text =
      came.is_binary ? octets_of(joined) : text_of(joined, first.alphabet.value());
  const FirstWord word = came.is_binary ? FirstWord{} : first_word(text);
  came.time_ms = wall_clock_ms();
  came.id = next_id(came.time_ms);
  came.parts = joined.total;
  came.parts_came = static_cast<std::uint8_t>(joined.parts.size());
  came.reference = first.tie.reference;
  came.carrier = carrier_.name;
  came.client = services_.router.client_for(first.to, word.word);
  came.from = first.from;
  came.to = first.to;
  const std::size_t end =
      came.is_binary ? std::min(text.size(), kTextOctetsMax) : cut_at(text, kTextOctetsMax);
  came.is_cut = end < text.size();
  came.text = std::string_view(text).substr(0, end);
  const OptOutWish wish = services_.words.wish_of(word);
  came.is_unmatched_stop = wish == OptOutWish::stop && !fits_a_send(first);
  fields_.clear();
  encode(came, fields_);
  CommitBatch& batch = feed_.open();
  batch.records.add(static_cast<std::uint8_t>(InboundRecordKind::came), fields_.octets());
  batch.has_events = true;
  if (wish != OptOutWish::none) note_wish(wish, came, word.word);
  if (came.is_unmatched_stop) tell_unmatched(now);
  ++stats_.messages;
  if (!joined.is_complete()) ++stats_.incomplete;
}

// In the batch of the reply itself: both are on disk, or neither is and the carrier sends it again.
void ReplyIntake::note_wish(OptOutWish wish, const InboundCame& came, std::string_view word) {
  OptOutNotice notice;
  notice.time_ms = came.time_ms;
  notice.is_out = wish == OptOutWish::stop;
  notice.inbound = came.id;
  notice.client = came.client;
  notice.carrier = came.carrier;
  // START names its sender in either scope: it takes back what is for all too, and what was said
  // for that sender by request or before the scope was changed.
  if (!notice.is_out || !services_.config.opt_out.for_all) notice.sender = came.to;
  notice.word = word;
  notice.number = came.from;
  notice.to = came.to;
  fields_.clear();
  encode(notice.change(), fields_);
  feed_.open().records.add(kOptOutRecord, fields_.octets());
  if (services_.on_opt_out) services_.on_opt_out(std::move(notice));
}

// Both numbers are what a send could name: only then is one refused for this reply's sake.
bool ReplyIntake::fits_a_send(const IncomingPart& reply) const {
  if (reply.fits_no_send) return false;
  const auto is_kept = [](const NumberResult& kept, const std::string& number) {
    return kept && *kept == number;
  };
  if (!is_kept(normalise_destination(reply.from), reply.from) &&
      !is_kept(normalise_short_code(reply.from), reply.from)) {
    return false;
  }
  return services_.config.opt_out.for_all || reply.to.empty() ||
         is_kept(normalise_sender(reply.to), reply.to);
}

// A carrier that writes one number so writes all of them so.
void ReplyIntake::tell_unmatched(TimePoint now) {
  ++stats_.stops_unmatched;
  ++unmatched_untold_;
  if (unmatched_told_ && now - *unmatched_told_ < kUnmatchedPause) return;
  unmatched_told_ = now;
  log::warn(
      "carrier {}: opt-outs that fit no send: {}; it writes numbers in a form nobody sends to, "
      "such as a national one that no rewrite rule leads to",
      carrier_.name, std::exchange(unmatched_untold_, 0));
}

void ReplyIntake::pin_files() {
  const auto oldest = reassembly_.oldest_file();
  pin_.hold_from(oldest.value_or(FilePin::kNothing));
}

void ReplyIntake::restore(const InboundPart& record, std::uint32_t file, TimePoint now) {
  IncomingPart part;
  part.from = record.from;
  part.to = record.to;
  if (record.alphabet <= static_cast<std::uint8_t>(encoding::Alphabet::ucs2)) {
    part.alphabet = static_cast<encoding::Alphabet>(record.alphabet);
  }
  part.has_header = record.has_header;
  part.fits_no_send = record.fits_no_send;
  part.tie = {.reference = record.reference, .total = record.total, .number = record.number};
  part.user_data.assign(record.user_data.begin(), record.user_data.end());
  const std::uint64_t now_ms = wall_clock_ms();
  const std::chrono::milliseconds age(now_ms - std::min(now_ms, record.time_ms));
  // What this pushes out was given out then: its own record came before.
  (void)reassembly_.add(std::move(part), now - age, file);
  reassembly_.discard_finished();
  pin_files();
}

void ReplyIntake::restore(const InboundCame& came) {
  if (came.parts > 1) {
    reassembly_.forget(std::string(came.from), std::string(came.to), came.reference, came.parts);
  }
  pin_files();
}

ReplyStats ReplyIntake::stats() const {
  ReplyStats stats = stats_;
  stats.unfinished = reassembly_.unfinished();
  return stats;
}

}  // namespace stentor::daemon
