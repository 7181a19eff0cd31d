// Turns a send that was found good into durable messages: gives ids, remembers its reference, and
// writes the accepted records and the reply.
//
// Units    Milliseconds of Unix time.
// Owns     The reference index, the campaigns' numbers, the accept sequence, the counters of
//          concatenation references.
// Errors   A refusal becomes a `rejected` reply; nothing is stored then and the ref is not used up.
// Threads  The ingress thread.
// Spec     docs/protocol.md, "send"
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/campaigns/campaign_registry.h"
#include "daemon/commit/commit_feed.h"
#include "daemon/config/config.h"
#include "daemon/delivery/routing.h"
#include "daemon/hours/open_hours.h"
#include "daemon/ingress/peer.h"
#include "daemon/ingress/request.h"
#include "daemon/ingress/send_check.h"
#include "daemon/references/reference_index.h"
#include "queue/journal_reader.h"

namespace stentor::daemon {

struct AdmissionStats {
  std::uint64_t accepted = 0;  ///< messages written into a batch
  std::uint64_t duplicates = 0;
  std::uint64_t segments_gsm7 = 0;
  std::uint64_t segments_ucs2 = 0;
  std::uint64_t segments_other = 0;
};

class OptOuts;

class Admission {
 public:
  struct Start {
    std::uint64_t sequence_next = 1;
    std::uint64_t time_ms_last = 0;  ///< of the latest id known
    std::uint16_t incarnation = 0;
    std::uint64_t seed = 0;  ///< for keyed hashes
    std::size_t shards = 1;
    std::unique_ptr<ReferenceIndex> references;  ///< as recovery left it
    CampaignLedger* campaigns = nullptr;         ///< likewise; outlives the admission
    const OptOuts* opt_outs = nullptr;           ///< who is not to be sent to; outlives admission
  };

  Admission(const Config& config, const Routing& routing, CommitFeed& feed,
            queue::JournalReader& reader, Start start);

  struct Answer {
    std::uint64_t waits_for = 0;    ///< the batch that must be durable before the reply may leave
    std::string_view refused = {};  ///< the code, when it was
  };
  /// Answers one send; appends the reply line without its newline.
  [[nodiscard]] Answer send(const SendRequest& request, const Peer& peer, std::uint64_t now_ms,
                            std::string& reply);
  /// A batch came back: its references are known by place now, or forgotten when it failed.
  void on_settled(const CommitBatch& batch);

  /// The accepted record of a client's reference, if it is remembered and durable.
  [[nodiscard]] std::optional<queue::Locator> find(std::string_view client, std::string_view ref);

  /// The id of the message with a client's reference, likewise.
  [[nodiscard]] std::optional<MessageId> id_of(std::string_view client, std::string_view ref);

  [[nodiscard]] ReferenceIndex& references() noexcept { return *references_; }

  [[nodiscard]] CampaignRegistry& campaigns() noexcept { return campaigns_; }
  [[nodiscard]] const AdmissionStats& stats() const noexcept { return stats_; }
  [[nodiscard]] const ReferenceIndex& references() const noexcept { return *references_; }

 private:
  struct NewReference {
    std::uint64_t key;
    std::uint32_t offset;
  };
  struct BatchReferences {
    std::uint64_t batch;
    std::vector<NewReference> references;
  };

  [[nodiscard]] Accepted describe(const SendRequest& request, const Peer& peer,
                                  const CheckedSend& checked, const CheckedRecipient& recipient,
                                  MessageId id);
  [[nodiscard]] std::uint32_t write(const Accepted& accepted, const CheckedRecipient& recipient,
                                    std::uint32_t order_key);
  void remember(std::uint64_t reference, std::uint32_t record_offset);
  void count(const SendCost& cost);
  /// What is asked, as a fingerprint. Before, what is not always there was not named in it, so that
  /// one such field could pass for another: `is_named` false makes that one, for older records.
  [[nodiscard]] std::uint64_t content_of(const SendRequest& request, bool is_named = true);
  /// The answer when the reference was seen before; its reply is written then.
  [[nodiscard]] std::optional<Answer> answer_known(const SendRequest& request, const Peer& peer,
                                                   std::uint64_t content, std::uint64_t now_ms,
                                                   std::string& reply);
  [[nodiscard]] MessageId next_id(std::uint64_t now_ms);

  const Config& config_;
  const Routing& routing_;
  CommitFeed& feed_;
  queue::JournalReader& reader_;
  Start start_;
  std::uint64_t sequence_next_;
  std::uint64_t time_ms_last_;  // of an id: after a start under a clock that was ahead, its date
  std::uint64_t now_ms_ = 0;    // the latest that send() was given
  std::unique_ptr<ReferenceIndex> references_;
  CampaignRegistry campaigns_;
  std::deque<BatchReferences> pending_references_;
  // The 8-bit reference counts per destination: recipients share 64 Ki counters by hash.
  std::unique_ptr<std::uint16_t[]> concatenation_;
  OpenHours open_hours_;
  FieldWriter subject_;
  FieldWriter record_;
  FieldWriter content_;
  FieldWriter route_reason_;
  FieldWriter encoding_reason_;
  AdmissionStats stats_;
};

/// Appends a `rejected` reply.
void append_rejection(const Refusal& refusal, std::string& reply);
/// The reply by itself.
[[nodiscard]] std::string rejection(std::string_view code, std::string detail);

}  // namespace stentor::daemon
