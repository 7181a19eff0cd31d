#include "daemon/campaigns/campaign_report.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <utility>

#include "daemon/events/consumers.h"
#include "daemon/events/event_lines.h"

namespace stentor::daemon {
namespace {

constexpr queue::ReaderOptions kReaderOptions{.recent_octets_max = 0,
                                              .blocks_octets_max = 2u << 20};
// Half of what a client may leave unread, and some 20 ms of reading: others wait behind a piece.
constexpr std::size_t kPieceOctets = 128u << 10;
constexpr std::size_t kPieceRecords = 1u << 16;

bool is_bad_end(std::string_view type) {
  return type == "failed" || type == "expired" || type == "unknown" || type == "cancelled";
}

}  // namespace

CampaignReport::CampaignReport(const Config& config, CommitThread& commit, queue::FileSystem& files)
    : commit_(commit),
      reader_(files, config.state_dir / "journal", kReaderOptions),
      thread_([this] { run(); }) {}

CampaignReport::~CampaignReport() {
  stop();
}

void CampaignReport::stop() {
  {
    const std::lock_guard lock(guard_);
    stopping_ = true;
  }
  asked_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void CampaignReport::ask(ReportPlace place, Answer answer) {
  {
    const std::lock_guard lock(guard_);
    questions_.push_back({std::move(place), std::move(answer)});
  }
  asked_.notify_one();
}

void CampaignReport::run() {
  prctl(PR_SET_NAME, "report");
  while (true) {
    Question question;
    {
      std::unique_lock lock(guard_);
      asked_.wait(lock, [this] { return stopping_ || !questions_.empty(); });
      if (stopping_) return;
      question = std::move(questions_.front());
      questions_.pop_front();
    }
    question.answer(read(std::move(question.place)));
    reader_.forget_before(commit_.oldest_file());
  }
}

CampaignReport::Piece CampaignReport::read(ReportPlace place) {
  Piece piece;
  if (place.end.is_nowhere()) place.end = commit_.durable_end();
  for (std::size_t i = 0; i < kPieceRecords && piece.text.size() < kPieceOctets; ++i) {
    const auto record = reader_.next(place.position, place.end);
    if (!record || !*record) {
      piece.is_last = true;
      break;
    }
    const RecordEvents events = events_of(**record);
    if (events.count == 0 || events.subject->campaign != place.campaign ||
        events.subject->client != place.client) {
      continue;
    }
    for (std::uint8_t sub = 1; sub <= events.count; ++sub) {
      if (!is_bad_end(events.types[sub - 1u])) continue;
      append_event(**record, events, sub, to_cursor({(*record)->at, sub}), piece.text);
      piece.text.push_back('\n');
      ++place.lines;
    }
  }
  if (piece.is_last) {
    piece.text.append(fmt::format(R"({{"status":"ok","done":true,"lines":{}}})", place.lines));
  } else if (!piece.text.empty()) {
    piece.text.pop_back();
  }
  piece.place = std::move(place);
  return piece;
}

}  // namespace stentor::daemon
