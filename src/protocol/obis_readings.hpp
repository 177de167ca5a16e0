// SPDX-License-Identifier: MIT
// From items with OBIS codes to the readings of one meter: what P1, IEC 62056-21 and their kin
// share.
#pragma once

#include "protocol/obis_catalogue.hpp"
#include "protocol/telegram.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace meterbridge::protocol {

class ObisReadings {
 public:
  // `into` outlives this.
  explicit ObisReadings(MeterReadings& into);

  // The first of several with the same key wins.
  void add(Reading&& reading);
  // An item whose meaning is a number, a ratio or a limit. One without value is a register that
  // could not be read: its total is then not made of the others.
  void add_number(const Item& item, const ObisMeaning& meaning);

  // A register that could not be read: its total is not made of the others.
  void missing(const ReadingKey& key) { count(key, nullptr); }

  // Totals that the meter did not send, as the exact sum of their tariffs.
  void add_sums();
  // Both directions may be above zero at once (Sanxing): the net power is their difference, import
  // positive.
  void add_net_power();
  // Where the import of power is the net power, of all phases and of each: negative while energy
  // leaves, and then there is no import.
  void take_signed_import();

 private:
  // What is needed to add up the tariffs of one energy register.
  struct Sum {
    explicit Sum(const ReadingKey& key) : total(key) {}

    ReadingKey total;
    bool has_total = false;
    bool doubtful = false;
    std::optional<Decimal> value;
  };

  Sum& sum_of(const ReadingKey& total);
  void count(const ReadingKey& key, const Decimal* value);

  MeterReadings& meter_;
  std::vector<Sum> sums_;  // in the order of their totals
};

// The tariff that an item names: its number, or the last run of digits of "0002", "T2", "TARIFF 1".
[[nodiscard]] std::optional<Decimal> tariff_from(const Item& item);

// The maker behind the three letters of an identification; empty when they are not known.
[[nodiscard]] std::string_view maker_of(std::string_view flag) noexcept;

}  // namespace meterbridge::protocol
