#include "daemon/optout/opt_out_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "daemon/ingress/json.h"
#include "daemon/ingress/number.h"
#include "daemon/ingress/timestamp.h"
#include "daemon/log.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

// A page of the list: some 200 KiB of a reply.
constexpr std::size_t kPageEntries = 2000;

std::unexpected<Refusal> refuse(std::string_view code, std::string detail) {
  return std::unexpected(Refusal{code, std::move(detail), {}});
}

NumberResult normalise(std::string_view written) {
  auto number = normalise_destination(written);
  return number ? number : normalise_short_code(written);
}

void append_entry(const OptedOut& entry, std::string& out) {
  open_object(out);
  append_member("to", entry.number, out);
  if (!entry.sender.empty()) append_member("from", entry.sender, out);
  append_member("client", entry.client, out);
  append_time("since", std::uint64_t{entry.since} * 1000, out);
  append_member("by", name_of(entry.by), out);
  out.push_back('}');
}

}  // namespace

OptOutDesk::OptOutDesk(const Config& config, OptOuts& opt_outs, Admission& admission,
                       CommitFeed& feed)
    : config_(config), opt_outs_(opt_outs), admission_(admission), feed_(feed) {}

void OptOutDesk::on_reply(const OptOutNotice& notice) {
  const bool is_news = opt_outs_.apply(notice.change()) > 0;
  const std::string& text =
      notice.is_out ? config_.opt_out.stop_reply : config_.opt_out.start_reply;
  // Only news is confirmed: two machines that answer one another stop here.
  if (is_news && !text.empty()) confirm(notice, text);
}

void OptOutDesk::confirm(const OptOutNotice& notice, const std::string& text) {
  const auto id = notice.inbound.text();
  const std::string ref = fmt::format("opt-out-{}", std::string_view(id.data(), id.size()));
  SendRequest request;
  request.to = {notice.number};
  request.is_short = !notice.number.starts_with('+');
  request.from = notice.to;
  request.text = text;
  request.ref = ref;
  request.carrier = notice.carrier;
  request.ignores_opt_out = true;
  Peer peer;
  peer.client = notice.client.empty() ? "stentor" : notice.client;
  peer.may_submit = true;
  std::string reply;
  const auto answer = admission_.send(request, peer, wall_clock_ms(), reply);
  if (!answer.refused.empty()) {
    log::warn("opt-outs: a confirmation could not be sent: {}", answer.refused);
  }
  feed_.flush();
}

std::expected<std::uint64_t, Refusal> OptOutDesk::answer(const OptOutRequest& request,
                                                         const Peer& peer, std::string& reply) {
  switch (request.action) {
    case OptOutRequest::Action::add:
    case OptOutRequest::Action::remove: return change(request, peer, reply);
    case OptOutRequest::Action::list: return list(request, peer, reply);
  }
  return refuse("bad_field", "action: not one of this request");
}

std::expected<std::uint64_t, Refusal> OptOutDesk::change(const OptOutRequest& request,
                                                         const Peer& peer, std::string& reply) {
  if (!peer.may_submit && !peer.is_admin) {
    return refuse("not_permitted", "this client may not change opt-outs");
  }
  std::string sender;
  if (!request.from.empty()) {
    auto normal = normalise_sender(request.from);
    if (!normal) return refuse("bad_sender", fmt::format("from: {}", normal.error()));
    sender = std::move(*normal);
  }
  if (!peer.is_admin) {
    if (sender.empty()) {
      return refuse("not_permitted", "from: only an admin may speak for all senders");
    }
    if (peer.config != nullptr && !Peer::allows(peer.config->senders, sender)) {
      return refuse("not_permitted", "from: not among this client's senders");
    }
  }
  const bool is_add = request.action == OptOutRequest::Action::add;
  if (is_add && !opt_outs_.list().has_room_for(sender)) {
    return refuse("busy", "from: opt-outs of too many senders are known");
  }
  std::vector<std::string> numbers;
  numbers.reserve(request.to.size());
  for (std::size_t i = 0; i < request.to.size(); ++i) {
    auto number = normalise(request.to[i]);
    if (!number) return refuse("bad_destination", fmt::format("to[{}]: {}", i, number.error()));
    if (!is_add && !peer.is_admin && !opt_outs_.owns(*number, sender, peer.client)) {
      return refuse("not_found", fmt::format("to[{}]: no opt-out of this client's", i));
    }
    numbers.push_back(std::move(*number));
  }
  // What an admin takes back for one sender goes for all too, as START would have it: as a change
  // of its own, since what a record says must not depend on who was an admin then.
  std::vector<std::string> of_all;
  if (!is_add && peer.is_admin && !sender.empty()) {
    std::ranges::copy_if(numbers, std::back_inserter(of_all), [&](const std::string& number) {
      return opt_outs_.list().client_of(number, {}).has_value();
    });
    std::erase_if(numbers, [&](const std::string& number) {
      const OptOutList& known = opt_outs_.list();
      return !known.client_of(number, sender) && known.client_of(number, {});
    });
  }
  std::size_t changed = write(is_add, sender, numbers, peer);
  changed += write(false, {}, of_all, peer);
  reply.push_back('{');
  append_member("status", "ok", reply);
  append_member("changed", changed, reply);
  reply.push_back('}');
  return feed_.open_number();
}

// What it comes to: how many entries changed.
std::size_t OptOutDesk::write(bool is_out, std::string_view sender,
                              const std::vector<std::string>& numbers, const Peer& peer) {
  if (numbers.empty()) return 0;
  OptOutChange change;
  change.time_ms = wall_clock_ms();
  change.is_out = is_out;
  change.by = OptOutBy::request;
  change.client = peer.client;
  change.sender = sender;
  change.numbers.assign(numbers.begin(), numbers.end());
  fields_.clear();
  encode(change, fields_);
  CommitBatch& batch = feed_.open();
  batch.records.add(kOptOutRecord, fields_.octets());
  batch.has_events = true;
  return opt_outs_.apply(change);
}

std::expected<std::uint64_t, Refusal> OptOutDesk::list(const OptOutRequest& request,
                                                       const Peer& peer, std::string& reply) {
  std::size_t piece = 0;
  if (!request.cursor.empty()) {
    const char* end = request.cursor.data() + request.cursor.size();
    const auto read = std::from_chars(request.cursor.data(), end, piece);
    if (read.ec != std::errc{} || read.ptr != end || piece >= OptOutList::kPieces) {
      return refuse("bad_field", "cursor: not one of this list");
    }
  }
  reply.push_back('{');
  append_member("status", "ok", reply);
  if (peer.may_observe || peer.is_admin) append_member("count", opt_outs_.list().size(), reply);
  open_list("entries", reply);
  std::size_t told = 0;
  for (; piece < OptOutList::kPieces && told < kPageEntries; ++piece) {
    opt_outs_.list().for_each(piece, [&](const OptedOut& entry) {
      if (!peer.may_observe && !peer.is_admin && entry.client != peer.client) return;
      append_entry(entry, reply);
      ++told;
    });
  }
  reply.push_back(']');
  if (piece < OptOutList::kPieces) append_member("cursor", std::to_string(piece), reply);
  reply.push_back('}');
  return 0;
}

}  // namespace stentor::daemon
