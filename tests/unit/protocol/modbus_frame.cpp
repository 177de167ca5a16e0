// SPDX-License-Identifier: MIT
// Frames, requests and answers, the planner, and values from words.
#include "modbus_bench.hpp"
#include "protocol/modbus/meanings.hpp"
#include "protocol/modbus/planner.hpp"
#include "protocol/modbus/sunspec.hpp"
#include "protocol/modbus/values.hpp"

#include <algorithm>
#include <random>

namespace meterbridge::protocol::modbus {
namespace {

using protocol::test::hex;
using test::options_with;

Awaited awaited_for(Framing framing, const ReadRequest& request, std::uint8_t unit = 1,
                    std::uint16_t transaction = 7) {
  Awaited awaited;
  awaited.framing = framing;
  awaited.unit = unit;
  awaited.transaction = transaction;
  awaited.function = static_cast<std::uint8_t>(request.function);
  Frame frame;
  frame.transaction = transaction;
  frame.unit = unit;
  frame.pdu = *encode(request);
  awaited.request = wrap(framing, frame);
  return awaited;
}

Bytes answer_to(Framing framing, const ReadRequest& request,
                const std::vector<std::uint16_t>& words, std::uint8_t unit = 1,
                std::uint16_t transaction = 7) {
  Frame frame;
  frame.unit = unit;
  frame.transaction = transaction;
  frame.pdu = encode_words(request, words);
  return wrap(framing, frame);
}

// What a stream brings in pieces: the frames that were found, as hex.
std::vector<std::string> frames_in(const Awaited& awaited, ByteView stream, std::mt19937* dice) {
  std::vector<std::string> found;
  Bytes arrived;
  while (!stream.empty()) {
    const std::size_t count = dice == nullptr ? stream.size() : 1 + (*dice)() % stream.size();
    arrived.insert(arrived.end(), stream.begin(),
                   stream.begin() + static_cast<std::ptrdiff_t>(count));
    stream = stream.subspan(count);
    while (!arrived.empty()) {
      const Cut cut = find_reply(awaited, arrived);
      if (cut.drop + cut.frame == 0) break;
      const ByteView whole = ByteView(arrived).subspan(cut.drop, cut.frame);
      if (!whole.empty()) found.push_back(to_hex(whole));
      arrived.erase(arrived.begin(),
                    arrived.begin() + static_cast<std::ptrdiff_t>(cut.drop + cut.frame));
    }
  }
  return found;
}

TEST(ModbusFrame, RequestsAndAnswersHaveTheWellKnownBytes) {
  const ReadRequest two(Function::input, 0, 2);
  EXPECT_EQ(to_hex(awaited_for(Framing::rtu, two).request),
            "010400000002"
            "71cb");
  EXPECT_EQ(to_hex(awaited_for(Framing::tcp, two).request),
            "000700000006"
            "010400000002");
  EXPECT_EQ(to_hex(awaited_for(Framing::rtu, {Function::input, 0x48, 2}).request),
            "010400480002f1dd");
  EXPECT_EQ(to_hex(awaited_for(Framing::rtu, {Function::input, 0, 80}).request),
            "010400000050f036");
  EXPECT_EQ(to_hex(answer_to(Framing::rtu, two, {0x4366, 0x3334})),
            "01040443663334"
            "1b38");
  const auto refused = unwrap(Framing::rtu, hex("018402c2c1"));
  ASSERT_TRUE(refused);
  const auto reply = parse_reply(two, refused->pdu);
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<Refusal>(*reply).code, 2);
}

TEST(ModbusFrame, NoRequestThatWritesCanBeBuilt) {
  for (const int code : {0, 5, 6, 15, 16, 22, 23, 43, 255})
    EXPECT_FALSE(encode(ReadRequest(static_cast<Function>(code), 0, 1))) << code;
  for (int code = 0; code < 256; ++code)
    EXPECT_EQ(function_from(code).has_value(), code >= 1 && code <= 4) << code;
  EXPECT_FALSE(encode(ReadRequest(Function::holding, 0, 0)));
  EXPECT_FALSE(encode(ReadRequest(Function::holding, 0, 126)));
  EXPECT_FALSE(encode(ReadRequest(Function::coils, 0, 2001)));
  EXPECT_FALSE(encode(ReadRequest(Function::holding, 0xFFFF, 2)));
  EXPECT_TRUE(encode(ReadRequest(Function::holding, 0xFFFF, 1)));
}

TEST(ModbusFrame, RequestsSurviveTheirWayThroughTheWire) {
  std::mt19937 dice(1);
  for (int i = 0; i < 2000; ++i) {
    const auto function = static_cast<Function>(1 + dice() % 4);
    const auto count = static_cast<std::uint16_t>(1 + dice() % 125);
    const ReadRequest request(function, static_cast<std::uint16_t>(dice() % 65000), count);
    const Framing framing = dice() % 2 == 0 ? Framing::rtu : Framing::tcp;
    const auto unit = static_cast<std::uint8_t>(dice() % 248);
    const Bytes wire = awaited_for(framing, request, unit).request;
    const auto frame = unwrap(framing, wire);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->unit, unit);
    const auto back = parse_request(frame->pdu);
    ASSERT_TRUE(back);
    EXPECT_EQ(std::get<ReadRequest>(*back), request);
    const Cut cut = find_request(framing, wire);
    EXPECT_EQ(cut.frame, wire.size());
  }
}

