// Which messages of a campaign came to a bad end, read from the journal a piece at a time.
//
// A piece is asked for when the one before it has been read by the client, so that a report of
// millions of lines costs no memory.
//
// Units    Octets; a line for each message.
// Owns     A thread, a reader, and at most as many questions as there are connections.
// Errors   Blocks that cannot be read are passed over.
// Threads  ask() from any thread; the answer is called on the report's own.
// Spec     docs/protocol.md, "campaign"
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "daemon/commit/commit_thread.h"
#include "daemon/config/config.h"
#include "queue/journal_reader.h"

namespace stentor::daemon {

/// Where a report stands.
struct ReportPlace {
  std::string client;
  std::string campaign;
  queue::Locator position;  ///< what comes next
  queue::Locator end;       ///< as far as the journal went when it was asked for
  std::uint64_t lines = 0;
};

class CampaignReport {
 public:
  struct Piece {
    std::string text;  ///< whole lines, without the last one's end
    ReportPlace place;
    bool is_last = false;
  };
  using Answer = std::function<void(Piece)>;

  CampaignReport(const Config& config, CommitThread& commit, queue::FileSystem& files);
  ~CampaignReport();
  CampaignReport(const CampaignReport&) = delete;
  CampaignReport& operator=(const CampaignReport&) = delete;

  void ask(ReportPlace place, Answer answer);
  void stop();

 private:
  struct Question {
    ReportPlace place;
    Answer answer;
  };
  void run();
  [[nodiscard]] Piece read(ReportPlace place);

  CommitThread& commit_;
  queue::JournalReader reader_;
  std::mutex guard_;
  std::condition_variable asked_;
  std::deque<Question> questions_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace stentor::daemon
