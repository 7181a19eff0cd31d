#include "daemon/ingress/ingress.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "daemon/log.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
namespace local = boost::asio::local;

// An idle connection costs some 9 KiB; more than this is a client that leaks them.
constexpr std::size_t kConnectionsMax = 4096;
// Durable texts that shards have not taken yet: 32 MiB are 100,000 messages, 50 ms at full rate.
// They stand beside what `memory` bounds, so of a small `memory` they are a quarter at most.
constexpr std::uint64_t kUntakenOctetsMax = 32u << 20;
constexpr std::uint64_t kUntakenShare = 4;
constexpr auto kAcceptAgainAfter = 100ms;  // out of descriptors: others may close theirs
constexpr auto kTick = 1s;
constexpr auto kLookForEndsEvery = 100ms;  // of campaigns that somebody waits for; their shares
constexpr auto kLookForRoomEvery = 5ms;

// A duplicate's record is looked up now and then; a few blocks are enough.
constexpr queue::ReaderOptions kReaderOptions{.recent_octets_max = 0,
                                              .blocks_octets_max = 2u << 20};

[[noreturn]] void cannot_start(const std::string& path, const std::string& why) {
  throw std::runtime_error(fmt::format("socket {}: {}", path, why));
}

void remove_stale_socket(boost::asio::io_context& context, const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return;
  if (!S_ISSOCK(found.st_mode)) cannot_start(path, "exists and is not a socket");
  local::stream_protocol::socket probe(context);
  boost::system::error_code error;
  probe.connect(local::stream_protocol::endpoint(path), error);
  if (!error) cannot_start(path, "another process listens there");
  ::unlink(path.c_str());
}

void set_owner(const std::string& path, const SocketConfig& config) {
  if (::chmod(path.c_str(), static_cast<mode_t>(config.mode)) != 0) {
    cannot_start(path, fmt::format("chmod: {}", std::generic_category().message(errno)));
  }
  if (config.group.empty()) return;
  std::array<char, 16384> room{};
  group entry{};
  group* found = nullptr;
  if (getgrnam_r(config.group.c_str(), &entry, room.data(), room.size(), &found) != 0 ||
      found == nullptr) {
    cannot_start(path, fmt::format("no group is called {}", config.group));
  }
  if (::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0) {
    cannot_start(path, fmt::format("chown to group {}: {}", config.group,
                                   std::generic_category().message(errno)));
  }
}

}  // namespace

Ingress::Ingress(boost::asio::io_context& context, const Config& config, const Routing& routing,
                 CommitThread& commit, const Gauges& gauges, queue::FileSystem& files,
                 Admission::Start start, IngressHelpers helpers)
    : context_(context),
      config_(config),
      routing_(routing),
      commit_(commit),
      gauges_(gauges),
      helpers_(std::move(helpers)),
      settled_waker_(context, [this] { on_settled(); }),
      feed_(commit, true, start.shards, [this] { settled_waker_.wake(); }),
      reader_(files, config.state_dir / "journal", kReaderOptions),
      campaign_ledger_(*start.campaigns),
      admission_(config, routing, feed_, reader_, std::move(start)),
      campaigns_(admission_.campaigns(), campaign_ledger_, feed_, helpers_.flows),
      opt_outs_(config, *helpers_.opt_outs, admission_, feed_),
      acceptor_(context),
      accept_again_(context),
      tick_(context),
      ends_(context),
      room_(context) {}

Ingress::~Ingress() = default;

void Ingress::check_ids() const {
  if (!knows_itself(ids_)) {
    throw std::runtime_error(
        "socket: clients cannot be told apart: this user namespace does not map stentord's own "
        "user");
  }
  if (!ids_.users.is_whole()) {
    log::warn(
        "socket: this is a user namespace of its own: clients whose users it does not map may do "
        "nothing");
  }
}

void Ingress::listen(std::optional<int> inherited) {
  check_ids();
  if (inherited) {
    acceptor_.assign(local::stream_protocol(), *inherited);
    log::info("socket: using the one inherited from systemd, [socket] path is not used");
  } else {
    const std::string path = config_.socket.path.string();
    if (path.size() >= sizeof(sockaddr_un{}.sun_path)) cannot_start(path, "the path is too long");
    remove_stale_socket(context_, path);
    boost::system::error_code error;
    acceptor_.open(local::stream_protocol(), error);
    // Nobody connects between bind and chmod with more rights than the mode will give.
    const mode_t before = ::umask(0177);
    if (!error) acceptor_.bind(local::stream_protocol::endpoint(path), error);
    ::umask(before);
    if (error) cannot_start(path, error.message());
    bound_path_ = path;
    set_owner(path, config_.socket);
    acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
    if (error) cannot_start(path, error.message());
  }
  check_storage();
  accept();
  tick();
  look_for_ends();
}

