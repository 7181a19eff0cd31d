#include "daemon/ingress/request_parser.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "daemon/ingress/campaign_request.h"
#include "daemon/ingress/cancel_request.h"
#include "daemon/ingress/carrier_request.h"
#include "daemon/ingress/json_refusal.h"
#include "daemon/ingress/opt_out_request.h"
#include "daemon/ingress/pause_request.h"
#include "daemon/ingress/request_fields.h"
#include "daemon/ingress/resolve_request.h"
#include "daemon/ingress/route_request.h"
#include "daemon/ingress/send_request.h"

namespace stentor::daemon {
namespace {

namespace sj = simdjson;
using sj::ondemand::json_type;

}  // namespace

class RequestParser::Body : private RequestFields {
 public:
  std::expected<Request, Refusal> parse(std::string_view line);

 private:
  std::expected<void, Refusal> collect(std::string_view line);
  std::expected<void, Refusal> collect_fields(sj::ondemand::object& object);
  std::expected<void, Refusal> take(Field field, sj::ondemand::value value);
  sj::error_code take_list(FieldValue& out, sj::ondemand::value& value);
  std::expected<Request, Refusal> interpret();
  std::expected<Request, Refusal> message();
  std::expected<Request, Refusal> events();
  std::expected<Request, Refusal> ack();

