// Where whoever makes carried excerpts and the commit thread, which counts what lives and deletes
// files, agree on them: one is wanted, its maker asks whether it has all that lives and offers it,
// and it is taken once the journal says so.
//
// Units    Octets; file numbers are the journal's.
// Owns     The agreement.
// Threads  Any: a lock that is held for some copies. The commit thread comes at each look at
//          retention, its maker some times a second while it waits.
// Spec     docs/journal.md, "Carried excerpts"
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>

namespace stentor::daemon {

/// The carried excerpt that there is (recovery/carried_files.h).
struct CarriedUse {
  std::uint32_t before = 0;  ///< the first file that it says nothing of; 0: there is none
  std::uint64_t octets = 0;
  std::uint64_t messages = 0;  ///< that lived when it was made
  std::uint64_t live = 0;      ///< of them, and of files that are gone
};

/// Up to where live messages should be carried out of files, so that these can go.
struct CarryWanted {
  std::uint32_t before = 0;  ///< 0: it is not worth it
  std::uint64_t octets = 0;  ///< about what the excerpt will take
};

class CarryDesk {
 public:
  enum class Answer : std::uint8_t { open, complete, lacking };

  /// As of the last look at retention.
  [[nodiscard]] CarryWanted wanted() const;
  /// Asks whether an excerpt with so many messages has all that live in files before `before`, and
  /// in the excerpt that it replaces; answered at the next look at retention.
  void propose(std::uint32_t before, std::uint64_t messages);
  [[nodiscard]] Answer answer() const;
  /// The excerpt has its name: the journal says so at the next look at retention, and then the
  /// files before it may go.
  void offer(const CarriedUse& carried);
  /// The excerpt that counts, from when the journal says so.
  [[nodiscard]] CarriedUse taken() const;

  // The commit thread's side.
  void want(const CarryWanted& wanted);
  /// Answers an open proposal by the messages that live before its file.
  void judge(const std::function<std::uint64_t(std::uint32_t)>& live_before);
  [[nodiscard]] CarriedUse offered() const;
  void take(const CarriedUse& carried);

 private:
  mutable std::mutex guard_;
  CarryWanted wanted_;
  std::uint32_t proposed_before_ = 0;  // 0: nothing is proposed
  std::uint64_t proposed_messages_ = 0;
  Answer answer_ = Answer::open;
  CarriedUse offered_;  // before 0: none
  CarriedUse taken_;
};

}  // namespace stentor::daemon
