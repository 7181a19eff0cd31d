// What a figure must carry to mean anything: the machine it was taken on.
//
// Threads  Pure functions that read the system.
#pragma once

#include <filesystem>
#include <string>

#include "bench/load/report.h"

namespace stentor::load {

/// Adds processor, cores, kernel, and the file system under `state`: on tmpfs a commit is free.
void add_machine(Report& report, const std::filesystem::path& state);

/// "ext4", "tmpfs", …; a number in hex for one that is not known here.
[[nodiscard]] std::string file_system_of(const std::filesystem::path& path);

}  // namespace stentor::load
