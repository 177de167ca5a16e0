// SPDX-License-Identifier: MIT
#include "app/sink_plan.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace meterbridge::app {

TEST(Documentation, TableOfSettingsIsTheProgramsOwn) {
  const auto library = meter::ProfileLibrary::embedded();
  ASSERT_TRUE(library);
  std::ifstream stream(std::string(METERBRIDGE_SOURCE_DIR) + "/docs/settings.md", std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  EXPECT_TRUE(text.str() == config::settings_reference(whole_catalogue(*library)))
      << "make it anew: meterbridge schema --markdown > docs/settings.md";
}

}  // namespace meterbridge::app