TEST(ModbusFrame, AnswersSurviveAnyCutWithNoiseBeforeThem) {
  std::mt19937 dice(2);
  for (int i = 0; i < 1000; ++i) {
    const Framing framing = i % 2 == 0 ? Framing::rtu : Framing::tcp;
    const ReadRequest request(static_cast<Function>(1 + dice() % 4), 10,
                              static_cast<std::uint16_t>(1 + dice() % 125));
    std::vector<std::uint16_t> words(request.count);
    for (std::uint16_t& word : words)
      word = static_cast<std::uint16_t>(of_bits(request.function) ? dice() % 2 : dice() & 0xFFFFU);
    Bytes stream;
    if (framing == Framing::rtu) {
      for (auto noise = dice() % 3; noise > 0; --noise)
        stream.push_back(dice() % 2 == 0 ? std::byte{0} : std::byte{0xFF});
    }
    const Bytes wire = answer_to(framing, request, words);
    stream.insert(stream.end(), wire.begin(), wire.end());
    const Awaited awaited = awaited_for(framing, request);
    const auto found = frames_in(awaited, stream, &dice);
    ASSERT_EQ(found, std::vector{to_hex(wire)});
    const auto reply = parse_reply(request, unwrap(framing, wire)->pdu);
    ASSERT_TRUE(reply);
    EXPECT_EQ(std::get<Words>(*reply).words, words);
  }
}

TEST(ModbusFrame, P09TheEchoOfTheRequestIsTakenOffWhole) {
  std::mt19937 dice(3);
  const ReadRequest request(Function::input, 0, 1);
  const Awaited awaited = awaited_for(Framing::rtu, request);
  ASSERT_EQ(to_hex(awaited.request), "01040000000131ca");
  const Bytes answer = hex("0104020e023c91");
  Bytes stream = awaited.request;
  stream.insert(stream.end(), answer.begin(), answer.end());
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(frames_in(awaited, stream, &dice),
              (std::vector<std::string>{"01040000000131ca", "0104020e023c91"}));
  }
}

TEST(ModbusFrame, AFlippedBitIsNeverAnAnswer) {
  const ReadRequest request(Function::holding, 100, 4);
  const Awaited awaited = awaited_for(Framing::rtu, request);
  const Bytes wire = answer_to(Framing::rtu, request, {1, 2, 3, 0xABCD});
  for (std::size_t bit = 0; bit < wire.size() * 8; ++bit) {
    Bytes flipped = wire;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_TRUE(frames_in(awaited, flipped, nullptr).empty()) << bit;
    const auto frame = unwrap(Framing::rtu, flipped);
    ASSERT_FALSE(frame) << bit;
    EXPECT_EQ(frame.error().code(), Errc::checksum);
  }
}

