#include "encoding/segmenter.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "encoding/capacity.h"
#include "encoding/cutter.h"
#include "encoding/octet_alphabets.h"
#include "encoding/rewriting.h"
#include "encoding/shift_choice.h"
#include "encoding/text_survey.h"
#include "encoding/utf8.h"

namespace stentor::encoding {

namespace {

constexpr std::array kUsualAlphabets{Alphabet::gsm7, Alphabet::ucs2};

bool is_gsm(Alphabet alphabet) noexcept {
  return alphabet == Alphabet::gsm7 || alphabet == Alphabet::gsm7_packed;
}

// A text that was read once.
struct Reading {
  std::string_view text{};
  GsmAsciiRun run{};
  TextSurvey survey{};
};

std::optional<EncodingError> read(Reading& reading, std::string_view text) noexcept {
  reading.text = text;
  reading.run = gsm_ascii_run(text);
  if (!text.empty() && reading.run.octets == text.size()) {
    reading.survey = {.code_points = text.size(), .utf16_units = text.size()};
    return std::nullopt;
  }
  const auto surveyed = survey(text);
  if (!surveyed) return surveyed.error();
  reading.survey = *surveyed;
  return std::nullopt;
}

// Each of these says how far an alphabet carries a text, and if that is to its end, how long it is
// in that alphabet. They fill in what the caller has: copied about, structs of small fields cost
// more than what is done with them.

std::size_t fit_gsm(Carriage& carriage, const Reading& reading) noexcept {
  std::size_t carried = reading.run.octets;
  std::size_t septets = carried + reading.run.extended;
  while (carried < reading.text.size()) {
    const CodePoint next = code_point_at(reading.text, carried);
    const GsmCode code = default_code_of(next.value);
    if (!code.exists()) return carried;
    septets += code.septets();
    carried += next.octets;
  }
  carriage.units = septets;
  carriage.unit_per_octet = reading.run.octets == carried && septets == carried;
  return carried;
}

template <class Has>
std::size_t fit_octets(Carriage& carriage, const Reading& reading, Has has) noexcept {
  std::size_t carried = reading.run.octets;
  while (carried < reading.text.size()) {
    const CodePoint next = code_point_at(reading.text, carried);
    if (!has(next.value)) return carried;
    carried += next.octets;
  }
  carriage.units = reading.survey.code_points;
  carriage.unit_per_octet = reading.survey.code_points == carried;
  return carried;
}

std::size_t fit(Carriage& carriage, const Reading& reading) noexcept {
  switch (carriage.alphabet) {
    case Alphabet::gsm7:
    case Alphabet::gsm7_packed: return fit_gsm(carriage, reading);
    case Alphabet::latin1: return fit_octets(carriage, reading, is_latin1);
    case Alphabet::ascii: return fit_octets(carriage, reading, is_ascii);
    case Alphabet::ucs2: break;
  }
  carriage.units = reading.survey.utf16_units;
  carriage.unit_per_octet = reading.survey.utf16_units == reading.text.size();
  return reading.text.size();
}

// One way to send a text, and its price.
struct Offer {
  bool exists = false;
  std::size_t preference = 0;  // index in the list of alphabets
  Carriage carriage{};
  Cuts cuts{};
};

// With national tables: fewest segments; then the shorter header, as fewer handsets know each
// table; then no locking shift, as a handset that does not know it garbles every letter of it.
void offer_shifted(Offer& best, const Reading& reading, Alphabet alphabet,
                   const PlanOptions& options, const ShiftChoices& choices) {
  const auto price = [](const Carriage& carriage, std::size_t segments) {
    const Shifts shifts = carriage.shifts;
    return std::tuple(segments, header_octets(shifts, false, Concatenation::udh8),
                      shifts.locking != NationalLanguage::none, carriage.units);
  };
  for (const ShiftedLength& choice : choices.possible) {
    const Carriage carriage{.alphabet = alphabet, .shifts = choice.shifts, .units = choice.septets};
    const Capacity capacity = capacity_of(alphabet, choice.shifts, options.concatenation);
    const Cuts cuts = cut(reading.text, carriage, capacity, nullptr);
    if (best.exists && price(carriage, cuts.segments) >= price(best.carriage, best.cuts.segments)) {
      continue;
    }
    best = {true, best.preference, carriage, cuts};
  }
}

// What `alphabet` offers. Returns how far it carries the text.
std::size_t make_offer(Offer& offer, const Reading& reading, Alphabet alphabet,
                       const PlanOptions& options) {
  offer.carriage.alphabet = alphabet;
  std::size_t carried = fit(offer.carriage, reading);
  if (carried == reading.text.size()) {
    offer.exists = true;
    offer.cuts = cut(reading.text, offer.carriage, capacity_of(alphabet, {}, options.concatenation),
                     nullptr);
  }
  if (is_gsm(alphabet) && !options.national.is_empty() &&
      (!offer.exists || offer.cuts.segments > 1)) {
    const ShiftChoices choices = shift_choices(reading.text, options.national);
    offer_shifted(offer, reading, alphabet, options, choices);
    carried = std::max(carried, choices.carried);
  }
  return carried;
}

struct Offers {
  Offer best;
  std::size_t carried = 0;  // by the first alphabet: up to what forced another
};

std::span<const Alphabet> alphabets_of(const PlanOptions& options) noexcept {
  return options.alphabets.empty() ? std::span<const Alphabet>(kUsualAlphabets) : options.alphabets;
}

void compare_offers(Offers& offers, const Reading& reading, const PlanOptions& options) {
  const auto alphabets = alphabets_of(options);
  const bool resort =
      !options.strict && std::ranges::find(alphabets, Alphabet::ucs2) == alphabets.end();
  offers.carried = reading.text.size();
  for (std::size_t at = 0; at < alphabets.size() + (resort ? 1u : 0u); ++at) {
    const Alphabet alphabet = at < alphabets.size() ? alphabets[at] : Alphabet::ucs2;
    const bool first = !offers.best.exists;
    // UCS-2 holds fewer characters than GSM-7 at its worst, two septets each: no need to look.
    if (!first && alphabet == Alphabet::ucs2 && is_gsm(offers.best.carriage.alphabet)) continue;
    if (first) {
      offers.best.preference = at;
      const std::size_t carried = make_offer(offers.best, reading, alphabet, options);
      if (at == 0) offers.carried = carried;
    } else {
      Offer other{.preference = at};
      (void)make_offer(other, reading, alphabet, options);
      if (other.exists && other.cuts.segments < offers.best.cuts.segments) {
        offers.best = other;
      }
    }
    if (offers.best.exists && offers.best.cuts.segments == 1) break;
  }
}

// A text in other words, and the best offer for it.
struct Rewording {
  Rewritten said;
  Offers offers;
};

// Lower is better; nothing to offer is the worst.
std::size_t segments_of(const Offer& offer) noexcept {
  return offer.exists ? offer.cuts.segments : SIZE_MAX;
}

bool reword(Rewording& rewording, Rewritten&& said, const PlanOptions& options) {
  if (said.changes.empty()) return false;
  rewording.said = std::move(said);
  Reading reading;
  if (read(reading, rewording.said.text)) return false;  // nothing is left of it
  compare_offers(rewording.offers, reading, options);
  return rewording.offers.best.exists;
}

// Composed where that saves a segment or a unit, or keeps the text in an earlier alphabet.
void try_composed(std::optional<Rewording>& chosen, std::string_view text, const Offer& so_far,
                  const PlanOptions& options) {
  Rewording composed;
  if (!reword(composed, compose(text), options)) return;
  const Offer& offer = composed.offers.best;
  const auto rank = [](const Offer& one) { return std::tuple(segments_of(one), one.preference); };
  const bool shorter = rank(offer) == rank(so_far) && offer.carriage.units < so_far.carriage.units;
  if (rank(offer) < rank(so_far) || shorter) chosen = std::move(composed);
}

// In the words of each alphabet that is allowed, where that saves a segment.
void try_replaced(std::optional<Rewording>& chosen, std::string_view text,
                  std::size_t segments_so_far, const PlanOptions& options) {
  const auto consider = [&](Rewritten&& said, const PlanOptions& narrowed, std::size_t preference) {
    Rewording other;
    if (!reword(other, std::move(said), narrowed)) return;
    if (segments_of(other.offers.best) >= segments_so_far) return;
    segments_so_far = segments_of(other.offers.best);
    other.offers.best.preference = preference;
    chosen = std::move(other);
  };
  const auto alphabets = alphabets_of(options);
  for (std::size_t at = 0; at < alphabets.size(); ++at) {
    if (alphabets[at] == Alphabet::ucs2) continue;
    PlanOptions narrowed = options;
    narrowed.alphabets = alphabets.subspan(at, 1);
    narrowed.strict = true;
    if (is_gsm(alphabets[at]) && !options.national.is_empty()) {
      consider(rewrite(text, options.replacement, {alphabets[at], options.national}), narrowed, at);
    }
    consider(rewrite(text, options.replacement, {alphabets[at], {}}), narrowed, at);
  }
  const bool ucs2 =
      !options.strict || std::ranges::find(alphabets, Alphabet::ucs2) != alphabets.end();
  if (ucs2 && segments_so_far > 1) {
    constexpr std::array kUcs2{Alphabet::ucs2};
    PlanOptions narrowed = options;
    narrowed.alphabets = kUcs2;
    const auto found = std::ranges::find(alphabets, Alphabet::ucs2) - alphabets.begin();
    consider(without_invisible(text), narrowed, static_cast<std::size_t>(found));
  }
}

// Where in the text as it was given the octet `offset` of the text as it is sent comes from.
std::size_t original_offset(std::size_t offset, const std::vector<Replaced>& changes) noexcept {
  std::size_t shift_original = 0;  // octets that the changes so far took, and gave
  std::size_t shift_sent = 0;
  for (const Replaced& change : changes) {
    const std::size_t sent_at = change.offset - shift_original + shift_sent;
    if (offset < sent_at) break;
    if (offset < sent_at + change.to.size()) return change.offset;
    shift_original += change.from.size();
    shift_sent += change.to.size();
  }
  return offset - shift_sent + shift_original;
}

ForcedBy forced_by(std::string_view text, std::size_t offset) {
  const CodePoint forcing = code_point_at(text, offset);
  // With the character itself, less the cluster it is in.
  const std::size_t index = count_characters(text.substr(0, offset + forcing.octets)) - 1;
  return {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(index), forcing.value};
}

// One part, whatever its length; its price is what the carrier will cut it into.
bool make_payload(Plan& plan, std::size_t sent_octets) {
  const std::size_t octets =
      plan.alphabet == Alphabet::ucs2 ? std::size_t{2} * plan.units : plan.units;
  if (octets +
          header_octets({plan.locking_shift, plan.single_shift}, false, Concatenation::payload) >
      kPayloadOctets) {
    return false;
  }
  plan.parts.push_back(
      {0, static_cast<std::uint32_t>(sent_octets), static_cast<std::uint16_t>(plan.units)});
  return true;
}

// Most texts: ASCII of the GSM alphabet, one segment, and nothing to choose.
bool plan_plainly(Plan& plan, std::string_view text, const PlanOptions& options) noexcept {
  constexpr std::size_t kSeptets = capacity_of(Alphabet::gsm7, {}, Concatenation::udh8).alone;
  if (text.empty() || text.size() > kSeptets || options.segments_max == 0) return false;
  if (alphabets_of(options).front() != Alphabet::gsm7) return false;
  const GsmAsciiRun run = gsm_ascii_run(text);
  const std::size_t septets = run.octets + run.extended;
  if (run.octets != text.size() || septets > kSeptets) return false;
  plan.units = static_cast<std::uint32_t>(septets);
  plan.parts.push_back(
      {0, static_cast<std::uint32_t>(text.size()), static_cast<std::uint16_t>(septets)});
  return true;
}

// Fills in `plan`, or says why it cannot.
std::optional<EncodingError> make_plan(Plan& plan, std::string_view text,
                                       const PlanOptions& options) {
  if (text.size() > UINT32_MAX) {
    return EncodingError{EncodingFault::too_many_segments, 0, UINT32_MAX};
  }
  if (plan_plainly(plan, text, options)) return std::nullopt;
  Reading reading;
  if (const auto error = read(reading, text)) return error;

  Offers offers;
  compare_offers(offers, reading, options);
  std::optional<Rewording> chosen;
  std::size_t forced_at = offers.carried;
  if (reading.survey.may_compose) try_composed(chosen, text, offers.best, options);
  if (chosen) forced_at = original_offset(chosen->offers.carried, chosen->said.changes);
  const std::size_t so_far = segments_of(chosen ? chosen->offers.best : offers.best);
  if (options.replacement != Replacement::none && so_far > 1) {
    try_replaced(chosen, text, so_far, options);
  }
  const Offer& best = chosen ? chosen->offers.best : offers.best;
  if (!best.exists) {
    return EncodingError{EncodingFault::not_encodable, static_cast<std::uint32_t>(forced_at)};
  }

  plan.alphabet = best.carriage.alphabet;
  plan.locking_shift = best.carriage.shifts.locking;
  plan.single_shift = best.carriage.shifts.single;
  plan.units = static_cast<std::uint32_t>(best.carriage.units);
  plan.segments = static_cast<std::uint32_t>(best.cuts.segments);
  plan.cut_inside_cluster = best.cuts.inside_cluster;
  if (best.cuts.segments > std::min(options.segments_max, kSegmentsMax)) {
    return EncodingError{EncodingFault::too_many_segments, 0, plan.segments};
  }
  const std::string_view sent = chosen ? std::string_view(chosen->said.text) : text;
  if (best.cuts.segments == 1 && options.concatenation != Concatenation::payload) {
    plan.parts.push_back(
        {0, static_cast<std::uint32_t>(sent.size()), static_cast<std::uint16_t>(plan.units)});
  } else if (options.concatenation != Concatenation::payload) {
    const Capacity capacity =
        capacity_of(plan.alphabet, best.carriage.shifts, options.concatenation);
    (void)cut(sent, best.carriage, capacity, &plan.parts);
  } else if (!make_payload(plan, sent.size())) {
    return EncodingError{EncodingFault::too_many_segments, 0, plan.segments};
  }
  if (best.preference != 0 && forced_at < text.size()) plan.forced_by = forced_by(text, forced_at);
  if (chosen) {
    plan.replaced = std::move(chosen->said.text);
    plan.replacements = std::move(chosen->said.changes);
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Alphabet alphabet) noexcept {
  switch (alphabet) {
    case Alphabet::gsm7: return "gsm7";
    case Alphabet::gsm7_packed: return "gsm7_packed";
    case Alphabet::latin1: return "latin1";
    case Alphabet::ascii: return "ascii";
    case Alphabet::ucs2: return "ucs2";
  }
  return "";
}

result<Plan> plan(std::string_view text, const PlanOptions& options) {
  result<Plan> planned;
  if (const auto error = make_plan(*planned, text, options)) planned = std::unexpected(*error);
  return planned;
}

}  // namespace stentor::encoding
