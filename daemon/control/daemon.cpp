#include "daemon/control/daemon.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>

#include "daemon/callbacks/callback_server.h"
#include "daemon/callbacks/callbacks_reply.h"
#include "daemon/campaigns/campaign_ledger.h"
#include "daemon/campaigns/campaign_report.h"
#include "daemon/commit/commit_thread.h"
#include "daemon/control/carrier_desk.h"
#include "daemon/control/figures.h"
#include "daemon/control/history.h"
#include "daemon/control/message_cancel.h"
#include "daemon/control/metrics_page.h"
#include "daemon/control/shard_questions.h"
#include "daemon/control/systemd_notify.h"
#include "daemon/delivery/shard.h"
#include "daemon/events/event_server.h"
#include "daemon/ingress/ingress.h"
#include "daemon/log.h"
#include "daemon/metrics/http_listener.h"
#include "daemon/optout/opt_out_saver.h"
#include "daemon/recovery/checkpointer.h"
#include "daemon/recovery/journal_start.h"
#include "daemon/recovery/lost_messages.h"
#include "daemon/recovery/replay.h"
#include "daemon/version.h"
#include "daemon/wall_clock.h"
#include "queue/journal_format.h"
#include "queue/journal_recovery.h"
#include "queue/spill_io.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

// The promise for SIGTERM is an exit within 30 s (reliability.md P16): windows may drain for most
// of it, what is left is for unbinding and the last sync.
constexpr auto kDrainWithin = 20s;
constexpr auto kStopWithin = 5s;
constexpr auto kDrainLook = 10ms;
constexpr auto kScrapeWithin = 2s;

// One thread with its io_context, and the last time it showed that it runs.
struct Worker {
  explicit Worker(std::string worker_name) : name(std::move(worker_name)) {}
  void start() {
    thread = std::thread([this] {
      prctl(PR_SET_NAME, name.c_str());
      context.run();
    });
  }
  void stop() {
    work.reset();
    context.stop();
    if (thread.joinable()) thread.join();
  }
  [[nodiscard]] std::function<void(std::function<void()>)> poster() {
    return [this](std::function<void()> what) { asio::post(context, std::move(what)); };
  }

  std::string name;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
  std::atomic<Clock::rep> heartbeat{Clock::now().time_since_epoch().count()};
  std::thread thread;
};

std::uint64_t random_word() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

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
  return std::move(*files);
}

// Of what the journal can say again: a step back to an older version costs a longer start.
void tell_newer(const std::optional<NewerFile>& newer) {
  if (newer) log::warn("{}: what it holds is read from the journal again", to_string(*newer));
}

}  // namespace

class Daemon::Body {
 public:
  Body(Config config, bool salvage);
  ~Body();
  int run();

 private:
  void recover(bool salvage);
  void open_references(const std::filesystem::path& journal);
  void rebuild_references(const Replay& restored);
  void tell_lost(LostMessages& lost, const std::filesystem::path& journal);
  void serve();
  void wait_for_signals();
  void begin_drain();
  void look_at_drain();
  void ask_who_is_drained();
  void begin_stop();
  void finish();
  void on_journal_failure(const std::string& why);
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
  Consumers consumers_;
  CampaignLedger campaigns_;
  CommitThread commit_;
  OptOuts opt_outs_;
  InboundServices inbound_;
  std::unique_ptr<Checkpointer> checkpointer_;
  asio::io_context control_{1};
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
  std::unique_ptr<CampaignReport> report_;
  FigureCollector figures_;
  CarrierDesk carrier_desk_{
      figures_, routing_, [this](std::uint16_t number, std::function<void(CarrierDelivery&)> what) {
        const std::size_t shard = number % shards_.size();
        asio::post(shard_workers_[shard]->context, [this, shard, number, what = std::move(what)] {
          what(shards_[shard]->carrier(number));
        });
      }};
  std::unique_ptr<Exposition> exposition_;
  std::unique_ptr<HttpListener> http_;
  asio::signal_set signals_{control_};
  asio::steady_timer watchdog_{control_};
  asio::steady_timer drain_look_{control_};
  bool ready_ = false;
  bool draining_ = false;
  bool stopping_ = false;
  struct DrainQuestion {
    std::atomic<int> missing;  ///< answers
    std::atomic<bool> is_drained{true};
  };
  std::shared_ptr<DrainQuestion> drain_question_;
  Clock::time_point drain_until_{};
  int exit_status_ = 0;
};

