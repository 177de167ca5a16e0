// SPDX-License-Identifier: MIT
// What is heard on a line where nobody was asked: meters that send by themselves, another master,
// or noise.
#pragma once

#include "scan/catalogue.hpp"
#include "scan/finding.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::scan {

class Ears {
 public:
  // The catalogue must outlive them.
  Ears(Catalogue& catalogue, const LineSettings& line);

  void hear(ByteView bytes);

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  // Enough to know who it is.
  [[nodiscard]] bool enough() const noexcept;
  // Who asks here, while we only listen; empty: nobody.
  [[nodiscard]] std::string master() const;
  // The meter, where one was understood, or was recognised although it encrypts.
  [[nodiscard]] std::optional<Finding> finding() const;

 private:
  // One protocol that listens along.
  struct Ear {
    Ear() = default;
    const protocol::Protocol* protocol = nullptr;
    std::unique_ptr<protocol::Driver> driver;
    std::unique_ptr<protocol::Dialogue> dialogue;
    Fingerprint print;
    MeterIdentity meter;
    int telegrams = 0;
    int encrypted = 0;
  };

  void add(const Sender& sender);
  static void follow(Ear& ear);
  [[nodiscard]] Finding named(const Ear& ear) const;

  Catalogue& catalogue_;
  LineSettings line_;
  std::vector<Ear> ears_;
  Bytes raw_;  // what came last
  std::size_t bytes_ = 0;
};

}  // namespace meterbridge::scan
