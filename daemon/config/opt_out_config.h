// What the configuration says of people who want no more messages.
//
// Owns     Everything it says.
// Threads  Read-only once loaded.
// Spec     docs/configuration.md, [opt_out]
#pragma once

#include <string>
#include <vector>

namespace stentor::daemon {

struct OptOutConfig {
  /// Words that a reply begins with, whatever follows: nobody begins a sentence with them.
  /// English, French, German, Spanish and Portuguese, Italian, Polish, Russian and Ukrainian,
  /// Turkish, Arabic, Chinese.
  std::vector<std::string> stop{
      "stop",       "stopall",    "unsubscribe", "optout",    "revoke",      "arret", "arrêt",
      "desabonner", "désabonner", "stopp",       "abmelden",  "abbestellen", "baja",  "parar",
      "sair",       "cancella",   "disiscrivi",  "rezygnuje", "rezygnuję",   "стоп",  "отписка",
      "отписаться", "отпишите",   "відписатися", "iptal",     "توقف",        "إيقاف", "الغاء",
      "إلغاء",      "退订",       "退訂",        "停止"};  // Chinese
  /// Words that count only when nothing else is in the reply: "End of the month?" is none.
  std::vector<std::string> stop_alone{"end", "cancel", "quit", "halt", "dur", "ret", "td"};
  std::vector<std::string> start{"start", "unstop", "subscribe", "старт", "подписка", "alta"};
  bool for_all = false;     ///< a STOP counts for every sender, not for the one it was sent to
  std::string stop_reply;   ///< sent once in answer to a STOP; empty: none
  std::string start_reply;  ///< likewise to a START
  bool urgent_is_exempt = false;
  std::vector<std::string> exempt_campaigns;
  std::vector<std::string> exempt_clients;
};

}  // namespace stentor::daemon
