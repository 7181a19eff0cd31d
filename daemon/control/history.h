// The dated history of one message, read from the journal on a thread of its own.
//
// The journal is read on from the file the message was accepted in, so that an old message of a
// busy day takes as long as reading that much of the disk does.
//
// Units    Times are RFC 3339 with milliseconds.
// Owns     A thread, a reader, and at most kQuestionsMax questions.
// Errors   not_found; busy when too many ask.
// Threads  ask() from any thread; the answer is called on the history's thread.
// Spec     docs/protocol.md, "message"
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "daemon/commit/commit_thread.h"
#include "daemon/ingress/peer.h"
#include "queue/journal_reader.h"

namespace stentor::daemon {

/// Where one message stands.
struct MessageStanding {
  queue::Locator at;
  MessageId id;
  std::string client;
  std::string carrier;  ///< chosen at acceptance
  State state = State::none;
  bool possible_duplicate = false;
};

class History {
 public:
  using Reply = std::function<void(std::string)>;

  History(const Config& config, CommitThread& commit, queue::FileSystem& files);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  /// By id, or by the place of its accepted record.
  void ask(std::string id, std::optional<queue::Locator> place, const Peer& peer, Reply reply);
  /// Nothing when there is no such message, or too many ask.
  using Found = std::function<void(const std::optional<MessageStanding>&)>;
  void find(std::string id, std::optional<queue::Locator> place, Found found);
  void stop();

 private:
  // Each holds a connection that waits; more than this is somebody walking the archive.
  static constexpr std::size_t kQuestionsMax = 64;
  struct Question {
    std::string id;
    std::optional<queue::Locator> place;
    Peer peer;
    Reply reply;
    Found found;  ///< instead of a reply
  };
  struct Told;
  void run();
  [[nodiscard]] std::optional<Told> told_of(const Question& question);
  [[nodiscard]] std::string answer(const Question& question);
  [[nodiscard]] std::optional<MessageStanding> standing(const Question& question);

  CommitThread& commit_;
  queue::JournalReader reader_;
  std::mutex guard_;
  std::condition_variable asked_;
  std::deque<Question> questions_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace stentor::daemon
