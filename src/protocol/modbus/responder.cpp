// SPDX-License-Identifier: MIT
#include "protocol/modbus/responder.hpp"

#include "protocol/modbus/sunspec.hpp"
#include "protocol/modbus/values.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::modbus {
namespace {

constexpr std::uint8_t illegal_function = 1;
constexpr std::uint8_t illegal_address = 2;
constexpr std::uint8_t illegal_value = 3;
constexpr std::uint16_t common_model = 1;
constexpr std::uint16_t head = 2;  // registers of id and length
constexpr std::uint16_t whole_word = 0xFFFF;

// The model of which the table knows most: a device has one of the alternatives.
std::uint16_t richest_model(std::span<const Register> registers) {
  std::map<std::uint16_t, int> sizes;
  for (const Register& one : registers) {
    if (one.model && *one.model != common_model) ++sizes[*one.model];
  }
  const auto most =
      std::ranges::max_element(sizes, {}, [](const auto& size) { return size.second; });
  return most == sizes.end() ? common_model : most->first;
}

std::uint32_t model_end(std::span<const Register> registers, std::uint16_t model) {
  std::uint32_t end = head;
  for (const Register& one : registers) {
    if (one.model != model) continue;
    end = std::max(end, one.end());
    if (one.scale_register) end = std::max(end, std::uint32_t{*one.scale_register} + 1);
  }
  return end;
}

}  // namespace

ModbusResponder::ModbusResponder(Options options)
    : options_(std::move(options)),
      framing_(options_.framing.value_or(Framing::rtu)),
      registers_(options_.table.registers) {
  if (needs_sunspec(registers_)) lay_out_models();
  show(MeterFace());
  for (const auto& [place, word] : image_) {
    auto [at, first] = extent_.try_emplace(place.function, place.address, place.address + 1);
    at->second.second = place.address + 1;
  }
}

// "SunS", the common model where the table has it, one other model, and the end mark.
void ModbusResponder::lay_out_models() {
  const auto& bases = options_.table.sunspec_bases;
  std::uint32_t at = bases.empty() ? 0 : bases.front();
  const auto put_head = [&](std::uint16_t first, std::uint16_t second) {
    put_word(3, at, first, whole_word);
    put_word(3, at + 1, second, whole_word);
  };
  put_head(0x5375, 0x6E53);
  at += head;
  std::map<std::uint16_t, std::uint16_t> models;
  for (const std::uint16_t model : std::set{common_model, richest_model(registers_)}) {
    const std::uint32_t end = model_end(registers_, model);
    models.emplace(model, static_cast<std::uint16_t>(at));
    put_head(model, static_cast<std::uint16_t>(end - head));
    at += end;
  }
  put_head(0xFFFF, 0);
  registers_ = located(registers_, models);
}

void ModbusResponder::show(const MeterFace& face) {
  for (const Register& value : registers_) {
    if (is_text(value.type)) {
      put_text(value);
    } else {
      auto number = shown(value.key, face);
      // From the reading's unit to the register's.
      const auto moved =
          value.unit == Unit::none
              ? number
              : convert(number,
                        value.key.quantity == Quantity::heat ? value.unit
                                                             : canonical_unit(value.key.quantity),
                        value.unit);
      put(value, moved ? *moved : number);
    }
  }
}

void ModbusResponder::put_word(int function, std::uint32_t address, std::uint16_t word,
                               std::uint16_t bits) {
  std::uint16_t& stored = image_[Place(static_cast<Function>(function), address)];
  stored = static_cast<std::uint16_t>((stored & ~bits) | (word & bits));
}

void ModbusResponder::put(const Register& value, const Decimal& number) {
  if (value.scale_register) {
    put_word(value.function, *value.scale_register,
             static_cast<std::uint16_t>(shown_power(value.key.quantity)), whole_word);
  }
  std::uint64_t raw = raw_of(value, number);
  std::uint64_t bits = value.mask == 0 ? UINT64_MAX : value.mask;
  const bool on = !number.is_zero() != value.invert;
  if (value.type == Type::boolean) raw = on ? 1 : 0;
  if (value.bit) {
    bits = std::uint64_t{1} << static_cast<unsigned>(*value.bit);
    raw = on ? bits : 0;
  }
  const auto words = raw_words(raw, value.length, value.order);
  const auto masks = raw_words(bits, value.length, value.order);
  for (std::size_t i = 0; i < words.size(); ++i)
    put_word(value.function, static_cast<std::uint32_t>(value.address + i), words[i], masks[i]);
}

