#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "driver/model/inventory.h"
#include "driver/postgres/connection/session.h"

namespace parity::driver {

/// Opens the transaction that the catalogs are read in, and reads in it what there is to know about the server but what
/// is about the extension.
void read_server_facts(Session& session, ServerInfo& server);

/// Reads a timeline's history file: a line for each timeline before it, with where its log ended, oldest first.
/// Returns: nothing where a line is no such line.
std::optional<std::vector<LogSwitch>> parse_log_history(std::string_view text);

/// CatalogReader::relations_mark(), in the open transaction.
std::string read_relations_mark(Session& session);

}  // namespace parity::driver
