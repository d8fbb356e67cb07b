#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "driver/model/error.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/queries/session.h"

namespace parity::driver {

/// How many relations one query describes, and how many sequences one query reads.
inline constexpr std::size_t kBatch = 200;

/// Calls `visit` with kBatch elements after the other.
template <typename Element, typename Visit>
void for_each_batch(const std::vector<Element>& elements, Visit visit) {
    for (std::size_t begin = 0; begin < elements.size(); begin += kBatch) {
        const auto first = elements.begin() + static_cast<std::ptrdiff_t>(begin);
        const auto last = elements.begin() + static_cast<std::ptrdiff_t>(std::min(begin + kBatch, elements.size()));
        visit(std::vector<Element>(first, last));
    }
}

/// Whether reading an object may have failed because of the object alone: not where the connection, the transaction or
/// the statement's time is gone, and not for a lock or a conflict, which another attempt may not meet.
bool may_be_of_one_object(const Error& error);

/// Calls `read` with `elements` within a savepoint of the open transaction, which goes on whatever happens.
/// Returns: false where `read` failed for one of the elements (may_be_of_one_object()), with `failure`.
/// Throws: any other error of `read`.
template <typename Element, typename Read>
bool read_within_savepoint(Connection& connection, const std::vector<Element>& elements, Read read,
                           std::optional<Error>& failure) {
    connection.query(savepoint_statement());
    try {
        read(elements);
    } catch (const Error& error) {
        if (!may_be_of_one_object(error)) throw;
        connection.query(rollback_to_savepoint_statement());
        failure = error;
    }
    connection.query(release_savepoint_statement());
    return !failure;
}

/// Calls `read` with kBatch elements after the other. Where a batch fails for one of them, each is read by itself, and
/// `fail` is called with those that fail and with the error: they are no reason why the others should not be read.
/// Requires: `read` begins each time with nothing.
template <typename Element, typename Read, typename Fail>
void read_batches(Connection& connection, const std::vector<Element>& elements, Read read, Fail fail) {
    for_each_batch(elements, [&](const std::vector<Element>& batch) {
        std::optional<Error> failure;
        if (read_within_savepoint(connection, batch, read, failure)) return;
        for (const Element& element : batch) {
            failure.reset();
            if (!read_within_savepoint(connection, std::vector<Element>{element}, read, failure))
                fail(element, *failure);
        }
    });
}

}  // namespace parity::driver
