// SPDX-License-Identifier: MIT
// TLS to a real broker, with certificates made for each test.
#include "fakes/certificates.hpp"
#include "harness.hpp"

#include <gmock/gmock.h>

namespace meterbridge::mqtt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fakes::MosquittoServer::installed()) GTEST_SKIP() << fakes::MosquittoServer::skip_text;
    if (std::system("openssl version >/dev/null 2>&1") != 0)
      GTEST_SKIP() << "the program openssl is not installed";
    authority.emplace(place, "Test authority");
  }

  [[nodiscard]] static std::string listener(const fakes::Authority::Pair& own,
                                            const std::string& more = {}) {
    return "certfile " + own.certificate + "\nkeyfile " + own.key + "\n" + more;
  }

  [[nodiscard]] BrokerSettings secure(const fakes::MosquittoServer& server) const {
    BrokerSettings settings = settings_for(server.port());
    settings.host = "localhost";
    settings.tls = true;
    settings.ca = authority->ca();
    return settings;
  }

  // The first word about a connection that cannot be.
  std::string complaint(const BrokerSettings& settings) {
    Party party(loop, settings);
    party.start();
    EXPECT_TRUE(party.wait_loss());
    EXPECT_EQ(party.connects, 0);
    return party.losses.empty() ? "" : party.losses[0].detail();
  }

  boost::asio::io_context loop;
  fakes::Scratch place;
  std::optional<fakes::Authority> authority;
};

TEST_F(Tls, AGoodCertificateIsTakenByNameAndByAddress) {
  const auto own = authority->sign("server", "DNS:localhost,IP:127.0.0.1");
  fakes::MosquittoServer server(listener(own));
  ASSERT_TRUE(server.start()) << server.log();
  for (const char* host : {"localhost", "127.0.0.1"}) {
    BrokerSettings settings = secure(server);
    settings.host = host;
    Party party(loop, settings);
    party->subscribe("a", 1);
    party.start();
    ASSERT_TRUE(party.wait_connected()) << host;
    party->publish(Message("a", "b", true));
    EXPECT_TRUE(party.wait_flushed());
    EXPECT_TRUE(party.wait_received(1));
    EXPECT_TRUE(party.losses.empty());
  }
}

TEST_F(Tls, LargeMessagesPassInBothDirections) {
  fakes::MosquittoServer server(listener(authority->sign("server", "DNS:localhost")));
  ASSERT_TRUE(server.start()) << server.log();
  const std::string large(2UL << 20, 'x');
  Party party(loop, secure(server));
  party->subscribe("large", 1);
  party.start();
  ASSERT_TRUE(party.wait_connected());
  for (int n = 0; n < 5; ++n)
    party->publish(Message("large", large + std::to_string(n), false));
  ASSERT_TRUE(party.wait_received(5, 30s));
  EXPECT_EQ(party.received[4].payload, large + "4");
}

TEST_F(Tls, AnUnknownAuthorityIsRefusedAndNamed) {
  const fakes::Authority other(place, "Other authority");
  fakes::MosquittoServer server(listener(other.sign("server", "DNS:localhost")));
  ASSERT_TRUE(server.start()) << server.log();
  EXPECT_THAT(complaint(secure(server)),
              AllOf(HasSubstr("unknown authority"), HasSubstr("Other authority")));
  BrokerSettings system_store = secure(server);
  system_store.ca.clear();
  EXPECT_THAT(complaint(system_store), HasSubstr("unknown authority"));
}

TEST_F(Tls, InsecureTakesAnything) {
  const fakes::Authority other(place, "Other authority");
  fakes::MosquittoServer server(listener(other.sign_expired("server", "DNS:elsewhere")));
  ASSERT_TRUE(server.start()) << server.log();
  BrokerSettings settings = secure(server);
  settings.insecure = true;
  Party party(loop, settings);
  party.start();
  EXPECT_TRUE(party.wait_connected());
}

