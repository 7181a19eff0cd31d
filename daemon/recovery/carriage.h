// How each kind of journal record is carried over into a checkpoint: the one place that lists all.
//
// Whoever adds a kind of record decides here what becomes of it when its file is condensed; the
// compiler asks (-Wswitch-enum). A kind this version does not know is kept as it is.
//
// Units    Milliseconds of Unix time.
// Errors   A payload that does not decode is kept as it is: better carried for nothing than lost.
// Threads  Pure functions.
// Spec     docs/journal.md, "What a checkpoint carries"
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "daemon/records/records.h"
#include "queue/record_batch.h"

namespace stentor::daemon {

enum class Carriage : std::uint8_t {
  dropped,  ///< told when it was written; recovery needs nothing of it
  message,  ///< begins a message: kept while the message is not final, its text left where it lies
  follows,  ///< begins with Following: kept while its message is not final
  sequences,  ///< names messages by sequence: those not final are kept
  latest,     ///< the newest record of its key stands for all before it (key_of)
  recent,     ///< kept for three days by its own time (time_of)
  kept        ///< kept as it is
};
[[nodiscard]] Carriage carriage_of(std::uint8_t kind) noexcept;

/// Of a `latest` record: what it is the newest of. One record's key never equals another kind's.
[[nodiscard]] std::string key_of(const queue::Record& record);
/// Of a `recent` record: when it was written.
[[nodiscard]] std::uint64_t time_of(const queue::Record& record);

/// What a `message` or `follows` record says of its message, read without decoding all of it.
struct AboutMessage {
  std::uint64_t sequence = 0;
  std::uint64_t time_ms = 0;  ///< when it was accepted; when the following record was written
  /// From here on the message is final for good. `unknown` is not, nor is one of whose parts one is
  /// unknown: a late receipt may correct it, as long as its file is there.
  bool is_final = false;
  bool is_unknown = false;  ///< it, or a part of it
  queue::Locator accepted;  ///< of a following record: where the message's accepted record lies
};
[[nodiscard]] std::optional<AboutMessage> about_message(const queue::Record& record,
                                                        Carriage carriage);

/// How a record speaks of messages, whatever recovery needs of it: as `message`, `follows` or
/// `sequences`, so that a live message's whole history can be kept; `dropped` where of none.
[[nodiscard]] Carriage speaks_as(std::uint8_t kind) noexcept;

/// Writes a `sequences` record to `out` with those alone that are `kept`, and answers how many they
/// are; nothing where it does not decode.
[[nodiscard]] std::optional<std::size_t> encode_kept(const queue::Record& record,
                                                     const std::function<bool(std::uint64_t)>& kept,
                                                     FieldWriter& out);

}  // namespace stentor::daemon
