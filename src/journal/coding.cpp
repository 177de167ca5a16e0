// SPDX-License-Identifier: MIT
#include "journal/coding.hpp"

#include "core/text.hpp"
#include "journal/byte_reader.hpp"

#include <array>
#include <bit>
#include <optional>
#include <utility>

namespace meterbridge::journal {
namespace {

constexpr char source_mark = 'S';
constexpr char shape_mark = 'R';
constexpr std::uint8_t kinds = std::variant_size_v<Value>;

// Flags of a sample.
constexpr std::uint8_t by_meter = 1;
constexpr std::uint8_t own_exponents = 2;
constexpr std::uint8_t with_document = 4;
constexpr std::uint8_t all_flags = 7;

Error wrong(const char* what) {
  return {Errc::malformed, std::string("the entry's ") + what};
}

// ------------------------------------------------------------------------------------ writing

void put(std::string& out, std::uint64_t number) {
  while (number >= 0x80U) {
    out += static_cast<char>(number | 0x80U);
    number >>= 7U;
  }
  out += static_cast<char>(number);
}

// Small numbers of both signs become small ones without.
void put_signed(std::string& out, std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  put(out, (bits << 1U) ^ (number < 0 ? ~std::uint64_t{0} : 0));
}

void put(std::string& out, std::string_view text) {
  put(out, text.size());
  out += text;
}

std::string bytes_of(const Source& source) {
  std::string out(1, source_mark);
  for (const std::string* text :
       {&source.meter, &source.parent, &source.identity.manufacturer, &source.identity.model,
        &source.identity.serial, &source.identity.firmware})
    put(out, *text);
  return out;
}

std::string bytes_of(const Foreign& foreign) {
  return foreign.bytes;
}

std::string bytes_of(const Shape& shape) {
  std::string out(1, shape_mark);
  put(out, shape.size());
  for (const Slot& slot : shape) {
    put(out, slot.key.text());
    put(out, symbol(slot.unit));
    put(out, static_cast<std::uint64_t>(slot.kind * 2 + (slot.timed ? 1 : 0)));
    put_signed(out, slot.exponent);
  }
  return out;
}

// By what a shape is found again: all of it but the exponents, and quickly.
std::string match_of(const Shape& shape) {
  std::string out(1, shape_mark);
  out.reserve(1 + shape.size() * 10);
  for (const Slot& slot : shape) {
    const auto key = std::bit_cast<std::array<char, sizeof slot.key>>(slot.key);
    out.append(key.data(), key.size());
    out += static_cast<char>(slot.unit);
    out += static_cast<char>(slot.kind * 2 + (slot.timed ? 1 : 0));
  }
  return out;
}

Shape shape_of(const std::vector<Reading>& readings) {
  Shape shape(readings.size());
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const Reading& reading = readings[i];
    Slot& slot = shape[i];
    slot.key = reading.key;
    slot.unit = reading.unit;
    slot.kind = static_cast<std::uint8_t>(reading.value.index());
    slot.timed = reading.time.has_value();
    if (const auto* number = std::get_if<Decimal>(&reading.value))
      slot.exponent = static_cast<std::int8_t>(number->exponent());
  }
  return shape;
}

void put_value(std::string& out, const Value& value) {
  if (const auto* number = std::get_if<Decimal>(&value)) {
    put_signed(out, number->digits());
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    put(out, *text);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    put(out, *flag ? 1U : 0U);
  } else {
    put_signed(out, std::get<Seconds>(value).time_since_epoch().count());
  }
}

// The first one that could not be read again.
const Slot* without_name(const Shape& shape) {
  for (const Slot& slot : shape) {
    const auto key = ReadingKey::parse(slot.key.text());
    if (!key || *key != slot.key) return &slot;
  }
  return nullptr;
}

bool same_exponents(const Shape& a, const Shape& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].exponent != b[i].exponent) return false;
  }
  return true;
}

// ------------------------------------------------------------------------------------ reading

std::optional<std::int8_t> exponent_of(std::optional<std::int64_t> number) {
  if (!number || *number < -Decimal::max_exponent || *number > Decimal::max_exponent)
    return std::nullopt;
  return static_cast<std::int8_t>(*number);
}

Result<Source> source_of(Reader& in) {
  Source source;
  for (std::string* text :
       {&source.meter, &source.parent, &source.identity.manufacturer, &source.identity.model,
        &source.identity.serial, &source.identity.firmware}) {
    const auto read = in.text();
    if (!read) return wrong("source is cut");
    *text = *read;
  }
  return source;
}