TEST_F(Tls, AnotherNameIsRefusedAndNamed) {
  fakes::MosquittoServer server(listener(authority->sign("elsewhere", "DNS:elsewhere")));
  ASSERT_TRUE(server.start()) << server.log();
  EXPECT_THAT(complaint(secure(server)),
              AllOf(HasSubstr("for another name"), HasSubstr("elsewhere"), HasSubstr("localhost")));
  BrokerSettings by_address = secure(server);
  by_address.host = "127.0.0.1";
  EXPECT_THAT(complaint(by_address), AllOf(HasSubstr("for another name"), HasSubstr("127.0.0.1")));
}

TEST_F(Tls, AnExpiredCertificateIsRefusedWithItsDate) {
  fakes::MosquittoServer server(listener(authority->sign_expired("server", "DNS:localhost")));
  ASSERT_TRUE(server.start()) << server.log();
  EXPECT_THAT(complaint(secure(server)), HasSubstr("has expired on"));
}

TEST_F(Tls, P59ACertificateOfTheFutureIsRefusedWithItsDateAndAHint) {
  fakes::MosquittoServer server(listener(authority->sign_for_later("server", "DNS:localhost")));
  ASSERT_TRUE(server.start()) << server.log();
  EXPECT_THAT(complaint(secure(server)),
              AllOf(HasSubstr("not valid before Jan  1 00:00:00 2099"), HasSubstr("clock")));
}

TEST_F(Tls, P59AGoodCertificateIsTakenByTheSystemsStore) {
  fakes::MosquittoServer server(listener(authority->sign("server", "DNS:localhost")));
  ASSERT_TRUE(server.start()) << server.log();
  BrokerSettings settings = secure(server);
  settings.ca.clear();
  // Where OpenSSL looks for the system's authorities.
  ::setenv("SSL_CERT_FILE", authority->ca().c_str(), 1);
  Party party(loop, settings);
  party.start();
  EXPECT_TRUE(party.wait_connected());
  ::unsetenv("SSL_CERT_FILE");
}

// A broker that ends at TLS 1.1: OpenSSL's own configuration keeps it down.
TEST_F(Tls, P59ATooOldProtocolIsRefusedAndNamed) {
  const std::string old = place
                              .file("old.cnf",
                                    "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\n"
                                    "system_default = old\n[old]\nMinProtocol = TLSv1\n"
                                    "MaxProtocol = TLSv1.1\nCipherString = DEFAULT@SECLEVEL=0\n")
                              .string();
  fakes::MosquittoServer server(
      listener(authority->sign("server", "DNS:localhost"), "tls_version tlsv1.1\n"));
  ::setenv("OPENSSL_CONF", old.c_str(), 1);
  const bool started = server.start();
  ::unsetenv("OPENSSL_CONF");
  ASSERT_TRUE(started) << server.log();
  EXPECT_THAT(complaint(secure(server)), HasSubstr("only versions of TLS older than 1.2"));
}

TEST_F(Tls, P59AClientCertificateOfAnotherAuthorityIsRefusedAndNamed) {
  fakes::MosquittoServer server(
      listener(authority->sign("server", "DNS:localhost"),
               "cafile " + authority->ca() + "\nrequire_certificate true\n"));
  ASSERT_TRUE(server.start()) << server.log();
  const fakes::Authority other(place, "Other authority");
  const auto foreign = other.sign("client", "DNS:client");
  BrokerSettings settings = secure(server);
  settings.certificate = foreign.certificate;
  settings.key = foreign.key;
  for (int round = 0; round < 10; ++round)
    ASSERT_THAT(complaint(settings), HasSubstr("our client certificate"));
}

TEST_F(Tls, AMissingClientCertificateIsAskedForInWords) {
  fakes::MosquittoServer server(
      listener(authority->sign("server", "DNS:localhost"),
               "cafile " + authority->ca() + "\nrequire_certificate true\n"));
  ASSERT_TRUE(server.start()) << server.log();
  // The alert and the end of the connection race with our greeting: many rounds, always the same
  // words.
  for (int round = 0; round < 20; ++round)
    ASSERT_THAT(complaint(secure(server)), HasSubstr("wants a client certificate"));

  const auto own = authority->sign("client", "DNS:client");
  BrokerSettings settings = secure(server);
  settings.certificate = own.certificate;
  settings.key = own.key;
  Party party(loop, settings);
  party.start();
  EXPECT_TRUE(party.wait_connected());
}

