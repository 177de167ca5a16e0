// SPDX-License-Identifier: MIT
// What may be done through the pages, carried out by whoever runs them.
#pragma once

#include "core/result.hpp"
#include "http/status.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::http {

// The configuration file as it is now; no file is an empty text with a hash of its own.
struct Document {
  Document() = default;
  std::string path;
  std::string text;
  std::string hash;
};

struct Verdict {
  Verdict() = default;
  Validity state = Validity::valid;
  std::vector<ProblemStatus> problems;
};

enum class Outcome : std::uint8_t {
  done,
  kept,     // written; everything goes on as before until the file can be used
  stale,    // the file is not the one that was read
  invalid,  // nothing was written
  failed,   // it could not be written
};

struct Taken {
  Taken() = default;

  Taken(Outcome o, std::string words) : outcome(o), text(std::move(words)) {}

  Outcome outcome = Outcome::done;
  std::string text;  // what changed, or what is in the way
  std::string hash;  // of the file now
  std::vector<ProblemStatus> problems;
};

class Desk {
 public:
  virtual ~Desk() = default;
  // Why nothing may be changed here, in words; empty = it may.
  [[nodiscard]] virtual std::string locked() const = 0;
  [[nodiscard]] virtual Result<Document> document() const = 0;
  [[nodiscard]] virtual Verdict check(const std::string& text) const = 0;
  // `done` is called once, now or when the program has taken it over.
  virtual void write(const std::string& text, const std::string& hash,
                     std::function<void(Taken)> done) = 0;
  // Errors: not_found; unsupported in words.
  virtual Result<> poll(std::string_view meter) = 0;

  // The meter's black box, as text. Errors: not_found; unsupported in words.
  [[nodiscard]] virtual Result<std::string> capture(std::string_view /*meter*/) const {
    return Error(Errc::unsupported, "no meter is read yet");
  }
};

}  // namespace meterbridge::http
