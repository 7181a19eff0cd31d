// Reads what a [[carrier]] says of its SMPP: submit, tlv, registered_delivery, receipt_pattern, …
//
// Errors   Into the section's Mistakes.
// Threads  One thread.
// Spec     docs/configuration.md, "[[carrier]]"
#pragma once

#include "daemon/config/section.h"

namespace stentor::daemon::config_file {

/// `receipts` is what the carrier's key of that name says.
void read_wire(Section& section, bool receipts, WireConfig& wire);

}  // namespace stentor::daemon::config_file