TEST_F(Tls, FilesThatAreAbsentOrWrongAreNamed) {
  fakes::MosquittoServer server(listener(authority->sign("server", "DNS:localhost")));
  ASSERT_TRUE(server.start()) << server.log();
  BrokerSettings settings = secure(server);
  settings.ca = "/nowhere/ca.pem";
  EXPECT_THAT(complaint(settings), HasSubstr("/nowhere/ca.pem does not exist"));
  settings.ca = place.file("text", "no certificate").string();
  EXPECT_THAT(complaint(settings), HasSubstr("cannot be used"));
  settings = secure(server);
  const auto one = authority->sign("one", "DNS:one");
  const auto two = authority->sign("two", "DNS:two");
  settings.certificate = one.certificate;
  EXPECT_THAT(complaint(settings), HasSubstr("belong together"));
  settings.key = two.key;
  EXPECT_THAT(complaint(settings), AllOf(HasSubstr("tls.key"), HasSubstr("cannot be used")));
}

// OpenSSL would ask on the terminal, and the loop would wait for an answer.
TEST_F(Tls, P59AKeyWithAPasswordIsNamedAndNobodyIsAsked) {
  fakes::MosquittoServer server(listener(authority->sign("server", "DNS:localhost")));
  ASSERT_TRUE(server.start()) << server.log();
  BrokerSettings settings = secure(server);
  const auto own = authority->sign("client", "DNS:client");
  const std::string locked = own.key + ".locked";
  const std::string lock =
      "openssl pkey -aes256 -passout pass:x -in " + own.key + " -out " + locked;
  ASSERT_EQ(std::system(lock.c_str()), 0);
  settings.certificate = own.certificate;
  settings.key = locked;
  EXPECT_THAT(complaint(settings), AllOf(HasSubstr(locked), HasSubstr("protected by a password"),
                                         HasSubstr("openssl pkey")));
}

TEST_F(Tls, APortWithoutTlsIsToldInWords) {
  fakes::MosquittoServer server;
  ASSERT_TRUE(server.start()) << server.log();
  BrokerSettings settings = secure(server);
  settings.connect_timeout = 1s;
  EXPECT_THAT(complaint(settings), HasSubstr("TLS"));
}

TEST_F(Tls, AFrozenBrokerIsNoticedWithoutBurningTheProcessor) {
  fakes::MosquittoServer server(listener(authority->sign("server", "DNS:localhost")));
  ASSERT_TRUE(server.start()) << server.log();
  server.freeze();
  BrokerSettings settings = secure(server);
  settings.host = "127.0.0.1";
  settings.connect_timeout = 500ms;
  Party party(loop, settings);
  party.start();
  const std::clock_t before = std::clock();
  ASSERT_TRUE(party.wait_loss(1, 3s));
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 5);
  EXPECT_THAT(party.losses[0].detail(), HasSubstr("no TLS handshake within 500 ms"));
}

TEST_F(Tls, AKilledBrokerIsFoundAgain) {
  fakes::MosquittoServer server(listener(authority->sign("server", "DNS:localhost")));
  ASSERT_TRUE(server.start()) << server.log();
  Party party(loop, secure(server));
  party.start();
  ASSERT_TRUE(party.wait_connected());
  server.kill();
  ASSERT_TRUE(party.wait_loss());
  EXPECT_THAT(party.losses[0].detail(), HasSubstr("the broker closed the connection"));
  ASSERT_TRUE(server.start()) << server.log();
  EXPECT_TRUE(party.wait_connected(2));
}

}  // namespace
}  // namespace meterbridge::mqtt
