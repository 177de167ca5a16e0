// SPDX-License-Identifier: MIT
// An authority and what it signs, made anew for each test with the openssl command.
#pragma once

#include "fakes/scratch.hpp"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>

namespace meterbridge::fakes {

class Authority {
 public:
  explicit Authority(const Scratch& place, const std::string& name)
      : folder_(place.path() / std::to_string(std::hash<std::string>{}(name))) {
    std::filesystem::create_directories(folder_);
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "
        "'/CN=" +
        name + "' -keyout " + folder_ + "/ca.key -out " + ca());
  }

  [[nodiscard]] std::string ca() const { return folder_ + "/ca.crt"; }

  struct Pair {
    std::string certificate;
    std::string key;
  };

  // `names`: as in subjectAltName, for example "DNS:localhost,IP:127.0.0.1".
  [[nodiscard]] Pair sign(const std::string& subject, const std::string& names) const {
    const std::string base = request(subject, names);
    run("openssl x509 -req -in " + base + ".csr -CA " + ca() + " -CAkey " + folder_ +
        "/ca.key -CAcreateserial -days 30 -extfile " + base + ".ext -out " + base + ".crt");
    return {base + ".crt", base + ".key"};
  }

  [[nodiscard]] Pair sign_expired(const std::string& subject, const std::string& names) const {
    return sign_between(subject, names, "20200101000000Z", "20200201000000Z");
  }

  // Valid from the end of this century on.
  [[nodiscard]] Pair sign_for_later(const std::string& subject, const std::string& names) const {
    return sign_between(subject, names, "20990101000000Z", "20991231000000Z");
  }

 private:
  // Only `openssl ca` takes dates in OpenSSL 3.0 and in 3.5; it wants a data base.
  [[nodiscard]] Pair sign_between(const std::string& subject, const std::string& names,
                                  const std::string& begin, const std::string& end) const {
    const std::string base = request(subject, names);
    const std::string conf = folder_ + "/ca.conf";
    run("printf '[ca]\ndefault_ca=d\n[d]\ndatabase=" + folder_ + "/index\nserial=" + folder_ +
        "/serial\nnew_certs_dir=" + folder_ +
        "\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' > " + conf + " && : > " +
        folder_ + "/index && echo 01 > " + folder_ + "/serial");
    run("openssl ca -batch -notext -config " + conf + " -in " + base + ".csr -cert " + ca() +
        " -keyfile " + folder_ + "/ca.key -startdate " + begin + " -enddate " + end + " -extfile " +
        base + ".ext -out " + base + ".crt");
    return {base + ".crt", base + ".key"};
  }

  // A key, a request and a file of extensions; the names without their ends.
  [[nodiscard]] std::string request(const std::string& subject, const std::string& names) const {
    std::string base = folder_ + "/" + subject;
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=" +
        subject + "' -keyout " + base + ".key -out " + base + ".csr");
    run("printf 'subjectAltName=" + names + "' > " + base + ".ext");
    return base;
  }

  static void run(const std::string& command) {
    if (std::system((command + " 2>/dev/null").c_str()) != 0) {
      throw std::runtime_error("failed: " + command);
    }
  }

  std::string folder_;  // without blanks, unlike the name
};

}  // namespace meterbridge::fakes
