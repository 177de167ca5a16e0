// SPDX-License-Identifier: MIT
// METERBRIDGE_SINKS=OFF leaves out what files and databases need: a kind is known then, and says so
// when one is made. The sink over the broker is always there.
#pragma once

#include "sink/sink.hpp"

namespace meterbridge::sink {

Result<std::unique_ptr<Sink>> left_out(const boost::asio::any_io_executor& executor, Setup setup);

// Nothing else names `make`: the linker drops it with all that only it needs.
consteval auto unless_left_out(decltype(Kind::make) make) {
#ifdef METERBRIDGE_WITHOUT_SINKS
  static_cast<void>(make);
  return &left_out;
#else
  return make;
#endif
}

}  // namespace meterbridge::sink
