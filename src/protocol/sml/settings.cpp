// SPDX-License-Identifier: MIT
#include "protocol/sml/settings.hpp"

#include "protocol/choice.hpp"
#include "protocol/sml/models.hpp"

#include <array>

namespace meterbridge::protocol::sml {
namespace {

constexpr std::array<std::string_view, 3> dzg_fixes = {"auto", "on", "off"};
constexpr std::array<std::string_view, 4> absolute_powers = {"auto", "import", "export", "off"};
static_assert(dzg_fixes.size() == static_cast<std::size_t>(DzgFix::off) + 1);
static_assert(absolute_powers.size() == static_cast<std::size_t>(AbsolutePower::off) + 1);

constexpr std::array specs = {
    SettingSpec{"dzg_fix", SettingType::choice,
                "DZG meters send some positive powers as negative numbers: auto (by the direction "
                "in the status), on (no power is negative), off",
                "auto", dzg_fixes},
    SettingSpec{"absolute_power", SettingType::choice,
                "what a power without sign (15.7.0) is: auto (EMH: by the status; meters that "
                "count only what leaves: export), import, export, off",
                "auto", absolute_powers},
    SettingSpec{"model", SettingType::choice,
                "the meter that `simulate` plays; reading knows meters by what they send",
                "iskra-mt691", model_names},
    SettingSpec{"timeout", SettingType::duration,
                "how long the meter may stay silent before it is a fault", "30s"},
};

}  // namespace

std::span<const SettingSpec> setting_specs() noexcept {
  return specs;
}

SmlSettings read_settings(const SettingValues& values) {
  SmlSettings settings;
  settings.options.dzg = static_cast<DzgFix>(index_in(dzg_fixes, values.text("dzg_fix")));
  settings.options.absolute =
      static_cast<AbsolutePower>(index_in(absolute_powers, values.text("absolute_power")));
  settings.patience = values.duration("timeout");
  if (settings.patience <= Milliseconds(0)) settings.patience = std::chrono::seconds(30);
  settings.model = values.text("model");
  return settings;
}

}  // namespace meterbridge::protocol::sml
