#include "protocol/command_status.h"

#include <algorithm>
#include <array>

namespace stentor::protocol {
namespace {

struct Meaning {
  std::uint32_t status;
  std::string_view name;  // SMPP 3.4 table 5-2; from 0x100 on SMPP 5.0 table 4-45
  Disposition disposition;
  std::string_view outcome;
};

using enum Disposition;

// Words for what went wrong, stable towards upstream. Several statuses share one: who needs the
// exact one has the status itself beside it.
constexpr std::string_view kRejected = "carrier_rejected";   // this message, for good
constexpr std::string_view kCarrierError = "carrier_error";  // something over there, for now
constexpr std::string_view kBadMessage = "invalid_message";  // a field or TLV of ours
constexpr std::string_view kBadDestination = "invalid_destination";
constexpr std::string_view kBadSource = "invalid_source";
constexpr std::string_view kBadTime = "invalid_time";  // schedule or validity
constexpr std::string_view kNotAllowed = "not_permitted_by_carrier";
constexpr std::string_view kBindRefused = "bind_refused";
constexpr std::string_view kNotBound = "not_bound";
constexpr std::string_view kIdUnknown = "message_id_unknown";

// In the order of the status, so that it can be searched.
constexpr auto kMeanings = std::to_array<Meaning>({
    {0x00, "ESME_ROK", accepted, "accepted"},
    {0x01, "ESME_RINVMSGLEN", give_up, kBadMessage},
    {0x02, "ESME_RINVCMDLEN", give_up, kBadMessage},
    {0x03, "ESME_RINVCMDID", give_up, kBadMessage},
    {0x04, "ESME_RINVBNDSTS", link_fault, kNotBound},
    {0x05, "ESME_RALYBND", link_fault, kBindRefused},
    {0x06, "ESME_RINVPRTFLG", give_up, kBadMessage},
    {0x07, "ESME_RINVREGDLVFLG", give_up, kBadMessage},
    {0x08, "ESME_RSYSERR", retry_later, kCarrierError},
    {0x0a, "ESME_RINVSRCADR", give_up, kBadSource},
    {0x0b, "ESME_RINVDSTADR", give_up, kBadDestination},
    {0x0c, "ESME_RINVMSGID", give_up, kIdUnknown},
    {0x0d, "ESME_RBINDFAIL", link_fault, kBindRefused},
    {0x0e, "ESME_RINVPASWD", link_fault, kBindRefused},
    {0x0f, "ESME_RINVSYSID", link_fault, kBindRefused},
    {0x11, "ESME_RCANCELFAIL", give_up, kRejected},
    {0x13, "ESME_RREPLACEFAIL", give_up, kRejected},
    {0x14, "ESME_RMSGQFUL", slow_down, "queue_full"},
    {0x15, "ESME_RINVSERTYP", give_up, kBadMessage},
    {0x33, "ESME_RINVNUMDESTS", give_up, kBadDestination},
    {0x34, "ESME_RINVDLNAME", give_up, kBadDestination},
    {0x40, "ESME_RINVDESTFLAG", give_up, kBadDestination},
    {0x42, "ESME_RINVSUBREP", give_up, kBadMessage},
    {0x43, "ESME_RINVESMCLASS", give_up, kBadMessage},
    {0x44, "ESME_RCNTSUBDL", give_up, kBadDestination},
    // Some SMSCs say it when their window overflows, so it is worth another try.
    {0x45, "ESME_RSUBMITFAIL", retry_few, kCarrierError},
    {0x48, "ESME_RINVSRCTON", give_up, kBadSource},
    {0x49, "ESME_RINVSRCNPI", give_up, kBadSource},
    {0x50, "ESME_RINVDSTTON", give_up, kBadDestination},
    {0x51, "ESME_RINVDSTNPI", give_up, kBadDestination},
    {0x53, "ESME_RINVSYSTYP", link_fault, kBindRefused},
    {0x54, "ESME_RINVREPFLAG", give_up, kBadMessage},
    {0x55, "ESME_RINVNUMMSGS", give_up, kBadMessage},
    {0x58, "ESME_RTHROTTLED", slow_down, "throttled"},
    {0x61, "ESME_RINVSCHED", give_up, kBadTime},
    {0x62, "ESME_RINVEXPIRY", give_up, kBadTime},
    {0x63, "ESME_RINVDFTMSGID", give_up, kBadMessage},
    {0x64, "ESME_RX_T_APPN", retry_later, kCarrierError},
    {0x65, "ESME_RX_P_APPN", give_up, kRejected},
    {0x66, "ESME_RX_R_APPN", give_up, kRejected},
    {0x67, "ESME_RQUERYFAIL", retry_few, kCarrierError},
    {0xc0, "ESME_RINVOPTPARSTREAM", give_up, kBadMessage},
    {0xc1, "ESME_ROPTPARNOTALLWD", give_up, kBadMessage},
    {0xc2, "ESME_RINVPARLEN", give_up, kBadMessage},
    {0xc3, "ESME_RMISSINGOPTPARAM", give_up, kBadMessage},
    {0xc4, "ESME_RINVOPTPARAMVAL", give_up, kBadMessage},
    // Given where the SMSC has no better word: it may be for good as well as for now.
    {0xfe, "ESME_RDELIVERYFAILURE", retry_few, kCarrierError},
    {0xff, "ESME_RUNKNOWNERR", retry_few, kCarrierError},
    {0x100, "ESME_RSERTYPUNAUTH", give_up, kNotAllowed},
    {0x101, "ESME_RPROHIBITED", give_up, kNotAllowed},
    {0x102, "ESME_RSERTYPUNAVAIL", retry_later, kCarrierError},
    {0x103, "ESME_RSERTYPDENIED", give_up, kNotAllowed},
    {0x104, "ESME_RINVDCS", give_up, kBadMessage},
    {0x105, "ESME_RINVSRCADDRSUBUNIT", give_up, kBadSource},
    {0x106, "ESME_RINVDSTADDRSUBUNIT", give_up, kBadDestination},
    {0x107, "ESME_RINVBCASTFREQINT", give_up, kBadMessage},
    {0x108, "ESME_RINVBCASTALIAS_NAME", give_up, kBadMessage},
    {0x109, "ESME_RINVBCASTAREAFMT", give_up, kBadMessage},
    {0x10a, "ESME_RINVNUMBCAST_AREAS", give_up, kBadMessage},
    {0x10b, "ESME_RINVBCASTCNTTYPE", give_up, kBadMessage},
    {0x10c, "ESME_RINVBCASTMSGCLASS", give_up, kBadMessage},
    {0x10d, "ESME_RBCASTFAIL", retry_few, kCarrierError},
    {0x10e, "ESME_RBCASTQUERYFAIL", retry_few, kCarrierError},
    {0x10f, "ESME_RBCASTCANCELFAIL", give_up, kRejected},
    {0x110, "ESME_RINVBCAST_REP", give_up, kBadMessage},
    {0x111, "ESME_RINVBCASTSRVGRP", give_up, kBadMessage},
    {0x112, "ESME_RINVBCASTCHANIND", give_up, kBadMessage},
});
static_assert(std::ranges::is_sorted(kMeanings, {}, &Meaning::status));

[[nodiscard]] const Meaning* meaning_of(CommandStatus status) noexcept {
  const auto value = static_cast<std::uint32_t>(status);
  if (value == 0) return kMeanings.data();  // nearly every answer
  const auto* const found = std::ranges::lower_bound(kMeanings, value, {}, &Meaning::status);
  return found != kMeanings.end() && found->status == value ? found : nullptr;
}

}  // namespace

Disposition disposition_of(CommandStatus status) noexcept {
  const Meaning* meaning = meaning_of(status);
  return meaning == nullptr ? retry_few : meaning->disposition;
}

Fault fault_of(CommandStatus status) noexcept {
  const Meaning* meaning = meaning_of(status);
  if (meaning == nullptr || meaning->disposition != give_up) return Fault::none;
  if (meaning->outcome == kBadDestination || meaning->outcome == kBadSource) return Fault::address;
  if (meaning->outcome == kBadMessage || meaning->outcome == kBadTime) return Fault::encoding;
  return Fault::none;
}

std::string_view name_of(CommandStatus status) noexcept {
  const Meaning* meaning = meaning_of(status);
  return meaning == nullptr ? std::string_view() : meaning->name;
}

std::string_view outcome_code_of(CommandStatus status) noexcept {
  const Meaning* meaning = meaning_of(status);
  return meaning == nullptr ? kCarrierError : meaning->outcome;
}

}  // namespace stentor::protocol