void Ingress::accept() {
  acceptor_.async_accept([this](const boost::system::error_code& error, Connection::Socket socket) {
    if (error == boost::asio::error::operation_aborted || draining_) return;
    if (error) {
      accept_again_.expires_after(kAcceptAgainAfter);
      accept_again_.async_wait([this](const boost::system::error_code& stopped) {
        if (!stopped) accept();
      });
      return;
    }
    if (connections_.size() < kConnectionsMax) {
      Peer peer = identify_peer(socket.native_handle(), config_, ids_);
      auto connection = std::make_shared<Connection>(*this, std::move(socket), std::move(peer));
      connections_.insert(connection);
      connection->start();
    }
    accept();
  });
}

void Ingress::drain() {
  draining_ = true;
  boost::system::error_code ignored;  // nothing to do about a listener that will not close
  if (bound_path_.empty()) {
    acceptor_.cancel(ignored);  // inherited: connections that come now wait for the next daemon
  } else {
    acceptor_.close(ignored);
    ::unlink(bound_path_.c_str());
    bound_path_.clear();
  }
}

void Ingress::stop() {
  tick_.cancel();
  ends_.cancel();
  room_.cancel();
  accept_again_.cancel();
  const auto all = connections_;
  for (const auto& connection : all) connection->close();
}

bool Ingress::is_quiet() const {
  return feed_.is_idle() &&
         std::ranges::all_of(connections_, [](const auto& c) { return c->is_quiet(); });
}

bool Ingress::is_full() const {
  const std::uint64_t untaken_max =
      std::min(kUntakenOctetsMax, config_.queue.memory_octets / kUntakenShare);
  if (feed_.is_full() || commit_.untaken_octets() > untaken_max) return true;
  const std::uint64_t spilled = gauges_.spilled.load(std::memory_order_relaxed);
  const std::uint64_t waiting = gauges_.waiting.load(std::memory_order_relaxed);
  const std::uint64_t on_disk = gauges_.outstanding_on_disk.load(std::memory_order_relaxed);
  const std::uint64_t outstanding = gauges_.outstanding.load(std::memory_order_relaxed);
  const std::uint64_t memory =
      (waiting - std::min(waiting, spilled)) * kOctetsPerWaiting +
      (outstanding - std::min(on_disk, outstanding)) * kOctetsPerOutstanding +
      on_disk * kOctetsPerOutstandingOnDisk + admission_.references().memory_octets();
  return memory > config_.queue.memory_octets;
}

void Ingress::note_look(const Peer& peer, std::string_view what) {
  const auto line = read_audit_.line_of(peer.client, what, std::chrono::steady_clock::now());
  if (line) log::info("{}", *line);
}

void Ingress::count_refusal(std::string_view code) {
  for (RefusalCount& counted : refusals_) {
    if (counted.code == code) {
      ++counted.count;
      return;
    }
  }
  // Codes are the protocol's own words, some twenty: the list is bounded by them.
  static constexpr std::array<std::string_view, 23> kCodes = {
      "bad_json",        "bad_utf8",   "bad_field",      "unknown_field", "line_too_long",
      "bad_destination", "bad_sender", "empty_text",     "bad_text",      "too_many_segments",
      "bad_time",        "expired",    "never_in_hours", "no_route",      "unknown_carrier",
      "no_phone",        "opted_out",  "conflict",       "not_permitted", "not_supported",
      "not_found",       "draining",   "unavailable"};
  const auto* known = std::ranges::find(kCodes, code);
  if (known != kCodes.end()) refusals_.push_back({*known, 1});
}

void Ingress::wait_for_durable(const std::shared_ptr<Connection>& connection) {
  waiting_.push_back(connection);
}

