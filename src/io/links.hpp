// SPDX-License-Identifier: MIT
// Makers of transports.
#pragma once

#include "io/transport.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::io {

struct SerialOptions {
  std::string port;  // /dev/..., usb:VID:PID[:SERIAL], usb-path:1-1.2; resolved anew at every open
  LineSettings line;
  bool echo = false;  // drop as many received bytes as were sent, when they are equal
};

std::unique_ptr<Transport> make_serial(boost::asio::any_io_executor executor,
                                       SerialOptions options);

// What stands at the other end, for messages: "is the gateway's TCP server on?"
struct PeerWords {
  std::string_view machine = "gateway";
  std::string_view listener = "gateway's TCP server";
};

std::unique_ptr<Transport> make_tcp(boost::asio::any_io_executor executor, std::string host,
                                    std::uint16_t port, bool echo, PeerWords peer = PeerWords());

struct TlsOptions {
  std::string ca;           // file or directory of authorities; empty = the system's store
  std::string certificate;  // ours, both or none
  std::string key;
  bool insecure = false;  // whoever answers is believed
};

// Speaks TLS over another transport. `host` is the name that the certificate must be for. The
// words of its errors name the settings tls_ca, tls_certificate and tls_key.
std::unique_ptr<Transport> make_tls(std::unique_ptr<Transport> inner, std::string host,
                                    TlsOptions options);
// Captured bytes played once, as fast as they are read; then end of file (Errc::io).
std::unique_ptr<Transport> make_replay(boost::asio::any_io_executor executor, std::string file);

// "usb:0403:6001:A5XK" and "usb-path:1-1.2" through <sysfs>/class/tty; other names as they are.
// sysfs is a parameter for tests. Error: no_device in words (none matches, or several do and
// which).
Result<std::string> resolve_port(const std::string& port, const std::string& sysfs = "/sys");
// For an unstable name (/dev/ttyUSB0): the /dev/serial/by-id link that points to it, if there is
// one.
std::optional<std::string> stable_name(const std::string& port,
                                       const std::string& by_id = "/dev/serial/by-id");

}  // namespace meterbridge::io
