// SPDX-License-Identifier: MIT
#include "protocol/json/responder.hpp"

#include "core/json_writer.hpp"
#include "protocol/json/moment.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

namespace meterbridge::protocol::json {
namespace {

constexpr std::string_view shown_serial = "0012345678";
constexpr int fraction_digits = 3;

Decimal sum(std::span<const Decimal> parts) {
  Decimal total;
  for (const Decimal& part : parts) {
    if (const auto together = total.plus(part)) total = *together;
  }
  return total;
}

std::size_t line_of(Phase phase) noexcept {
  return phase == Phase::l2 ? 1 : phase == Phase::l3 ? 2 : 0;
}

// What the house shows for a key, in Wh, W, V, A, Hz and m³; nothing for what it does not know.
std::optional<std::pair<Decimal, Unit>> shown(const ReadingKey& key, const MeterFace& face) {
  if (key.scope != Scope::none || key.aspect != Aspect::none) return std::nullopt;
  const auto energy = [&key](const std::array<Decimal, 4>& tariffs) {
    if (key.tariff == 0) return sum(tariffs);
    return key.tariff <= tariffs.size() ? tariffs[key.tariff - 1U] : Decimal();
  };
  const bool whole = key.phase == Phase::none;
  const Decimal power = whole ? sum(face.power) : face.power[line_of(key.phase)];
  switch (key.quantity) {
    case Quantity::energy:
      if (key.direction == Direction::export_)
        return std::pair(energy(face.energy_export), Unit::Wh);
      if (key.direction == Direction::import || key.direction == Direction::total)
        return std::pair(energy(face.energy_import), Unit::Wh);
      return std::nullopt;
    case Quantity::power:
      if (key.direction == Direction::none) return std::pair(power, Unit::W);
      if (key.direction == Direction::export_)
        return std::pair(
            power.is_negative() ? Decimal(-power.digits(), power.exponent()) : Decimal(), Unit::W);
      return std::pair(power.is_negative() ? Decimal() : power, Unit::W);
    case Quantity::voltage:
      return std::pair(face.voltage[line_of(key.phase)], Unit::V);
    case Quantity::current:
      return std::pair(whole ? sum(face.current) : face.current[line_of(key.phase)], Unit::A);
    case Quantity::frequency:
      return std::pair(face.frequency, Unit::Hz);
    case Quantity::gas:
      return std::pair(face.gas, Unit::m3);
    case Quantity::water:
      return std::pair(face.water, Unit::m3);
    default:
      return std::nullopt;
  }
}

// Undoes the field's scale where that is a power of ten; others have no exact inverse.
std::optional<Decimal> unscaled(const Decimal& value, const Decimal& scale) {
  std::int64_t digits = scale.digits();
  int power = scale.exponent();
  while (digits > 1 && digits % 10 == 0) {
    digits /= 10;
    ++power;
  }
  if (digits != 1) return std::nullopt;
  const auto shifted = value.shifted(-power);
  return shifted ? std::optional<Decimal>(*shifted) : std::nullopt;
}

// The value of a field as JSON; empty when the house has none.
std::string value_text(const Field& field, const MeterFace& face) {
  JsonWriter json;
  switch (field.key.quantity) {
    case Quantity::clock: {
      const std::string text = moment_text(field.format, face.now);
      const bool number = field.format == Format::unix_seconds || field.format == Format::unix_ms;
      return number ? text : json.value(text).text();
    }
    case Quantity::serial:
      return json
          .value(field.format == Format::hex ? to_hex(to_bytes(shown_serial))
                                             : std::string(shown_serial))
          .text();
    case Quantity::tariff:
      return json.value(face.tariff).text();
    default:
      break;
  }
  const auto known = shown(field.key, face);
  if (!known) return {};
  const auto converted = convert(known->first, known->second, field.unit);
  if (!converted) return {};
  const auto sent = unscaled(*converted, field.scale);
  if (!sent) return {};
  const auto rounded = sent->precision() > fraction_digits ? sent->rounded(fraction_digits) : *sent;
  return rounded ? rounded->str() : std::string();
}

// A document as a tree, to be written with its objects and lists.
struct Tree {
  std::string name;
  std::string value;
  std::vector<Tree> members;

