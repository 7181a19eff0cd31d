#include "daemon/control/daemon.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <random>
#include <stdexcept>
#include <thread>

#include "daemon/callbacks/callbacks_reply.h"
#include "daemon/control/daemon_body.h"
#include "daemon/failpoints/failpoint_files.h"
#include "daemon/log.h"
#include "daemon/version.h"

namespace stentor::daemon {
namespace {

namespace asio = boost::asio;

std::size_t shard_count(const Config& config) {
  const std::size_t carriers = std::max<std::size_t>(1, config.carriers.size());
  // Ingress, commit and events take cores too: half of them deliver.
  const std::size_t automatic = std::max(1u, std::thread::hardware_concurrency() / 2);
  return std::min(carriers, config.queue.shards > 0 ? config.queue.shards : automatic);
}

std::unique_ptr<queue::FileSystem> open_file_system(JournalIo io) {
  queue::IoBackend backend = queue::IoBackend::automatic;
  if (io == JournalIo::uring) backend = queue::IoBackend::uring;
  if (io == JournalIo::threads) backend = queue::IoBackend::threads;
  auto files = queue::make_posix_file_system(backend);
  if (!files) throw std::runtime_error(fmt::format("journal: io: {}", files.error().message()));
  return with_failpoints(std::move(*files));
}

}  // namespace

Daemon::Daemon(Config config, StartWish wish)
    : body_(std::make_unique<Body>(std::move(config), wish)) {}
Daemon::~Daemon() = default;
int Daemon::run() {
  return body_->run();
}

Daemon::Body::Body(Config config, StartWish wish)
    : config_(std::move(config)),
      environment_(SystemdEnvironment::of_this_process()),
      notify_(environment_),
      files_(open_file_system(config_.journal.io)),
      routing_(config_),
      switches_(config_),
      commit_({.delay = config_.journal.commit_delay,
               .retention = {.age = std::max<std::chrono::milliseconds>(config_.journal.retention,
                                                                        config_.queue.guard),
                             .octets = config_.journal.retention_octets,
                             .guard = config_.queue.guard}}),
      opt_outs_(config_, commit_),
      inbound_{.config = config_,
               .router = InboundRouter(config_),
               .commit = commit_,
               .incarnation = static_cast<std::uint16_t>(random_word()),
               .words = OptOutWords(config_.opt_out),
               .on_opt_out = {},
               .opt_outs = &opt_outs_},
      figures_(config_, commit_) {
  const std::size_t count = shard_count(config_);
  gauges_.limiters = CarrierLimiters(config_.carriers.size());
  for (std::size_t i = 0; i < count; ++i) {
    shard_workers_.push_back(std::make_unique<Worker>(fmt::format("shard-{}", i)));
    shards_.push_back(std::make_unique<Shard>(shard_workers_[i]->context, config_, i, count,
                                              commit_, routing_, gauges_, switches_, inbound_,
                                              buried_, paused_, *files_, seed_));
    questions_.add(shard_workers_[i]->context, *shards_[i]);
  }
  events_ =
      std::make_unique<EventServer>(events_worker_.context, config_, commit_, consumers_, *files_);
  callbacks_ = std::make_unique<CallbackServer>(config_, commit_, consumers_, *files_);
  recover(wish);
  serve();
}

Daemon::Body::~Body() = default;

std::uint64_t Daemon::Body::random_word() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

void Daemon::Body::serve() {
  commit_.set_on_events([this] {
    events_->wake();
    callbacks_->wake();
  });
  commit_.set_on_failure([this](const std::string& why) {
    asio::post(control_, [this, why] { on_journal_failure(why); });
  });
  history_ = std::make_unique<History>(config_, commit_, *files_, gauges_.limiters, campaigns_);
  tell_newer(history_->met_newer());
  report_ = std::make_unique<CampaignReport>(config_, commit_, *files_);
  message_cancel_ = std::make_unique<MessageCancel>(*history_, questions_, buried_);
  message_pause_ = std::make_unique<MessagePause>(*history_, questions_, paused_);
  Admission::Start start;
  start.sequence_next = sequence_next_;
  start.time_ms_last = latest_ms_;
  start.incarnation = static_cast<std::uint16_t>(random_word());
  start.seed = seed_;
  start.shards = shards_.size();
  start.references = std::move(references_);
  start.opt_outs = &opt_outs_;
  start.campaigns = &campaigns_;
  ingress_ = std::make_unique<Ingress>(
      ingress_worker_.context, config_, routing_, commit_, gauges_, *files_, std::move(start),
      IngressHelpers{
          .status =
              [this](IngressHelpers::Reply reply) {
                figures_.collect([reply = std::move(reply)](const Figures& figures) {
                  reply(status_reply(figures));
                });
              },
          .history =
              [this](MessageQuestion question, const Peer& peer, IngressHelpers::Reply reply) {
                history_->ask(std::move(question), peer, std::move(reply));
              },
          .events = [this](EventsHandover handover) { events_->adopt(std::move(handover)); },
          .flows = {.ask =
                        [this](const FlowOrder& order, bool obey,
                               std::function<void(std::vector<FlowAtCarrier>)> done) {
                          questions_.ask_flow(order, obey, std::move(done));
                        },
                    .collect_shares =
                        [this](std::function<void(std::vector<FlowShare>)> done) {
                          questions_.collect_shares(std::move(done));
                        },
                    .deal_shares =
                        [this](const std::vector<FlowShare>& dealt) {
                          questions_.deal_shares(dealt);
                        },
                    .is_known =
                        [this](std::string_view name) {
                          return routing_.carrier_named(name).has_value();
                        }},
          .report =
              [this](ReportPlace place, CampaignReport::Answer answer) {
                report_->ask(std::move(place), std::move(answer));
              },
          .carrier =
              [this](CarrierRequest request, const Peer& peer, IngressHelpers::Reply reply) {
                carrier_desk_.ask(std::move(request), peer, std::move(reply));
              },
          .opt_outs = &opt_outs_,
          .callbacks = [this](const Peer& peer) { return callbacks_reply(*callbacks_, peer); },
          .cancel =
              [this](CancelQuestion question, const Peer& peer, IngressHelpers::Reply reply) {
                message_cancel_->cancel(std::move(question), peer, std::move(reply));
              },
          .pause =
              [this](PauseQuestion question, const Peer& peer, IngressHelpers::Reply reply) {
                message_pause_->order(std::move(question), peer, std::move(reply));
              },
          .resolve =
              [this](MessageId id, DoubtEnd as, const Peer& peer, IngressHelpers::Reply reply) {
                questions_.resolve(id, as, peer, std::move(reply));
              }});
  inbound_.on_opt_out = [this](OptOutNotice notice) {
    asio::post(ingress_worker_.context,
               [this, notice = std::move(notice)] { ingress_->opt_outs().on_reply(notice); });
  };
  opt_out_saver_ = std::make_unique<OptOutSaver>(control_, ingress_worker_.poster(), opt_outs_);

  figures_.add(ingress_worker_.poster(), [this](Figures& figures) {
    figures.ingress = ingress_->snapshot();
    figures.checkpoints = checkpointer_->stats();
    figures.paused = paused_.size();
  });
  figures_.add(events_worker_.poster(), [this](Figures& figures) {
    figures.consumers = events_->snapshot();
    figures.callbacks = callbacks_->figures();
  });
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    figures_.add(shard_workers_[i]->poster(), [this, i](Figures& figures) {
      auto carriers = shards_[i]->snapshot();
      for (std::size_t k = 0; k < carriers.size(); ++k) {
        figures.carriers[i + k * shards_.size()] = std::move(carriers[k]);
      }
    });
  }
  exposition_ = std::make_unique<Exposition>([this] {
    const auto figures = figures_now();
    return figures ? metric_families(*figures) : Exposition::Families{};
  });
  auto http = HttpListener::listen(
      control_, config_.metrics.host, config_.metrics.port,
      {.metrics = [this] { return exposition_->text(); },
       .healthz =
           [this] {
             return everyone_lives() ? Health{}
                                     : Health{.well = false, .reason = "a thread does not answer"};
           },
       .readyz = [this] { return readiness(); }});
  if (!http) {
    throw std::runtime_error(fmt::format("[metrics] listen {}:{}: {}", config_.metrics.host,
                                         config_.metrics.port, http.error().message()));
  }
  http_ = std::move(*http);
  const auto inherited = inherited_listener(environment_);
  if (!inherited) {
    throw std::runtime_error(
        fmt::format("socket inherited from systemd: {}", inherited.error().message()));
  }
  ingress_->listen(*inherited);
}

int Daemon::Body::run() {
  // Before anybody is answered: who asks us to stop right then is heard once we wait for it below.
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  signals_.add(SIGHUP);
  commit_.start();
  checkpointer_->start();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    shards_[i]->start();
    shard_workers_[i]->start();
  }
  events_->start();
  events_worker_.start();
  ingress_worker_.start();
  opt_out_saver_->start();
  callbacks_->start();
  wait_for_signals();
  beat();
  ready_ = true;
  const std::string status =
      fmt::format("accepting on {}, metrics on {}:{}", config_.socket.path.string(),
                  config_.metrics.host, http_->port());
  log::info("stentord {}: {}", kVersion, status);
  (void)notify_.ready(status);
  control_.run();
  finish();
  return exit_status_;
}

void Daemon::Body::wait_for_signals() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      log::warn("SIGHUP: reloading is not supported by this version; nothing changed");
    } else {
      begin_drain();
    }
    wait_for_signals();
  });
}

}  // namespace stentor::daemon