  sj::ondemand::parser parser_;
  SendRequestReader send_;
};

RequestParser::RequestParser() : body_(std::make_unique<Body>()) {}
RequestParser::~RequestParser() = default;

std::expected<Request, Refusal> RequestParser::parse(std::string_view line) {
  return body_->parse(line);
}

std::expected<Request, Refusal> RequestParser::Body::parse(std::string_view line) {
  values_.fill(FieldValue{});
  list_.clear();
  if (auto collected = collect(line); !collected) return std::unexpected(collected.error());
  return interpret();
}

std::expected<void, Refusal> RequestParser::Body::collect(std::string_view line) {
  sj::ondemand::document document;
  const sj::padded_string_view padded(line.data(), line.size(), line.size() + kLinePaddingOctets);
  if (const auto error = parser_.iterate(padded).get(document)) return refuse_json(*this, error);
  json_type type{};
  if (const auto error = document.type().get(type)) return refuse_json(*this, error);
  if (type != json_type::object) return refuse("bad_json", "the line is not a JSON object");
  sj::ondemand::object object;
  if (const auto error = document.get_object().get(object)) return refuse_json(*this, error);
  if (auto fields = collect_fields(object); !fields) return fields;
  // Behind the object nothing may follow: then there is no current location any more.
  if (document.current_location().error() != sj::OUT_OF_BOUNDS) {
    return refuse("bad_json", "something follows the object");
  }
  return {};
}

std::expected<void, Refusal> RequestParser::Body::collect_fields(sj::ondemand::object& object) {
  // The first mistake is told, but the line is read to its end: its ref may come later, and a line
  // that breaks off is bad_json before all else.
  std::optional<Refusal> first_mistake;
  const auto note = [&](std::string_view code, std::string detail) {
    if (!first_mistake) first_mistake = Refusal{code, std::move(detail), {}};
  };
  for (auto entry : object) {
    std::string_view key;
    if (const auto error = entry.unescaped_key().get(key)) return refuse_json(*this, error);
    sj::ondemand::value found;
    if (const auto error = entry.value().get(found)) return refuse_json(*this, error);
    const auto field = field_of(key);
    if (!field) {
      note("unknown_field", fmt::format("\"{}\" is not a field", key.substr(0, 64)));
      continue;
    }
    if (has(*field)) {
      note("bad_field", fmt::format("\"{}\" is given twice", key));
      continue;
    }
    if (auto taken = take(*field, found); !taken) {
      if (taken.error().code != "bad_text") return taken;
      note("bad_text", std::move(taken.error().detail));
    }
  }
  if (first_mistake) return refuse(first_mistake->code, std::move(first_mistake->detail));
  return {};
}

std::expected<void, Refusal> RequestParser::Body::take(Field field, sj::ondemand::value found) {
  FieldValue& out = values_[static_cast<std::size_t>(field)];
  json_type type{};
  if (const auto error = found.type().get(type)) return refuse_json(*this, error);
  switch (type) {
    case json_type::string: {
      out.type = FieldValue::Type::text;
      if (const auto error = found.get_string().get(out.text)) {
        if (error == sj::STRING_ERROR) {  // an escape that is no character: a lone surrogate
          return refuse("bad_text",
                        fmt::format("{}: an escape is not a character", name_of(field)));
        }
        return refuse_json(*this, error);
      }
      return {};
    }
    case json_type::number: {
      out.type = FieldValue::Type::number;
      sj::ondemand::number number;
      if (const auto error = found.get_number().get(number)) return refuse_json(*this, error);
      if (number.is_uint64()) {
        out.is_whole = true;
        out.whole = number.get_uint64();
      } else if (number.is_int64() && number.get_int64() >= 0) {
        out.is_whole = true;
        out.whole = static_cast<std::uint64_t>(number.get_int64());
      }
      return {};
    }
    case json_type::boolean:
      out.type = FieldValue::Type::boolean;
      if (const auto error = found.get_bool().get(out.flag)) return refuse_json(*this, error);
      return {};
    case json_type::null: {
      out.type = FieldValue::Type::null;
      bool is_null = false;
      if (const auto error = found.is_null().get(is_null)) return refuse_json(*this, error);
      if (!is_null) return refuse("bad_json", "not a JSON value");
      return {};
    }
    case json_type::array:
      if (const auto error = take_list(out, found)) return refuse_json(*this, error);
      return {};
    case json_type::object: {
      out.type = FieldValue::Type::other;
      sj::ondemand::object object;
      if (const auto error = found.get_object().get(object)) return refuse_json(*this, error);
      if (const auto error = object.raw_json().get(out.text)) return refuse_json(*this, error);
      return {};
    }
  }
  return {};
}

sj::error_code RequestParser::Body::take_list(FieldValue& out, sj::ondemand::value& found) {
  out.type = FieldValue::Type::list;
  out.is_string_list = true;
  out.list_begin = list_.size();
  sj::ondemand::array array;
  if (const auto error = found.get_array().get(array)) return error;
  for (auto element : array) {
    sj::ondemand::value item;
    if (const auto error = element.get(item)) return error;
    json_type type{};
    if (const auto error = item.type().get(type)) return error;
    if (type != json_type::string) {
      out.is_string_list = false;
      continue;
    }
    std::string_view text;
    if (const auto error = item.get_string().get(text)) return error;
    list_.push_back(text);
  }
  out.list_end = list_.size();
  return sj::SUCCESS;
}

std::expected<Request, Refusal> RequestParser::Body::interpret() {
  const FieldValue& op = value(Field::op);
  if (op.type == FieldValue::Type::absent) return send_.read(*this);
  if (op.type != FieldValue::Type::text) return refuse("bad_field", "op: must be a string");
  if (op.text == "send") return send_.read(*this);
  if (op.text == "preview") return read_preview_request(*this);
  if (op.text == "message") return message();
  if (op.text == "events") return events();
  if (op.text == "ack") return ack();
  if (op.text == "cancel") return read_cancel_request(*this);
  if (op.text == "pause") return read_pause_request(*this, true);
  if (op.text == "resume") return read_pause_request(*this, false);
  if (op.text == "resolve") return read_resolve_request(*this);
  if (op.text == "campaign") return read_campaign_request(*this);
  if (op.text == "route") return read_route_request(*this);
  if (op.text == "optout") return read_opt_out(*this);
  if (op.text == "callbacks") {
    if (auto only = allow_only(set_of(Field::op)); !only) return std::unexpected(only.error());
    return CallbacksRequest{};
  }
  if (op.text == "status") {
    if (auto only = allow_only(set_of(Field::op)); !only) return std::unexpected(only.error());
    return StatusRequest{};
  }
  if (op.text == "carrier") return read_carrier_request(*this);
  if (op.text == "reload" || op.text == "drain") {
    if (auto only = allow_only(set_of(Field::op)); !only) return std::unexpected(only.error());
    return DaemonRequest{op.text};
  }
  return refuse("bad_field", "op: not a request of this protocol");
}

std::expected<Request, Refusal> RequestParser::Body::message() {
  static const FieldSet allowed =
      set_of(Field::op, Field::id, Field::ref, Field::to, Field::carrier_id);
  MessageRequest out;
  std::expected<void, Refusal> step = allow_only(allowed);
  if (step) step = read_text(Field::id, out.id, 64);
  if (step) step = read_text(Field::ref, out.ref, kRefOctetsMax);
  if (step) step = read_text(Field::to, out.to, 64);
  if (step) step = read_text(Field::carrier_id, out.carrier_id, 256);
  if (!step) return std::unexpected(std::move(step.error()));
  const int given = (out.id.empty() ? 0 : 1) + (out.ref.empty() ? 0 : 1) +
                    (out.to.empty() ? 0 : 1) + (out.carrier_id.empty() ? 0 : 1);
  if (given != 1) return refuse("bad_field", "give one of id, ref, to and carrier_id");
  return out;
}

std::expected<Request, Refusal> RequestParser::Body::events() {
  static const FieldSet allowed =
      set_of(Field::op, Field::consumer, Field::from, Field::campaign, Field::types);
  EventsRequest out;
  std::expected<void, Refusal> step = allow_only(allowed);
  if (step) step = read_text(Field::consumer, out.consumer, 64);
  if (step) step = read_text(Field::from, out.from, 64);
  if (step) step = read_text(Field::campaign, out.campaign, 64);
  if (!step) return std::unexpected(std::move(step.error()));
  if (out.consumer.empty()) return refuse("bad_field", "consumer: a name is needed");
  if (has(Field::types)) {
    const FieldValue& types = value(Field::types);
    if (types.type != FieldValue::Type::list || !types.is_string_list ||
        types.list_begin == types.list_end) {
      return refuse("bad_field", "types: must be a list of event types");
    }
    out.types.assign(list_.begin() + static_cast<std::ptrdiff_t>(types.list_begin),
                     list_.begin() + static_cast<std::ptrdiff_t>(types.list_end));
  }
  return out;
}

std::expected<Request, Refusal> RequestParser::Body::ack() {
  AckRequest out;
  std::expected<void, Refusal> step = allow_only(set_of(Field::op, Field::cursor));
  if (step) step = read_text(Field::cursor, out.cursor, 64);
  if (!step) return std::unexpected(std::move(step.error()));
  if (out.cursor.empty()) return refuse("bad_field", "cursor: must be given");
  return out;
}

}  // namespace stentor::daemon
