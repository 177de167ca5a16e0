// SPDX-License-Identifier: MIT
#include "core/fault.hpp"

#include <array>
#include <cstddef>

namespace meterbridge {
namespace {

constexpr std::array<std::string_view, 9> names = {
    "starting",  "no_device",      "no_bytes", "no_frame", "bad_checksum",
    "wrong_key", "not_understood", "refused",  "ok",
};

constexpr std::array<std::string_view, 9> sentences = {
    "nothing was read yet",
    "the port is absent or cannot be opened",
    "the port is open, but not one byte arrives",
    "bytes arrive, but no complete frame of this protocol",
    "frames arrive, but their checksums are wrong",
    "frames arrive, but the key does not fit",
    "valid frames arrive, but the meter refuses or sends what we do not read",
    "a value was not plausible and is held back",
    "readings arrive",
};

static_assert(names.size() == static_cast<std::size_t>(Fault::ok) + 1);

std::size_t index_of(Fault fault) noexcept {
  const auto index = static_cast<std::size_t>(fault);
  return index < names.size() ? index : 0;
}

}  // namespace

std::string_view name(Fault fault) noexcept {
  return names[index_of(fault)];
}

std::span<const std::string_view> fault_names() noexcept {
  return names;
}

std::string_view describe(Fault fault) noexcept {
  return sentences[index_of(fault)];
}

Fault fault_of(Errc code) noexcept {
  switch (code) {
    case Errc::cancelled:  // the end of our work says nothing about the meter
      return Fault::starting;
    case Errc::not_found:
    case Errc::no_device:
    case Errc::io:
      return Fault::no_device;
    case Errc::timeout:
      return Fault::no_bytes;
    case Errc::no_frame:
    case Errc::truncated:
    case Errc::malformed:
    case Errc::mismatch:
    case Errc::watchdog:
      return Fault::no_frame;
    case Errc::checksum:
      return Fault::bad_checksum;
    case Errc::key:
    case Errc::authentication:
      return Fault::wrong_key;
    case Errc::refused:
      return Fault::refused;
    case Errc::bug:
    case Errc::invalid:
    case Errc::replay:
    case Errc::unsupported:
    case Errc::exception:
    case Errc::access:
      break;
  }
  return Fault::not_understood;
}

bool proves_frames(Errc code) noexcept {
  switch (code) {
    case Errc::key:
    case Errc::authentication:
    case Errc::replay:
    case Errc::unsupported:
    case Errc::exception:
    case Errc::access:
    case Errc::refused:
      return true;
    default:
      return false;
  }
}

}  // namespace meterbridge
