// SPDX-License-Identifier: MIT
// Evidence in, words out: every condition has its name and one thing to do.
#include "app/diagnosis.hpp"

#include <set>

#include <gmock/gmock.h>

namespace meterbridge::app {
namespace {

using config::LinkKind;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

MeterEvidence evidence(std::string_view protocol, LinkKind kind = LinkKind::serial) {
  MeterEvidence made;
  made.protocol = protocol::find_protocol(protocol);
  made.kind = kind;
  made.line = LineSettings{2400, 8, Parity::none, 1};
  made.profile_line = LineSettings{9600, 8, Parity::even, 1};
  return made;
}

Finding failing(MeterEvidence made, Errc code, std::string words) {
  made.error = Error(code, std::move(words));
  return meter_finding("house", made);
}

TEST(Diagnosis, EveryFaultOnEveryWayHasOneThingToDo) {
  for (const protocol::Protocol& protocol : protocol::protocols()) {
    for (const LinkKind kind :
         {LinkKind::serial, LinkKind::tcp, LinkKind::mqtt, LinkKind::replay}) {
      for (std::size_t i = 0; i + 1 < fault_names().size(); ++i) {
        const auto fault = static_cast<Fault>(i);
        const auto made = evidence(protocol.name, kind);
        EXPECT_NE(fault_advice(fault, made), "") << protocol.name << " " << name(fault);
        EXPECT_THAT(fault_advice(fault, made), Not(HasSubstr("%")));
      }
    }
  }
}

TEST(Diagnosis, SilenceIsToldApartByWhoIsAskedAndWhoElseAnswers) {
  const std::string words = "no answer within 1500 ms";
  EXPECT_THAT(failing(evidence("ce102"), Errc::timeout, words).advice,
              AllOf(HasSubstr("swap the wires A and B"), HasSubstr("9600 8E1")));
  auto among_others = evidence("ce102");
  among_others.others_answer = true;
  EXPECT_THAT(failing(among_others, Errc::timeout, words).advice,
              HasSubstr("check this meter's address"));
  EXPECT_THAT(failing(evidence("p1"), Errc::timeout, words).advice, HasSubstr("data request"));
  EXPECT_THAT(failing(evidence("sml"), Errc::timeout, words).advice, HasSubstr("optical head"));
  EXPECT_THAT(failing(evidence("modbus", LinkKind::tcp), Errc::timeout, words).advice,
              HasSubstr("gateway's serial speed (9600 8E1)"));
  EXPECT_THAT(failing(evidence("json", LinkKind::mqtt), Errc::timeout, words).advice,
              HasSubstr("mosquitto_sub"));
  auto deaf = evidence("p1");
  deaf.took = Milliseconds(30'000);
  EXPECT_EQ(failing(deaf, Errc::watchdog, "the poll did not end").text,
            "nothing came within 30.0 s");
  // A poll that was ended without one byte is silence, too.
  EXPECT_EQ(failing(evidence("ce102"), Errc::watchdog, words).fault, Fault::no_bytes);
}

TEST(Diagnosis, KeysPasswordsAndReplaysAreToldApart) {
  EXPECT_THAT(failing(evidence("dlms"), Errc::key, "encrypted").advice,
              AllOf(HasSubstr("grid operator"), HasSubstr("GUEK")));
  EXPECT_THAT(failing(evidence("p1"), Errc::authentication, "tag").advice,
              HasSubstr("authentication_key"));
  EXPECT_THAT(failing(evidence("mercury"), Errc::access, "refused").advice,
              HasSubstr("right password"));
  EXPECT_THAT(failing(evidence("p1"), Errc::replay, "old").advice, HasSubstr("replays"));
}

TEST(Diagnosis, WhatWasFoundByTryingCountsMoreThanAnyGuess) {
  auto made = evidence("ce102");
  made.works_at = made.profile_line;
  const auto found = failing(made, Errc::timeout, "no answer");
  EXPECT_EQ(found.health, Health::bad);
  EXPECT_THAT(found.text, HasSubstr("at 9600 8E1 it is understood"));
  EXPECT_THAT(found.advice, AllOf(HasSubstr("`baud: 9600` and `mode: 8E1`"),
                                  HasSubstr("take both out: the profile has them")));
  made.works_at.reset();
  made.tried = {{4800, 8, Parity::none, 1}, {1200, 7, Parity::even, 1}};
  EXPECT_THAT(failing(made, Errc::timeout, "no answer").text,
              HasSubstr("tried in vain: 4800 8N1, 1200 7E1"));
}

TEST(Diagnosis, AnEchoIsNamedWhetherItHarmsOrNot) {
  auto made = evidence("modbus");
  made.sent = to_bytes("\x01\x03\x02\x10 3DU");
  made.heard = made.sent;
  const auto mute = failing(made, Errc::timeout, "no answer");
  EXPECT_THAT(mute.text, HasSubstr("only our own requests come back"));
  EXPECT_THAT(mute.advice, HasSubstr("`echo: true`"));
  made.heard.push_back(std::byte{1});
  made.readings = 3;
  made.took = Milliseconds(340);
  const auto works = meter_finding("house", made);
  EXPECT_EQ(works.health, Health::note);
  EXPECT_THAT(works.text, HasSubstr("3 readings in 0.3 s; the adapter returns"));
  made.echo = true;
  EXPECT_EQ(meter_finding("house", made).health, Health::good);
}

TEST(Diagnosis, AnotherMasterIsNamedWhetherReadingsComeOrNot_P08) {
  auto made = evidence("ce102");
  made.readings = 1;
  made.remark = "another master is talking on the line: it asks the address 7";
  const auto works = meter_finding("house", made);
  EXPECT_EQ(works.health, Health::note);
  EXPECT_THAT(works.text, HasSubstr("1 reading in 0.0 s; another master"));
  EXPECT_THAT(works.advice, HasSubstr("only one program"));
  const auto fails = failing(evidence("ce102"), Errc::no_frame,
                             "/dev/x does not fall silent: is another master talking there?");
  EXPECT_EQ(fails.fault, Fault::no_frame);
  EXPECT_THAT(fails.advice, HasSubstr("only one program"));
}

TEST(Diagnosis, LinksThatDoNotOpenSayWhatToDo_P08) {
  const auto advice = [](std::string words) {
    return link_advice(Error(Errc::no_device, std::move(words)), {"/dev/serial/by-id/usb-a"});
  };
  EXPECT_THAT(advice("another program (pid 812, ser2net) holds /dev/ttyUSB0"),
              HasSubstr("end that program"));
  EXPECT_EQ(advice("no permission to open /dev/ttyUSB0: it belongs to user root, group dialout; "
                   "meterbridge runs as user m (groups: m); add the user to the group: usermod -aG "
                   "dialout m, then start meterbridge again"),
            "add the user to the group: usermod -aG dialout m, then start meterbridge again");
  EXPECT_THAT(advice("/dev/ttyUSB0 is absent: unplugged, or it has another name now"),
              HasSubstr("or name one that is there: /dev/serial/by-id/usb-a"));
  EXPECT_THAT(advice("gw:502: the name gw is unknown (x)"), HasSubstr("address in numbers"));
  EXPECT_THAT(advice("gw:502 refuses the connection: is the gateway's TCP server on?"),
              HasSubstr("TCP server on"));
  EXPECT_THAT(advice("gw:502 does not answer: is the gateway on?"), HasSubstr("ping"));
  EXPECT_THAT(advice("broker h:1883: connection refused: no broker listens there"),
              HasSubstr("row of the broker"));
  EXPECT_THAT(advice("something new"), HasSubstr("plug it in again"));
}

TEST(Diagnosis, BrokersAndSinksSayWhatToDoAndWhere) {
  const auto broker = [](std::string words) {
    return broker_advice(Error(Errc::access, std::move(words)), "bridges.far");
  };
  EXPECT_THAT(broker("the broker does not let us in without a user name and password"),
              AllOf(HasSubstr("`username`"), HasSubstr("(section bridges.far)")));
  EXPECT_THAT(broker("the broker refuses the login: wrong"), HasSubstr("compare `username`"));
  EXPECT_THAT(broker("connection refused: no broker listens there"), HasSubstr("8883"));
  EXPECT_THAT(broker("the broker's certificate comes from an unknown authority, \"x\""),
              HasSubstr("tls: {ca: FILE}"));
  EXPECT_THAT(broker("the certificate \"x\" of the broker has expired on 2020"),
              HasSubstr("renew"));
  const auto sink = [](std::string words) {
    return sink_advice(Error(Errc::io, std::move(words)), "sinks.csv");
  };
  EXPECT_THAT(sink("refuses the login: is the token right? (401)"), HasSubstr("the login"));
  EXPECT_THAT(sink("does not find database \"m\": create it there first"), HasSubstr("create it"));
  EXPECT_THAT(sink("the disk of /x is full: 0.0 MB are free"), HasSubstr("delete something"));
  // As the servers' own libraries say it.
  EXPECT_THAT(sink("db:3306/m: Access denied for user 'u'@'h' (using password: YES) (1045)"),
              HasSubstr("compare `username`"));
  EXPECT_THAT(sink("db:3306/m: Access denied for user 'u'@'h' to database 'm' (1044)"),
              HasSubstr("grant"));
  EXPECT_THAT(sink("db:3306/m: Unknown database 'm' (1049)"), HasSubstr("create the database"));
  EXPECT_THAT(sink("db:3306/m: Can't connect to server on 'db' (115) (2002)"),
              HasSubstr("start the server"));
  EXPECT_THAT(sink("db:5432/m: FATAL: password authentication failed for user \"u\""),
              HasSubstr("compare `username`"));
  EXPECT_THAT(sink("db:5432/m: FATAL: role \"u\" does not exist"), HasSubstr("create that user"));
  EXPECT_THAT(sink("db:5432/m: FATAL: database \"m\" does not exist"),
              HasSubstr("create the database"));
  EXPECT_THAT(sink("db:5432/m: permission denied for schema public (42501)"), HasSubstr("grant"));
  EXPECT_THAT(sink("something new"), HasSubstr("(section sinks.csv)"));
}

}  // namespace
}  // namespace meterbridge::app
