// Answers `message`: the dated history of one message, or what was sent to a number.
//
// A thread of its own follows the journal into an index (history/history_index.h), in small steps
// so that delivery does not feel it, and reads the few records that a question is about.
//
// Units    Times are RFC 3339 with milliseconds.
// Owns     A thread, an index with its reader, and at most kQuestionsMax questions.
// Errors   not_found; busy when too many ask.
// Threads  ask() from any thread; the answer is called on the history's thread.
// Spec     docs/protocol.md, "message"
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "daemon/campaigns/campaign_ledger.h"
#include "daemon/commit/commit_thread.h"
#include "daemon/config/config.h"
#include "daemon/delivery/gauges.h"
#include "daemon/history/history_index.h"
#include "daemon/history/telling.h"
#include "daemon/history/waits.h"
#include "daemon/hours/open_hours.h"
#include "daemon/ingress/peer.h"
#include "daemon/ingress/read_audit.h"
#include "daemon/ingress/request.h"

namespace stentor::daemon {

/// Where one message stands.
struct MessageStanding {
  queue::Locator at;
  MessageId id;
  std::string client;
  std::string carrier;  ///< that has it now
  State state = State::none;
  bool possible_duplicate = false;
  std::vector<Telling::AtCarrier> at_carrier;  ///< parts that it has taken and not reported on
};

/// Its own client's, and for who observes or administrates.
[[nodiscard]] bool may_see(const MessageStanding& message, const Peer& peer);

class History {
 public:
  using Reply = std::function<void(std::string)>;

  History(const Config& config, CommitThread& commit, queue::FileSystem& files,
          const CarrierLimiters& limiters, const CampaignLedger& campaigns);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  void ask(MessageQuestion question, const Peer& peer, Reply reply);
  /// By id or place, with all that is durable. Nothing when there is no such message.
  using Found = std::function<void(const std::optional<MessageStanding>&)>;
  void find(std::string id, std::optional<queue::Locator> place, Found found);
  void stop();
  /// As HistoryIndex::met_newer; never changes.
  [[nodiscard]] const std::optional<NewerFile>& met_newer() const noexcept {
    return index_.met_newer();
  }

 private:
  // Each holds a connection that waits; more than this is somebody walking the archive.
  static constexpr std::size_t kQuestionsMax = 64;
  struct Asked {
    MessageQuestion question;
    Peer peer;
    Reply reply;
    Found found;  ///< instead of a reply
  };
  struct Place {
    std::optional<queue::Locator> at;
    bool more = false;  ///< places of that name were left unread
  };
  void run();
  void note_look(const Peer& peer);
  void follow();
  [[nodiscard]] std::optional<Asked> next_question();
  [[nodiscard]] std::string answer(const Asked& asked);
  [[nodiscard]] std::string look_for(const Asked& asked);
  [[nodiscard]] std::optional<MessageStanding> standing(const Asked& asked);
  [[nodiscard]] std::string sent_to(const Asked& asked);
  [[nodiscard]] Place first_of(
      std::uint64_t key,
      const std::function<std::optional<queue::Locator>(const queue::Record&)>& look);
  [[nodiscard]] Place place_of(const Asked& asked);
  [[nodiscard]] Place place_of_carrier_id(const Asked& asked);
  [[nodiscard]] std::vector<Stretch> pauses_of(const Subject& subject, queue::Flow flow);
  [[nodiscard]] std::optional<std::string> told(queue::Locator place, const Peer& peer,
                                                bool with_history);

  const Config& config_;
  CommitThread& commit_;
  const CarrierLimiters& limiters_;
  const CampaignLedger& campaigns_;
  HistoryIndex index_;
  OpenHours open_hours_;
  ReadAudit read_audit_;
  bool shows_others_ = false;  // the answer under way
  bool is_behind_ = true;
  bool is_merging_ = false;  // names are being brought together
  std::chrono::steady_clock::time_point next_carried_{};
  std::mutex guard_;
  std::condition_variable asked_;
  std::deque<Asked> questions_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace stentor::daemon