// What a later version of the program calls a reading is told to `foreign`.
Result<Slot> slot_of(Reader& in, std::vector<std::string>* foreign) {
  const auto key_text = in.text();
  const auto unit_text = in.text();
  const auto kind = in.number();
  const auto exponent = exponent_of(in.signed_number());
  if (!key_text || !unit_text || !kind || !exponent) return wrong("list of readings is cut");
  if (*kind >= std::uint64_t{kinds} * 2)
    return wrong("list of readings holds one of an unknown kind");
  Slot slot;
  const auto key = ReadingKey::parse(*key_text);
  const auto unit =
      !key || unit_text->empty() ? Result<Unit>(Unit::none) : unit_for(*key, *unit_text);
  slot.known = key && unit;
  if (slot.known) {
    slot.key = *key;
    slot.unit = *unit;
  } else if (foreign != nullptr) {
    foreign->push_back(sanitised(*key_text, 40) + (key ? " in " + sanitised(*unit_text, 20) : ""));
  }
  slot.kind = static_cast<std::uint8_t>(*kind / 2);
  slot.timed = *kind % 2 == 1;
  slot.exponent = *exponent;
  return slot;
}

Result<Shape> shape_of(Reader& in, std::vector<std::string>* foreign = nullptr) {
  const auto count = in.number();
  if (!count || *count > in.left()) return wrong("list of readings is cut");
  Shape shape;
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto slot = slot_of(in, foreign);
    if (!slot) return slot.error();
    shape.push_back(*slot);
  }
  return shape;
}

// A reading's value; nothing when it is cut.
std::optional<Value> value_of(Reader& in, std::uint8_t kind, int exponent) {
  if (kind == 1) {
    const auto text = in.text();
    return text ? std::optional<Value>(std::string(*text)) : std::nullopt;
  }
  if (kind == 2) {
    const auto flag = in.number();
    return flag && *flag < 2 ? std::optional<Value>(*flag == 1) : std::nullopt;
  }
  const auto number = in.signed_number();
  if (!number) return std::nullopt;
  if (kind == 0) return Value(Decimal(*number, exponent));
  return Value(Seconds(std::chrono::seconds(*number)));
}

// The word that an entry names by its number, or holds itself behind a 0.
template <class Word, class Find, class Parse>
Result<Word> word_of(Reader& in, char mark, const Find& find, const Parse& parse) {
  const auto number = in.number();
  if (!number) return wrong("words are cut");
  if (*number != 0) {
    const Word* word = find(*number);
    return word == nullptr ? Result<Word>(wrong("words are of a later version of this program"))
                           : Result<Word>(*word);
  }
  const auto bytes = in.text();
  if (!bytes || bytes->empty() || bytes->front() != mark) return wrong("words are cut");
  Reader inner(bytes->substr(1));
  return parse(inner);
}

Result<Reading> reading_of(Reader& in, const Slot& slot, int exponent, Instant at) {
  auto value = value_of(in, slot.kind, exponent);
  if (!value) return wrong("values are cut");
  Reading reading(slot.key, std::move(*value), slot.unit);
  if (slot.timed) {
    const auto distance = in.signed_number();
    constexpr std::int64_t farthest = std::int64_t{1} << 40U;
    if (!distance || *distance > farthest || *distance < -farthest) return wrong("times are cut");
    reading.time = std::chrono::floor<std::chrono::seconds>(at) + std::chrono::seconds(*distance);
  }
  return reading;
}

}  // namespace

std::uint32_t Dictionary::keep(std::string match, Word word) {
  const auto found = numbers_.find(match);
  if (found != numbers_.end()) return found->second;
  if (words_.size() >= most) return 0;
  words_.push_back(std::move(word));
  const auto number = static_cast<std::uint32_t>(words_.size());
  numbers_.emplace(std::move(match), number);
  return number;
}

std::uint32_t Dictionary::number_of(const Source& source) {
  return keep(bytes_of(source), source);
}

std::uint32_t Dictionary::number_of(const Shape& shape) {
  return keep(match_of(shape), shape);
}

bool Dictionary::knows(const Shape& shape) const {
  return numbers_.contains(match_of(shape));
}

const Source* Dictionary::source(std::uint64_t number) const noexcept {
  return number == 0 || number > words_.size()
             ? nullptr
             : std::get_if<Source>(&words_[static_cast<std::size_t>(number - 1)]);
}

const Shape* Dictionary::shape(std::uint64_t number) const noexcept {
  return number == 0 || number > words_.size()
             ? nullptr
             : std::get_if<Shape>(&words_[static_cast<std::size_t>(number - 1)]);
}

std::string Dictionary::bytes(std::uint32_t number) const {
  return std::visit([](const auto& word) { return bytes_of(word); }, words_.at(number - 1));
}

void Dictionary::note_foreign(std::string name) {
  constexpr std::size_t most_named = 20;
  if (foreign_.size() < most_named) foreign_.push_back(std::move(name));
}

