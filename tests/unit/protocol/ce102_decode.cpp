// SPDX-License-Identifier: MIT
#include "bytes_of.hpp"
#include "protocol/ce102/ce102.hpp"
#include "protocol/ce102/frame.hpp"
#include "protocol/ce102/payload.hpp"

#include <algorithm>

namespace meterbridge::protocol::ce102 {
namespace {

using test::hex;
using test::reading;
using test::reading_count;
using test::settings_of;

std::vector<Decoded> decode(
    std::string_view stream,
    std::initializer_list<std::pair<std::string_view, std::string_view>> set = {}) {
  return ce102_protocol.decode(hex(stream), settings_of(ce102_protocol, set));
}

std::vector<Decoded> transcript(
    std::string_view text,
    std::initializer_list<std::pair<std::string_view, std::string_view>> set = {}) {
  const auto lines = parse_transcript(text);
  EXPECT_TRUE(lines);
  if (!lines) return {};
  return ce102_protocol.decode_transcript(*lines, settings_of(ce102_protocol, set));
}

std::string frame(std::uint16_t command, std::string_view data, std::uint16_t from = 13462,
                  std::uint16_t to = 253, std::uint8_t access = class_execute) {
  Frame reply;
  reply.to = to;
  reply.from = from;
  reply.access = access;
  reply.command = command;
  reply.data = hex(data);
  return to_hex(build_reply(reply));
}

std::string request(Query query, std::string_view data, std::uint16_t meter = 13462) {
  Station station;
  station.meter = meter;
  const auto bytes = build_request(station, query, hex(data));
  EXPECT_TRUE(bytes);
  return bytes ? to_hex(*bytes) : "";
}

std::vector<Decoded> asked(
    const std::string& sent, const std::string& heard,
    std::initializer_list<std::pair<std::string_view, std::string_view>> set = {}) {
  return transcript("> " + sent + "\n< " + heard + "\n", set);
}

std::string item(const Decoded& decoded, std::string_view address) {
  const Item* found = decoded.telegram.find(address);
  if (found == nullptr) return "absent";
  if (found->value) return found->value->str() + (found->unit.empty() ? "" : " " + found->unit);
  if (found->text) return *found->text;
  std::string text;
  for (const std::string& group : found->groups)
    text += "(" + group + ")";
  return text;
}

std::string statuses(const std::vector<Decoded>& all) {
  std::string text;
  for (const Decoded& decoded : all)
    text += (text.empty() ? "" : " ") + std::string(name(decoded.status));
  return text;
}

TEST(Ce102Decode, AnAnswerAloneGivesItemsAndNoReadings) {
  const auto all = decode("c048fd009634570130000922ec8b04001bc0");
  ASSERT_EQ(statuses(all), "ok");
  EXPECT_EQ(item(all[0], "0130"), "2979.64 kWh");
  EXPECT_EQ(reading_count(all[0].telegram), 0U);
  EXPECT_EQ(all[0].offset, 0U);
  EXPECT_EQ(all[0].length, 18U);
  EXPECT_EQ(all[0].telegram.protocol, "ce102");
}

TEST(Ce102Decode, AClassicAnswerAloneIsACountUnlessTheDecimalsAreSet) {
  const std::string answer = frame(0x0130, "87d61200");
  EXPECT_EQ(item(decode(answer)[0], "0130"), "1234567");
  EXPECT_EQ(item(decode(answer, {{"decimals", "3"}})[0], "0130"), "1234.567 kWh");
}

TEST(Ce102Decode, TheFamilyOfTheProfileRefusesTheOtherForm) {
  EXPECT_EQ(statuses(decode(frame(0x0130, "87d61200"), {{"family", "ce307"}})), "mismatch");
  EXPECT_EQ(statuses(decode(frame(0x0130, "000922ec8b0400"), {{"family", "classic"}})), "mismatch");
  EXPECT_EQ(statuses(decode(frame(0x0130, "000922ec8b0400"), {{"family", "r51"}})), "ok");
}

TEST(Ce102Decode, ShowsBrokenFramesInTheOrderOfTheStream) {
  const std::string good = frame(0x0001, "9634");
  std::string flipped = good;
  flipped[8] = flipped[8] == '9' ? '8' : '9';
  const auto all = decode("0102" + good + flipped + good + "c048fd00db9634c0" + good + "c048fd");
  EXPECT_EQ(statuses(all), "ok checksum ok malformed ok truncated");
  EXPECT_EQ(all[0].offset, 2U);
  EXPECT_EQ(all[1].offset, 2U + good.size() / 2);
  EXPECT_EQ(all[1].length, good.size() / 2);
  EXPECT_FALSE(all[1].error.empty());
  EXPECT_TRUE(all[1].telegram.items.empty());
  EXPECT_EQ(all[5].length, 3U);
}

TEST(Ce102Decode, NothingInNoiseAndNothingInNothing) {
  EXPECT_TRUE(decode("").empty());
  EXPECT_TRUE(decode("00112233445566778899").empty());
  EXPECT_TRUE(decode("c0").empty());
  EXPECT_TRUE(decode("c0c0c0c0").empty());
}

TEST(Ce102Decode, ARequestInAStreamIsNoAnswer) {
  EXPECT_EQ(statuses(decode(request(Query::energy, "0000"))), "mismatch");
}

TEST(Ce102Decode, ErrorRepliesAreExceptionsInWords) {
  const auto all = decode(frame(0x0160, "00", 1, 253, class_error));
  ASSERT_EQ(statuses(all), "exception");
  EXPECT_NE(all[0].error.find("does not know"), std::string::npos);
  EXPECT_EQ(statuses(decode(frame(0x0160, "", 1, 253, class_error))), "exception");
}

TEST(Ce102Decode, KnowsWhatItDoesNotRead) {
  const auto strange = decode(frame(0x0160, "000102030405060708090a0b"));
  ASSERT_EQ(statuses(strange), "ok");
  EXPECT_EQ(item(strange[0], "0160"), "(00)(01)(02)(03)(04)(05)(06)(07)(08)(09)(0A)(0B)");
  EXPECT_EQ(reading_count(strange[0].telegram), 0U);
  EXPECT_EQ(statuses(decode(frame(0x0130, "0001020304"))), "malformed");
  EXPECT_EQ(statuses(decode(frame(0x0120, "ff212302190722"))), "malformed");
  EXPECT_EQ(statuses(decode(frame(0x0120, "19212302320722"))), "malformed");  // the 32nd of July
}

TEST(Ce102Decode, OnlyTheConfiguredAddressCounts) {
  EXPECT_EQ(statuses(decode(frame(0x0001, "9634"), {{"address", "13462"}})), "ok");
  EXPECT_EQ(statuses(decode(frame(0x0001, "9634"), {{"address", "13463"}})), "mismatch");
}

TEST(Ce102Transcript, TheRequestGivesTheTariff) {
  const std::string dated = frame(0x0130, "001126ec8b0400");
  for (const auto& [data, address, key] : {std::tuple("0000", "0130:00", "energy_import"),
                                           std::tuple("0001", "0130:01", "energy_import_t1"),
                                           std::tuple("0005", "0130:05", "energy_import_t5")}) {
    const auto all = asked(request(Query::energy, data), dated);
    ASSERT_EQ(statuses(all), "ok");
    EXPECT_EQ(item(all[0], address), "2979.64 kWh");
    EXPECT_EQ(reading(all[0].telegram, key), "2979.64");
    EXPECT_EQ(reading_count(all[0].telegram), 1U);
  }
  // The same bytes mean tariff 1 and tariff 2 to a classic meter.
  const std::string plain = frame(0x0130, "ec8b0400");
  EXPECT_EQ(reading(asked(request(Query::energy, "0000"), plain)[0].telegram, "energy_import_t1"),
            "2979.64");
  EXPECT_EQ(reading(asked(request(Query::energy, "0100"), plain)[0].telegram, "energy_import_t2"),
            "2979.64");
  const auto total = asked(request(Query::energy_total, "00"), frame(0x0131, "ec8b0400"));
  EXPECT_EQ(item(total[0], "0131:00"), "2979.64 kWh");
  EXPECT_EQ(reading(total[0].telegram, "energy_import"), "2979.64");
}

TEST(Ce102Transcript, APastMonthIsNoReading) {
  const auto all = asked(request(Query::energy, "0101"), frame(0x0130, "001126ec8b0400"));
  ASSERT_EQ(statuses(all), "ok");
  EXPECT_EQ(item(all[0], "0130:01:01"), "2979.64 kWh");
  EXPECT_EQ(reading_count(all[0].telegram), 0U);
}

TEST(Ce102Transcript, TheDecimalsComeFromReadConfig) {
  const auto all =
      transcript("> " + request(Query::config, "") + "\n< " + frame(0x0101, "0003000000") + "\n> " +
                 request(Query::energy_total, "00") + "\n< " + frame(0x0131, "ec8b0400"));
  ASSERT_EQ(statuses(all), "ok ok");
  EXPECT_EQ(reading(all[1].telegram, "energy_import"), "297.964");
}

TEST(Ce102Transcript, WhatOneMeterToldIsNotAppliedToAnother) {
  const auto exchange = [](Query query, std::string_view asked, std::string_view data,
                           std::uint16_t meter) {
    return "> " + request(query, asked, meter) + "\n< " +
           frame(static_cast<std::uint16_t>(query), data, meter) + "\n";
  };
  const auto energies = transcript(exchange(Query::config, "", "0003000000", 1) +
                                   exchange(Query::config, "", "0001000000", 2) +
                                   exchange(Query::energy_total, "00", "ec8b0400", 1) +
                                   exchange(Query::energy_total, "00", "ec8b0400", 2) +
                                   exchange(Query::energy_total, "00", "ec8b0400", 3));
  ASSERT_EQ(statuses(energies), "ok ok ok ok ok");
  EXPECT_EQ(reading(energies[2].telegram, "energy_import"), "297.964");
  EXPECT_EQ(reading(energies[3].telegram, "energy_import"), "29796.4");
  EXPECT_EQ(reading(energies[4].telegram, "energy_import"), "2979.64");

  const auto serials = transcript(exchange(Query::serial, "00", "3837363534333231", 1) +
                                  exchange(Query::serial, "01", "3635343332310000", 2) +
                                  exchange(Query::serial, "01", "3930000000000000", 1));
  ASSERT_EQ(statuses(serials), "ok ok ok");
  EXPECT_EQ(reading(serials[1].telegram, "serial"), "");
  EXPECT_EQ(reading(serials[2].telegram, "serial"), "0912345678");
}

TEST(Ce102Transcript, JoinsTheSerialNumber) {
  const auto all = transcript("> " + request(Query::serial, "00", 46950) + "\n< " +
                              frame(0x011A, "3035393634363437", 46950) + "\n> " +
                              request(Query::serial, "01", 46950) + "\n< " +
                              frame(0x011A, "3136393631313000", 46950));
  ASSERT_EQ(statuses(all), "ok ok");
  EXPECT_EQ(item(all[0], "011A"), "05964647");
  EXPECT_EQ(reading(all[0].telegram, "serial"), "");
  EXPECT_EQ(reading(all[1].telegram, "serial"), "011696174646950");
  EXPECT_EQ(all[1].telegram.meter.serial, "011696174646950");
}

TEST(Ce102Transcript, CutsTheSerialNumberAtNulNotAtZeros) {
  EXPECT_EQ(join_serial(hex("3030303132333400"), hex("3939393939393939")), "4321000");
  EXPECT_EQ(join_serial(hex("3132333435363738"), hex("3930303000000000")), "000987654321");
  EXPECT_EQ(join_serial(hex("0000000000000000"), hex("0000000000000000")), "");
}

TEST(Ce102Transcript, ReadsClockVersionStatusAndPing) {
  const auto clock = asked(request(Query::date_time, ""), frame(0x0120, "19212302190722"));
  ASSERT_EQ(statuses(clock), "ok");
  EXPECT_EQ(item(clock[0], "0120"), "2022-07-19T23:21:19");
  EXPECT_FALSE(reading(clock[0].telegram, "clock").empty());
  EXPECT_TRUE(clock[0].telegram.time);

  const auto version = asked(request(Query::version, ""), frame(0x0100, "0a0103170512"));
  EXPECT_EQ(item(version[0], "0100"), "(10)(1)(3)(2012-05-17)");
  EXPECT_EQ(reading(version[0].telegram, "firmware"), "10.1.3 (2012-05-17)");
  EXPECT_EQ(version[0].telegram.meter.model, "CE102 R5.1");

  const auto status = asked(request(Query::status, ""), frame(0x0103, "0000001d0f0202000000"));
  EXPECT_EQ(reading(status[0].telegram, "status"), "ok");
  EXPECT_EQ(reading(status[0].telegram, "tariff"), "2");

  EXPECT_EQ(item(asked(request(Query::ping, ""), frame(0x0001, "9634"))[0], "0001"), "13462");
}

// A request that we never send, as another tool puts it on the bus.
std::string foreign_request(std::uint16_t command, std::string_view data) {
  std::string body = "489634fd0000000000" + to_hex(Bytes{std::byte(0xD0 | data.size() / 2)}) +
                     to_hex(Bytes{std::byte(command >> 8), std::byte(command & 0xFF)}) +
                     std::string(data);
  return "c0" + body + to_hex(Bytes{std::byte(crc8(hex(body)))}) + "c0";
}

TEST(Ce102Transcript, AnswersThatAreNotPolledAreItemsWithoutReadings) {
  const auto ask = [](std::uint16_t command, std::string_view data, std::string_view heard) {
    return asked(foreign_request(command, data), frame(command, heard));
  };
  const auto day = ask(0x012F, "0501", "120726ec8b0400");
  ASSERT_EQ(statuses(day), "ok");
  EXPECT_EQ(item(day[0], "012F:01:05"), "2979.64 kWh");
  const auto today = ask(0x012F, "0001", "120726ec8b0400");
  ASSERT_EQ(statuses(today), "ok");
  EXPECT_EQ(item(today[0], "012F:01"), "2979.64 kWh");
  const auto power = ask(0x012E, "", "d20400");
  ASSERT_EQ(statuses(power), "ok");
  EXPECT_EQ(item(power[0], "012E"), "1234");
  const auto battery = ask(0x0126, "", "8f00");
  ASSERT_EQ(statuses(battery), "ok");
  EXPECT_EQ(item(battery[0], "0126"), "143");
  const auto code = ask(0x0128, "", "000102030405060708090a0b0c0d0e");
  ASSERT_EQ(statuses(code), "ok");
  EXPECT_EQ(item(code[0], "0128"), "(00)(01)(02)(03)(04)(05)(06)(07)(08)(09)(0A)(0B)(0C)(0D)(0E)");
  EXPECT_EQ(item(ask(0x0128, "", "2a")[0], "0128"), "(2A)");
  for (const auto* all : {&day, &today, &power, &battery, &code})
    EXPECT_EQ(reading_count(all->front().telegram), 0U);

  EXPECT_EQ(item(decode(frame(0x012F, "120726ec8b0400"))[0], "012F"), "2979.64 kWh");
  EXPECT_EQ(statuses(ask(0x012E, "", "d204")), "malformed");
  EXPECT_EQ(statuses(ask(0x0126, "", "d20400")), "malformed");
  EXPECT_EQ(statuses(ask(0x0128, "", "0102")), "malformed");
  EXPECT_EQ(statuses(ask(0x012F, "0001", "ec8b0400")), "mismatch");
  const auto strange = ask(0x0160, "", "000102030405060708090a0b");
  ASSERT_EQ(statuses(strange), "ok");
  EXPECT_EQ(reading_count(strange[0].telegram), 0U);
}

TEST(Ce102Transcript, TheTotalIsAnsweredByClassicMetersOnly) {
  const std::string sent = request(Query::energy_total, "00");
  const std::string plain = frame(0x0131, "ec8b0400");
  EXPECT_EQ(statuses(asked(sent, frame(0x0131, "001126ec8b0400"))), "mismatch");
  EXPECT_EQ(statuses(asked(sent, plain, {{"family", "ce307"}})), "mismatch");
  EXPECT_EQ(statuses(asked(sent, frame(0x0131, "001126ec8b0400"), {{"family", "r51"}})),
            "mismatch");
  EXPECT_EQ(statuses(asked(sent, plain, {{"family", "classic"}})), "ok");
  EXPECT_EQ(statuses(asked(sent, frame(0x0131, "ec8b04"))), "malformed");
}

TEST(Ce102Transcript, ThereAreFiveTariffs) {
  const std::string dated = frame(0x0130, "001126ec8b0400");
  EXPECT_EQ(statuses(asked(request(Query::energy, "0005"), dated)), "ok");
  EXPECT_EQ(statuses(asked(request(Query::energy, "0006"), dated)), "malformed");
  EXPECT_EQ(statuses(asked(request(Query::energy, "0008"), dated)), "malformed");
  const std::string plain = frame(0x0130, "ec8b0400");
  EXPECT_EQ(statuses(asked(request(Query::energy, "0400"), plain)), "ok");  // tariff - 1
  EXPECT_EQ(statuses(asked(request(Query::energy, "0500"), plain)), "malformed");
}

TEST(Ce102Transcript, FindsTheRequestAmongTheSentBytes) {
  const std::string sent = request(Query::energy, "0001");
  const std::string answer = frame(0x0130, "001126ec8b0400");
  for (const std::string before : {"c0", "ff", "ff00ffc0", "c0ff"}) {
    const auto all = asked(before + sent, answer);
    ASSERT_EQ(statuses(all), "ok") << before;
    EXPECT_EQ(reading(all[0].telegram, "energy_import_t1"), "2979.64");
    EXPECT_EQ(statuses(asked(before + sent, sent + answer)), "mismatch ok");  // its echo
  }
  EXPECT_EQ(statuses(asked(sent + "ff", answer)), "ok");
  std::string damaged = sent;
  damaged[6] = damaged[6] == '0' ? '1' : '0';
  EXPECT_EQ(statuses(asked(damaged, answer)), "checksum ok");
}

TEST(Ce102Transcript, ARequestMayBeWrittenInPieces) {
  const std::string sent = request(Query::energy, "0001");
  const std::string answer = "< " + frame(0x0130, "001126ec8b0400") + "\n";
  for (std::size_t cut = 2; cut < sent.size(); cut += 2) {
    const std::string text =
        "> " + sent.substr(0, cut) + "\n>\n> " + sent.substr(cut) + "\n" + answer;
    const auto all = transcript(text);
    ASSERT_EQ(statuses(all), "ok") << cut;
    EXPECT_EQ(reading(all[0].telegram, "energy_import_t1"), "2979.64");
    EXPECT_EQ(all[0].offset, 0U);
    EXPECT_EQ(all[0].length, text.size() - 1);
  }
  // Whole ones are requests of their own.
  EXPECT_EQ(statuses(transcript("> " + sent + "\n> " + sent + "\n" + answer)), "truncated ok");
}

TEST(Ce102Transcript, MatchesStrictly) {
  const std::string sent = request(Query::energy, "0001");
  EXPECT_EQ(statuses(asked(sent, sent)), "mismatch");  // an echo
  EXPECT_EQ(statuses(asked(sent, request(Query::energy, "0002"))), "mismatch");
  EXPECT_EQ(statuses(asked(sent, frame(0x0130, "001126ec8b0400", 13463))), "mismatch");
  EXPECT_EQ(statuses(asked(sent, frame(0x0130, "001126ec8b0400", 13462, 254))), "mismatch");
  EXPECT_EQ(statuses(asked(sent, frame(0x012F, "001126ec8b0400"))), "mismatch");
  EXPECT_EQ(statuses(asked(sent, frame(0x0130, "001126ec8b0400"), {{"address", "1"}})), "mismatch");
  const std::string answer = frame(0x0130, "001126ec8b0400");
  EXPECT_EQ(statuses(asked(sent, answer + answer)), "ok mismatch");
  EXPECT_EQ(statuses(asked(sent, sent + answer)), "mismatch ok");
  EXPECT_EQ(statuses(asked(sent, answer.substr(0, 20))), "truncated");
  EXPECT_EQ(statuses(transcript("> " + sent + "\n")), "truncated");
  EXPECT_EQ(statuses(transcript("< " + answer + "\n")), "ok");
  EXPECT_EQ(statuses(transcript("> 0102\n< " + answer + "\n")), "malformed ok");
}

TEST(Ce102Transcript, AnAnswerMayBeCutAnywhere) {
  const std::string sent = request(Query::energy, "0001");
  const std::string answer = frame(0x0130, "0011c0dbc0db00");
  const auto whole = asked(sent, answer);
  ASSERT_EQ(statuses(whole), "ok");
  for (std::size_t cut = 2; cut < answer.size(); cut += 2) {
    const auto all = transcript("> " + sent + "\n< " + answer.substr(0, cut) + "\n# between\n< " +
                                answer.substr(cut) + "\n");
    ASSERT_EQ(statuses(all), "ok") << cut;
    EXPECT_EQ(item(all[0], "0130:01"), item(whole[0], "0130:01"));
  }
}

TEST(Ce102Transcript, SaysWhereTheExchangeStands) {
  const std::string sent = request(Query::energy, "0001");
  const std::string text = "# comment\n> " + sent + "\n< " + frame(0x0130, "001126ec8b0400") + "\n";
  const auto all = transcript(text);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].offset, 10U);
  EXPECT_EQ(all[0].offset + all[0].length, text.size() - 1);
}

TEST(Ce102Transcript, ExperimentalValuesAreCountsUntilAScaleIsSet) {
  const std::string sent = request(Query::phase_voltage, "");
  const std::string heard = frame(0x0180, "e259");
  const auto plain = asked(sent, heard);
  EXPECT_EQ(item(plain[0], "0180"), "23010");
  EXPECT_EQ(reading_count(plain[0].telegram), 0U);
  const auto scaled = asked(sent, heard, {{"instant", "true"}});
  EXPECT_EQ(reading(scaled[0].telegram, "voltage"), "230.10");
  EXPECT_EQ(
      statuses(asked(sent, heard, {{"instant", "true"}, {"instant_byte_order", "high_first"}})),
      "unsupported");  // 579.46 V
  const auto three = asked(sent, frame(0x0180, "e259d8591e5a"), {{"instant", "true"}});
  EXPECT_EQ(reading(three[0].telegram, "voltage_l3"), "230.70");
  EXPECT_EQ(item(three[0], "0180:l2"), "230.00 V");
  const auto power = asked(request(Query::power, ""), frame(0x0132, "d20400"));
  EXPECT_EQ(item(power[0], "0132"), "1234");
}

}  // namespace
}  // namespace meterbridge::protocol::ce102