TEST(ModbusFrame, P09AnswersOfOtherShapeAreNoAnswers) {
  const ReadRequest two(Function::input, 0, 2);
  const auto pdu_of = [](const ReadRequest& request) {
    return encode_words(request, std::vector<std::uint16_t>(request.count));
  };
  const auto kind = [&](ByteView pdu) {
    const auto reply = parse_reply(two, pdu);
    return reply ? Errc::bug : reply.error().code();
  };
  EXPECT_EQ(kind(pdu_of({Function::input, 0, 1})), Errc::mismatch);
  EXPECT_EQ(kind(pdu_of({Function::input, 0, 3})), Errc::mismatch);
  EXPECT_EQ(kind(pdu_of({Function::holding, 0, 2})), Errc::mismatch);
  EXPECT_EQ(kind(hex("830201")), Errc::mismatch);  // a refusal of another function
  EXPECT_EQ(kind(hex("040443663334ff")), Errc::malformed);
  EXPECT_EQ(kind(hex("0404436633")), Errc::malformed);
  EXPECT_EQ(kind(hex("84")), Errc::malformed);
  EXPECT_EQ(kind({}), Errc::malformed);
}

TEST(ModbusFrame, ATcpStreamOutOfStepIsFoundAgainByTheNumber) {
  const ReadRequest request(Function::holding, 0, 2);
  const Awaited awaited = awaited_for(Framing::tcp, request);
  const Bytes wire = answer_to(Framing::tcp, request, {1, 2});
  Bytes stream = hex("ffffffffffffff00");
  stream.insert(stream.end(), wire.begin(), wire.end());
  EXPECT_EQ(frames_in(awaited, stream, nullptr), std::vector{to_hex(wire)});
  // An RTU answer on a connection of Modbus TCP is told in words.
  const Cut cut = find_reply(awaited, answer_to(Framing::rtu, request, {1, 2}));
  ASSERT_TRUE(cut.broken);
  EXPECT_NE(cut.broken->detail().find("framing: rtu"), std::string::npos);
}

TEST(ModbusFrame, IdentificationsComeInParts) {
  Identity identity;
  identity.objects = {{0, "Maker"}, {1, "M-1"}};
  identity.next = std::uint8_t{2};
  const IdentityRequest request;
  Frame frame;
  frame.unit = 1;
  frame.pdu = encode_identity(identity);
  Awaited awaited;
  awaited.function = identity_function;
  awaited.request = hex("012b0e01007077");
  const Bytes wire = wrap(Framing::rtu, frame);
  std::mt19937 dice(5);
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(frames_in(awaited, wire, &dice), std::vector{to_hex(wire)});
  const auto reply = parse_reply(request, frame.pdu);
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<Identity>(*reply).objects, identity.objects);
  EXPECT_EQ(std::get<Identity>(*reply).next, identity.next);
}

std::vector<std::string> plan_text(const Options& options, const Lessons& lessons = {}) {
  Reach reach;
  reach.registers = options.table.max_registers;
  reach.gap = options.table.max_gap;
  const std::vector<bool> all(options.table.registers.size(), true);
  std::vector<std::string> blocks;
  for (const Block& block : plan(atoms_of(options.table.registers, all, reach), reach, lessons)) {
    const ReadRequest request = block.request();
    blocks.push_back(std::to_string(static_cast<int>(request.function)) + ":" +
                     std::to_string(request.address) + "+" + std::to_string(request.count));
  }
  return blocks;
}

using Plan = std::vector<std::string>;

TEST(ModbusPlanner, JoinsOverGapsButNotFurtherNorOverTheLimit) {
  const auto options =
      options_with({"voltage_l1 address=0 type=f32", "voltage_l2 address=12 type=f32",
                    "voltage_l3 address=25 type=f32", "frequency address=58"},
                   {{"max_gap", "10"}, {"max_registers", "60"}});
  EXPECT_EQ(plan_text(options), (Plan{"3:0+14", "3:25+2", "3:58+1"}));
  const auto tight = options_with({"voltage_l1 address=0 type=f32", "voltage_l2 address=2 type=f32",
                                   "voltage_l3 address=4 type=f32"},
                                  {{"max_gap", "0"}, {"max_registers", "4"}});
  EXPECT_EQ(plan_text(tight), (Plan{"3:0+4", "3:4+2"}));
}

