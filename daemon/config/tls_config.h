// Reads what a carrier's entry says about TLS.
//
// Errors   Mistakes of the section: what cannot go together, a file that is not there, a private
// key
//          that others may read. What OpenSSL makes of a file is told at the start.
// Threads  One thread.
#pragma once

#include "daemon/config/config.h"
#include "daemon/config/section.h"

namespace stentor::daemon::config_file {

/// Whoever leaves `tls` out gets plain text to private addresses only: a host that is written as
/// another address is a mistake. What a name leads to is seen when it is connected to.
void check_plain_text(Section& section, const std::vector<HostPort>& hosts, const TlsConfig& tls);
void read_tls(Section& section, TlsConfig& tls);

}  // namespace stentor::daemon::config_file
