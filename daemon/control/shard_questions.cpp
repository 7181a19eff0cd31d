#include "daemon/control/shard_questions.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "daemon/ingress/admission.h"
#include "daemon/ingress/json.h"

namespace stentor::daemon {

namespace asio = boost::asio;

namespace {

std::string told_of_resolving(MessageId id, DoubtEnd as, const std::optional<DoubtAnswer>& answer) {
  std::string out;
  if (!answer) {
    append_rejection({"not_found", "resolve: no message in doubt, or not yours", {}}, out);
  } else if (!answer->unreadable.empty()) {
    append_rejection({"unavailable",
                      fmt::format("resolve: its record cannot be read now, and it stays held: {}",
                                  answer->unreadable),
                      {}},
                     out);
  } else {
    const auto text = id.text();
    out.push_back('{');
    append_member("status", "ok", out);
    append_member("id", {text.data(), text.size()}, out);
    append_member("as", name_of(as), out);
    append_member("carrier", answer->carrier, out);
    append_member("state", answer->state, out);
    out.push_back('}');
  }
  return out;
}

}  // namespace

template <class Total, class Ask, class Add>
void ShardQuestions::ask_all(Answers come, const Ask& ask, Add add,
                             std::function<void(Total)> done) const {
  struct Gathered {
    Total total;  // touched on the ingress thread alone
    std::size_t missing;
    std::function<void(Total)> done;
  };
  auto gathered = std::make_shared<Gathered>(Gathered{Total{}, members_.size(), std::move(done)});
  for (const Member& member : members_) {
    asio::post(*member.context, [this, member, come, ask, add, gathered] {
      auto tell = [this, add, gathered, answer = ask(*member.shard)] {
        asio::post(ingress_, [add, gathered, answer] {
          add(gathered->total, answer);
          if (--gathered->missing == 0) gathered->done(std::move(gathered->total));
        });
      };
      if (come == Answers::at_once) return tell();
      member.shard->when_durable(std::move(tell));
    });
  }
}

void ShardQuestions::ask_flow(const FlowOrder& order, bool obey,
                              std::function<void(std::vector<FlowAtCarrier>)> done) const {
  using Carriers = std::vector<FlowAtCarrier>;
  ask_all<Carriers>(
      Answers::at_once, [order, obey](Shard& shard) { return shard.ask(order, obey); },
      [](Carriers& all, const Carriers& some) { std::ranges::copy(some, std::back_inserter(all)); },
      std::move(done));
}

void ShardQuestions::collect_shares(std::function<void(std::vector<FlowShare>)> done) const {
  using Shares = std::vector<FlowShare>;
  ask_all<Shares>(
      Answers::at_once, [](Shard& shard) { return shard.give_back_shares(); },
      [](Shares& all, const Shares& some) { std::ranges::copy(some, std::back_inserter(all)); },
      std::move(done));
}

void ShardQuestions::deal_shares(const std::vector<FlowShare>& dealt) const {
  for (const Member& member : members_) {
    asio::post(*member.context, [member, dealt] { member.shard->take_shares(dealt); });
  }
}

void ShardQuestions::resolve(MessageId id, DoubtEnd as, const Peer& peer, Reply reply) const {
  using Answer = std::optional<DoubtAnswer>;
  ask_all<Answer>(
      Answers::when_durable,
      [sequence = id.sequence(), as, peer](Shard& shard) {
        return shard.resolve(sequence, as, peer);
      },
      [](Answer& of_any, const Answer& of_one) {
        if (of_one) of_any = of_one;
      },
      [id, as, reply = std::move(reply)](const Answer& answer) {
        reply(told_of_resolving(id, as, answer));
      });
}

void ShardQuestions::call_back(queue::Locator at, std::uint64_t sequence, std::string by,
                               std::function<void(CalledBack)> done) const {
  static_assert(CalledBack{} == CalledBack::not_here);
  ask_all<CalledBack>(
      Answers::when_durable,
      [at, sequence, by = std::move(by)](Shard& shard) {
        return shard.call_back(at, sequence, by);
      },
      [](CalledBack& of_any, CalledBack of_one) {
        if (of_one != CalledBack::not_here) of_any = of_one;
      },
      std::move(done));
}

const ShardQuestions::Member& ShardQuestions::member_of(std::string_view carrier) const {
  const auto found = std::ranges::find_if(
      members_, [carrier](const Member& member) { return member.shard->has(carrier); });
  return found == members_.end() ? members_.front() : *found;
}

void ShardQuestions::keeps_in_hand(queue::Locator at, std::function<void(bool)> done) const {
  ask_all<bool>(
      Answers::when_durable, [at](Shard& shard) { return shard.keeps_in_hand(at); },
      [](bool& any, bool one) { any = any || one; }, std::move(done));
}

void ShardQuestions::say_paused(const std::string& carrier, const PauseOrder& order,
                                std::function<void(PauseSaid)> done) const {
  const Member& member = member_of(carrier);
  asio::post(*member.context, [this, member, carrier, order, done = std::move(done)]() mutable {
    const PauseSaid said = member.shard->say_paused(carrier, order);
    member.shard->when_durable([this, said, done = std::move(done)] {
      asio::post(ingress_, [said, done] { done(said); });
    });
  });
}

void ShardQuestions::let_go(queue::Locator at) const {
  for (const Member& member : members_) {
    asio::post(*member.context, [member, at] { member.shard->let_go(at); });
  }
}

void ShardQuestions::end_buried(queue::Locator at, std::string carrier, bool possible_duplicate,
                                std::string by, std::function<void(bool)> done) const {
  const Member& member = member_of(carrier);
  asio::post(*member.context, [this, member, at, carrier = std::move(carrier), possible_duplicate,
                               by = std::move(by), done = std::move(done)]() mutable {
    const bool has_ended = member.shard->end_buried(at, carrier, possible_duplicate, by);
    member.shard->when_durable([this, has_ended, done = std::move(done)] {
      asio::post(ingress_, [has_ended, done] { done(has_ended); });
    });
  });
}

void ShardQuestions::cancel_at_carrier(const std::string& carrier, CancelOrder order,
                                       std::function<void(const CancelReport&)> done) const {
  const auto found = std::ranges::find_if(
      members_, [&carrier](const Member& member) { return member.shard->has(carrier); });
  if (found == members_.end()) {
    CancelReport none;
    none.outcome = CancelReport::Outcome::no_carrier;
    return asio::post(ingress_, [none, done = std::move(done)] { done(none); });
  }
  asio::post(*found->context, [this, member = *found, carrier, order = std::move(order),
                               done = std::move(done)]() mutable {
    member.shard->cancel_at_carrier(carrier, std::move(order),
                                    [this, done = std::move(done)](const CancelReport& report) {
                                      asio::post(ingress_, [done, report] { done(report); });
                                    });
  });
}

}  // namespace stentor::daemon
