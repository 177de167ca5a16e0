// SPDX-License-Identifier: MIT
// The columns of a register table, and the settings that say what a row leaves out.
#pragma once

#include "core/setting.hpp"

#include <array>
#include <span>
#include <string_view>

namespace meterbridge::protocol::modbus {

// In the order of enum Type.
inline constexpr std::array<std::string_view, 11> type_names{
    "bool", "u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64", "string", "string8"};

inline constexpr std::array<std::string_view, 4> orders{"ABCD", "CDAB", "BADC", "DCBA"};

inline constexpr std::array columns{
    SettingSpec{
        .name = "key",
        .help = "the reading: energy_import, power_l1, input_3, or value_1 for what has no name"},
    SettingSpec{.name = "address",
                .type = SettingType::integer,
                .help = "register on the wire, counted from 0; makers' 30001 and 40001 are 0, or "
                        "say counted_from",
                .maximum = 465535},
    SettingSpec{.name = "counted_from",
                .type = SettingType::integer,
                .help = "what the maker's table calls the first register: 1, 30001, 40001; 0 as on "
                        "the wire",
                .maximum = 400001},
    SettingSpec{.name = "function",
                .type = SettingType::integer,
                .help = "1 coils, 2 discrete inputs, 3 holding registers, 4 input registers",
                .minimum = 1,
                .maximum = 4},
    SettingSpec{
        .name = "type",
        .type = SettingType::choice,
        .help = "how the registers make a number; without it u16, of functions 1 and 2 bool",
        .choices = type_names},
    SettingSpec{.name = "order",
                .type = SettingType::choice,
                .help = "ABCD is the highest byte first, CDAB the lowest word first",
                .choices = orders},
    SettingSpec{.name = "scale",
                .type = SettingType::decimal,
                .help = "the number is multiplied by it, exactly"},
    SettingSpec{
        .name = "offset", .type = SettingType::decimal, .help = "is added, after the scale"},
    SettingSpec{.name = "unit",
                .help =
                    "of the scaled value; without it the usual one of the key; of value_<n> any "
                    "text"},
    SettingSpec{.name = "scale_register",
                .type = SettingType::integer,
                .help = "a register that holds a signed power of ten, which multiplies too",
                .maximum = 465535},
    SettingSpec{.name = "invalid", .help = "raw numbers that mean \"no value\": 0xFFFF 0x8000"},
    SettingSpec{.name = "wraps",
                .type = SettingType::integer,
                .help = "raw number at which a counter begins again with 0, 65536 for 16 bits; it "
                        "is counted on",
                .minimum = 2},
    SettingSpec{.name = "bit",
                .type = SettingType::integer,
                .help = "one bit of the number, 0 is the lowest: on or off",
                .maximum = 63},
    SettingSpec{.name = "mask",
                .type = SettingType::integer,
                .help = "some bits of the number, as a number of their own: 0x0FF0",
                .minimum = 1},
    SettingSpec{.name = "invert", .type = SettingType::boolean, .help = "on means off"},
    SettingSpec{.name = "length",
                .type = SettingType::integer,
                .help = "registers of a text",
                .minimum = 1,
                .maximum = 125},
    SettingSpec{.name = "model",
                .type = SettingType::integer,
                .help = "number of the SunSpec model in which the address counts",
                .minimum = 1,
                .maximum = 65534},
    SettingSpec{
        .name = "once",
        .type = SettingType::boolean,
        .help = "never changes: is asked until it is known; the default of serial, firmware"},
    SettingSpec{.name = "alone",
                .type = SettingType::boolean,
                .help = "is not answered together with other registers"},
};
inline constexpr std::array table_settings{
    SettingSpec{.name = "function",
                .type = SettingType::integer,
                .help = "of registers that do not say: 3 holding, 4 input registers",
                .fallback = "3",
                .minimum = 1,
                .maximum = 4},
    SettingSpec{.name = "counted_from",
                .type = SettingType::integer,
                .help = "of registers that do not say: what the maker's table calls the first one, "
                        "1, 30001 or 40001; 0 as on the wire",
                .fallback = "0",
                .maximum = 400001},
    SettingSpec{.name = "order",
                .type = SettingType::choice,
                .help = "of registers that do not say: ABCD is the highest byte first, CDAB the "
                        "lowest word first",
                .fallback = "ABCD",
                .choices = orders},
    SettingSpec{.name = "invalid",
                .help = "raw numbers that mean \"no value\", by type: u16 0xFFFF, s16 0x8000"},
    SettingSpec{.name = "max_registers",
                .type = SettingType::integer,
                .help = "most registers that the meter gives in one answer",
                .fallback = "60",
                .minimum = 1,
                .maximum = 125},
    SettingSpec{.name = "max_gap",
                .type = SettingType::integer,
                .help = "so many registers that nobody wants are read along, when that saves a "
                        "request; 0 for meters that refuse it",
                .fallback = "10",
                .maximum = 124},
    SettingSpec{.name = "sunspec_bases",
                .help = "where SunSpec models may begin, in the order of the search",
                .fallback = "40000 50000 0"},
};

}  // namespace meterbridge::protocol::modbus
