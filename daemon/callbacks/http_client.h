// Many HTTP POSTs at once, from one thread: libcurl's multi interface behind a small face.
//
// Only http and https, no redirects, no proxy, certificates verified; names are looked up beside
// this thread, and every address is shown to the guard before that very one is connected to; an
// answer is cut after 64 KiB, its status counts.
//
// Units    Octets; times are std::chrono.
// Owns     The connections, kept alive between requests.
// Errors   An outcome says what went wrong, in words fit for a log.
// Threads  One thread; wake() from any.
// Spec     RFC 9110
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/callbacks/address_guard.h"
#include "daemon/callbacks/name_lookup.h"

namespace stentor::daemon {

struct HttpRequest {
  std::string url;
  std::string body;
  std::vector<std::string> headers;           ///< "Name: value"
  std::chrono::milliseconds timeout{10'000};  ///< for all of it
};

struct HttpOutcome {
  bool well = false;  ///< any 2xx
  long status = 0;    ///< 0: there was no answer
  std::string why;    ///< when not well
};

class HttpClient {
 public:
  using OnDone = std::function<void(std::uint64_t token, const HttpOutcome&)>;

  /// Of what a resolver takes for the first of its servers, or for all: whoever waits longer for a
  /// name fares better by trying again.
  static constexpr std::chrono::milliseconds kLookUpWithin{5000};

  /// `find` is called on threads of its own. Throws std::runtime_error when libcurl cannot start.
  HttpClient(const AddressGuard& guard, std::string ca, OnDone on_done,
             NameLookup::Find find = find_by_resolver);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void start(std::uint64_t token, HttpRequest request);
  /// Works for at most `time`, calls on_done for what has ended, and returns early when woken.
  void run(std::chrono::milliseconds time);
  void wake();

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace stentor::daemon
