// The local socket: accepts upstream's connections and turns what they ask into durable messages.
//
// Units    Octets and messages.
// Owns     The listener, the connections, admission, and a commit feed.
// Errors   What cannot start throws std::runtime_error from the constructor; afterwards errors of
//          one connection end that connection.
// Threads  One thread runs its io_context. shed(), drain() and snapshot() are posted to it.
// Spec     docs/protocol.md
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "daemon/campaigns/campaign_desk.h"
#include "daemon/commit/commit_feed.h"
#include "daemon/commit/waker.h"
#include "daemon/delivery/gauges.h"
#include "daemon/ingress/admission.h"
#include "daemon/ingress/connection.h"
#include "daemon/ingress/read_audit.h"
#include "daemon/ingress/request_parser.h"
#include "daemon/ingress/storage_guard.h"
#include "daemon/optout/opt_out_desk.h"

namespace stentor::daemon {

/// A connection that asked for events, on its way to the thread that serves them.
struct EventsHandover {
  int socket = -1;  ///< owned by the receiver from now on
  Peer peer;
  std::string request;       ///< the line that asked
  std::string already_read;  ///< what came behind it
};

struct RefusalCount {
  std::string_view code;
  std::uint64_t count = 0;
};

struct IngressSnapshot {
  AdmissionStats admission;
  std::vector<RefusalCount> refusals;
  std::size_t connections = 0;
  std::size_t references = 0;
  std::size_t reference_runs = 0;
  std::uint64_t reference_octets = 0;  ///< of memory
  std::size_t opt_outs = 0;
  std::uint64_t requests = 0;
  bool storage_is_low = false;
  bool journal_is_at_end = false;  ///< no file number is left for new messages
};

/// How other threads help; each answer comes back posted to the ingress thread.
struct IngressHelpers {
  using Reply = std::function<void(std::string)>;
  std::function<void(Reply)> status;
  std::function<void(MessageQuestion, const Peer&, Reply)> history;
  std::function<void(EventsHandover)> events;
  CampaignDesk::Carriers flows;
  std::function<void(ReportPlace, CampaignReport::Answer)> report;
  std::function<void(CarrierRequest, const Peer&, Reply)> carrier;
  OptOuts* opt_outs = nullptr;
  std::function<std::string(const Peer&)> callbacks;
  std::function<void(CancelQuestion, const Peer&, Reply)> cancel;
  std::function<void(PauseQuestion, const Peer&, Reply)> pause;
  std::function<void(MessageId id, DoubtEnd as, const Peer&, Reply)> resolve;
};

class Ingress {
 public:
  Ingress(boost::asio::io_context& context, const Config& config, const Routing& routing,
          CommitThread& commit, const Gauges& gauges, queue::FileSystem& files,
          Admission::Start start, IngressHelpers helpers);
  ~Ingress();
  Ingress(const Ingress&) = delete;
  Ingress& operator=(const Ingress&) = delete;

  [[nodiscard]] Admission& admission() noexcept { return admission_; }
  [[nodiscard]] OptOutDesk& opt_outs() noexcept { return opt_outs_; }

  /// Listens: on the inherited socket when there is one, else on the configured path.
  void listen(std::optional<int> inherited);
  /// No new connections, no new messages; what was accepted is still answered.
  void drain();
  /// Closes what is left.
  void stop();
  [[nodiscard]] bool is_quiet() const;
  [[nodiscard]] IngressSnapshot snapshot() const;

  // For its connections.
  [[nodiscard]] RequestParser& parser() noexcept { return parser_; }
  [[nodiscard]] CampaignDesk& campaigns() noexcept { return campaigns_; }
  [[nodiscard]] const IngressHelpers& helpers() const noexcept { return helpers_; }
  [[nodiscard]] const Config& config() const noexcept { return config_; }
  [[nodiscard]] const Routing& routing() const noexcept { return routing_; }
  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }
  [[nodiscard]] bool is_draining() const noexcept { return draining_; }
  [[nodiscard]] const StorageGuard& storage() const noexcept { return storage_; }
  /// No more messages until a batch comes back or a shard takes what it has.
  [[nodiscard]] bool is_full() const;
  void flush() { feed_.flush(); }
  void flush_when_large() { feed_.flush_when_large(); }
  void count_request() noexcept { ++requests_; }
  void count_refusal(std::string_view code);
  /// An observer looks at what is not its own.
  void note_look(const Peer& peer, std::string_view what);
  void wait_for_durable(const std::shared_ptr<Connection>& connection);
  void wait_for_room(const std::shared_ptr<Connection>& connection);
  void forget(const std::shared_ptr<Connection>& connection);
  [[nodiscard]] std::uint64_t settled() const noexcept { return feed_.settled(); }

 private:
  /// Throws where clients cannot be told apart; warns where some cannot.
  void check_ids() const;
  void accept();
  void on_settled();
  void tick();
  void check_storage();
  void cut_unfinished_lines();
  void look_for_ends();

  boost::asio::io_context& context_;
  const Config& config_;
  const Routing& routing_;
  CommitThread& commit_;
  const Gauges& gauges_;
  IngressHelpers helpers_;
  Waker settled_waker_;
  CommitFeed feed_;
  queue::JournalReader reader_;
  CampaignLedger& campaign_ledger_;
  Admission admission_;
  CampaignDesk campaigns_;
  OptOutDesk opt_outs_;
  RequestParser parser_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  boost::asio::steady_timer accept_again_;
  boost::asio::steady_timer tick_;
  boost::asio::steady_timer ends_;
  boost::asio::steady_timer room_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> waiting_;    // for a batch to become durable
  std::vector<std::shared_ptr<Connection>> held_back_;  // for room
  std::vector<RefusalCount> refusals_;
  ReadAudit read_audit_;
  std::uint64_t requests_ = 0;
  std::string bound_path_;
  bool draining_ = false;
  StorageGuard storage_{config_.journal.free_octets_min};
  const IdMaps ids_ = IdMaps::of_this_process();
};

}  // namespace stentor::daemon