TEST(ModbusPlanner, AValueAndItsScaleRegisterComeTogetherAndSomeComeAlone) {
  const auto options = options_with(
      {"power address=20 type=s16 scale_register=25", "frequency address=0",
       "energy_import address=22 type=u32", "serial address=1 type=string length=4 alone=true",
       "voltage address=5", "input_1 address=3 function=2", "input_2 address=100 function=2",
       "input_3 address=900 function=1"},
      {{"max_gap", "4"}});
  EXPECT_EQ(plan_text(options),
            (Plan{"1:900+1", "2:3+1", "2:100+1", "3:0+1", "3:1+4", "3:5+1", "3:20+6"}));
}

TEST(ModbusPlanner, WhatWasRefusedIsNeitherAskedNorReadAlong) {
  const auto options = options_with({"voltage_l1 address=0", "voltage_l2 address=1",
                                     "voltage_l3 address=2", "frequency address=3"});
  Lessons lessons;
  lessons.refused[Place(Function::holding, 1)] = 2;
  EXPECT_EQ(plan_text(options, lessons), (Plan{"3:0+1", "3:2+2"}));
  lessons.cuts.insert(Place(Function::holding, 3));
  EXPECT_EQ(plan_text(options, lessons), (Plan{"3:0+1", "3:2+1", "3:3+1"}));
}

// The 68 values that its maker's table lists: floats of two registers, first and last of each run.
TEST(ModbusPlanner, AnSdm630OfSixtyEightValuesNeedsFiveRequests) {
  std::vector<Register> registers;
  for (const auto& [first, last] : std::vector<std::pair<int, int>>{{0x0, 0x2A},
                                                                    {0x2E, 0x30},
                                                                    {0x34, 0x34},
                                                                    {0x38, 0x38},
                                                                    {0x3C, 0x3E},
                                                                    {0x42, 0x42},
                                                                    {0x46, 0x50},
                                                                    {0xC8, 0xCE},
                                                                    {0xE0, 0xE0},
                                                                    {0xEA, 0xF4},
                                                                    {0xF8, 0xFA},
                                                                    {0x156, 0x17C}}) {
    for (int address = first; address <= last; address += 2) {
      Register one;
      one.function = 4;
      one.address = static_cast<std::uint16_t>(address);
      one.type = Type::f32;
      one.length = 2;
      registers.push_back(one);
    }
  }
  ASSERT_EQ(registers.size(), 68U);
  Reach reach;
  reach.registers = 80;
  const std::vector<bool> all(registers.size(), true);
  EXPECT_LE(plan(atoms_of(registers, all, reach), reach, Lessons()).size(), 5U);
}

// Any table: every value lies whole in one block, no block is longer than allowed.
TEST(ModbusPlanner, EveryValueIsInOneBlockOfAnyTable) {
  std::mt19937 dice(6);
  for (int i = 0; i < 500; ++i) {
    std::vector<Register> registers;
    Reach reach;
    reach.registers = 4 + static_cast<int>(dice() % 122);
    reach.gap = static_cast<int>(dice() % 20);
    for (unsigned k = 0; k < 1 + dice() % 60; ++k) {
      Register one;
      one.function = 1 + static_cast<int>(dice() % 4);
      one.address = static_cast<std::uint16_t>(dice() % 400);
      one.length = one.function < 3 ? 1 : 1 << (dice() % 3);
      one.alone = dice() % 20 == 0;
      registers.push_back(one);
    }
    const std::vector<bool> all(registers.size(), true);
    std::vector<int> seen(registers.size());
    for (const Block& block : plan(atoms_of(registers, all, reach), reach, Lessons())) {
      const ReadRequest request = block.request();
      EXPECT_LE(request.count, of_bits(request.function) ? 2000 : std::min(reach.registers, 125));
      EXPECT_TRUE(encode(request));
      for (const Atom& atom : block.atoms) {
        for (const std::size_t value : atom.values) {
          ++seen[value];
          EXPECT_GE(registers[value].address, request.address);
          EXPECT_LE(registers[value].end(), std::uint32_t{request.address} + request.count);
        }
      }
    }
    EXPECT_TRUE(std::ranges::all_of(seen, [](int count) { return count == 1; }));
  }
}

