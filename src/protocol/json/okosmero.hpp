// SPDX-License-Identifier: MIT
// The document of an "okosmero" board once more, with the comma that its firmware forgets, for
// consumers that were written for it: the files of its logger above all.
#pragma once

#include "core/result.hpp"
#include "protocol/telegram.hpp"

#include <string>

namespace meterbridge::protocol::json {

// Same members, same order, same digits. Error: unsupported for documents of other devices.
Result<std::string> okosmero_document(const Telegram& telegram);

}  // namespace meterbridge::protocol::json
