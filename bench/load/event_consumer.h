// Reads the daemon's events as an upstream program would, counts them and acknowledges them.
//
// Units    Events.
// Owns     A connection and a thread.
// Errors   A stream that cannot be opened throws std::runtime_error from the constructor; one that
//          ends early just ends: the counts say what came.
// Threads  Any; it locks.
// Spec     docs/protocol.md, "events".
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace stentor::load {

class EventConsumer {
 public:
  /// A new consumer of that name sees what happens from now on, or what there is from the oldest
  /// event on.
  enum class From : std::uint8_t { now, oldest };
  EventConsumer(const std::string& socket, std::string_view name, From from = From::now);
  /// Ends the stream.
  ~EventConsumer();
  EventConsumer(const EventConsumer&) = delete;
  EventConsumer& operator=(const EventConsumer&) = delete;

  struct Sight {
    std::uint64_t events = 0;
    std::uint64_t delivered = 0;
    std::uint64_t finals = 0;
    std::chrono::steady_clock::time_point last_final;
    bool has_ended = false;
  };
  [[nodiscard]] Sight sight();
  /// False when none came for `patience`.
  [[nodiscard]] bool wait_for_finals(std::uint64_t finals, std::chrono::seconds patience);

 private:
  void read_all();
  [[nodiscard]] bool take_lines();
  void on_line(std::string_view line, Sight& counted);

  int socket_;
  std::string pending_;
  std::string cursor_;  ///< of the last event read
  std::mutex lock_;
  Sight sight_;
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace stentor::load
