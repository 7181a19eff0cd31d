// What the ingress thread does about opt-outs: replies' wishes, requests, answers to the handset.
//
// Units    Numbers in kept form.
// Owns     Nothing: the list, admission and the feed are ingress's.
// Errors   Refusals of the protocol.
// Threads  The ingress thread.
// Spec     docs/protocol.md, "optout"
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "daemon/commit/commit_feed.h"
#include "daemon/ingress/admission.h"
#include "daemon/ingress/peer.h"
#include "daemon/ingress/request.h"
#include "daemon/optout/opt_outs.h"

namespace stentor::daemon {

class OptOutDesk {
 public:
  OptOutDesk(const Config& config, OptOuts& opt_outs, Admission& admission, CommitFeed& feed);

  /// A reply that is being made durable: the list follows, and the handset is told once.
  void on_reply(const OptOutNotice& notice);

  /// Appends the reply line without its newline; answers the batch that must be durable before it
  /// may leave.
  [[nodiscard]] std::expected<std::uint64_t, Refusal> answer(const OptOutRequest& request,
                                                             const Peer& peer, std::string& reply);

 private:
  [[nodiscard]] std::expected<std::uint64_t, Refusal> change(const OptOutRequest& request,
                                                             const Peer& peer, std::string& reply);
  [[nodiscard]] std::expected<std::uint64_t, Refusal> list(const OptOutRequest& request,
                                                           const Peer& peer, std::string& reply);
  [[nodiscard]] std::size_t write(bool is_out, std::string_view sender,
                                  const std::vector<std::string>& numbers, const Peer& peer);
  void confirm(const OptOutNotice& notice, const std::string& text);

  const Config& config_;
  OptOuts& opt_outs_;
  Admission& admission_;
  CommitFeed& feed_;
  FieldWriter fields_;
};

}  // namespace stentor::daemon
