#include "daemon/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace stentor::daemon::log {
namespace {

spdlog::level::level_enum native(Level level) {
  switch (level) {
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::critical: break;
  }
  return spdlog::level::critical;
}

}  // namespace

void to_stderr(const std::string& least) {
  auto logger = spdlog::stderr_logger_mt("stentord");
  logger->set_level(spdlog::level::from_str(least));
  logger->flush_on(spdlog::level::info);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
}

void write(Level level, std::string_view line) {
  spdlog::log(native(level), line);
}

}  // namespace stentor::daemon::log
