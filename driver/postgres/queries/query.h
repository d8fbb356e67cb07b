#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

/// All SQL that the driver sends. Nothing here runs anything.
///
/// Every relation, function and type is qualified, and values travel as parameters. Operators are found through
/// search_path, which pin_session_statements() pins before anything else runs. What a statement cannot take as a
/// parameter (the names in LOCK TABLE, the values in SET) is quoted by quote_identifier() and quote_literal()
/// (quoting.h).
namespace parity::driver {

/// A parameter of a query: its text or binary form, or nothing for NULL. The server infers or is told the type in the
/// SQL.
struct Parameter {
    Parameter() = default;
    Parameter(std::string text) : value(std::move(text)) {}
    Parameter(const char* text) : value(text) {}
    Parameter(std::nullopt_t) {}
    static Parameter binary(std::string bytes) {
        Parameter parameter(std::move(bytes));
        parameter.is_binary = true;
        return parameter;
    }
    bool operator==(const Parameter&) const = default;

    std::optional<std::string> value;
    bool is_binary = false;
};

/// A statement and its parameters, as Connection::query and Connection::stream take them.
struct Query {
    std::string sql;
    std::vector<Parameter> parameters;
};

}  // namespace parity::driver
