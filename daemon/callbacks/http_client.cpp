#include "daemon/callbacks/http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/version.h"

namespace stentor::daemon {
namespace {

// Nobody reads the answer; what is longer comes from a server that means no good.
constexpr std::size_t kAnswerOctetsMax = 64u << 10;
constexpr std::chrono::milliseconds kConnectWithin{5000};

using Clock = std::chrono::steady_clock;

struct Transfer {
  std::uint64_t token = 0;
  HttpRequest request;
  const AddressGuard* guard = nullptr;
  curl_slist* headers = nullptr;
  curl_slist* resolved = nullptr;  ///< libcurl looks nothing up
  std::size_t answer_octets = 0;
  bool is_refused = false;  ///< by the guard
  bool is_cut = false;
};

curl_socket_t open_socket(void* context, curlsocktype /*purpose*/, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (!transfer.guard->allows(address->addr)) {
    transfer.is_refused = true;
    errno = EACCES;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t take_answer(char* /*octets*/, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  transfer.answer_octets += size * count;
  if (transfer.answer_octets <= kAnswerOctetsMax) return size * count;
  transfer.is_cut = true;
  return 0;  // libcurl ends the transfer
}

HttpOutcome outcome_of(const Transfer& transfer, CURL* easy, CURLcode code) {
  HttpOutcome outcome;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &outcome.status);
  if (transfer.is_refused && outcome.status == 0) {
    outcome.why = "its address is private, and [callbacks] allow does not name it";
  } else if (code != CURLE_OK && !transfer.is_cut) {
    outcome.status = 0;
    outcome.why = curl_easy_strerror(code);
  } else if (outcome.status >= 300 && outcome.status < 400) {
    outcome.why = fmt::format("HTTP status {}: redirects are not followed", outcome.status);
  } else if (outcome.status < 200 || outcome.status >= 300) {
    outcome.why = fmt::format("HTTP status {}", outcome.status);
  } else {
    outcome.well = true;
  }
  return outcome;
}

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> octets{};
  return host.starts_with('[') || ::inet_pton(AF_INET, host.c_str(), octets.data()) == 1;
}

/// As libcurl reads it, so that both speak of the same host.
struct Host {
  std::string name;  ///< empty: an address, or none
  std::string port;
};
Host host_of(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  Host host;
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
    return host;
  host.name = part_of(parsed.get(), CURLUPART_HOST);
  host.port = part_of(parsed.get(), CURLUPART_PORT);
  if (is_address(host.name)) host.name.clear();
  return host;
}

// "+": libcurl forgets it after a minute, as it does what it has looked up itself.
std::string resolved(const Host& host, const std::vector<std::string>& addresses) {
  return fmt::format("+{}:{}:{}", host.name, host.port, fmt::join(addresses, ","));
}

}  // namespace

class HttpClient::Body {
 public:
  Body(const AddressGuard& guard, std::string ca, OnDone on_done, NameLookup::Find find)
      : guard_(guard), ca_(std::move(ca)), on_done_(std::move(on_done)) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) multi_ = curl_multi_init();
    if (multi_ == nullptr) throw std::runtime_error("callbacks: libcurl does not start");
    names_ = std::make_unique<NameLookup>(std::move(find), [this] { wake(); });
  }
  ~Body() {
    names_.reset();  // whoever finds something now wakes nobody
    for (auto& [easy, transfer] : transfers_) {
      curl_multi_remove_handle(multi_, easy);
      release(easy, *transfer);
    }
    curl_multi_cleanup(multi_);
  }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  void start(std::uint64_t token, HttpRequest request) {
    Host host = host_of(request.url);
    if (host.name.empty()) return begin(token, std::move(request), {});
    const auto now = Clock::now();
    const auto patience_ends = now + std::min(request.timeout, kLookUpWithin);
    const auto ends = now + request.timeout;
    waiting_.push_back({token, std::move(request), std::move(host), patience_ends, ends});
  }

  void run(std::chrono::milliseconds time) {
    if (go_on()) return;
    for (const Waiting& each : waiting_) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(each.patience_ends - Clock::now());
      time = std::clamp(left, std::chrono::milliseconds(0), time);
    }
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(time.count()), nullptr);
    (void)go_on();
  }

  void wake() { curl_multi_wakeup(multi_); }

 private:
  /// A request whose host's name is being looked up.
  struct Waiting {
    std::uint64_t token;
    HttpRequest request;
    Host host;
    Clock::time_point patience_ends;
    Clock::time_point ends;
  };

  // True when on_done_ was called: its caller has something to do.
  bool go_on() {
    ended_ = 0;
    begin_those_found(Clock::now());
    int running = 0;
    curl_multi_perform(multi_, &running);
    reap();
    return ended_ > 0;
  }

  // And gives up those that have waited long enough.
  void begin_those_found(Clock::time_point now) {
    for (Waiting& each : std::exchange(waiting_, {})) {
      const FoundName* found = names_->look_up(each.host.name, now);
      const bool is_found = found != nullptr && !found->addresses.empty();
      if (is_found && now < each.ends) {  // no time left would be no limit to libcurl
        each.request.timeout = std::chrono::ceil<std::chrono::milliseconds>(each.ends - now);
        begin(each.token, std::move(each.request), resolved(each.host, found->addresses));
      } else if (found != nullptr && !is_found) {
        end(each.token, {.why = fmt::format("its name was not found: {}", found->why)});
      } else if (is_found || now >= each.patience_ends) {
        const auto within = std::min(each.request.timeout, kLookUpWithin);
        end(each.token, {.why = fmt::format("its name was not found in {} ms", within.count())});
      } else {
        waiting_.push_back(std::move(each));
      }
    }
  }

  void end(std::uint64_t token, const HttpOutcome& outcome) {
    ++ended_;
    on_done_(token, outcome);
  }

  void begin(std::uint64_t token, HttpRequest request, const std::string& resolved) {
    CURL* easy = curl_easy_init();
    if (easy == nullptr) return end(token, {.why = "no memory"});
    auto transfer = std::make_unique<Transfer>();
    transfer->token = token;
    transfer->request = std::move(request);
    transfer->guard = &guard_;
    set_up(easy, *transfer);
    if (!resolved.empty()) {
      transfer->resolved = curl_slist_append(nullptr, resolved.c_str());
      curl_easy_setopt(easy, CURLOPT_RESOLVE, transfer->resolved);
    }
    transfers_.emplace(easy, std::move(transfer));
    curl_multi_add_handle(multi_, easy);
  }

  void set_up(CURL* easy, Transfer& transfer) {
    const HttpRequest& request = transfer.request;
    for (const std::string& header : request.headers) {
      transfer.headers = curl_slist_append(transfer.headers, header.c_str());
    }
    transfer.headers = curl_slist_append(transfer.headers, "Expect:");  // no waiting for 100
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!ca_.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, ca_.c_str());
    curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent_.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(kConnectWithin.count()));
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  }

  void reap() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      const CURLcode code = message->data.result;
      const auto found = transfers_.find(easy);
      const std::unique_ptr<Transfer> transfer = std::move(found->second);
      transfers_.erase(found);
      const HttpOutcome outcome = outcome_of(*transfer, easy, code);
      curl_multi_remove_handle(multi_, easy);
      release(easy, *transfer);
      end(transfer->token, outcome);
    }
  }

  static void release(CURL* easy, const Transfer& transfer) {
    curl_easy_cleanup(easy);
    curl_slist_free_all(transfer.headers);
    curl_slist_free_all(transfer.resolved);
  }

  const AddressGuard& guard_;
  const std::string ca_;
  OnDone on_done_;
  const std::string user_agent_ = fmt::format("stentor/{}", kVersion);
  CURLM* multi_ = nullptr;
  std::unique_ptr<NameLookup> names_;
  std::vector<Waiting> waiting_;
  std::size_t ended_ = 0;  // since go_on() began
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> transfers_;
};

HttpClient::HttpClient(const AddressGuard& guard, std::string ca, OnDone on_done,
                       NameLookup::Find find)
    : body_(std::make_unique<Body>(guard, std::move(ca), std::move(on_done), std::move(find))) {}
HttpClient::~HttpClient() = default;
void HttpClient::start(std::uint64_t token, HttpRequest request) {
  body_->start(token, std::move(request));
}
void HttpClient::run(std::chrono::milliseconds time) {
  body_->run(time);
}
void HttpClient::wake() {
  body_->wake();
}

}  // namespace stentor::daemon
