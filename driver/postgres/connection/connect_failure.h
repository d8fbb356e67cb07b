#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>

#include "driver/model/error.h"

namespace parity::driver {

/// What libpq says of a connection that could not be made, with PQERRORS_VERBOSE.
struct ConnectMessage {
    std::string text;      ///< one line, without what only PostgreSQL's developers need
    std::string sqlstate;  ///< of the last server that answered with an error; empty: none did
};

/// Reads PQerrorMessage(). The SQLSTATE is known by its place and shape, as the words are in the server's language.
ConnectMessage read_connect_message(std::string_view message);

/// The error for a connection that failed, with what the user can do about it.
/// `reached`: a server took the connection before it failed.
Error connect_error(const std::string& server, PGconn* conn, bool reached);

}  // namespace parity::driver
