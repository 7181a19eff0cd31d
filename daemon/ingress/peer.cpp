#include "daemon/ingress/peer.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

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

std::vector<std::string> group_names(int socket, gid_t primary) {
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

Peer identify_peer(int socket, const Config& config) {
  Peer peer;
  ucred credentials{};
  socklen_t octets = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &octets) != 0) return peer;
  peer.uid = credentials.uid;
  const std::string user = user_name(credentials.uid);

  if (config.clients.empty()) {
    peer.client = user;
    peer.is_client = true;
    peer.may_submit = true;  // whoever may connect: the socket's mode decides
    peer.is_admin = credentials.uid == 0 || credentials.uid == geteuid();
    peer.may_observe = peer.is_admin;
    return peer;
  }
  // Not the user's name, which may be a client's. No client's name has a colon.
  peer.client = "uid:" + std::to_string(credentials.uid);
  const auto groups = group_names(socket, credentials.gid);
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

}  // namespace stentor::daemon
