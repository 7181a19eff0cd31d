#include "daemon/delivery/status_policy.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

using protocol::CommandStatus;

StatusMeaning meaning(const CarrierConfig& carrier, std::uint32_t status) {
  return StatusPolicy(carrier).meaning_of(static_cast<CommandStatus>(status));
}

struct Standard {
  std::uint32_t status;
  StatusClass is;
  std::string_view code;
};

// SMPP 3.4 table 5-2 and SMPP 5.0 table 4-45, and the numbers between that they leave free.
constexpr Standard kStandard[] = {
    {0x01, StatusClass::permanent, "invalid_message"},            // RINVMSGLEN
    {0x02, StatusClass::permanent, "invalid_message"},            // RINVCMDLEN
    {0x03, StatusClass::permanent, "invalid_message"},            // RINVCMDID
    {0x04, StatusClass::bind, "not_bound"},                       // RINVBNDSTS
    {0x05, StatusClass::bind, "bind_refused"},                    // RALYBND
    {0x06, StatusClass::permanent, "invalid_message"},            // RINVPRTFLG
    {0x07, StatusClass::permanent, "invalid_message"},            // RINVREGDLVFLG
    {0x08, StatusClass::temporary, "carrier_error"},              // RSYSERR
    {0x09, StatusClass::unknown, "carrier_error"},                // free
    {0x0a, StatusClass::permanent, "invalid_source"},             // RINVSRCADR
    {0x0b, StatusClass::permanent, "invalid_destination"},        // RINVDSTADR
    {0x0c, StatusClass::permanent, "message_id_unknown"},         // RINVMSGID
    {0x0d, StatusClass::bind, "bind_refused"},                    // RBINDFAIL
    {0x0e, StatusClass::bind, "bind_refused"},                    // RINVPASWD
    {0x0f, StatusClass::bind, "bind_refused"},                    // RINVSYSID
    {0x10, StatusClass::unknown, "carrier_error"},                // free
    {0x11, StatusClass::permanent, "carrier_rejected"},           // RCANCELFAIL
    {0x12, StatusClass::unknown, "carrier_error"},                // free
    {0x13, StatusClass::permanent, "carrier_rejected"},           // RREPLACEFAIL
    {0x14, StatusClass::queue_full, "queue_full"},                // RMSGQFUL
    {0x15, StatusClass::permanent, "invalid_message"},            // RINVSERTYP
    {0x16, StatusClass::unknown, "carrier_error"},                // free
    {0x32, StatusClass::unknown, "carrier_error"},                // free
    {0x33, StatusClass::permanent, "invalid_destination"},        // RINVNUMDESTS
    {0x34, StatusClass::permanent, "invalid_destination"},        // RINVDLNAME
    {0x40, StatusClass::permanent, "invalid_destination"},        // RINVDESTFLAG
    {0x41, StatusClass::unknown, "carrier_error"},                // free
    {0x42, StatusClass::permanent, "invalid_message"},            // RINVSUBREP
    {0x43, StatusClass::permanent, "invalid_message"},            // RINVESMCLASS
    {0x44, StatusClass::permanent, "invalid_destination"},        // RCNTSUBDL
    {0x45, StatusClass::unknown, "carrier_error"},                // RSUBMITFAIL
    {0x48, StatusClass::permanent, "invalid_source"},             // RINVSRCTON
    {0x49, StatusClass::permanent, "invalid_source"},             // RINVSRCNPI
    {0x50, StatusClass::permanent, "invalid_destination"},        // RINVDSTTON
    {0x51, StatusClass::permanent, "invalid_destination"},        // RINVDSTNPI
    {0x52, StatusClass::unknown, "carrier_error"},                // free
    {0x53, StatusClass::bind, "bind_refused"},                    // RINVSYSTYP
    {0x54, StatusClass::permanent, "invalid_message"},            // RINVREPFLAG
    {0x55, StatusClass::permanent, "invalid_message"},            // RINVNUMMSGS
    {0x56, StatusClass::unknown, "carrier_error"},                // free
    {0x57, StatusClass::unknown, "carrier_error"},                // free
    {0x58, StatusClass::throttle, "throttled"},                   // RTHROTTLED
    {0x61, StatusClass::permanent, "invalid_time"},               // RINVSCHED
    {0x62, StatusClass::permanent, "invalid_time"},               // RINVEXPIRY
    {0x63, StatusClass::permanent, "invalid_message"},            // RINVDFTMSGID
    {0x64, StatusClass::temporary, "carrier_error"},              // RX_T_APPN
    {0x65, StatusClass::permanent, "carrier_rejected"},           // RX_P_APPN
    {0x66, StatusClass::permanent, "carrier_rejected"},           // RX_R_APPN
    {0x67, StatusClass::unknown, "carrier_error"},                // RQUERYFAIL
    {0xbf, StatusClass::unknown, "carrier_error"},                // free
    {0xc0, StatusClass::permanent, "invalid_message"},            // RINVOPTPARSTREAM
    {0xc1, StatusClass::permanent, "invalid_message"},            // ROPTPARNOTALLWD
    {0xc2, StatusClass::permanent, "invalid_message"},            // RINVPARLEN
    {0xc3, StatusClass::permanent, "invalid_message"},            // RMISSINGOPTPARAM
    {0xc4, StatusClass::permanent, "invalid_message"},            // RINVOPTPARAMVAL
    {0xc5, StatusClass::unknown, "carrier_error"},                // free
    {0xfd, StatusClass::unknown, "carrier_error"},                // free
    {0xfe, StatusClass::unknown, "carrier_error"},                // RDELIVERYFAILURE
    {0xff, StatusClass::unknown, "carrier_error"},                // RUNKNOWNERR
    {0x100, StatusClass::permanent, "not_permitted_by_carrier"},  // RSERTYPUNAUTH
    {0x101, StatusClass::permanent, "not_permitted_by_carrier"},  // RPROHIBITED
    {0x102, StatusClass::temporary, "carrier_error"},             // RSERTYPUNAVAIL
    {0x103, StatusClass::permanent, "not_permitted_by_carrier"},  // RSERTYPDENIED
    {0x104, StatusClass::permanent, "invalid_message"},           // RINVDCS
    {0x105, StatusClass::permanent, "invalid_source"},            // RINVSRCADDRSUBUNIT
    {0x106, StatusClass::permanent, "invalid_destination"},       // RINVDSTADDRSUBUNIT
    {0x107, StatusClass::permanent, "invalid_message"},           // RINVBCASTFREQINT
    {0x108, StatusClass::permanent, "invalid_message"},           // RINVBCASTALIAS_NAME
    {0x109, StatusClass::permanent, "invalid_message"},           // RINVBCASTAREAFMT
    {0x10a, StatusClass::permanent, "invalid_message"},           // RINVNUMBCAST_AREAS
    {0x10b, StatusClass::permanent, "invalid_message"},           // RINVBCASTCNTTYPE
    {0x10c, StatusClass::permanent, "invalid_message"},           // RINVBCASTMSGCLASS
    {0x10d, StatusClass::unknown, "carrier_error"},               // RBCASTFAIL
    {0x10e, StatusClass::unknown, "carrier_error"},               // RBCASTQUERYFAIL
    {0x10f, StatusClass::permanent, "carrier_rejected"},          // RBCASTCANCELFAIL
    {0x110, StatusClass::permanent, "invalid_message"},           // RINVBCAST_REP
    {0x111, StatusClass::permanent, "invalid_message"},           // RINVBCASTSRVGRP
    {0x112, StatusClass::permanent, "invalid_message"},           // RINVBCASTCHANIND
    {0x113, StatusClass::unknown, "carrier_error"},               // free
    {0x400, StatusClass::unknown, "carrier_error"},               // a carrier's own
    {0xffffffff, StatusClass::unknown, "carrier_error"}};

