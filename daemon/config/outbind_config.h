// A carrier whose SMSC connects to us and asks us to bind.
//
// Owns     Its texts; the password is never printed.
// Threads  Plain values.
// Spec     SMPP 3.4 sections 2.2.1 and 4.1.7; docs/configuration.md, "Outbind"
#pragma once

#include <string>
#include <vector>

#include "daemon/config/callback_config.h"

namespace stentor::daemon {

struct OutbindConfig {
  std::string listen;          ///< ADDRESS:PORT as written
  std::string system_id;       ///< the SMSC's; empty: any
  std::string password;        ///< likewise
  std::vector<Network> allow;  ///< who may connect
  std::vector<std::string> allow_text;
  /// Binds that receive connect by themselves too; else they wait for an outbind.
  bool connect = true;
};

}  // namespace stentor::daemon
