#pragma once

#include <cstdint>
#include <vector>

#include "driver/postgres/queries/query.h"

/// The part of all SQL (query.h) about what planning a query may run.
namespace parity::driver {

/// Functions that the planner of a query over these relations may run, with the rights of whoever asks, although a role
/// that has fewer can make them do anything; nothing where this session's role has no rights that would matter to that
/// (owners_code.cpp). One row a relation at most: oid, function, its owner, what uses it.
Query owners_code_query(const std::vector<std::uint32_t>& oids);

}  // namespace parity::driver
