// What queue/ costs in nanoseconds: hand-over between threads, picking from lanes and through the
// disk, waiting for a time, checksums, records.
//
// Ring benches time both threads together: one pushes, one pops, until a million tickets of 16
// octets have gone over; the figure is wall time per ticket. Both ends wait by yielding.
#include <benchmark/benchmark.h>
#include <concurrentqueue/concurrentqueue.h>

#include <array>
#include <boost/lockfree/spsc_queue.hpp>
#include <filesystem>
#include <thread>
#include <vector>

#include "queue/checksum.h"
#include "queue/due_heap.h"
#include "queue/lanes.h"
#include "queue/pacer.h"
#include "queue/record_batch.h"
#include "queue/spill_thread.h"
#include "queue/spsc_ring.h"
#include "queue/timers.h"

namespace {

using namespace stentor::queue;

constexpr std::size_t kTickets = 1'000'000;
constexpr std::size_t kCapacity = 4096;
constexpr std::size_t kBatchMax = 256;
constexpr std::uint32_t kFlows = 10'000;

Ticket ticket(std::uint64_t number) {
  return {Locator(number + 1), static_cast<std::uint32_t>(4'000'000'000 + number % 1000), 7};
}

/// Runs `push` on a thread of its own against `pop` here; each says how many it moved.
template <class Push, class Pop>
void hand_over(benchmark::State& state, Push push, Pop pop) {
  for (auto _ : state) {
    std::thread producer([&] {
      std::array<Ticket, kBatchMax> batch;
      for (std::size_t sent = 0; sent < kTickets;) {
        for (std::size_t i = 0; i < batch.size(); ++i) batch[i] = ticket(sent + i);
        std::size_t offered = 0;
        const std::size_t count = std::min(batch.size(), kTickets - sent);
        while (offered < count) {
          const std::size_t moved = push(std::span(batch).subspan(offered, count - offered));
          if (moved == 0) std::this_thread::yield();
          offered += moved;
        }
        sent += count;
      }
    });
    std::array<Ticket, kBatchMax> batch;
    std::uint64_t sum = 0;
    for (std::size_t got = 0; got < kTickets;) {
      const std::size_t moved = pop(std::span(batch));
      if (moved == 0) std::this_thread::yield();
      for (std::size_t i = 0; i < moved; ++i) sum += batch[i].at.bits();
      got += moved;
    }
    producer.join();
    if (sum != kTickets * (kTickets + 1) / 2) state.SkipWithError("tickets were lost");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kTickets));
}

void ring_one_by_one(benchmark::State& state) {
  SpscRing<Ticket> ring(kCapacity);
  hand_over(
      state,
      [&](std::span<Ticket> values) -> std::size_t {
        return ring.try_push(std::move(values[0])) ? 1 : 0;
      },
      [&](std::span<Ticket> values) -> std::size_t {
        const auto value = ring.try_pop();
        if (!value) return 0;
        values[0] = *value;
        return 1;
      });
}
BENCHMARK(ring_one_by_one)->UseRealTime();

void ring_in_batches(benchmark::State& state) {
  SpscRing<Ticket> ring(kCapacity);
  hand_over(
      state, [&](std::span<Ticket> values) { return ring.try_push_some(values); },
      [&](std::span<Ticket> values) { return ring.try_pop_some(values); });
}
BENCHMARK(ring_in_batches)->UseRealTime();

void boost_lockfree_one_by_one(benchmark::State& state) {
  boost::lockfree::spsc_queue<Ticket> queue(kCapacity);
  hand_over(
      state, [&](std::span<Ticket> values) -> std::size_t { return queue.push(values[0]) ? 1 : 0; },
      [&](std::span<Ticket> values) -> std::size_t { return queue.pop(values[0]) ? 1 : 0; });
}
BENCHMARK(boost_lockfree_one_by_one)->UseRealTime();

void boost_lockfree_in_batches(benchmark::State& state) {
  boost::lockfree::spsc_queue<Ticket> queue(kCapacity);
  hand_over(
      state, [&](std::span<Ticket> values) { return queue.push(values.data(), values.size()); },
      [&](std::span<Ticket> values) { return queue.pop(values.data(), values.size()); });
}
BENCHMARK(boost_lockfree_in_batches)->UseRealTime();

void moodycamel_one_by_one(benchmark::State& state) {
  moodycamel::ConcurrentQueue<Ticket> queue(kCapacity);
  moodycamel::ProducerToken producer(queue);
  moodycamel::ConsumerToken consumer(queue);
  hand_over(
      state,
      [&](std::span<Ticket> values) -> std::size_t {
        return queue.try_enqueue(producer, values[0]) ? 1 : 0;
      },
      [&](std::span<Ticket> values) -> std::size_t {
        return queue.try_dequeue(consumer, values[0]) ? 1 : 0;
      });
}
BENCHMARK(moodycamel_one_by_one)->UseRealTime();

void moodycamel_in_batches(benchmark::State& state) {
  moodycamel::ConcurrentQueue<Ticket> queue(kCapacity);
  moodycamel::ProducerToken producer(queue);
  moodycamel::ConsumerToken consumer(queue);
  hand_over(
      state,
      [&](std::span<Ticket> values) {
        return queue.try_enqueue_bulk(producer, values.data(), values.size()) ? values.size() : 0;
      },
      [&](std::span<Ticket> values) {
        return queue.try_dequeue_bulk(consumer, values.data(), values.size());
      });
}
BENCHMARK(moodycamel_in_batches)->UseRealTime();

// One pick and one push, with a hundred waiting in each of many flows.
void lanes_pick_and_push(benchmark::State& state) {
  Lanes lanes;
  const auto flows = static_cast<Flow>(state.range(0));
  for (std::uint32_t i = 0; i < 100; ++i) {
    for (Flow flow = 0; flow < flows; ++flow) {
      lanes.push(Priority::normal, flow, ticket(i), 0);
    }
  }
  for (auto _ : state) {
    const auto pick = lanes.pop();
    lanes.push(pick->priority, pick->flow, pick->ticket, 0);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(lanes_pick_and_push)->Arg(1)->Arg(100)->Arg(kFlows);

// The same where each message turns out to have ten segments: its flow sits out nine turns.
void lanes_pick_charge_and_push(benchmark::State& state) {
  Lanes lanes;
  const auto flows = static_cast<Flow>(state.range(0));
  for (Flow flow = 0; flow < flows; ++flow) {
    for (std::uint64_t i = 0; i < 4; ++i) lanes.push(Priority::normal, flow, ticket(i), 0);
  }
  for (auto _ : state) {
    const auto pick = lanes.pop();
    lanes.charge(pick->priority, pick->flow, 9);
    lanes.push(pick->priority, pick->flow, pick->ticket, 0);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(lanes_pick_charge_and_push)->Arg(1)->Arg(100)->Arg(kFlows);

// Picks alone: the lanes are filled outside the clock.
void lanes_pick(benchmark::State& state) {
  const auto flows = static_cast<Flow>(state.range(0));
  const std::uint32_t each = 1'000'000 / flows;
  for (auto _ : state) {
    state.PauseTiming();
    auto lanes = std::make_unique<Lanes>();
    for (std::uint32_t i = 0; i < each; ++i) {
      for (Flow flow = 0; flow < flows; ++flow) {
        lanes->push(Priority::normal, flow, ticket(i), 0);
      }
    }
    state.ResumeTiming();
    while (const auto pick = lanes->pop()) benchmark::DoNotOptimize(*pick);
    state.PauseTiming();
    lanes.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(each) * flows);
}
BENCHMARK(lanes_pick)->Arg(1)->Arg(kFlows)->Unit(benchmark::kMillisecond);

// In and out again with most of it on disk: 64 Ki tickets in memory, a million waiting. Wall time
// for one push and one pop, the page cache warm, as it is for a backlog that moves.
void lanes_through_disk(benchmark::State& state) {
  const auto directory = std::filesystem::temp_directory_path() / "stentor-queue-bench";
  const auto files = make_posix_file_system(IoBackend::threads);
  if (!files) return state.SkipWithError("no file system");
  {
    SpillThread io(**files, directory, [] {});
    SpillStore store(io, 0);
    Lanes lanes(store, 65'536);
    for (auto _ : state) {
      for (std::uint64_t i = 0; i < kTickets; ++i) {
        lanes.push(Priority::normal, 1, ticket(i), 0);
        if (i % 16'384 == 0) (void)io.collect();
      }
      for (std::uint64_t i = 0; i < kTickets;) {
        if (const auto pick = lanes.pop()) {
          if (pick->ticket.at.bits() != ++i) return state.SkipWithError("out of order");
        } else if (!io.collect()) {
          std::this_thread::yield();
        }
      }
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kTickets));
}
BENCHMARK(lanes_through_disk)->UseRealTime()->Unit(benchmark::kMillisecond);

// A million scheduled over an hour, then all that fall due, second by second: per message.
void timers_push_and_pop(benchmark::State& state) {
  std::uint64_t random = 1;
  std::int64_t begin = 0;
  for (auto _ : state) {
    Timers timers;
    for (std::uint64_t i = 0; i < kTickets; ++i) {
      random = random * 6364136223846793005 + 1442695040888963407;
      const auto due = begin + static_cast<std::int64_t>((random >> 32) % 3'600'000);
      timers.push(due, Priority::normal, static_cast<Flow>(i % 100), ticket(i));
    }
    std::size_t popped = 0;
    for (std::int64_t now = begin; popped < kTickets; now += 1000) {
      while (timers.pop_due(now)) ++popped;
    }
    begin += 3'700'000;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kTickets));
}
BENCHMARK(timers_push_and_pop)->Unit(benchmark::kMillisecond);

void due_heap_push_and_pop(benchmark::State& state) {
  DueHeap heap;
  std::uint64_t random = 1;
  const auto due = [&] {
    random = random * 6364136223846793005 + 1442695040888963407;
    return static_cast<std::int64_t>(random >> 40);
  };
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    heap.push(due(), Priority::normal, 1, ticket(static_cast<std::uint64_t>(i)));
  }
  for (auto _ : state) {
    const auto entry = heap.pop_due(std::int64_t{1} << 40);
    heap.push(due(), entry->priority, entry->flow, entry->ticket);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(due_heap_push_and_pop)->Arg(1'000)->Arg(1'000'000);

void pacer_take(benchmark::State& state) {
  Pacer::TimePoint now{};
  Pacer pacer(1'000'000, now);
  for (auto _ : state) {
    now += std::chrono::microseconds(1);
    const std::uint32_t count = pacer.available(now);
    pacer.take(count, now);
    benchmark::DoNotOptimize(count);
  }
}
BENCHMARK(pacer_take);

void batch_add(benchmark::State& state) {
  const std::vector<std::uint8_t> payload(static_cast<std::size_t>(state.range(0)), 0x5a);
  RecordBatch batch(kBatchOctetsMax);
  for (auto _ : state) {
    if (batch.octets().size() + payload.size() + 4 > kBatchOctetsMax) batch.clear();
    benchmark::DoNotOptimize(batch.add(1, payload));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(batch_add)->Arg(200);

void checksum(benchmark::State& state) {
  const std::vector<std::uint8_t> octets(static_cast<std::size_t>(state.range(0)), 0x5a);
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(octets));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(checksum)->Arg(200)->Arg(4096)->Arg(256 << 10);

}  // namespace

BENCHMARK_MAIN();
