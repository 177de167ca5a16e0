// SPDX-License-Identifier: MIT
// How much memory the program holds while it has nothing to do.
#pragma once

#include <cstdint>

namespace meterbridge::io {

// Lets go of the code that was needed until now (reading the configuration, TLS handshakes) and may
// never be again. What is called later comes back from the files by itself; on small machines the
// kernel can use the memory meanwhile.
void release_code() noexcept;
// Gives free memory back to the system, after work that needed much of it for a moment. The C
// library keeps it otherwise.
void release_memory() noexcept;

// Resident memory in bytes, from the kernel's own account; 0 where there is none.
[[nodiscard]] std::uint64_t resident_memory();

}  // namespace meterbridge::io
