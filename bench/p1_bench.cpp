// SPDX-License-Identifier: MIT
// A P1 meter that sends without a pause: frames found, checked and decoded, in blocks as a terminal
// hands them out. 460 bytes with ten measured values, the same as in telegrams.py.
#include "core/bytes.hpp"
#include "protocol/crc16.hpp"
#include "protocol/p1/receiver.hpp"
#include "stream.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;

constexpr std::string_view text =
    "/MBR5\\2BENCHMARK-1\r\n"
    "\r\n"
    "1-3:0.2.8(50)\r\n"
    "0-0:1.0.0(261121120000W)\r\n"
    "0-0:96.1.1(42454e4348303030303030303031)\r\n"
    "1-0:1.8.1(012345.678*kWh)\r\n"
    "1-0:1.8.2(023456.789*kWh)\r\n"
    "1-0:2.8.1(001234.567*kWh)\r\n"
    "1-0:2.8.2(002345.678*kWh)\r\n"
    "0-0:96.14.0(0002)\r\n"
    "1-0:1.7.0(00.428*kW)\r\n"
    "1-0:2.7.0(00.000*kW)\r\n"
    "0-0:96.7.21(00012)\r\n"
    "0-0:96.7.9(00002)\r\n"
    "1-0:32.32.0(00003)\r\n"
    "1-0:32.7.0(230.1*V)\r\n"
    "1-0:31.7.0(001.86*A)\r\n"
    "1-0:21.7.0(00.428*kW)\r\n"
    "1-0:22.7.0(00.000*kW)\r\n"
    "0-0:96.13.0(30303030303031)\r\n"
    "!";

std::string telegram() {
  std::array<char, 8> check{};
  std::snprintf(check.data(), check.size(), "%04X\r\n",
                static_cast<unsigned>(protocol::crc16(text, protocol::Crc16::Kind::arc)));
  return std::string(text) + check.data();
}

void stream(benchmark::State& state) {
  constexpr std::size_t telegrams = 89;
  std::string bytes;
  for (std::size_t i = 0; i < telegrams; ++i)
    bytes += telegram();
  p1::Memory memory;
  p1::Cipher cipher{p1::CipherKeys()};
  bench::read_stream(state, std::as_bytes(std::span(bytes)), telegrams,
                     [&] { return p1::Receiver(p1::ReceiverOptions(), memory, cipher); });
}

BENCHMARK(stream)->Name("P1/stream");

}  // namespace
