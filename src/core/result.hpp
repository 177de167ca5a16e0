// SPDX-License-Identifier: MIT
// What every fallible door of the program returns: a value, or an Error that says in words what is
// wrong.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <boost/system/result.hpp>

namespace meterbridge {

// The kind of a failure. Wire kinds map one to one to the `status` of `decode`, and to the fault
// ladder of the health topic (core/fault.hpp).
enum class Errc {
  bug,             // a promise inside the program is broken
  cancelled,       // shutdown, or a watchdog ended the work
  invalid,         // configuration or arguments
  not_found,       // no such file, profile, protocol
  no_device,       // the port, host or file of a link is absent or refuses
  io,              // the link failed while in use; it must be reopened
  timeout,         // not one byte arrived in time
  no_frame,        // bytes arrived, but no frame among them
  truncated,       // a frame's end is missing
  malformed,       // framing, lengths, nesting or syntax wrong
  checksum,        // CRC, FCS, BCC wrong
  key,             // encrypted and no key, or the plaintext is no telegram
  authentication,  // the authentication tag was refused
  replay,          // frame counter not above the last one
  unsupported,     // understood as something we do not read
  exception,       // the meter answered with its own error
  access,          // the meter refused our password or level: never repeat the request
  mismatch,        // an answer that does not belong to the request
  refused,         // our own guard holds the value back
  watchdog,        // a poll did not come to its end and was ended
};

// Name as used in `decode --json` and in logs, for example "checksum".
[[nodiscard]] std::string_view name(Errc code) noexcept;

// A kind plus one sentence that a user can act on. Layers that pass it on add their place in front.
class Error {
 public:
  Error() = default;

  Error(Errc code, std::string detail) : code_(code), detail_(std::move(detail)) {}

  [[nodiscard]] Errc code() const noexcept { return code_; }

  [[nodiscard]] const std::string& detail() const noexcept { return detail_; }

  // "meter kitchen: no answer within 1500 ms"
  [[nodiscard]] Error within(std::string_view place) && {
    return {code_, std::string(place) + ": " + detail_};
  }

  [[nodiscard]] Error within(std::string_view place) const& {
    return {code_, std::string(place) + ": " + detail_};
  }

 private:
  Errc code_ = Errc::bug;
  std::string detail_;
};

[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& place);

// boost::system::result with [[nodiscard]]. Use only bool(), *, -> and error(); never value().
template <class T = void>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
  using Base = boost::system::result<T, Error>;

 public:
  using Base::Base;
};

}  // namespace meterbridge
