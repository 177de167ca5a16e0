// SPDX-License-Identifier: MIT
// A case that can be shown to others: a capture with the configuration of its meter, made
// anonymous.
#pragma once

#include "app/plan.hpp"
#include "protocol/capture.hpp"
#include "protocol/disguise.hpp"
#include "protocol/telegram.hpp"

#include <string>
#include <vector>

namespace meterbridge::cli {

struct Bundle {
  Bundle() = default;
  protocol::Capture capture;
  std::vector<std::string> remarks;
};

// Error: unsupported (a protocol that cannot be made anonymous), bug (it would still tell whose
// meter it is, or other values); in words. Nothing of it may be written then.
Result<Bundle> bundle_of(const app::House& house, const meter::Meter& meter,
                         const protocol::Capture& capture);

// The meter alone, as a configuration: settings as they are given here, everything that names
// places, hosts and topics left out.
[[nodiscard]] std::string bundle_configuration(const app::House& house, const meter::Meter& meter,
                                               const SettingValues& settings);

// The meter that a capture carries its configuration of, or whose profile or protocol it names; a
// bundle needs nothing else. Error: invalid, in words.
Result<app::House> house_of_capture(const protocol::Capture& capture);
// Messages on topics of their own are decoded one by one, all else as one stream or transcript.
[[nodiscard]] std::vector<protocol::Decoded> decode_capture(const protocol::Protocol& protocol,
                                                            const protocol::Capture& capture,
                                                            const SettingValues& values);
[[nodiscard]] std::vector<protocol::TranscriptLine> transcript_of(const protocol::Capture& capture);

}  // namespace meterbridge::cli
