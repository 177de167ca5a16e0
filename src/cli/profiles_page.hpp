// SPDX-License-Identifier: MIT
// The catalogue of meters as a page of the documentation.
#pragma once

#include "meter/profile_library.hpp"

#include <string>

namespace meterbridge::cli {

// Markdown: a table for each vendor, with protocol, line, what the meters deliver, and notes.
std::string profiles_page(const meter::ProfileLibrary& library);

}  // namespace meterbridge::cli