Daemon::Daemon(Config config, bool salvage)
    : body_(std::make_unique<Body>(std::move(config), salvage)) {}
Daemon::~Daemon() = default;
int Daemon::run() {
  return body_->run();
}

Daemon::Body::Body(Config config, bool salvage)
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
               .on_opt_out = {}},
      figures_(config_, commit_) {
  const std::size_t count = shard_count(config_);
  gauges_.limiters = CarrierLimiters(config_.carriers.size());
  for (std::size_t i = 0; i < count; ++i) {
    shard_workers_.push_back(std::make_unique<Worker>(fmt::format("shard-{}", i)));
    shards_.push_back(std::make_unique<Shard>(shard_workers_[i]->context, config_, i, count,
                                              commit_, routing_, gauges_, switches_, inbound_,
                                              buried_, *files_, seed_));
    questions_.add(shard_workers_[i]->context, *shards_[i]);
  }
  events_ =
      std::make_unique<EventServer>(events_worker_.context, config_, commit_, consumers_, *files_);
  callbacks_ = std::make_unique<CallbackServer>(config_, commit_, consumers_, *files_);
  recover(salvage);
  serve();
}

Daemon::Body::~Body() = default;

void Daemon::Body::recover(bool salvage) {
  const auto began = Clock::now();
  notify_.status("recovering the journal");
  (void)notify_.extend_timeout(10min);  // a large journal: minutes, not a reason to be killed
  std::error_code uncreated;
  std::filesystem::create_directories(config_.state_dir, uncreated);  // 0700 by our umask
  if (uncreated) {
    throw std::runtime_error(
        fmt::format("state_dir {}: {}", config_.state_dir.string(), uncreated.message()));
  }
  const auto journal = config_.state_dir / "journal";
  open_references(journal);
  Replay replay(
      config_, routing_,
      [this](std::uint16_t number) -> CarrierDelivery& {
        return shards_[number % shards_.size()]->carrier(number);
      },
      *references_, consumers_, campaigns_, wall_clock_ms());
  if (const auto loaded = opt_outs_.load(*files_); !loaded) {
    throw JournalRefused(fmt::format("opt-outs: {}", loaded.error()));
  }
  replay.set_on_opt_out(
      [this](const OptOutChange& change, queue::Locator at) { opt_outs_.restore(change, at); });
  replay.set_on_dead_letter([this](const DeadLetter& letter) { callbacks_->restore(letter); });
  std::optional<LostMessages> lost;
  if (salvage) lost.emplace();
  auto started = start_from_journal(
      *files_, journal,
      {.salvage = salvage, .on_checkpoint = [this, &replay] { rebuild_references(replay); }},
      replay, lost ? &*lost : nullptr);
  if (!started) throw JournalRefused(fmt::format("journal: {}", started.error()));
  queue::Recovered& recovered = started->recovered;
  const auto& checkpoint = started->checkpoint;
  tell_newer(started->newer_checkpoint);
  journal_lock_ = std::move(recovered.lock);
  queue::remove_spill_files(*files_, config_.state_dir / "spill");
  for (const std::string& line : started->set_aside) {
    log::error("journal: set aside: {}", line);
  }
  if (lost && !started->set_aside.empty()) tell_lost(*lost, journal);
  if (salvage) {
    if (const auto removed = CheckpointFiles(*files_, journal).remove_all(); !removed) {
      throw std::runtime_error(
          fmt::format("journal: checkpoints of before the salvage: {}", removed.error().message()));
    }
  }
  for (const CampaignLedger::Standing& standing : campaigns_.all()) {
    const FlowOrder order = order_of(standing.campaign);
    if (order.asks_for_nothing()) continue;
    for (const auto& shard : shards_) (void)shard->ask(order, true);
  }
  latest_ms_ = replay.latest_ms();
  Ledger totals = replay.ledger();
  // A sequence of a message that salvaging has cost is not given again.
  if (lost) totals.sequence_next = std::max(totals.sequence_next, lost->sequence_next());
  sequence_next_ = totals.sequence_next;
  commit_.restore(totals, replay.files(), started->carried);
  commit_.set_add_to_preamble([this](queue::RecordBatch& preamble) {
    consumers_.add_to(preamble);
    campaigns_.add_to(preamble);
    switches_.add_to(preamble);
  });
  commit_.set_on_counted([this](const CommitBatch& batch) { campaigns_.apply(batch); });
  auto writer = queue::JournalWriter::start(*files_, {.directory = journal}, recovered.end,
                                            [this] { return commit_.make_preamble(); });
  if (!writer) {
    throw std::runtime_error(fmt::format("journal: {}", writer.error().message()));
  }
  commit_.adopt(std::move(*writer));
  checkpointer_ = std::make_unique<Checkpointer>(
      *files_, journal, commit_,
      Checkpointer::Options{
          .every_octets = config_.journal.checkpoint_octets,
          .guard = std::chrono::duration_cast<std::chrono::milliseconds>(config_.queue.guard),
          .references_from = [index = references_.get()] { return index->durable_to(); }},
      checkpoint);
  checkpointer_->set_on_trouble([](const std::string& why) {
    log::warn("journal: no checkpoint could be made, the next start takes longer: {}", why);
  });
  checkpointer_->set_on_carry_trouble([](const std::string& why) {
    log::warn(
        "journal: live messages could not be carried out of old files, which stay beyond "
        "retention: {}",
        why);
  });
  checkpointer_->set_on_carried([](const Carried& carried) {
    log::info(
        "journal: {} live messages carried out of the files before {} into {} KiB, in {} ms; those "
        "files may go",
        carried.excerpt.messages, carried.excerpt.before, carried.excerpt.octets >> 10,
        carried.took.count());
  });

  const Replay::Report& report = replay.report();
  log::info(
      "journal: {}{} records in {} files, {} torn octets cut; {} messages wait, {} of them in "
      "doubt, "
      "{} await a receipt; {} ms",
      checkpoint ? fmt::format("checkpoint before file {} of {} KiB, then ", checkpoint->before,
                               checkpoint->octets >> 10)
                 : std::string(),
      recovered.records, recovered.files.size(), recovered.torn_octets, report.waiting,
      report.in_doubt, report.awaiting_receipt,
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count());
  if (recovered.torn_octets > 0 && !recovered.files.empty()) {
    log::warn(
        "journal-{:08}.stj: {} octets of a commit that was never acknowledged cut from "
        "its end",
        recovered.files.back().number, recovered.torn_octets);
  }
  if (report.without_carrier > 0) {
    log::error(
        "journal: {} messages wait for a carrier that is not in the configuration any "
        "more, and no default route leads elsewhere",
        report.without_carrier);
  }
  if (report.not_understood > 0) {
    log::error("journal: {} records are of a kind this version does not know",
               report.not_understood);
  }
}

