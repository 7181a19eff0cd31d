#include "daemon/optout/opt_out_saver.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "daemon/failpoints/failpoint.h"
#include "daemon/log.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

// Till then only the journal has it, which is as durable; a large list costs its disk a twentieth.
constexpr std::chrono::milliseconds kSaveEvery = 10s;
constexpr int kSaveShare = 20;
constexpr std::size_t kPiecesAtOnce = 16;

std::error_code append_durably(const std::filesystem::path& path, std::string_view lines) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
  std::error_code failed;
  const auto note = [&failed] { failed = {errno, std::generic_category()}; };
  if (fd < 0) {
    note();
    return failed;
  }
  while (!lines.empty() && !failed) {
    const ssize_t written = ::write(fd, lines.data(), lines.size());
    if (written < 0 && errno != EINTR) note();
    if (written > 0) lines.remove_prefix(static_cast<std::size_t>(written));
  }
  if (!failed && ::fsync(fd) != 0) note();
  ::close(fd);
  return failed;
}

}  // namespace

OptOutSaver::OptOutSaver(boost::asio::io_context& control, Poster to_ingress, OptOuts& opt_outs)
    : control_(control), to_ingress_(std::move(to_ingress)), opt_outs_(opt_outs), timer_(control) {}

OptOutSaver::~OptOutSaver() = default;

void OptOutSaver::start() {
  wait(kSaveEvery);
}

void OptOutSaver::wait(std::chrono::milliseconds time) {
  timer_.expires_after(time);
  timer_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) begin();
  });
}

void OptOutSaver::begin() {
  to_ingress_([this] {
    auto save = opt_outs_.begin_save();
    boost::asio::post(control_, [this, save = std::move(save)]() mutable {
      if (!save) return wait(kSaveEvery);
      open(std::move(*save));
    });
  });
}

void OptOutSaver::open(OptOuts::Save save) {
  began_ = std::chrono::steady_clock::now();
  save_ = std::move(save);
  // The trail first: after a crash in between its lines may be there twice, but never missing.
  if (const auto failed = append_durably(opt_outs_.audit_path(), save_.audit_lines)) {
    return fail(failed);
  }
  failpoint(Failpoint::opt_out_trail);
  save_.audit_lines.clear();
  auto writer = OptOutFileWriter::create(opt_outs_.path(), save_.begun_at);
  if (!writer) return fail(writer.error());
  writer_ = std::move(*writer);
  ask_for(0);
}

void OptOutSaver::ask_for(std::size_t piece) {
  to_ingress_([this, piece] {
    std::vector<OptedOut> entries;
    const std::size_t end = std::min(piece + kPiecesAtOnce, OptOutList::kPieces);
    for (std::size_t i = piece; i < end; ++i) {
      opt_outs_.list().for_each(i, [&](const OptedOut& entry) { entries.push_back(entry); });
    }
    boost::asio::post(control_, [this, end, entries = std::move(entries)] { take(end, entries); });
  });
}

void OptOutSaver::take(std::size_t piece, const std::vector<OptedOut>& entries) {
  for (const OptedOut& entry : entries) writer_->add(entry);
  if (piece < OptOutList::kPieces) return ask_for(piece);
  finish();
}

void OptOutSaver::finish() {
  const auto failed = writer_->finish();
  writer_.reset();
  if (failed) return fail(failed);
  to_ingress_([this, begun_at = save_.begun_at] { opt_outs_.end_save(begun_at); });
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began_);
  wait(std::max(kSaveEvery, took * kSaveShare));
}

void OptOutSaver::fail(const std::error_code& why) {
  log::error("opt-outs: cannot save the list: {}; the journal keeps them", why.message());
  writer_.reset();
  to_ingress_([this, save = std::move(save_)] { opt_outs_.give_back(save); });
  save_ = {};
  wait(kSaveEvery);
}

}  // namespace stentor::daemon