std::string value_of(std::string_view row, std::vector<std::uint16_t> words) {
  const auto options = options_with({row});
  const Register& value = options.table.registers.front();
  Image image;
  image.add(ReadRequest(static_cast<Function>(value.function), value.address,
                        static_cast<std::uint16_t>(words.size())),
            std::move(words));
  const auto found = understand(value, image);
  if (!found) return "error: " + found.error().detail();
  if (!*found) return "none";
  const Item& item = (*found)->item;
  return item.text ? *item.text : item.value->str() + (item.unit.empty() ? "" : " " + item.unit);
}

TEST(ModbusValues, P20EveryTypeAndOrder) {
  EXPECT_EQ(value_of("voltage address=0 type=f32", {0x4366, 0x3333}), "230.2 V");
  EXPECT_EQ(value_of("voltage address=0 type=f32 order=CDAB", {0x3333, 0x4366}), "230.2 V");
  EXPECT_EQ(value_of("voltage address=0 type=f32 order=BADC", {0x6643, 0x3333}), "230.2 V");
  EXPECT_EQ(value_of("voltage address=0 type=f32 order=DCBA", {0x3333, 0x6643}), "230.2 V");
  EXPECT_EQ(value_of("voltage address=0 scale=0.1", {2302}), "230.2 V");
  EXPECT_EQ(value_of("power address=0 type=s16 scale=10", {0xFFFF}), "-10 W");
  EXPECT_EQ(value_of("power address=0 type=s32 scale=-1", {0xFFFF, 0xFFFE}), "2 W");
  EXPECT_EQ(value_of("energy_import address=0 type=u32 order=CDAB scale=0.001", {38, 0}),
            "0.038 kWh");
  EXPECT_EQ(value_of("energy_import address=0 type=u64 unit=Wh", {0, 1, 2, 3}), "4295098371 Wh");
  EXPECT_EQ(value_of("energy_import address=0 type=u64 order=CDAB unit=Wh", {3, 2, 1, 0}),
            "4295098371 Wh");
  EXPECT_EQ(value_of("energy_net address=0 type=s64 unit=Wh", {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF}),
            "-1 Wh");
  EXPECT_EQ(value_of("energy_import address=0 type=f64", {0x40C3, 0x8800, 0x0000, 0x0000}),
            "10000 kWh");
  EXPECT_EQ(value_of("serial address=0 type=string length=3", {0x4142, 0x3100, 0xFFFF}), "AB1");
  EXPECT_EQ(value_of("serial address=0 type=string8 length=3", {0x41, 0x42, 0x31}), "AB1");
  EXPECT_EQ(value_of("input_3 address=0 function=2", {1}), "1");
  EXPECT_EQ(value_of("input_3 address=0 bit=4 function=3 type=u16", {0x0010}), "1");
  EXPECT_EQ(value_of("tariff address=0 mask=0x0F00", {0x0300}), "3");
}

