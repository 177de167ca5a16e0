// SPDX-License-Identifier: MIT
#include "mqtt/reason.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace meterbridge::mqtt {
namespace {

struct Reason {
  int code;
  std::string_view text;
};

constexpr std::array reasons{
    Reason{128, "refused without a reason"},
    Reason{129, "malformed packet"},
    Reason{130, "protocol error"},
    Reason{131, "the broker refuses it for a reason of its own"},
    Reason{132, "the broker does not speak this version of MQTT"},
    Reason{133, "the client id is not accepted"},
    Reason{134, "wrong user name or password"},
    Reason{135, "not authorised"},
    Reason{136, "the broker is not available"},
    Reason{137, "the broker is busy"},
    Reason{138, "this client is banned"},
    Reason{139, "the broker shuts down"},
    Reason{140, "the authentication method is not supported"},
    Reason{141, "nothing was heard from us within the keepalive time"},
    Reason{142, "another client with the same client id has connected"},
    Reason{143, "the broker does not accept this subscription"},
    Reason{144, "the broker does not accept this topic"},
    Reason{147, "more messages in flight than the broker allows"},
    Reason{149, "the packet is larger than the broker allows"},
    Reason{150, "the broker finds the message rate too high"},
    Reason{151, "the broker's quota is exceeded"},
    Reason{152, "ended by the broker's administrator"},
    Reason{153, "the broker does not accept the format of the payload"},
    Reason{154, "the broker does not support retained messages"},
    Reason{155, "the broker does not support this QoS"},
    Reason{156, "use another broker (moved for now)"},
    Reason{157, "use another broker (moved for good)"},
    Reason{158, "the broker does not support shared subscriptions"},
    Reason{159, "the broker's limit of new connections is exceeded"},
    Reason{161, "the broker does not support subscription identifiers"},
    Reason{162, "the broker does not support wildcards in subscriptions"},
};

// The five answers of MQTT 3.1.1 have successors in MQTT 5.
int modern(int connack) {
  switch (connack) {
    case 1:
      return unsupported_protocol_version;
    case 2:
      return 133;
    case 3:
      return 136;
    case 4:
      return 134;
    case 5:
      return 135;
    default:
      return connack;
  }
}

}  // namespace

std::string reason_text(int code) {
  const auto* const found = std::find_if(reasons.begin(), reasons.end(),
                                         [code](const Reason& each) { return each.code == code; });
  if (found != reasons.end()) return std::string(found->text);
  return "reason " + std::to_string(code);
}

Error handshake_cut() {
  return {Errc::io,
          "TLS: the broker closed the connection during the handshake (a port without TLS?)"};
}

Error connection_failed(int system_error) {
  switch (system_error) {
    case ECONNREFUSED:
      return {Errc::no_device, "connection refused: no broker listens there"};
    case EHOSTUNREACH:
    case ENETUNREACH:
      return {Errc::no_device, "no way there: host or network unreachable"};
    case ETIMEDOUT:
      return {Errc::timeout, "nobody answers at this address"};
    default:
      return {Errc::no_device, "cannot connect: " + std::generic_category().message(system_error)};
  }
}

Error connection_refused(int code, bool has_credentials) {
  const int reason = modern(code);
  const std::string number = " (CONNACK " + std::to_string(code) + ")";
  switch (reason) {
    case 134:
    case 135:
    case 138:
    case 140:
      // Brokers answer a wrong password with either code, mosquitto with "not authorised".
      if (!has_credentials) {
        return {Errc::access,
                "the broker does not let us in without a user name and password" + number};
      }
      if (reason == 138) return {Errc::access, "the broker has banned this client" + number};
      return {
          Errc::access,
          "the broker refuses the login: wrong user name or password, or not authorised" + number};
    case unsupported_protocol_version:
      return {Errc::unsupported, "the broker does not speak this version of MQTT" + number};
    default:
      return {Errc::no_device,
              "the broker refuses the connection: " + reason_text(reason) + number};
  }
}

Error connection_ended(int code) {
  return {Errc::io, "the broker ended the connection: " + reason_text(code)};
}

}  // namespace meterbridge::mqtt
