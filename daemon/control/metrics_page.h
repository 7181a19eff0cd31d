// The daemon's figures as Prometheus families: every metric's name and help in one place.
//
// Units    Base units in the names: _seconds, _bytes, _total. Labels: carrier, bind, status,
//          encoding, priority, code, consumer; all bounded.
// Threads  A pure function.
// Spec     docs/operations.md lists them with what to do about each.
#pragma once

#include <vector>

#include "daemon/control/figures.h"
#include "daemon/metrics/exposition.h"

namespace stentor::daemon {

[[nodiscard]] Exposition::Families metric_families(const Figures& figures);

}  // namespace stentor::daemon