TEST(ModbusValues, P20AllMeaningsOfRegistersStandBesideEachOther) {
  const auto row = [](std::vector<std::uint16_t> words, std::size_t first, std::string_view type) {
    std::string text;
    for (const Meaning& meaning : meanings(words)) {
      if (meaning.first != first || meaning.type != type) continue;
      for (const std::string& each : meaning.texts)
        text += (text.empty() ? "" : " | ") + each;
    }
    return text;
  };
  EXPECT_EQ(row({0x4365, 0x8000}, 0, "f32").substr(0, 7), "229.5 |");
  EXPECT_NE(row({0x8000, 0x4365}, 0, "f32").find("| 229.5 |"), std::string::npos);
  EXPECT_NE(row({0x6543, 0x0080}, 0, "f32").find("| 229.5 |"), std::string::npos);
  EXPECT_TRUE(row({0x0080, 0x6543}, 0, "f32").ends_with("| 229.5"));
  EXPECT_EQ(row({0xFFFE, 0x0102}, 0, "s16"), "-2 | -2 | -257 | -257");
  EXPECT_EQ(row({0xFFFE, 0x0102}, 1, "u16"), "258 | 258 | 513 | 513");
  EXPECT_EQ(row({0x0000, 0x0001}, 0, "u32"), "1 | 65536 | 256 | 16777216");
  EXPECT_EQ(row({0x7FC0, 0x0000}, 0, "f32").substr(0, 5), "nan |");
  EXPECT_EQ(row({1, 2}, 0, "f64"), "") << "two registers are no 64 bits";
  EXPECT_EQ(row({0, 1, 2, 3}, 0, "u64").substr(0, 12), "4295098371 |");
  EXPECT_EQ(row({7, 1, 2}, 2, "u32"), "") << "behind the last register is nothing";
  EXPECT_EQ(meanings(std::vector<std::uint16_t>(125)).size(), 125 * 2 + 124 * 3 + 122 * 3);
}

TEST(ModbusValues, P20AddressesAsTheManualPrintsThem) {
  const auto place = [](std::string_view row) {
    const auto table = register_table(test::settings_with({row}));
    return table ? std::to_string(table->registers.front().address) : table.error().detail();
  };
  EXPECT_EQ(place("power address=12"), "12");
  EXPECT_EQ(place("power address=30013 counted_from=30001"), "12");
  EXPECT_EQ(place("power address=400013 counted_from=400001"), "12");
  EXPECT_EQ(place("power address=65536 counted_from=1"), "65535");
  EXPECT_NE(place("power address=0 counted_from=1").find("1 to 65536"), std::string::npos);
  EXPECT_NE(place("power address=400013").find("counted_from"), std::string::npos);
  EXPECT_EQ(register_table(test::settings_with(
                               {"power address=40013 scale_register=40020 counted_from=40001"}))
                ->registers.front()
                .scale_register,
            19);
}

TEST(ModbusValues, UserValuesHaveAnyUnit) {
  EXPECT_EQ(value_of("value_1 address=0 type=f32 unit=bar", {0x3FC0, 0}), "1.5 bar");
  EXPECT_EQ(value_of("value_255 address=0 scale=0.1", {1500}), "150.0");
  EXPECT_EQ(value_of("value_2 address=0 unit=kwh", {7}), "7 kWh");
  const auto reading = Reading::make(*ReadingKey::parse("value_1"), Decimal(7),
                                     *unit_for(*ReadingKey::parse("value_1"), "bar"));
  EXPECT_EQ(symbol(reading->unit), "bar") << "the same text is the same unit";
}

TEST(ModbusValues, P16PatternsOfNoValueAreNotPublished) {
  EXPECT_EQ(value_of("voltage address=0 type=f32", {0x7FC0, 0}), "none");
  EXPECT_EQ(value_of("voltage address=0 type=f32", {0xFF80, 0}), "none");
  EXPECT_EQ(value_of("voltage address=0 invalid=0xFFFF", {0xFFFF}), "none");
  EXPECT_EQ(value_of("power address=0 type=s16 invalid=0x8000", {0x8000}), "none");
  EXPECT_EQ(value_of("energy_import address=0 type=u32 invalid=0xFFFFFFFF", {0xFFFF, 0xFFFF}),
            "none");
  EXPECT_EQ(
      value_of("energy_import address=0 type=u64", {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF}).substr(0, 5),
      "error");
  EXPECT_EQ(value_of("serial address=0 type=string length=2", {0, 0}), "none");
}

