// SPDX-License-Identifier: MIT
// PostgreSQL's client library, loaded when it is first needed: linked, it and what it brings along
// (LDAP, Kerberos) would cost every house 4 MB of memory, used or not.
#pragma once

#include "core/result.hpp"

#include <libpq-fe.h>

namespace meterbridge::sink::postgresql {

struct Libpq {
  decltype(&::PQlibVersion) lib_version = nullptr;
  decltype(&::PQconnectStartParams) connect_start_params = nullptr;
  decltype(&::PQconnectPoll) connect_poll = nullptr;
  decltype(&::PQfinish) finish = nullptr;
  decltype(&::PQstatus) status = nullptr;
  decltype(&::PQsocket) socket = nullptr;
  decltype(&::PQerrorMessage) error_message = nullptr;
  decltype(&::PQsetNoticeProcessor) set_notice_processor = nullptr;
  decltype(&::PQsetnonblocking) setnonblocking = nullptr;
  decltype(&::PQsendQuery) send_query = nullptr;
  decltype(&::PQsendPrepare) send_prepare = nullptr;
  decltype(&::PQsendQueryPrepared) send_query_prepared = nullptr;
  decltype(&::PQflush) flush = nullptr;
  decltype(&::PQconsumeInput) consume_input = nullptr;
  decltype(&::PQisBusy) is_busy = nullptr;
  decltype(&::PQgetResult) get_result = nullptr;
  decltype(&::PQresultStatus) result_status = nullptr;
  decltype(&::PQresultErrorField) result_error_field = nullptr;
  decltype(&::PQresultErrorMessage) result_error_message = nullptr;
  decltype(&::PQntuples) ntuples = nullptr;
  decltype(&::PQnfields) nfields = nullptr;
  decltype(&::PQgetisnull) getisnull = nullptr;
  decltype(&::PQgetvalue) getvalue = nullptr;
  decltype(&::PQclear) clear = nullptr;
};

// Error: not_found, with what to install. Once loaded it stays.
Result<> load_libpq();
// After load_libpq() only.
[[nodiscard]] const Libpq& pq();

}  // namespace meterbridge::sink::postgresql