void Daemon::Body::open_references(const std::filesystem::path& journal) {
  // The table of 34 octets an entry, the one being written and the filters: a quarter of the memory
  // at most, so that messages that wait have the rest.
  constexpr std::uint64_t kTablePart = 16;
  constexpr std::uint64_t kFilterPart = 8;
  constexpr std::uint64_t kEntriesMin = 1u << 14;
  const std::uint64_t memory = config_.queue.memory_octets;
  const auto folder = config_.state_dir / "references";
  auto opened = ReferenceIndex::open(
      *files_, folder, journal,
      {.seed = seed_,
       .guard_ms = static_cast<std::uint64_t>(
           std::chrono::duration_cast<std::chrono::milliseconds>(config_.queue.guard).count()),
       .entries_max = std::max(kEntriesMin, memory / kTablePart / ReferenceTable::kOctetsPerEntry),
       .filter_octets_max = memory / kFilterPart});
  if (!opened) {
    throw JournalRefused(fmt::format("{}: {}", folder.string(), opened.error().message()));
  }
  references_ = std::move(*opened);
  tell_newer(references_->met_newer());
  references_->set_on_trouble([](const std::string& what) { log::error("references: {}", what); });
}

// A checkpoint leaves out the references that were on disk when it was made. What has been lost of
// them since is read from the journal, as far back as the guard reaches.
void Daemon::Body::rebuild_references(const Replay& restored) {
  const auto guard = std::chrono::duration_cast<std::chrono::milliseconds>(config_.queue.guard);
  for (const auto& [number, use] : restored.files()) {
    if (use.last_ms + static_cast<std::uint64_t>(guard.count()) < wall_clock_ms()) continue;
    const auto rebuilt = references_->rebuild_missing(queue::Locator(number, queue::kFirstBlock, 0),
                                                      restored.references_from());
    if (!rebuilt) {
      throw JournalRefused(fmt::format("references: {}", rebuilt.error().message()));
    }
    return;
  }
}

