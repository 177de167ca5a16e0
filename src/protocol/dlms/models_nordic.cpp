// SPDX-License-Identifier: MIT
// Norway, Sweden, Denmark.
#include "protocol/dlms/fields.hpp"

namespace meterbridge::protocol::dlms {
namespace {

constexpr std::array aidon_three = {
    text(norway_version, What::version, Tag::visible),
    text(number_code, What::number, Tag::visible),
    text(type_code, What::type, Tag::visible),
    power(1, What::power_import),
    power(2, What::power_export),
    power(3, What::reactive_power_import),
    power(4, What::reactive_power_export),
    current(31, What::current_l1, -1, Tag::int16),
    current(51, What::current_l2, -1, Tag::int16),
    current(71, What::current_l3, -1, Tag::int16),
    voltage(32, What::voltage_l1),
    voltage(52, What::voltage_l2),
    voltage(72, What::voltage_l3),
    text(clock_code, What::clock),
    energy(1, What::import, 1),
    energy(2, What::exported, 1),
    energy(3, What::reactive_import, 1),
    energy(4, What::reactive_export, 1),
};
constexpr std::array aidon_it = {
    text(norway_version, What::version, Tag::visible),
    text(number_code, What::number, Tag::visible),
    text(type_code, What::type, Tag::visible),
    power(1, What::power_import),
    power(2, What::power_export),
    power(3, What::reactive_power_import),
    power(4, What::reactive_power_export),
    current(31, What::current_l1, -1, Tag::int16),
    current(71, What::current_l3, -1, Tag::int16),
    voltage(32, What::voltage_l1),
    voltage(52, What::voltage_l2),
    voltage(72, What::voltage_l3),
    text(clock_code, What::clock),
    energy(1, What::import, 1),
    energy(2, What::exported, 1),
    energy(3, What::reactive_import, 1),
    energy(4, What::reactive_export, 1),
};
constexpr std::array aidon_one = {
    text(norway_version, What::version, Tag::visible),
    text(number_code, What::number, Tag::visible),
    text(type_code, What::type, Tag::visible),
    power(1, What::power_import),
    power(2, What::power_export),
    power(3, What::reactive_power_import),
    power(4, What::reactive_power_export),
    current(31, What::current_l1, -1, Tag::int16),
    voltage(32, What::voltage_l1),
    text(clock_code, What::clock),
    energy(1, What::import, 1),
    energy(2, What::exported, 1),
    energy(3, What::reactive_import, 1),
    energy(4, What::reactive_export, 1),
};
constexpr std::array aidon_sweden = {
    text(clock_code, What::clock),
    power(1, What::power_import),
    power(2, What::power_export),
    power(3, What::reactive_power_import),
    power(4, What::reactive_power_export),
    current(31, What::current_l1, -1, Tag::int16),
    current(51, What::current_l2, -1, Tag::int16),
    current(71, What::current_l3, -1, Tag::int16),
    voltage(32, What::voltage_l1),
    voltage(52, What::voltage_l2),
    voltage(72, What::voltage_l3),
    power(21, What::power_import_l1),
    power(22, What::power_export_l1),
    power(41, What::power_import_l2),
    power(42, What::power_export_l2),
    power(61, What::power_import_l3),
    power(62, What::power_export_l3),
    energy(1, What::import),
    energy(2, What::exported),
    energy(3, What::reactive_import),
    energy(4, What::reactive_export),
};
constexpr std::array kaifa_three = {
    text(norway_version, What::version),
    text(number_code, What::number),
    text(type_code, What::type),
    power(1, What::power_import),
    power(2, What::power_export),
    power(3, What::reactive_power_import),
    power(4, What::reactive_power_export),
    current(31, What::current_l1, -3, Tag::uint32),
    current(51, What::current_l2, -3, Tag::uint32),
    current(71, What::current_l3, -3, Tag::uint32),
    voltage(32, What::voltage_l1, -1, Tag::uint32),
    voltage(52, What::voltage_l2, -1, Tag::uint32),
    voltage(72, What::voltage_l3, -1, Tag::uint32),
    text(clock_code, What::clock),
    energy(1, What::import),
    energy(2, What::exported),
    energy(3, What::reactive_import),
    energy(4, What::reactive_export),
};
constexpr std::array kaifa_it = [] {
  auto fields = kaifa_three;
  fields[11].what = What::zero;
  return fields;
}();
constexpr std::array kaifa_one = {
    text(norway_version, What::version),
    text(number_code, What::number),
    text(type_code, What::type),
    power(1, What::power_import),
    power(2, What::power_export),
    power(3, What::reactive_power_import),
    power(4, What::reactive_power_export),
    current(31, What::current_l1, -3, Tag::uint32),
    voltage(32, What::voltage_l1, -1, Tag::uint32),
    text(clock_code, What::clock),
    energy(1, What::import),
    energy(2, What::exported),
    energy(3, What::reactive_import),
    energy(4, What::reactive_export),
};
constexpr std::array kaifa_sweden = [] {
  auto fields = kaifa_three;
  fields[0].code = Obis{1, 0, 0, 2, 129};
  return fields;
}();
constexpr std::array omnipower = {
    energy(1, What::import, 1, 1),
    energy(2, What::exported, 1, 1),
    energy(3, What::reactive_import, 1, 1),
    energy(4, What::reactive_export, 1, 1),
    power(1, What::power_import, 1),
    power(2, What::power_export, 1),
    power(3, What::reactive_power_import, 1),
    power(4, What::reactive_power_export, 1),
    text({0, 1, 1, 0, 0}, What::clock),
    voltage(32, What::voltage_l1, 0, Tag::uint16, 1),
    voltage(52, What::voltage_l2, 0, Tag::uint16, 1),
    voltage(72, What::voltage_l3, 0, Tag::uint16, 1),
    current(31, What::current_l1, -2, Tag::uint32, 1),
    current(51, What::current_l2, -2, Tag::uint32, 1),
    current(71, What::current_l3, -2, Tag::uint32, 1),
    power(21, What::power_import_l1, 1),
    power(41, What::power_import_l2, 1),
    power(61, What::power_import_l3, 1),
    Field{Obis{1, 1, 13, 7, 0}, What::power_factor, Tag::uint16, -2, 255},
    power(22, What::power_export_l1, 1),
    power(42, What::power_export_l2, 1),
    power(62, What::power_export_l3, 1),
};
constexpr std::array han_nve = {
    text({1, 1, 0, 0, 5}, What::number, Tag::visible),
    text({1, 1, 96, 1, 1}, What::type, Tag::visible),
    power(1, What::power_import, 1),
    power(2, What::power_export, 1),
    power(3, What::reactive_power_import, 1),
    power(4, What::reactive_power_export, 1),
    current(31, What::current_l1, -2, Tag::uint32, 1),
    current(51, What::current_l2, -2, Tag::uint32, 1),
    current(71, What::current_l3, -2, Tag::uint32, 1),
    voltage(32, What::voltage_l1, 0, Tag::uint16, 1),
    voltage(52, What::voltage_l2, 0, Tag::uint16, 1),
    voltage(72, What::voltage_l3, 0, Tag::uint16, 1),
    text({0, 1, 1, 0, 0}, What::clock),
    energy(1, What::import, 1, 1),
    energy(2, What::exported, 1, 1),
    energy(3, What::reactive_import, 1, 1),
    energy(4, What::reactive_export, 1, 1),
};
constexpr std::array e350 = {
    text(norway_version, What::version, Tag::visible),
    text(number_code, What::number, Tag::visible),
    text(type_code, What::type, Tag::visible),
    power(1, What::power_import),
    power(2, What::power_export),
    power(3, What::reactive_power_import),
    power(4, What::reactive_power_export),
    current(31, What::current_l1, -2, Tag::int16),
    current(51, What::current_l2, -2, Tag::int16),
    current(71, What::current_l3, -2, Tag::int16),
    voltage(32, What::voltage_l1),
    voltage(52, What::voltage_l2),
    voltage(72, What::voltage_l3),
};

// System titles: three letters of the maker and five bytes that no real meter has.
constexpr std::array models = {
    Model{"aidon-6534", Shape::array, Line::hdlc, 0x30, "AIDMBR01", Stamp::norway, false,
          aidon_three, "AIDON_V0001", "7359992890000001", "6534"},
    Model{"aidon-6525", Shape::array, Line::hdlc, 0x30, "AIDMBR02", Stamp::norway, false, aidon_it,
          "AIDON_V0001", "7359992890000002", "6525"},
    Model{"aidon-6515", Shape::array, Line::hdlc, 0x30, "AIDMBR03", Stamp::norway, false, aidon_one,
          "AIDON_V0001", "7359992890000003", "6515"},
    Model{"aidon-se", Shape::array, Line::hdlc, 0x30, "AIDMBR04", Stamp::absent, false,
          aidon_sweden},
    Model{"kaifa-ma304", Shape::places, Line::hdlc, 0x30, "KFMMBR04", Stamp::house, true,
          kaifa_three, "KFM_001", "6970631400000001", "MA304H4"},
    Model{"kaifa-ma304h3e", Shape::places, Line::hdlc, 0x30, "KFMMBR05", Stamp::house, true,
          kaifa_it, "KFM_001", "6970631400000002", "MA304H3E"},
    Model{"kaifa-ma105", Shape::places, Line::hdlc, 0x30, "KFMMBR06", Stamp::house, true, kaifa_one,
          "KFM_001", "6970631400000003", "MA105H2E"},
    Model{"kaifa-ma304-se", Shape::pairs, Line::hdlc, 0x30, "KFMMBR07", Stamp::offset, false,
          kaifa_sweden, "KFM_001", "7340730000000001", "MA304H4"},
    Model{"kamstrup-omnipower", Shape::pairs, Line::hdlc, 0x30, "KAMMBR01", Stamp::house, false,
          omnipower, "Kamstrup_V0001"},
    Model{"kamstrup-han-nve", Shape::pairs, Line::hdlc, 0x30, "KAMMBR02", Stamp::house, false,
          han_nve, "Kamstrup_V0001", "5706567000000001", "6841138BN243101010"},
    Model{"landis-gyr-e350", Shape::array, Line::hdlc, 0x30, "LGZMBR04", Stamp::absent, false, e350,
          "EMBRIQ_V1_1", "13900001", "ZFF1"},
};

}  // namespace

std::span<const Model> nordic_models() noexcept {
  return models;
}

}  // namespace meterbridge::protocol::dlms
