#include "daemon/ingress/peer.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

namespace stentor::daemon {
namespace {

// getpwuid_r and getgrgid_r need room for one entry; large groups take some kilobytes.
constexpr std::size_t kEntryOctets = 16384;
constexpr std::size_t kGroupsMax = 1024;

std::string user_name(uid_t uid) {
  std::array<char, kEntryOctets> room{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, room.data(), room.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return "uid-" + std::to_string(uid);
}

std::optional<ucred> credentials_of(int socket) {
  ucred credentials{};
  socklen_t octets = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &octets) != 0) return std::nullopt;
  return credentials;
}

std::vector<std::string> group_names(int socket, gid_t primary, const IdMap& known) {
  std::array<gid_t, kGroupsMax> groups{};
  socklen_t octets = sizeof groups;
  std::size_t count = 0;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &octets) == 0) {
    count = octets / sizeof(gid_t);
  }
  std::vector<gid_t> all(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(count));
  all.push_back(primary);
  std::vector<std::string> names;
  for (const gid_t gid : all) {
    if (!known.tells(gid)) continue;
    std::array<char, kEntryOctets> room{};
    group entry{};
    group* found = nullptr;
    if (getgrgid_r(gid, &entry, room.data(), room.size(), &found) == 0 && found != nullptr) {
      names.emplace_back(found->gr_name);
    }
  }
  return names;
}

bool contains(const std::vector<std::string>& list, std::string_view what) {
  return std::ranges::find(list, what) != list.end();
}

}  // namespace

bool Peer::allows(const std::vector<std::string>& list, std::string_view what) {
  return list.empty() || contains(list, what);
}

Peer identify_peer(int socket, const Config& config, const IdMaps& ids) {
  Peer peer;
  peer.uid = IdMap::kOverflow;
  const auto credentials = credentials_of(socket);
  if (!credentials) return peer;
  const uid_t uid = credentials->uid;
  peer.uid = uid;
  // Not the user's name, which may be a client's. No client's name has a colon.
  peer.client = "uid:" + std::to_string(uid);
  peer.is_hidden = !ids.users.tells(uid);
  if (peer.is_hidden) return peer;
  const std::string user = user_name(uid);

  if (config.clients.empty()) {
    peer.client = user;
    peer.is_client = true;
    peer.may_submit = true;  // whoever may connect: the socket's mode decides
    peer.is_admin = uid == 0 || uid == geteuid();
    peer.may_observe = peer.is_admin;
    return peer;
  }
  const auto groups = group_names(socket, credentials->gid, ids.groups);
  for (const ClientConfig& client : config.clients) {
    const bool by_group = std::ranges::any_of(
        client.groups, [&](const std::string& name) { return contains(groups, name); });
    if (!contains(client.users, user) && !by_group) continue;
    peer.client = client.name;
    peer.is_client = true;
    peer.may_submit = client.may_submit || client.is_admin;
    peer.may_observe = client.may_observe || client.is_admin;
    peer.is_admin = client.is_admin;
    peer.config = &client;
    break;
  }
  return peer;
}

bool knows_itself(const IdMaps& ids) {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return false;
  const auto credentials = credentials_of(ends[0]);
  for (const int end : ends) ::close(end);
  return credentials && ids.users.tells(credentials->uid);
}

}  // namespace stentor::daemon
