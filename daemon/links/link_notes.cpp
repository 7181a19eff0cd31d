#include "daemon/links/link_notes.h"

#include <chrono>
#include <utility>

#include "daemon/log.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {

void LinkNotes::add(std::string what, bool is_warning) {
  last_ = std::move(what);
  if (errors_.size() == kKept) errors_.pop_front();
  errors_.push_back({wall_clock_ms(), last_});
  const auto left_out = limit_.let_through(std::chrono::steady_clock::now());
  if (!left_out) return;
  log::write(is_warning ? log::Level::warn : log::Level::info,
             with_left_out(link_ + ": " + last_, *left_out));
}

}  // namespace stentor::daemon
