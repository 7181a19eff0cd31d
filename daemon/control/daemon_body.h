// What the daemon is made of. Its parts come alive in the order in which they stand here; how, is
// told in four files: recovering.cpp, daemon.cpp (serving), health.cpp and draining.cpp.
//
// Owns     Every thread and every part.
// Threads  The control thread, unless a member says otherwise.
// Spec     docs/architecture.md
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/callbacks/callback_server.h"
#include "daemon/campaigns/campaign_ledger.h"
#include "daemon/campaigns/campaign_report.h"
#include "daemon/commit/commit_thread.h"
#include "daemon/control/carrier_desk.h"
#include "daemon/control/clock_watch.h"
#include "daemon/control/daemon.h"
#include "daemon/control/figures.h"
#include "daemon/control/history.h"
#include "daemon/control/message_cancel.h"
#include "daemon/control/message_pause.h"
#include "daemon/control/metrics_page.h"
#include "daemon/control/shard_questions.h"
#include "daemon/control/systemd_notify.h"
#include "daemon/control/worker.h"
#include "daemon/delivery/shard.h"
#include "daemon/events/event_server.h"
#include "daemon/ingress/ingress.h"
#include "daemon/metrics/http_listener.h"
#include "daemon/newer_file.h"
#include "daemon/optout/opt_out_saver.h"
#include "daemon/recovery/checkpointer.h"
#include "daemon/recovery/lost_messages.h"
#include "daemon/recovery/replay.h"
#include "daemon/recovery/state_origin.h"

namespace stentor::daemon {

class Daemon::Body {
 public:
  Body(Config config, StartWish wish);
  ~Body();
  int run();

 private:
  [[nodiscard]] static std::uint64_t random_word();
  void serve();
  void wait_for_signals();

  // recovering.cpp
  void recover(StartWish wish);
  void check_origin(Adoption adopt, const MachineMarks& marks) const;
  [[nodiscard]] CarrierDelivery& carrier(std::uint16_t number);
  void suspend_all();
  void open_references(const std::filesystem::path& journal);
  void rebuild_references(const Replay& restored);
  void start_checkpoints(const std::filesystem::path& journal,
                         const std::optional<Checkpoint>& newest);
  void tell_lost(LostMessages& lost, const std::filesystem::path& journal);

  // draining.cpp
  void begin_drain();
  void look_at_drain();
  void ask_who_is_drained();
  void begin_stop();
  void finish();
  void on_journal_failure(const std::string& why);

  // health.cpp
  void beat();
  [[nodiscard]] bool everyone_lives() const;
  [[nodiscard]] std::optional<Figures> figures_now() const;
  [[nodiscard]] Health readiness() const;

  const Config config_;
  const SystemdEnvironment environment_;
  SystemdNotify notify_;
  const std::uint64_t seed_ = random_word();
  std::unique_ptr<queue::FileSystem> files_;
  Routing routing_;
  Gauges gauges_;
  CarrierSwitches switches_;
  BuriedMessages buried_;
  PausedMessages paused_;
  Consumers consumers_;
  CampaignLedger campaigns_;
  CommitThread commit_;
  OptOuts opt_outs_;
  InboundServices inbound_;
  std::unique_ptr<Checkpointer> checkpointer_;
  boost::asio::io_context control_{1};
  Worker ingress_worker_{"ingress"};
  Worker events_worker_{"events"};
  std::vector<std::unique_ptr<Worker>> shard_workers_;
  std::vector<std::unique_ptr<Shard>> shards_;
  ShardQuestions questions_{ingress_worker_.context};
  std::unique_ptr<EventServer> events_;
  std::unique_ptr<CallbackServer> callbacks_;
  std::unique_ptr<ReferenceIndex> references_;
  std::unique_ptr<queue::File> journal_lock_;
  std::uint64_t latest_ms_ = 0;
  std::uint64_t sequence_next_ = 1;
  std::unique_ptr<Ingress> ingress_;
  std::unique_ptr<OptOutSaver> opt_out_saver_;
  std::unique_ptr<History> history_;
  std::unique_ptr<MessageCancel> message_cancel_;
  std::unique_ptr<MessagePause> message_pause_;
  std::unique_ptr<CampaignReport> report_;
  FigureCollector figures_;
  CarrierDesk carrier_desk_{
      figures_, routing_, [this](std::uint16_t number, std::function<void(CarrierDelivery&)> what) {
        const std::size_t shard = number % shards_.size();
        boost::asio::post(shard_workers_[shard]->context,
                          [this, shard, number, what = std::move(what)] {
                            what(shards_[shard]->carrier(number));
                          });
      }};
  std::unique_ptr<Exposition> exposition_;
  std::unique_ptr<HttpListener> http_;
  boost::asio::signal_set signals_{control_};
  boost::asio::steady_timer watchdog_{control_};
  ClockWatch clock_watch_{control_, config_.state_dir};
  boost::asio::steady_timer drain_look_{control_};
  bool ready_ = false;
  bool draining_ = false;
  bool stopping_ = false;
  struct DrainQuestion {
    std::atomic<int> missing;  ///< answers
    std::atomic<bool> is_drained{true};
  };
  std::shared_ptr<DrainQuestion> drain_question_;
  std::chrono::steady_clock::time_point drain_until_{};
  int exit_status_ = 0;
};

/// Of what the journal can say again: a step back to an older version costs a longer start.
void tell_newer(const std::optional<NewerFile>& newer);

}  // namespace stentor::daemon
