// Each test with two threads yields where it would wait: it never needs a core to itself.
#include "queue/spsc_ring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/queue/random_numbers.h"

namespace stentor::queue::test {
namespace {

using Value = std::unique_ptr<std::uint64_t>;

Value value(std::uint64_t number) {
  return std::make_unique<std::uint64_t>(number);
}

TEST(SpscRing, IsFullAtItsCapacityAndLeavesTheValueUntouched) {
  SpscRing<Value> ring(4);
  for (std::uint64_t i = 0; i < 4; ++i) ASSERT_TRUE(ring.try_push(value(i)));
  Value more = value(4);

  EXPECT_FALSE(ring.try_push(std::move(more)));

  ASSERT_NE(more, nullptr);
  EXPECT_EQ(*more, 4u);
  EXPECT_EQ(ring.size_hint(), 4u);
}

TEST(SpscRing, GivesValuesInTheOrderTheyCame) {
  SpscRing<Value> ring(4);
  EXPECT_FALSE(ring.try_pop());
  for (std::uint64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(ring.try_push(value(i)));
    const auto popped = ring.try_pop();
    ASSERT_TRUE(popped);
    EXPECT_EQ(**popped, i);
  }
}

TEST(SpscRing, TakesOfABatchWhatFits) {
  SpscRing<Value> ring(4);
  std::vector<Value> in;
  for (std::uint64_t i = 0; i < 6; ++i) in.push_back(value(i));
  std::vector<Value> out(10);

  EXPECT_EQ(ring.try_push_some(in), 4u);
  EXPECT_EQ(ring.try_push_some(std::span(in).subspan(4)), 0u);
  EXPECT_NE(in[4], nullptr);
  EXPECT_EQ(ring.try_pop_some(std::span(out).first(3)), 3u);
  EXPECT_EQ(ring.try_push_some(std::span(in).subspan(4)), 2u);
  EXPECT_EQ(ring.try_pop_some(std::span(out).subspan(3)), 3u);

  for (std::uint64_t i = 0; i < 6; ++i) EXPECT_EQ(*out[i], i);
  EXPECT_EQ(ring.try_pop_some(out), 0u);
}

TEST(SpscRing, DestroysWhatIsLeft) {
  const auto counted = std::make_shared<int>(1);
  {
    SpscRing<std::shared_ptr<int>> ring(8);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(ring.try_push(std::shared_ptr<int>(counted)));
    (void)ring.try_pop();
    EXPECT_EQ(counted.use_count(), 5);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

// A history is linearizable for one producer and one consumer exactly when values come out in the
// order they went in, none twice and none missing, and when every refusal was true at some moment
// between call and answer: "full" needs a ring that was full, "empty" one that was empty. Each
// thread publishes how far it is around every call, and the other holds refusals against that.
TEST(SpscRing, AnswersAsOneRingWouldWhateverTheInterleaving) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::size_t capacity = std::size_t{1} << seed % 6;
    constexpr std::uint64_t kValues = 20'000;
    SpscRing<Value> ring(capacity);
    std::atomic<std::uint64_t> pushing{0};  // begun
    std::atomic<std::uint64_t> pushed{0};   // answered
    std::atomic<std::uint64_t> popped{0};
    std::atomic<int> wrong{0};

    std::thread producer([&] {
      RandomNumbers random(seed);
      std::vector<Value> batch;
      for (std::uint64_t sent = 0; sent < kValues;) {
        batch.clear();
        const std::uint64_t count = std::min(1 + random.below(9), kValues - sent);
        for (std::uint64_t i = 0; i < count; ++i) batch.push_back(value(sent + i));
        const std::uint64_t popped_before = popped.load();
        pushing.store(sent + count);
        const std::size_t moved = count == 1 ? std::size_t{ring.try_push(std::move(batch[0]))}
                                             : ring.try_push_some(batch);
        // Refused: at some moment the ring held `capacity`, so no more than this was popped.
        if (moved < count && sent + moved < popped_before + capacity) ++wrong;
        sent += moved;
        pushed.store(sent);
        if (moved < count || random.one_in(50)) std::this_thread::yield();
      }
    });
    std::thread consumer([&] {
      RandomNumbers random(seed + 1000);
      std::vector<Value> batch(9);
      for (std::uint64_t got = 0; got < kValues;) {
        const std::uint64_t wanted = 1 + random.below(9);
        const std::uint64_t pushed_before = pushed.load();
        std::size_t moved = 0;
        if (wanted == 1) {
          if (auto one = ring.try_pop()) {
            batch[0] = std::move(*one);
            moved = 1;
          }
        } else {
          moved = ring.try_pop_some(std::span(batch).first(wanted));
        }
        // Came up short: at some moment the ring was empty, so no more than this was pushed.
        if (moved < wanted && got + moved < std::min(pushed_before, got + wanted)) ++wrong;
        for (std::size_t i = 0; i < moved; ++i) {
          if (*batch[i] != got + i || got + i >= pushing.load()) ++wrong;
        }
        got += moved;
        popped.store(got);
        if (moved < wanted || random.one_in(50)) std::this_thread::yield();
      }
    });
    producer.join();
    consumer.join();

    EXPECT_EQ(wrong, 0);
    EXPECT_FALSE(ring.try_pop());
  }
}

}  // namespace
}  // namespace stentor::queue::test