void Daemon::Body::tell_lost(LostMessages& lost, const std::filesystem::path& journal) {
  CheckpointFiles checkpoints(*files_, journal);
  if (const auto checkpoint = checkpoints.find_newest()) {
    // One that is damaged names fewer: what it has shown is true all the same.
    (void)checkpoints.for_each(*checkpoint, [&lost](const queue::Record& record) {
      lost.visit_checkpoint(record);
      return queue::result<void>{};
    });
  }
  const LostMessages::Report report = lost.report();
  const auto written = write_lost(*files_, journal, report);
  const std::string known_before =
      report.unknown_before == 0
          ? std::string()
          : fmt::format("; what was accepted before sequence {} is not known",
                        report.unknown_before);
  log::error(
      "journal: what was set aside held {} messages that are known by name, {} of them without "
      "an end, and at most {} others{}; {}",
      report.named.size(), report.live, report.unnamed_at_most, known_before,
      written ? "listed in " + *written
              : "the list could not be written: " + written.error().message());
}

void Daemon::Body::serve() {
  commit_.set_on_events([this] {
    events_->wake();
    callbacks_->wake();
  });
  commit_.set_on_failure([this](const std::string& why) {
    asio::post(control_, [this, why] { on_journal_failure(why); });
  });
  history_ = std::make_unique<History>(config_, commit_, *files_, gauges_.limiters);
  tell_newer(history_->met_newer());
  report_ = std::make_unique<CampaignReport>(config_, commit_, *files_);
  message_cancel_ = std::make_unique<MessageCancel>(*history_, questions_, buried_);
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

void Daemon::Body::begin_drain() {
  if (draining_) return begin_stop();  // asked twice: no more patience
  draining_ = true;
  drain_until_ = Clock::now() + kDrainWithin;
  log::info("draining: no new messages; windows get {} s", kDrainWithin / 1s);
  (void)notify_.stopping("draining");
  (void)notify_.extend_timeout(kDrainWithin + kStopWithin + 5s);
  asio::post(ingress_worker_.context, [this] { ingress_->drain(); });
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    asio::post(shard_workers_[i]->context, [this, i] { shards_[i]->drain(); });
  }
  look_at_drain();
}

// Asks every part whether it is done, until all are or time is up.
void Daemon::Body::look_at_drain() {
  if (drain_question_ && drain_question_->missing == 0) {
    if (drain_question_->is_drained) return begin_stop();
    drain_question_.reset();
  }
  if (Clock::now() >= drain_until_) {
    log::warn("draining: not all windows drained in time; their messages are in doubt");
    return begin_stop();
  }
  if (!drain_question_) ask_who_is_drained();
  drain_look_.expires_after(kDrainLook);
  drain_look_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped && !stopping_) look_at_drain();
  });
}

// One question at a time, so that a busy thread's answers to two are not taken for two threads'.
void Daemon::Body::ask_who_is_drained() {
  auto question = std::make_shared<DrainQuestion>();
  question->missing = static_cast<int>(shards_.size()) + 1;
  drain_question_ = question;
  asio::post(ingress_worker_.context, [this, question] {
    if (!ingress_->is_quiet()) question->is_drained = false;
    --question->missing;
  });
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    asio::post(shard_workers_[i]->context, [this, i, question] {
      if (!shards_[i]->is_drained()) question->is_drained = false;
      --question->missing;
    });
  }
}

