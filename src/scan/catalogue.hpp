// SPDX-License-Identifier: MIT
// What a scan takes from the catalogue of meters: who is asked how, who sends what.
#pragma once

#include "meter/profile_library.hpp"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::scan {

// What telegrams of one meter look like, whatever their values.
struct Fingerprint {
  Fingerprint() = default;
  std::string manufacturer;
  std::string identification;
  std::string model;
  std::set<std::string, std::less<>> codes;  // addresses of items

  void add(const protocol::Telegram& telegram);
};

// A meter that is asked.
struct Candidate {
  Candidate() = default;
  const meter::Profile* profile = nullptr;
  SettingValues whole;                  // its settings and all its rows
  std::optional<SettingValues> glance;  // the same with the few rows that tell most
  std::size_t rows = 0;                 // that it should answer; 0: that is not known
  std::vector<std::string> signs_as;    // IEC 62056-21: identifications known of it
};

// A meter that sends by itself. It is described by what its simulated twin sends.
struct Sender {
  Sender() = default;
  const meter::Profile* profile = nullptr;
  SettingValues settings;
  Fingerprint print;
  std::string maker;    // three letters of its system title, where it can encrypt
  std::string opening;  // how its bytes begin: "M-Bus", "HDLC"; else empty
};

class Catalogue {
 public:
  // The library must outlive it.
  explicit Catalogue(const meter::ProfileLibrary& library);

  // Of a protocol.
  [[nodiscard]] std::span<const Candidate> candidates(std::string_view protocol) const;

  [[nodiscard]] std::span<const Sender> senders() const noexcept { return senders_; }

  // What their twins send; once, before the first comparison: it costs some tenths of a second.
  void listen_to_twins();

  // Lines of the profiles of a protocol (of all that send, where it is empty), the most usual
  // first.
  [[nodiscard]] std::vector<LineSettings> lines(std::string_view protocol) const;

 private:
  std::vector<Candidate> candidates_;  // sorted by protocol
  std::vector<Sender> senders_;
  bool listened_ = false;
};

// Three letters of a system title in front of encrypted bytes; empty where there is none.
[[nodiscard]] std::string maker_in(ByteView bytes);
// "M-Bus", "HDLC", or nothing.
[[nodiscard]] std::string opening_of(ByteView bytes);

}  // namespace meterbridge::scan
