// SPDX-License-Identifier: MIT
#include "meter/unseen.hpp"

#include "meter/proof.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace meterbridge::meter {
namespace {

const Profile& profile(const ProfileLibrary& library, std::string_view id) {
  const Profile* found = library.find(id);
  EXPECT_NE(found, nullptr) << id;
  return *found;
}

std::string_view reason_of(const std::vector<Unseen>& all, std::string_view key) {
  const auto found =
      std::ranges::find_if(all, [key](const Unseen& one) { return one.key.text() == key; });
  return found == all.end() ? std::string_view("nothing") : found->reason;
}

// Most SML meters send only the energy until somebody entered their PIN.
TEST(Unseen, AShortTelegramNamesTheRestWithItsReason_P25) {
  config::Problems problems;
  ProfileLibrary library;
  library.add_shipped("easymeter-q3a", problems);
  library.add_shipped("p1", problems);
  const Profile& sml = profile(library, "easymeter-q3a");
  const auto known = known_keys(sml, default_values(sml));
  ASSERT_TRUE(known.contains(*ReadingKey::parse("energy_import")));
  ASSERT_TRUE(known.contains(*ReadingKey::parse("power")));
  const auto missing = unseen(sml, known, {*ReadingKey::parse("energy_import")});
  EXPECT_EQ(missing.size() + 1, known.size());
  EXPECT_NE(reason_of(missing, "power").find("PIN"), std::string_view::npos);
  EXPECT_EQ(reason_of(missing, "energy_import"), "nothing");
  EXPECT_TRUE(unseen(sml, known, known).empty());
  // Who sends nothing at all has another trouble.
  EXPECT_TRUE(unseen(sml, known, {}).empty());

  const Profile& p1 = profile(library, "p1");
  const auto of_p1 =
      unseen(p1, known_keys(p1, default_values(p1)), {*ReadingKey::parse("energy_import_t1")});
  EXPECT_NE(reason_of(of_p1, "power").find("grid operator"), std::string_view::npos);
  EXPECT_NE(reason_of(of_p1, "voltage_l2").find("one phase"), std::string_view::npos);
}

TEST(Unseen, EveryProtocolHasReasonsAndTheMeterOfOneProfileIsKnown_P25) {
  for (const protocol::Protocol& protocol : protocol::protocols()) {
    for (const std::string_view key : {"power", "energy_import_t2", "voltage_l3", "frequency"})
      EXPECT_NE(why_unseen(protocol.name, *ReadingKey::parse(key)), "") << protocol.name;
  }
  config::Problems problems;
  ProfileLibrary library;
  library.add_shipped("energomera-ce307", problems);
  const Profile& ce307 = profile(library, "energomera-ce307");
  EXPECT_TRUE(
      known_keys(ce307, default_values(ce307)).contains(*ReadingKey::parse("energy_import")));
  EXPECT_TRUE(simulated_push(ce307, default_values(ce307)).empty());
}

}  // namespace
}  // namespace meterbridge::meter