TEST(StatusPolicy, HasAClassAndAWordForEachStandardStatus) {
  const CarrierConfig carrier;
  for (const Standard& standard : kStandard) {
    EXPECT_EQ(meaning(carrier, standard.status).is, standard.is) << std::hex << standard.status;
    EXPECT_EQ(meaning(carrier, standard.status).code, standard.code) << std::hex << standard.status;
  }
}

TEST(StatusPolicy, PutsTheCarriersOwnTableFirst) {
  CarrierConfig carrier;
  carrier.status = {
      {0x0b, StatusClass::permanent, ""},  {0x45, StatusClass::throttle, ""},
      {0x64, StatusClass::unknown, ""},    {0x400, StatusClass::permanent, "blocked_by_carrier"},
      {0x401, StatusClass::temporary, ""}, {0x402, StatusClass::queue_full, ""},
      {0x403, StatusClass::bind, ""}};
  EXPECT_EQ(meaning(carrier, 0x0b).code, "invalid_destination") << "the standard's word says more";
  EXPECT_EQ(meaning(carrier, 0x45).is, StatusClass::throttle);
  EXPECT_EQ(meaning(carrier, 0x45).code, "throttled");
  EXPECT_EQ(meaning(carrier, 0x64).is, StatusClass::unknown);
  EXPECT_EQ(meaning(carrier, 0x400).is, StatusClass::permanent);
  EXPECT_EQ(meaning(carrier, 0x400).code, "blocked_by_carrier");
  EXPECT_EQ(meaning(carrier, 0x401).is, StatusClass::temporary) << "not capped like an unknown one";
  EXPECT_EQ(meaning(carrier, 0x402).is, StatusClass::queue_full);
  EXPECT_EQ(meaning(carrier, 0x403).is, StatusClass::bind);
  EXPECT_EQ(meaning(carrier, 0x403).code, "not_bound");
  EXPECT_EQ(meaning(carrier, 0x404).is, StatusClass::unknown);
}

TEST(StatusPolicy, TakesAStatusForDoubtOnlyWhereTheCarriersTableSaysSo) {
  CarrierConfig carrier;
  EXPECT_EQ(meaning(carrier, 0x08).is, StatusClass::temporary);
  carrier.status = {{0x08, StatusClass::doubt, ""}};
  EXPECT_EQ(meaning(carrier, 0x08).is, StatusClass::doubt);
  EXPECT_EQ(meaning(carrier, 0x08).code, "unknown_acceptance");
  EXPECT_EQ(meaning(carrier, 0x45).is, StatusClass::unknown);
}

}  // namespace
}  // namespace stentor::daemon