TEST(ModbusValues, P15ACounterKnowsWhereItBeginsAgain) {
  const auto turn = [](std::string_view row, std::vector<std::uint16_t> words) {
    const auto table = register_table(test::settings_with({row}));
    EXPECT_TRUE(table) << row;
    Image image;
    const auto count = static_cast<std::uint16_t>(words.size());
    image.add(ReadRequest(Function::holding, 0, count), std::move(words));
    const auto found = understand(table->registers.front(), image);
    const auto& reading = (*found)->reading;
    return reading->wraps ? reading->wraps->str() : "-";
  };
  EXPECT_EQ(turn("counter_1 address=0 wraps=65536", {5}), "65536");
  EXPECT_EQ(turn("counter_1 address=0", {5}), "-");
  EXPECT_EQ(turn("energy_import address=0 type=u32 unit=Wh wraps=100000000", {0, 5}), "100000.000");
  EXPECT_EQ(turn("water address=0 scale=0.01 wraps=10000", {5}), "100.00");
  EXPECT_EQ(turn("gas address=0 scale_register=1 wraps=65536", {5, 0xFFFF}), "6553.6");
}

TEST(ModbusValues, ScaleRegistersMoveThePoint) {
  const std::string_view row = "power address=0 type=s16 scale_register=1";
  EXPECT_EQ(value_of(row, {1234, 0xFFFF}), "123.4 W");
  EXPECT_EQ(value_of(row, {1234, 2}), "123400 W");
  EXPECT_EQ(value_of(row, {1234, 0}), "1234 W");
  EXPECT_EQ(value_of(row, {1234, 0x8000}), "none");
  EXPECT_EQ(value_of(row, {1234, 77}), "none");
  EXPECT_EQ(value_of(row, {1234}), "none");  // without its scale a number means nothing
}

TEST(ModbusValues, RawNumbersSurviveEveryOrder) {
  std::mt19937_64 dice(7);
  for (int i = 0; i < 1000; ++i) {
    Order order;
    order.low_word_first = dice() % 2 == 0;
    order.swapped_bytes = dice() % 2 == 0;
    const int count = 1 << (dice() % 3);
    const std::uint64_t raw =
        count == 4 ? dice()
                   : dice() & ((std::uint64_t{1} << (16U * static_cast<unsigned>(count))) - 1);
    EXPECT_EQ(raw_number(raw_words(raw, count, order), order), raw);
  }
}

TEST(ModbusSunSpec, FindsModelsAtTheSecondBaseAndMovesRegistersThere) {
  SunSpecSearch search({40000, 50000, 0});
  ASSERT_EQ(search.question(), ReadRequest(Function::holding, 40000, 2));
  search.refused();
  ASSERT_EQ(search.question(), ReadRequest(Function::holding, 50000, 2));
  search.answered(std::vector<std::uint16_t>{0x5375, 0x6E53});
  ASSERT_EQ(search.question(), ReadRequest(Function::holding, 50002, 2));
  search.answered(std::vector<std::uint16_t>{1, 66});
  ASSERT_EQ(search.question(), ReadRequest(Function::holding, 50070, 2));
  search.answered(std::vector<std::uint16_t>{103, 50});
  search.answered(std::vector<std::uint16_t>{0xFFFF, 0});
  EXPECT_FALSE(search.question());
  const auto options = options_with(
      {"frequency address=16 model=103 scale_register=17", "voltage_l1 address=4 model=203"});
  const auto found = located(options.table.registers, search.models());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].address, 50086);
  EXPECT_EQ(found[0].scale_register, 50087);
}

// A chain that leads in circles or past the last register ends.
TEST(ModbusSunSpec, AnyAnswersEndTheSearch) {
  std::mt19937 dice(8);
  for (int i = 0; i < 200; ++i) {
    SunSpecSearch search({40000, 50000, 0});
    int steps = 0;
    for (; search.question() && steps < 1000; ++steps) {
      const std::vector<std::uint16_t> mark{0x5375, 0x6E53};
      const std::vector<std::uint16_t> model{static_cast<std::uint16_t>(dice()),
                                             static_cast<std::uint16_t>(dice() % 300)};
      if (dice() % 10 == 0) {
        search.refused();
      } else {
        search.answered(search.found() ? model : mark);
      }
    }
    EXPECT_LT(steps, 1000);
  }
}

}  // namespace
}  // namespace meterbridge::protocol::modbus
