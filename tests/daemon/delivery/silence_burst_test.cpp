// More messages fall silent at one moment than one turn of the carrier speaks for.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "daemon/tracking/outstanding.h"
#include "tests/daemon/delivery/owned_time.h"

namespace stentor::daemon {
namespace {

using SilenceBurst = test::OwnedTime;

// The index is looked through a share a second: ids that all lie in the first share.
std::vector<std::string> ids_of_the_first_second(const CarrierConfig& config, std::size_t count) {
  constexpr std::size_t kMapsOfASecond = Outstanding::kMaps / 64;
  const Outstanding index(tracker_setup_of(config, 1).secret, 0);  // the seed of RecoveredCarrier
  std::vector<std::string> ids;
  for (std::uint64_t number = 1; ids.size() < count; ++number) {
    std::string id = "id-" + std::to_string(number);
    if (index.fingerprint(id).high % Outstanding::kMaps < kMapsOfASecond) {
      ids.push_back(std::move(id));
    }
  }
  return ids;
}

TEST_F(SilenceBurst, AllAreToldWithoutAnotherStimulus) {
  constexpr std::size_t kMessages = 3000;
  constexpr std::uint32_t kExpires = kSecond + 10;
  constexpr std::uint64_t kMargin = 3600;
  ASSERT_GT(kMessages, 2 * TrackerSetup{}.silent_at_once);
  const auto places = accept(kMessages, kExpires);
  const auto ids = ids_of_the_first_second(known_.config.carriers[0], kMessages);
  std::vector<std::uint64_t> live;
  for (std::size_t i = 0; i < kMessages; ++i) {
    carrier().restore_outstanding({.message_id = ids[i],
                                   .of = {.accepted = places[i],
                                          .subject = {},
                                          .time_ms = kBegin,
                                          .possible_duplicate = false},
                                   .expires = kExpires});
    live.push_back(places[i].bits());
  }
  std::ranges::sort(live);
  carrier().keep_outstanding_of(live, {});
  ASSERT_EQ(carrier().snapshot().outstanding, kMessages);

  // Their time and the margin have passed: one call, as of the timer, in one moment.
  clock_.set((kExpires + kMargin + 120) * 1000);
  carrier().pump();
  settle();
  EXPECT_EQ(carrier().snapshot().stats.messages_unknown, kMessages);
  std::size_t told = 0;
  read_journal([&](const queue::Record& record) {
    if (static_cast<RecordKind>(record.kind) != RecordKind::verdict) return;
    const auto verdict = decode_verdict(record.payload);
    ASSERT_TRUE(verdict.has_value());
    EXPECT_EQ(verdict->of.state, State::unknown);
    ++told;
  });
  EXPECT_EQ(told, kMessages) << "each once";
}

}  // namespace
}  // namespace stentor::daemon
