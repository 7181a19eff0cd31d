// Who may post to a host that takes only so many requests at once: those who wait for it have their
// turns in the order in which they came, one request each, so that nobody's backlog starves
// another.
//
// Units    Requests.
// Owns     The hosts that are in use, and for each those who wait for it.
// Errors   None.
// Threads  One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stentor::daemon {

class HostTurns {
 public:
  using Who = const void*;

  explicit HostTurns(std::uint32_t in_flight_max) : in_flight_max_(in_flight_max) {}

  /// One looks for something to post; may_post() asks for it until the next look().
  void look(Who who);
  /// Whether it may post to the host now. If not it waits, as long as it asks at each look.
  [[nodiscard]] bool may_post(std::string_view host);
  /// It posts, and has had its turn.
  void on_posted(std::string_view host);
  /// It has nothing more to post now. True: it had a turn that it did not use, or does not ask any
  /// more for, so that others may have to be asked again.
  [[nodiscard]] bool end_look();
  /// A request to the host is over.
  void on_done(std::string_view host);

  [[nodiscard]] std::size_t hosts() const noexcept { return hosts_.size(); }

 private:
  struct Host {
    std::uint32_t in_flight = 0;
    std::deque<Who> waiting;
  };
  using Hosts = std::map<std::string, Host, std::less<>>;
  bool leave(std::string_view host, Who who);
  void forget_unused(Hosts::iterator host);

  const std::uint32_t in_flight_max_;
  Hosts hosts_;
  std::map<Who, std::vector<std::string>> waits_for_;
  Who looking_ = nullptr;
  std::vector<std::string> refused_;  // in this look
};

}  // namespace stentor::daemon