  // False where another value is in the way.
  bool put(std::string_view pointer, std::string text) {
    if (pointer.empty()) {
      if (!value.empty() || !members.empty()) return false;
      value = std::move(text);
      return true;
    }
    if (!value.empty()) return false;
    const std::size_t end = std::min(pointer.find('/', 1), pointer.size());
    std::string wanted;
    for (std::size_t i = 1; i < end; ++i) {
      if (pointer[i] == '~' && i + 1 < end) {
        wanted += pointer[++i] == '0' ? '~' : '/';
      } else {
        wanted += pointer[i];
      }
    }
    const auto found = std::ranges::find(members, wanted, &Tree::name);
    if (found != members.end()) return found->put(pointer.substr(end), std::move(text));
    members.emplace_back().name = std::move(wanted);
    return members.back().put(pointer.substr(end), std::move(text));
  }

  [[nodiscard]] bool is_list() const {
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i].name != std::to_string(i)) return false;
    }
    return !members.empty();
  }

  void write(JsonWriter& json) const {
    if (!value.empty()) {
      json.raw(value);
      return;
    }
    const bool list = is_list();
    if (list) {
      json.array();
    } else {
      json.object();
    }
    for (const Tree& member : members) {
      if (!list) json.key(member.name);
      member.write(json);
    }
    json.end();
  }
};

class JsonResponder final : public Responder {
 public:
  JsonResponder(Options options, std::unique_ptr<Responder> inner)
      : options_(std::move(options)), inner_(std::move(inner)) {}

  void show(const MeterFace& face) override {
    face_ = face;
    if (inner_) inner_->show(face);
  }

  void misbehave(const Mischief& mischief) override {
    if (inner_) inner_->misbehave(mischief);
  }

  std::vector<Bytes> received(ByteView) override { return {}; }  // it only tells

  // As a stream: a document, a value or an encoded telegram a line.
  Bytes push() override {
    Bytes stream;
    for (const Post& post : posts()) {
      // Without their topics only documents say what they are.
      if (post.topic.ends_with("/id")) continue;
      stream.insert(stream.end(), post.payload.begin(), post.payload.end());
      if (!options_.carried || options_.carried->encoding != Encoding::raw)
        stream.push_back(std::byte{'\n'});
    }
    return stream;
  }

  std::vector<Post> posts() override {
    if (options_.sender != Sender::fields) return sender_posts(options_, face_);
    std::vector<Post> posts;
    if (inner_ && options_.carried->pointer.empty()) {
      posts.emplace_back("", to_bytes(encoded(options_.carried->encoding, inner_->push())));
    } else if (options_.plain) {
      posts = values();
    } else {
      posts.emplace_back("", document());
    }
    return posts;
  }

 private:
  [[nodiscard]] std::vector<Post> values() const {
    std::vector<Post> posts;
    for (const Field& field : options_.fields) {
      std::string value = value_text(field, face_);
      if (value.size() > 1 && value.front() == '"') value = value.substr(1, value.size() - 2);
      if (!value.empty()) posts.emplace_back(field.topic, to_bytes(value));
    }
    return posts;
  }

  Bytes document() {
    Tree tree;
    if (inner_) {
      const std::string text = encoded(options_.carried->encoding, inner_->push());
      tree.put(options_.carried->pointer, JsonWriter().value(text).text());
    }
    std::vector<ReadingKey> told;
    for (const Field& field : options_.fields) {
      if (std::ranges::count(told, field.key) != 0) continue;
      std::string value = value_text(field, face_);
      if (value.empty() || !tree.put(options_.root + field.pointer, std::move(value))) continue;
      told.push_back(field.key);
      if (!field.minus.empty()) tree.put(options_.root + field.minus, "0");
    }
    JsonWriter json;
    tree.write(json);
    return to_bytes(json.text());
  }

  Options options_;
  std::unique_ptr<Responder> inner_;
  MeterFace face_;
};

}  // namespace

Result<std::unique_ptr<Responder>> make_json_responder(Options options) {
  std::unique_ptr<Responder> inner;
  if (options.carried) {
    const Protocol& protocol = *options.carried->protocol;
    if (protocol.responder == nullptr)
      return Error{Errc::invalid,
                   "protocol " + std::string(protocol.name) + " cannot be simulated"};
    auto made = protocol.responder(options.carried->settings);
    if (!made) return made.error();
    inner = *std::move(made);
  }
  const bool any = inner || options.sender != Sender::fields ||
                   std::ranges::any_of(options.fields, [](const Field& field) {
                     return !value_text(field, MeterFace()).empty();
                   });
  if (!any)
    return Error{Errc::invalid, "nothing of its fields can be simulated; does it have any?"};
  return std::unique_ptr<Responder>(
      std::make_unique<JsonResponder>(std::move(options), std::move(inner)));
}

}  // namespace meterbridge::protocol::json
