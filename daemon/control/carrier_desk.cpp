#include "daemon/control/carrier_desk.h"

#include "daemon/control/carrier_report.h"
#include "daemon/control/doubts_shown.h"
#include "daemon/control/orphans_shown.h"
#include "daemon/delivery/carrier_delivery.h"
#include "daemon/ingress/admission.h"
#include "daemon/ingress/json.h"

namespace stentor::daemon {
namespace {

// What a person looks through; the counts and the evidence speak of all.
constexpr std::size_t kOrphansShownMax = 100;
// Each is read from the journal by the carrier's thread.
constexpr std::size_t kDoubtsShownMax = 100;

std::string no_such_carrier() {
  std::string reply;
  append_rejection({"unknown_carrier", "name: no carrier is called so", {}}, reply);
  return reply;
}

}  // namespace

void CarrierDesk::ask(CarrierRequest request, const Peer& peer, Reply reply) const {
  using Action = CarrierRequest::Action;
  const auto number = routing_.carrier_named(request.name);
  if (!number && !request.name.empty()) return reply(no_such_carrier());
  switch (request.action) {
    case Action::list: return list(request.name, std::move(reply));
    case Action::show: return show(*number, std::move(reply));
    case Action::orphans:
      return request.message_id ? rematch(*number, *request.message_id, peer, std::move(reply))
                                : orphans(*number, std::move(reply));
    case Action::doubts: return doubts(*number, std::move(reply));
    case Action::suspend: return suspend(*number, true, peer, std::move(reply));
    case Action::resume: return suspend(*number, false, peer, std::move(reply));
    case Action::cancel: return cancel(*number, peer, std::move(reply));
    case Action::trace: return trace(*number, request, peer, std::move(reply));
  }
}

void CarrierDesk::list(const std::string& name, Reply reply) const {
  figures_.collect([name, reply = std::move(reply)](const Figures& figures) {
    std::string out;
    std::uint64_t lines = 0;
    for (const CarrierSnapshot& carrier : figures.carriers) {
      if (!name.empty() && carrier.name != name) continue;
      append_carrier_line(carrier, out);
      out.push_back('\n');
      ++lines;
    }
    out.append(R"({"status":"ok","done":true)");
    append_member("lines", lines, out);
    out.push_back('}');
    reply(std::move(out));
  });
}

void CarrierDesk::show(std::uint16_t number, Reply reply) const {
  figures_.collect([number, reply = std::move(reply)](const Figures& figures) {
    reply(carrier_shown(figures.carriers[number]));
  });
}

void CarrierDesk::trace(std::uint16_t number, const CarrierRequest& request, const Peer& peer,
                        Reply reply) const {
  const TraceOrder order{.within = std::chrono::seconds(request.seconds),
                         .lines_max = request.lines,
                         .clear = request.clear};
  on_carrier_(number,
              [order, client = peer.client, reply = std::move(reply)](CarrierDelivery& carrier) {
                if (carrier.trace(order, client, reply)) return;
                std::string refusal;
                append_rejection({"busy", "another trace of this carrier runs", {}}, refusal);
                reply(std::move(refusal));
              });
}

void CarrierDesk::orphans(std::uint16_t number, Reply reply) const {
  on_carrier_(number, [reply = std::move(reply)](CarrierDelivery& carrier) {
    reply(orphans_shown(carrier.name(), carrier.orphans(kOrphansShownMax)));
  });
}

void CarrierDesk::rematch(std::uint16_t number, protocol::MessageIdRule rule, const Peer& peer,
                          Reply reply) const {
  on_carrier_(
      number, [rule, client = peer.client, reply = std::move(reply)](CarrierDelivery& carrier) {
        const auto done = [&carrier, reply](Rematched rematched) {
          reply(orphans_shown(carrier.name(), carrier.orphans(kOrphansShownMax), rematched));
        };
        if (carrier.rematch(rule, client, done)) return;
        std::string refusal;
        append_rejection({"busy", "this carrier's orphans are being tried again", {}}, refusal);
        reply(std::move(refusal));
      });
}

void CarrierDesk::doubts(std::uint16_t number, Reply reply) const {
  on_carrier_(number, [reply = std::move(reply)](CarrierDelivery& carrier) {
    reply(doubts_shown(carrier.name(), carrier.doubts(kDoubtsShownMax)));
  });
}

void CarrierDesk::suspend(std::uint16_t number, bool suspended, const Peer& peer,
                          Reply reply) const {
  on_carrier_(number, [suspended, client = peer.client,
                       reply = std::move(reply)](CarrierDelivery& carrier) {
    carrier.suspend(suspended, client, [&carrier, suspended, reply] {
      std::string out = R"({"status":"ok")";
      append_member("name", carrier.name(), out);
      append_key("suspended", out);
      out.append(suspended ? "true" : "false");
      append_member("waiting", carrier.waiting(), out);
      out.push_back('}');
      reply(std::move(out));
    });
  });
}

void CarrierDesk::cancel(std::uint16_t number, const Peer& peer, Reply reply) const {
  on_carrier_(number, [client = peer.client, reply = std::move(reply)](CarrierDelivery& carrier) {
    carrier.cancel_waiting(client, [&carrier, reply](const Cleared& found) {
      std::string out = R"({"status":"ok")";
      append_member("name", carrier.name(), out);
      append_member("cancelling", found.waiting, out);
      append_member("under_way", found.under_way, out);
      out.push_back('}');
      reply(std::move(out));
    });
  });
}

}  // namespace stentor::daemon
