// SPDX-License-Identifier: MIT
#include "protocol/sml/models.hpp"

namespace meterbridge::protocol::sml {
namespace {

using namespace std::string_view_literals;

constexpr std::uint8_t watt = 27;
constexpr std::uint8_t watt_hour = 30;
constexpr std::uint8_t ampere = 33;
constexpr std::uint8_t volt = 35;
constexpr std::uint8_t hertz = 44;
constexpr TlvType sint = TlvType::integer;
constexpr TlvType uint = TlvType::number;

constexpr Obis power_of(std::uint8_t c) {
  return {1, 0, c, 7, 0};
}

constexpr Obis energy_of(std::uint8_t c, std::uint8_t tariff = 0) {
  return {1, 0, c, 8, tariff};
}

constexpr std::array usual = {
    Field{energy_of(1), uint, 0, -1, watt_hour},
    Field{energy_of(2), uint, 0, -1, watt_hour},
    Field{power_of(16), sint, 0, 0, watt},
};

constexpr std::array mt175 = {
    Field{energy_of(1), sint, 8, -1, watt_hour},    Field{energy_of(1, 1), sint, 8, -1, watt_hour},
    Field{energy_of(1, 2), sint, 8, -1, watt_hour}, Field{energy_of(2), sint, 8, -1, watt_hour},
    Field{energy_of(2, 1), sint, 8, -1, watt_hour}, Field{energy_of(2, 2), sint, 8, -1, watt_hour},
    Field{power_of(16), sint, 4, 0, watt},          Field{power_of(36), sint, 4, 0, watt},
    Field{power_of(56), sint, 4, 0, watt},          Field{power_of(76), sint, 4, 0, watt},
};

constexpr std::array ed300l = {
    Field{energy_of(1), sint, 5, -1, watt_hour},
    Field{energy_of(1, 1), sint, 5, -1, watt_hour},
    Field{energy_of(1, 2), sint, 5, -1, watt_hour},
    Field{power_of(15), sint, 4, -1, watt},
};

constexpr std::array gw8 = {
    Field{energy_of(1, 1), sint, 5, -1, watt_hour},
    Field{energy_of(1, 2), sint, 5, -1, watt_hour},
    Field{power_of(1), sint, 4, -1, watt},
};

constexpr std::array mme40 = {
    Field{energy_of(1), uint, 0, -1, watt_hour}, Field{energy_of(2), uint, 0, -1, watt_hour},
    Field{power_of(16), sint, 0, 0, watt},       Field{power_of(36), sint, 0, 0, watt},
    Field{power_of(56), sint, 0, 0, watt},       Field{power_of(76), sint, 0, 0, watt},
};

constexpr std::array q3a = {
    Field{energy_of(1), sint, 8, -4, watt_hour}, Field{energy_of(2), sint, 8, -4, watt_hour},
    Field{power_of(16), sint, 8, -2, watt},      Field{power_of(36), sint, 8, -2, watt},
    Field{power_of(56), sint, 8, -2, watt},      Field{power_of(76), sint, 8, -2, watt},
    Field{power_of(32), uint, 2, -1, volt},      Field{power_of(52), uint, 2, -1, volt},
    Field{power_of(72), uint, 2, -1, volt},
};

constexpr std::array dvs74 = {
    Field{energy_of(1), uint, 0, -1, watt_hour},
    Field{energy_of(2), uint, 0, -1, watt_hour},
    Field{power_of(16), sint, 0, -2, watt},
};

constexpr std::array dtz541 = {
    Field{energy_of(1), uint, 4, -1, watt_hour}, Field{energy_of(2), uint, 4, -1, watt_hour},
    Field{power_of(16), sint, 2, 0, watt},       Field{power_of(32), uint, 2, -1, volt},
    Field{power_of(52), uint, 2, -1, volt},      Field{power_of(72), uint, 2, -1, volt},
    Field{power_of(31), uint, 0, -2, ampere},    Field{power_of(51), uint, 0, -2, ampere},
    Field{power_of(71), uint, 0, -2, ampere},    Field{power_of(14), uint, 2, -1, hertz},
};

constexpr std::array openway = {
    Field{energy_of(1), uint, 8, -1, watt_hour},
    Field{power_of(16), sint, 4, 0, watt},
};

constexpr std::array dd3 = {
    Field{energy_of(1), uint, 8, -8, watt_hour},    Field{energy_of(1, 1), uint, 8, -8, watt_hour},
    Field{energy_of(1, 2), uint, 8, -8, watt_hour}, Field{energy_of(2), uint, 8, -8, watt_hour},
    Field{power_of(16), sint, 4, -2, watt},
};

constexpr std::array ehz361 = {
    Field{energy_of(2, 1), uint, 8, -1, watt_hour},
    Field{Obis{1, 0, 1, 7, 1}, sint, 4, -4, watt},
};

constexpr std::array smarty = {
    Field{energy_of(2), sint, 8, -1, watt_hour},
    Field{energy_of(2, 1), sint, 8, -1, watt_hour},
    Field{energy_of(2, 2), sint, 8, -1, watt_hour},
    Field{power_of(15), uint, 4, 0, watt},
};

constexpr std::uint32_t edl_import = 0x010182;
constexpr std::uint32_t edl_export = 0x0101A2;
constexpr std::uint32_t fnn_import = 0x1C0104;
constexpr std::uint32_t fnn_export = 0x1C0904;

constexpr std::array models = {
    Model{"iskra-mt691", "\x0A\x01ISK\x00\x05\x49\x6A\x7B"sv, "ISK", true, CheckKind::x25, false, 4,
          fnn_import, fnn_export, Sign::number, usual},
    Model{"iskra-mt175", "\x06ISK\x01\x0E\x1F\x12\x34\x56"sv, "ISK", false, CheckKind::x25, false,
          4, edl_import, edl_export, Sign::number, mt175},
    Model{"emh-ed300l",
          "\x06"
          "EMH\x01\x02\x71\x12\x34\x56"sv,
          "EMH", false, CheckKind::x25, false, 2, 0x182, 0x1A2, Sign::status, ed300l},
    Model{"emh-ehz-gw8", "02280123"sv, "EMH", false, CheckKind::x25, false, 2, 0x180, 0x1A0,
          Sign::number, gw8},
    Model{"emh-mme40",
          "\x0A\x01"
          "EMH\x00\x00\x9F\x12\x34"sv,
          "EMH", true, CheckKind::x25, false, 3, fnn_import, fnn_export, Sign::number, mme40},
    Model{"easymeter-q3a",
          "\x09\x01"
          "ESY\x11\x03\xB5\x12\x34"sv,
          "ESY", false, CheckKind::x25, false, 1, 0x80, 0xA0, Sign::number, q3a},
    Model{"dzg-dvs74",
          "\x0A\x01"
          "DZG\x00\x02\x82\x12\x34"sv,
          "DZG", true, CheckKind::x25, false, 3, fnn_import, fnn_export, Sign::too_short, dvs74},
    Model{"holley-dtz541", "\x0A\x01HLY\x02\x00\x01\x59\x12"sv, "HLY", true, CheckKind::kermit,
          true, 4, fnn_import, fnn_export, Sign::status, dtz541},
    Model{"itron-openway", "\x0A\x01ITR\x00\x03\x47\x12\x34"sv, "ITR", true, CheckKind::x25, false,
          4, fnn_import, fnn_export, Sign::number, openway},
    Model{"ebz-dd3",
          "\x0A\x01"
          "EBZ\x01\x00\x02\x12\x34"sv,
          "EBZ", true, CheckKind::x25, false, 4, fnn_import, fnn_export, Sign::number, dd3},
    Model{"hager-ehz361", "1001234"sv, "HAGER", false, CheckKind::x25, false, 1, 0x82, 0x82,
          Sign::number, ehz361},
    Model{"drneuhaus-smarty",
          "\x09\x01"
          "DNT\x01\x00\x00\x12\x34"sv,
          "DNT", false, CheckKind::x25, false, 3, 0x010100, 0x010100, Sign::status, smarty},
};

constexpr bool in_same_order() {
  for (std::size_t at = 0; at < models.size(); ++at) {
    if (models[at].name != model_names[at]) return false;
  }
  return true;
}

static_assert(models.size() == model_names.size() && in_same_order());

}  // namespace

const Model& model_of(std::string_view name) noexcept {
  for (const Model& model : models) {
    if (model.name == name) return model;
  }
  return models.front();
}

}  // namespace meterbridge::protocol::sml