void Daemon::Body::begin_stop() {
  if (stopping_) return;
  stopping_ = true;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    asio::post(shard_workers_[i]->context, [this, i] { shards_[i]->stop(); });
  }
  asio::post(events_worker_.context, [this] { events_->drain(); });
  // The links' last outcomes are to reach the disk; a part that does not answer is not waited for.
  const auto until = Clock::now() + kStopWithin;
  while (Clock::now() < until) {
    std::vector<std::future<bool>> answers;
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      auto promise = std::make_shared<std::promise<bool>>();
      answers.push_back(promise->get_future());
      asio::post(shard_workers_[i]->context,
                 [this, i, promise] { promise->set_value(shards_[i]->is_drained()); });
    }
    bool all = true;
    for (auto& answer : answers) {
      all = all && answer.wait_until(until) == std::future_status::ready && answer.get();
    }
    if (all) break;
    std::this_thread::sleep_for(kDrainLook);
  }
  control_.stop();
}

void Daemon::Body::finish() {
  asio::post(ingress_worker_.context, [this] { ingress_->stop(); });
  history_->stop();
  report_->stop();
  http_->stop();
  ingress_worker_.stop();
  for (const auto& worker : shard_workers_) worker->stop();
  events_worker_.stop();
  callbacks_->stop();
  checkpointer_->stop();
  commit_.stop();
  log::info("stopped");
}

void Daemon::Body::on_journal_failure(const std::string& why) {
  log::critical(
      "journal: {}: nothing more is accepted; stopping, the next start verifies and "
      "recovers",
      why);
  exit_status_ = kExitJournalFailed;
  begin_stop();
}

// A sign of life from every thread: the watchdog is fed only when all gave one.
void Daemon::Body::beat() {
  const auto beat_of = [](Worker& worker) {
    asio::post(worker.context, [&worker] {
      worker.heartbeat.store(Clock::now().time_since_epoch().count(),
                             std::memory_order_relaxed);  // a lone figure: orders nothing
    });
  };
  const auto interval = notify_.watchdog_interval();
  if (everyone_lives()) (void)notify_.watchdog();
  beat_of(ingress_worker_);
  beat_of(events_worker_);
  for (const auto& worker : shard_workers_) beat_of(*worker);
  watchdog_.expires_after(interval ? std::chrono::duration_cast<Clock::duration>(*interval)
                                   : Clock::duration(2s));
  watchdog_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) beat();
  });
}

bool Daemon::Body::everyone_lives() const {
  // Beats come every two seconds or at half the watchdog's limit; three missed are no accident.
  static constexpr auto kSilence = 10s;
  const auto now = Clock::now();
  const auto lives = [now](const Worker& worker) {
    const Clock::time_point last(
        Clock::duration(worker.heartbeat.load(std::memory_order_relaxed)));  // see beat()
    return now - last < kSilence;
  };
  bool all = lives(ingress_worker_) && lives(events_worker_) &&
             now - commit_.last_heartbeat() < kSilence &&
             now - callbacks_->last_heartbeat() < kSilence;
  for (const auto& worker : shard_workers_) all = all && lives(*worker);
  return all;
}

std::optional<Figures> Daemon::Body::figures_now() const {
  auto promise = std::make_shared<std::promise<Figures>>();
  auto answer = promise->get_future();
  figures_.collect([promise](const Figures& figures) { promise->set_value(figures); });
  if (answer.wait_for(kScrapeWithin) != std::future_status::ready) return std::nullopt;
  return answer.get();
}

Health Daemon::Body::readiness() const {
  if (draining_) return {.well = false, .reason = "draining"};
  if (!ready_) return {.well = false, .reason = "starting"};
  if (commit_.snapshot().has_failed) return {.well = false, .reason = "the journal failed"};
  const auto figures = figures_now();
  if (!figures) return {.well = false, .reason = "a thread does not answer"};
  if (figures->ingress.storage_is_low) return {.well = false, .reason = "too little disk space"};
  return {};
}

}  // namespace stentor::daemon
