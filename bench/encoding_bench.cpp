// What does a text cost to plan and to encode?
//
// Timed      plan() and encode_part() of every part, one text an iteration, the same text again.
// Not timed  the first use of ICU on a thread; reading the text from anywhere.
// Reads as   ns an iteration; hot caches, one thread. `segments` says how many it was. Goals: one
//            segment of ASCII under 100 ns, one of Cyrillic under 150 ns, five of mixed text with
//            emoji under 3 us. tests/encoding/allocation_test.cpp proves that none allocates.
#include <benchmark/benchmark.h>

#include <array>
#include <string>

#include "encoding/decoder.h"
#include "encoding/segmenter.h"

namespace stentor::encoding {
namespace {

const std::string kAscii =
    "Your order 20417 has left the warehouse and will be with you tomorrow between 10 and 14. "
    "Track it at example.com/t/20417 or reply STOP to get no more of these.";
const std::string kCyrillic = "Ваш заказ 20417 передан курьеру, ждите его завтра с 10 до 14.";
const std::string kAccented =
    "Votre commande 20417 est prête à être expédiée; suivez-la sur example.com/é où vous voulez.";
// clang-format off: it counts these characters differently each time it looks.
const std::string kMixed =
    "Привет! 👋 Ваш заказ №20417 уже в пути 🚚, курьер приедет завтра с 10 до 14. Пожалуйста, "
    "приготовьте документы и код 7741 — без них посылку не отдадут 🙏🏽. Если планы изменились, "
    "ответьте или позвоните: 8 800 555-35-35 ☎️. Спасибо, что Вы с нами! ❤️ "
    "Ваша команда SHOP 👩‍💻👨‍💻. P.S. Скидка 10% по коду SPRING до конца месяца 🌸🌸🌸";
// clang-format on
const std::string kHindi = "आपका ऑर्डर 20417 रवाना हो चुका है और कल 10 से 14 बजे के बीच पहुँचेगा।";

void plan_and_encode(benchmark::State& state, const std::string& text, const PlanOptions& options) {
  std::array<std::uint8_t, kPartOctetsMax> out{};
  std::size_t segments = 0;
  for (auto _ : state) {
    const auto planned = plan(text, options);
    segments = planned->parts.size();
    for (std::size_t part = 0; part < segments; ++part) {
      const Tie tie{7, static_cast<std::uint8_t>(segments), static_cast<std::uint8_t>(part + 1)};
      benchmark::DoNotOptimize(encode_part(text, *planned, part, options.concatenation, tie, out));
    }
    benchmark::ClobberMemory();
  }
  state.counters["segments"] = static_cast<double>(segments);
}

PlanOptions transliterating() {
  PlanOptions options;
  options.replacement = Replacement::transliterate;
  return options;
}

PlanOptions with_hindi() {
  PlanOptions options;
  options.national.allow(NationalLanguage::hindi);
  return options;
}

void count(benchmark::State& state, const std::string& text) {
  for (auto _ : state) benchmark::DoNotOptimize(count_characters(text));
}

void decode(benchmark::State& state, const std::string& text) {
  const Plan planned = plan(text, {}).value();
  std::array<std::uint8_t, kPartOctetsMax> out{};
  const auto encoded = encode_part(text, planned, 0, Concatenation::sar, {}, out);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        decode_part(planned.alphabet, std::span(out).first(encoded.octets), false));
  }
}

BENCHMARK_CAPTURE(plan_and_encode, ascii_one_segment, kAscii, PlanOptions{});
BENCHMARK_CAPTURE(plan_and_encode, ascii_five_segments, kAscii + kAscii + kAscii + kAscii,
                  PlanOptions{});
BENCHMARK_CAPTURE(plan_and_encode, cyrillic_one_segment, kCyrillic, PlanOptions{});
BENCHMARK_CAPTURE(plan_and_encode, accented_one_segment, kAccented, PlanOptions{});
BENCHMARK_CAPTURE(plan_and_encode, mixed_five_segments, kMixed, PlanOptions{});
BENCHMARK_CAPTURE(plan_and_encode, hindi, kHindi, PlanOptions{});
BENCHMARK_CAPTURE(plan_and_encode, hindi_national, kHindi, with_hindi());
BENCHMARK_CAPTURE(plan_and_encode, cyrillic_transliterated, kCyrillic + kCyrillic,
                  transliterating());
BENCHMARK_CAPTURE(count, mixed, kMixed);
BENCHMARK_CAPTURE(decode, ascii, kAscii);
BENCHMARK_CAPTURE(decode, cyrillic, kCyrillic);

}  // namespace
}  // namespace stentor::encoding
