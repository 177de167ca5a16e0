// SPDX-License-Identifier: MIT
// Comparison with approved files: text, sorted, one fact a line.
#pragma once

#include "mqtt/message.hpp"

#include <string>
#include <vector>

namespace meterbridge::homeassistant::test {

// "topic | path = value" for every leaf of the payload, sorted; the first line says retain and QoS.
[[nodiscard]] std::vector<std::string> facts_of(const mqtt::Message& message);
[[nodiscard]] std::vector<std::string> facts_of(const std::vector<mqtt::Message>& messages);

// Fails with the lines that are missing (-) and new (+). With METERBRIDGE_APPROVE=<word> in the
// environment the file is rewritten instead; <word> is `1` for documents and `ids` for the golden
// file of identities.
void expect_approved(const std::string& name, const std::vector<std::string>& facts,
                     const std::string& word = "1");

}  // namespace meterbridge::homeassistant::test