void Ingress::wait_for_room(const std::shared_ptr<Connection>& connection) {
  held_back_.push_back(connection);
  if (held_back_.size() > 1) return;  // the timer runs
  // Room may come from a shard that takes its messages, which nobody tells us.
  room_.expires_after(kLookForRoomEvery);
  room_.async_wait([this](const boost::system::error_code& stopped) {
    if (stopped) return;
    auto held_back = std::move(held_back_);
    held_back_.clear();
    for (const auto& waiting : held_back) waiting->resume();
  });
}

void Ingress::forget(const std::shared_ptr<Connection>& connection) {
  connections_.erase(connection);
}

void Ingress::on_settled() {
  feed_.collect([&](const BatchPointer& batch) {
    admission_.on_settled(*batch);
    campaigns_.on_settled(*batch);
    if (batch->failure) {
      if (batch->failure == queue::JournalError::disk_full) storage_.on_disk_full();
      // In order, so that a batch that failed takes no reply of a later one with it.
      for (const auto& connection : waiting_) connection->on_failed(batch->number);
    }
  });
  // on_durable may start work that makes a connection wait again: the list is taken first.
  auto waiting = std::move(waiting_);
  waiting_.clear();
  for (auto& connection : waiting) {
    if (connection->on_durable(feed_.settled())) waiting_.push_back(std::move(connection));
  }
  feed_.flush();
}

void Ingress::tick() {
  tick_.expires_after(kTick);
  tick_.async_wait([this](const boost::system::error_code& stopped) {
    if (stopped) return;
    check_storage();
    cut_unfinished_lines();
    campaign_ledger_.sample(std::chrono::steady_clock::now());
    reader_.forget_before(commit_.oldest_file());
    admission_.references().tend(queue::Locator(commit_.oldest_file(), 0, 0),
                                 wall_clock_ms() - suspected_lead_ms());
    tick();
  });
}

void Ingress::look_for_ends() {
  ends_.expires_after(kLookForEndsEvery);
  ends_.async_wait([this](const boost::system::error_code& stopped) {
    if (stopped) return;
    campaigns_.look_for_ends();
    campaigns_.deal_shares(std::chrono::steady_clock::now());
    look_for_ends();
  });
}

void Ingress::check_storage() {
  struct statvfs disk{};
  if (::statvfs(config_.state_dir.c_str(), &disk) != 0) return;  // asked again in a second
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  const bool was_low = storage_.is_low();
  const bool was_near_end = storage_.is_near_end();
  const bool was_at_end = storage_.is_at_end();
  const std::uint32_t left = queue::kFileNumberMax - commit_.durable_end().file();
  storage_.look({.free_octets = free,
                 .waiting = gauges_.waiting.load(std::memory_order_relaxed),
                 .outstanding = gauges_.outstanding.load(std::memory_order_relaxed),
                 .numbers_left = left});
  if (storage_.is_at_end() && !was_at_end) {
    log::error(
        "journal: {} file numbers are left, which are for what was accepted; new messages are "
        "refused for good: go on in an empty state_dir (journal.md, \"File numbers\")",
        left);
  } else if (storage_.is_near_end() && !was_near_end) {
    log::warn(
        "journal: {} of {} file numbers are left; at {} new messages are refused: plan to go on in "
        "an empty state_dir (journal.md, \"File numbers\")",
        left, queue::kFileNumberMax, kNumbersKept);
  }
  if (storage_.is_low() == was_low) return;
  if (storage_.is_low()) {
    log::error(
        "journal: {} MiB free are less than min_free and what accepted messages still need; new "
        "messages are refused",
        free >> 20);
  } else {
    log::info("journal: {} MiB free; accepting again", free >> 20);
  }
}

void Ingress::cut_unfinished_lines() {
  const auto now = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<Connection>> late;
  for (const auto& connection : connections_) {
    const auto since = connection->unfinished_since();
    if (since && now - *since > kLinePatience) late.push_back(connection);
  }
  for (const auto& connection : late) connection->close();
}

IngressSnapshot Ingress::snapshot() const {
  return {.admission = admission_.stats(),
          .refusals = refusals_,
          .connections = connections_.size(),
          .references = admission_.references().size(),
          .reference_runs = admission_.references().runs(),
          .reference_octets = admission_.references().memory_octets(),
          .opt_outs = helpers_.opt_outs->list().size(),
          .requests = requests_,
          .storage_is_low = storage_.is_low(),
          .journal_is_at_end = storage_.is_at_end()};
}

}  // namespace stentor::daemon