void ModbusResponder::put_text(const Register& value) {
  std::string text = shown_text(value.key, options_.unit);
  const std::size_t each = value.type == Type::string ? 2 : 1;
  text.resize(static_cast<std::size_t>(value.length) * each, '\0');
  for (std::size_t i = 0; i < static_cast<std::size_t>(value.length); ++i) {
    unsigned word = 0;
    for (std::size_t k = 0; k < each; ++k)
      word = (word << 8U) | static_cast<unsigned char>(text[i * each + k]);
    if (value.order.swapped_bytes) word = ((word >> 8U) | (word << 8U)) & whole_word;
    put_word(value.function, static_cast<std::uint32_t>(value.address + i),
             static_cast<std::uint16_t>(word), whole_word);
  }
}

std::vector<Bytes> ModbusResponder::received(ByteView bytes) {
  arrived_.insert(arrived_.end(), bytes.begin(), bytes.end());
  std::vector<Bytes> answers;
  while (!arrived_.empty()) {
    const Cut cut = find_request(framing_, arrived_);
    if (cut.drop + cut.frame == 0) break;
    const auto begin = arrived_.begin() + static_cast<std::ptrdiff_t>(cut.drop);
    const auto end = begin + static_cast<std::ptrdiff_t>(cut.frame);
    const Bytes wire(begin, end);
    arrived_.erase(arrived_.begin(), end);
    auto frame = unwrap(framing_, wire);
    if (!frame || frame->unit != options_.unit || frame->pdu.empty()) continue;
    const auto request = parse_request(frame->pdu);
    const std::uint8_t function = u8(frame->pdu.front());
    const bool known = request || request.error().code() != Errc::unsupported;
    frame->pdu = request ? answer(*request)
                         : encode_refusal(function, known ? illegal_value : illegal_function);
    if (mischief_.foreign) ++frame->unit;
    answers.push_back(wrap(framing_, *frame));
  }
  return answers;
}

Bytes ModbusResponder::answer(const Request& request) const {
  if (const auto* wanted = std::get_if<ReadRequest>(&request)) return read(*wanted);
  Identity identity;
  identity.objects = {{0, "meterbridge"}, {1, "simulated"}, {2, "1.0"}};
  return encode_identity(identity);
}

// Registers between those of the table read as zero, others do not exist.
Bytes ModbusResponder::read(const ReadRequest& request) const {
  const auto function = static_cast<std::uint8_t>(request.function);
  const auto extent = extent_.find(request.function);
  if (extent == extent_.end()) return encode_refusal(function, illegal_function);
  const std::uint32_t end = std::uint32_t{request.address} + request.count;
  if (!of_bits(request.function) && request.count > options_.table.max_registers)
    return encode_refusal(function, illegal_value);
  const bool inside = request.address >= extent->second.first && end <= extent->second.second;
  const bool crowded = std::ranges::any_of(registers_, [&](const Register& one) {
    return one.alone && one.function == function && one.address < end &&
           request.address < one.end() && (one.address != request.address || one.end() != end);
  });
  if (!inside || crowded) return encode_refusal(function, illegal_address);
  std::vector<std::uint16_t> words(request.count);
  for (std::uint32_t i = 0; i < words.size(); ++i) {
    const auto stored = image_.find(Place(request.function, request.address + i));
    if (stored != image_.end()) words[i] = stored->second;
  }
  return encode_words(request, words);
}

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& settings) {
  auto options = Options::from(settings);
  if (!options) return options.error();
  if (options->table.registers.empty())
    return Error(Errc::invalid, "a meter without registers has nothing to answer with");
  return std::unique_ptr<Responder>(std::make_unique<ModbusResponder>(std::move(*options)));
}

}  // namespace meterbridge::protocol::modbus
