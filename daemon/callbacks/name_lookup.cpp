#include "daemon/callbacks/name_lookup.h"

#include <netdb.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <mutex>
#include <utility>

namespace stentor::daemon {

NameLookup::NameLookup(Find find, std::function<void()> wake)
    : find_(std::move(find)), wake_(std::move(wake)) {}

NameLookup::~NameLookup() = default;

const FoundName* NameLookup::look_up(const std::string& host, TimePoint now) {
  collect(now);
  const auto known = kept_.find(host);
  if (known != kept_.end() && now < known->second.until) return &known->second.found;
  if (under_way_.contains(host)) return nullptr;
  if (under_way_.size() < kThreadsMax) {
    begin(host);
  } else if (known != kept_.end() && !known->second.found.addresses.empty()) {
    return &known->second.found;
  }
  return nullptr;
}

void NameLookup::begin(const std::string& host) {
  const auto call = [find = find_, host] {
    prctl(PR_SET_NAME, "name-lookup");
    return find(host);
  };
  const auto tell = [this, host](FoundName found) {
    done_.emplace_back(host, std::move(found));
    wake_();
  };
  // Without a thread it is tried again as long as somebody asks.
  if (calls_.begin(call, tell)) under_way_.insert(host);
}

void NameLookup::collect(TimePoint now) {
  std::vector<std::pair<std::string, FoundName>> done;
  {
    const std::lock_guard lock(calls_.guard());
    done.swap(done_);
  }
  if (done.empty()) return;
  if (kept_.size() + done.size() > kNamesKept) {
    std::erase_if(kept_, [now](const auto& each) { return each.second.until <= now; });
  }
  for (auto& [host, found] : done) {
    under_way_.erase(host);
    const auto until = now + (found.addresses.empty() ? kFailureKeptFor : kKeptFor);
    kept_.insert_or_assign(host, Kept{std::move(found), until});
  }
}

FoundName find_by_resolver(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_IDN;  // a URL may write a name in its own letters
  addrinfo* list = nullptr;
  FoundName found;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    found.why = ::gai_strerror(error);
    return found;
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      found.addresses.emplace_back(text.data());
    }
  }
  if (found.addresses.empty()) found.why = "it has no address";
  return found;
}

}  // namespace stentor::daemon
