// SPDX-License-Identifier: MIT
// What a decoder found: the literal items of the wire, and the readings that follow from them.
#pragma once

#include "core/bytes.hpp"
#include "core/reading.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::protocol {

// One register of a telegram as sent (contract.md 2): scaler applied, nothing converted. Exactly
// one of value, text, groups is filled; `time` goes with a value that has its own stamp.
struct Item {
  Item() = default;

  explicit Item(std::string where) : address(std::move(where)) {}

  std::string address;  // "1-0:1.8.0*255", "0130:01"
  std::optional<Decimal> value;
  std::string unit;  // as sent, empty when none
  std::optional<std::string> text;
  std::optional<Seconds> time;
  std::vector<std::string> groups;
};

struct Telegram {
  Telegram() = default;

  std::string protocol;  // "p1", "ce102": the registry's name
  // The meter's identification line as sent, without its slash, where the protocol has one (P1, IEC
  // 62056-21).
  std::string identification;
  MeterIdentity meter;
  std::optional<Seconds> time;  // the meter's own clock, where the telegram carries a usable one
  std::vector<Item> items;
  // The meter itself first (submeter empty; present even when it has no reading), then its
  // sub-meters.
  std::vector<MeterReadings> readings;

  [[nodiscard]] const Item* find(std::string_view address) const noexcept;
};

enum class Status {
  ok,
  truncated,
  malformed,
  checksum,
  key,
  authentication,
  replay,
  unsupported,
  exception,
  mismatch,
};
[[nodiscard]] std::string_view name(Status status) noexcept;
[[nodiscard]] Errc errc_of(Status status) noexcept;  // ok is a bug here
[[nodiscard]] Status status_of(Errc code) noexcept;  // malformed when it is no status of its own

// One telegram or exchange found in a stream, the broken ones too; offset and length in bytes of
// the stream.
struct Decoded {
  Decoded() = default;

  std::size_t offset = 0;
  std::size_t length = 0;
  Status status = Status::ok;
  std::string error;  // one sentence, empty when ok
  Telegram telegram;  // protocol is always set; items and readings only when ok

  [[nodiscard]] bool ok() const noexcept { return status == Status::ok; }

  [[nodiscard]] Error failure() const { return {errc_of(status), error}; }
};

// An entry that says why there is no telegram.
[[nodiscard]] Decoded no_telegram(std::string_view protocol, Status status, std::string why);
[[nodiscard]] Decoded no_telegram(std::string_view protocol, const Error& why);

// The object of `decode --json`, and of the telegram topic (there without offset and length).
[[nodiscard]] std::string decoded_json(const Decoded& decoded);
[[nodiscard]] std::string telegram_json(const Telegram& telegram);

}  // namespace meterbridge::protocol
