#include "daemon/ctl/pipeline.h"

#include <fmt/format.h>

namespace stentor::ctl {

result<void> Pipeline::add(std::uint64_t number, std::string_view line) {
  while (!waiting_.empty() && octets_ + line.size() > kOctetsOnTheWay) {
    if (auto taken = take_reply(); !taken) return taken;
  }
  unsent_.append(line);
  waiting_.push_back({.number = number, .octets = line.size()});
  octets_ += line.size();
  return {};
}

result<void> Pipeline::finish() {
  while (!waiting_.empty()) {
    if (auto taken = take_reply(); !taken) return taken;
  }
  return {};
}

result<void> Pipeline::flush() {
  if (unsent_.empty()) return {};
  auto written = connection_->write(unsent_);
  unsent_.clear();
  return written;
}

result<void> Pipeline::take_reply() {
  // While answers are at hand requests gather, so that they go out in few writes.
  if (!connection_->has_line()) {
    if (auto flushed = flush(); !flushed) return flushed;
  }
  const auto line = connection_->read_reply();
  if (!line) {
    return failed(line.error().exit, fmt::format("{}; {} requests had no answer yet (send again "
                                                 "with the same ref: nothing is stored twice)",
                                                 line.error().what, waiting_.size()));
  }
  const auto reply = JsonValue::parse(*line);
  if (!reply) {
    return failed(Exit::unreachable,
                  fmt::format("{} answered what is not JSON: not stentord?", connection_->path()));
  }
  const Waiting answered = waiting_.front();
  waiting_.pop_front();
  octets_ -= answered.octets;
  on_reply_(answered.number, *line, *reply);
  return {};
}

}  // namespace stentor::ctl
