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

void ShardQuestions::ask_flow(const FlowOrder& order, bool obey,
                              std::function<void(std::vector<FlowAtCarrier>)> done) const {
  struct Gathered {
    std::vector<FlowAtCarrier> carriers;  // touched on the ingress thread alone
    std::size_t missing;
    std::function<void(std::vector<FlowAtCarrier>)> done;
  };
  auto gathered = std::make_shared<Gathered>(Gathered{{}, members_.size(), std::move(done)});
  for (const Member& member : members_) {
    asio::post(*member.context, [this, member, order, obey, gathered] {
      asio::post(ingress_, [gathered, found = member.shard->ask(order, obey)] {
        std::ranges::copy(found, std::back_inserter(gathered->carriers));
        if (--gathered->missing == 0) gathered->done(std::move(gathered->carriers));
      });
    });
  }
}

void ShardQuestions::collect_shares(std::function<void(std::vector<FlowShare>)> done) const {
  struct Gathered {
    std::vector<FlowShare> shares;  // touched on the ingress thread alone
    std::size_t missing;
    std::function<void(std::vector<FlowShare>)> done;
  };
  auto gathered = std::make_shared<Gathered>(Gathered{{}, members_.size(), std::move(done)});
  for (const Member& member : members_) {
    asio::post(*member.context, [this, member, gathered] {
      asio::post(ingress_, [gathered, found = member.shard->give_back_shares()] {
        std::ranges::copy(found, std::back_inserter(gathered->shares));
        if (--gathered->missing == 0) gathered->done(std::move(gathered->shares));
      });
    });
  }
}

void ShardQuestions::deal_shares(const std::vector<FlowShare>& dealt) const {
  for (const Member& member : members_) {
    asio::post(*member.context, [member, dealt] { member.shard->take_shares(dealt); });
  }
}

void ShardQuestions::resolve(MessageId id, DoubtEnd as, const Peer& peer, Reply reply) const {
  struct Gathered {
    std::optional<DoubtAnswer> answer;  // touched on the ingress thread alone
    std::size_t missing;
    Reply reply;
  };
  auto gathered = std::make_shared<Gathered>(Gathered{{}, members_.size(), std::move(reply)});
  const auto finish = [gathered, id, as](std::optional<DoubtAnswer> answer) {
    if (answer) gathered->answer = std::move(answer);
    if (--gathered->missing > 0) return;
    std::string out;
    if (!gathered->answer) {
      append_rejection({"not_found", "resolve: no message in doubt, or not yours", {}}, out);
    } else if (!gathered->answer->unreadable.empty()) {
      append_rejection({"unavailable",
                        fmt::format("resolve: its record cannot be read now, and it stays held: {}",
                                    gathered->answer->unreadable),
                        {}},
                       out);
    } else {
      const auto text = id.text();
      out.push_back('{');
      append_member("status", "ok", out);
      append_member("id", {text.data(), text.size()}, out);
      append_member("as", name_of(as), out);
      append_member("carrier", gathered->answer->carrier, out);
      append_member("state", gathered->answer->state, out);
      out.push_back('}');
    }
    gathered->reply(std::move(out));
  };
  for (const Member& member : members_) {
    asio::post(*member.context, [this, member, id, as, peer, finish] {
      auto answer = member.shard->resolve(id.sequence(), as, peer);
      member.shard->when_durable([this, finish, answer = std::move(answer)]() mutable {
        asio::post(ingress_, [finish, answer = std::move(answer)] { finish(answer); });
      });
    });
  }
}

void ShardQuestions::call_back(queue::Locator at, std::uint64_t sequence,
                               std::function<void(CalledBack)> done) const {
  struct Gathered {
    CalledBack came = CalledBack::not_here;  // touched on the ingress thread alone
    std::size_t missing;
    std::function<void(CalledBack)> done;
  };
  auto gathered =
      std::make_shared<Gathered>(Gathered{CalledBack::not_here, members_.size(), std::move(done)});
  for (const Member& member : members_) {
    asio::post(*member.context, [this, member, at, sequence, gathered] {
      const CalledBack came = member.shard->call_back(at, sequence);
      member.shard->when_durable([this, gathered, came] {
        asio::post(ingress_, [gathered, came] {
          if (came != CalledBack::not_here) gathered->came = came;
          if (--gathered->missing == 0) gathered->done(gathered->came);
        });
      });
    });
  }
}

const ShardQuestions::Member& ShardQuestions::member_of(std::string_view carrier) const {
  const auto found = std::ranges::find_if(
      members_, [carrier](const Member& member) { return member.shard->has(carrier); });
  return found == members_.end() ? members_.front() : *found;
}

void ShardQuestions::has_in_hand(queue::Locator at, std::function<void(bool)> done) const {
  struct Gathered {
    bool any = false;  // touched on the ingress thread alone
    std::size_t missing;
    std::function<void(bool)> done;
  };
  auto gathered = std::make_shared<Gathered>(Gathered{false, members_.size(), std::move(done)});
  for (const Member& member : members_) {
    asio::post(*member.context, [this, member, at, gathered] {
      const bool has = member.shard->has_in_hand(at);
      member.shard->when_durable([this, gathered, has] {
        asio::post(ingress_, [gathered, has] {
          gathered->any = gathered->any || has;
          if (--gathered->missing == 0) gathered->done(gathered->any);
        });
      });
    });
  }
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
                                std::function<void(bool)> done) const {
  const Member& member = member_of(carrier);
  asio::post(*member.context, [this, member, at, carrier = std::move(carrier), possible_duplicate,
                               done = std::move(done)]() mutable {
    const bool has_ended = member.shard->end_buried(at, carrier, possible_duplicate);
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