void Dictionary::add(std::string_view bytes) {
  const char mark = bytes.empty() ? '\0' : bytes.front();
  Reader in(bytes.empty() ? bytes : bytes.substr(1));
  Word word = Foreign{std::string(bytes)};
  std::vector<std::string> foreign;
  if (mark == source_mark) {
    auto source = source_of(in);
    if (source && in.left() == 0) word = *std::move(source);
  } else if (mark == shape_mark) {
    auto shape = shape_of(in, &foreign);
    if (shape && in.left() == 0) word = *std::move(shape);
  }
  // Known again by us are only those that we could have written.
  std::string match;
  if (const auto* source = std::get_if<Source>(&word)) match = bytes_of(*source);
  if (const auto* shape = std::get_if<Shape>(&word); shape != nullptr && foreign.empty())
    match = match_of(*shape);
  if (std::holds_alternative<Foreign>(word)) foreign = {"whole samples"};
  for (std::string& name : foreign)
    note_foreign(std::move(name));
  words_.push_back(std::move(word));
  if (!match.empty())
    numbers_.try_emplace(std::move(match), static_cast<std::uint32_t>(words_.size()));
}

Result<std::string> encode(const Sample& sample, Dictionary& words) {
  Source source;
  source.meter = sample.meter;
  source.parent = sample.parent;
  source.identity = sample.identity;
  const Shape shape = shape_of(sample.readings);
  std::string out;
  const std::uint32_t source_number = words.number_of(source);
  put(out, std::uint64_t{source_number});
  if (source_number == 0) put(out, std::string_view(bytes_of(source)));
  if (const Slot* nameless = words.knows(shape) ? nullptr : without_name(shape))
    return Error(Errc::bug, "the reading key \"" + nameless->key.text() + "\" has no meaning");
  const std::uint32_t shape_number = words.number_of(shape);
  put(out, std::uint64_t{shape_number});
  if (shape_number == 0) put(out, std::string_view(bytes_of(shape)));
  const Shape* usual = words.shape(shape_number);
  const bool own = usual != nullptr && !same_exponents(shape, *usual);
  std::uint8_t flags = own ? own_exponents : std::uint8_t{0};
  if (sample.origin == TimeOrigin::meter) flags |= by_meter;
  if (!sample.document.empty()) flags |= with_document;
  put(out, std::uint64_t{flags});
  if (!sample.document.empty()) put(out, std::string_view(sample.document));
  const auto at = std::chrono::floor<std::chrono::seconds>(sample.at);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const Reading& reading = sample.readings[i];
    if (own && shape[i].kind == 0) put_signed(out, shape[i].exponent);
    put_value(out, reading.value);
    if (reading.time) put_signed(out, (*reading.time - at).count());
  }
  return out;
}

Result<Sample> decode(std::string_view bytes, Instant at, const Dictionary& words) {
  Reader in(bytes);
  auto source = word_of<Source>(
      in, source_mark, [&](std::uint64_t n) { return words.source(n); }, source_of);
  if (!source) return source.error();
  const auto shape = word_of<Shape>(
      in, shape_mark, [&](std::uint64_t n) { return words.shape(n); },
      [](Reader& inner) { return shape_of(inner); });
  if (!shape) return shape.error();
  const auto flags = in.number();
  if (!flags || *flags > all_flags) return wrong("flags are unknown");
  Sample sample;
  sample.meter = std::move(source->meter);
  sample.parent = std::move(source->parent);
  sample.identity = std::move(source->identity);
  sample.at = at;
  sample.origin = (*flags & by_meter) != 0 ? TimeOrigin::meter : TimeOrigin::arrival;
  if ((*flags & with_document) != 0) {
    const auto document = in.text();
    if (!document) return wrong("telegram is cut");
    sample.document = *document;
  }
  for (const Slot& slot : *shape) {
    std::optional<std::int8_t> exponent = slot.exponent;
    if ((*flags & own_exponents) != 0 && slot.kind == 0) exponent = exponent_of(in.signed_number());
    if (!exponent) return wrong("values are cut");
    auto reading = reading_of(in, slot, *exponent, at);
    if (!reading) return reading.error();
    if (!slot.known) continue;
    sample.readings.push_back(std::move(*reading));
  }
  if (in.left() != 0) return wrong("end has more than belongs to it");
  return sample;
}

// FNV-1a: whatever happens to one byte is seen.
std::uint32_t check_sum(std::uint64_t sequence, std::int64_t at, std::string_view bytes) noexcept {
  std::uint32_t sum = 2166136261U;
  const auto take = [&sum](std::uint8_t byte) { sum = (sum ^ byte) * 16777619U; };
  for (unsigned shift = 0; shift < 64; shift += 8) {
    take(static_cast<std::uint8_t>(sequence >> shift));
    take(static_cast<std::uint8_t>(static_cast<std::uint64_t>(at) >> shift));
  }
  for (const char byte : bytes)
    take(static_cast<std::uint8_t>(byte));
  return sum;
}

}  // namespace meterbridge::journal
