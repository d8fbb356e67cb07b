#include "driver/postgres/queries/range_condition.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/bounds.h"
#include "core/decimal.h"
#include "core/order.h"
#include "driver/postgres/queries/quoting.h"
#include "driver/text/printable.h"
#include "driver/text/show.h"

namespace parity::driver {
namespace {

using core::Form;

/// A type whose native order is its form's, and the type that every canonical value of the form fits into.
struct NativeOrder {
    std::string_view type;
    Form form;
    std::string_view literal;
};

constexpr NativeOrder kNativeOrders[] = {
    {"int2", Form::kInt, "int8"},
    {"int4", Form::kInt, "int8"},
    {"int8", Form::kInt, "int8"},
    {"float4", Form::kFloat, "float8"},
    {"float8", Form::kFloat, "float8"},
    {"numeric", Form::kDecimal, "numeric"},
    {"bytea", Form::kBytes, "bytea"},
    {"uuid", Form::kUuid, "uuid"},
    {"date", Form::kDate, "date"},
    {"time", Form::kTime, "time"},
    {"timestamp", Form::kTimestamp, "timestamp"},
    {"timestamptz", Form::kTimestamptz, "timestamptz"},
};

/// Texts are compared byte by byte, whatever the column's collation; an index serves only where its collation is "C".
constexpr std::string_view kTexts[] = {"text", "varchar", "bpchar"};

const NativeOrder* native_order(const ConditionColumn& column) {
    const auto* found = std::find_if(std::begin(kNativeOrders), std::end(kNativeOrders), [&](const NativeOrder& order) {
        return order.type == column.type && order.form == column.form;
    });
    return found == std::end(kNativeOrders) ? nullptr : found;
}

bool is_text(const ConditionColumn& column) {
    return column.utf8 && column.form == Form::kText &&
           std::find(std::begin(kTexts), std::end(kTexts), column.type) != std::end(kTexts);
}

std::string left_operand(const ConditionColumn& column) {
    return is_text(column) ? fmt::format("({})::pg_catalog.text COLLATE pg_catalog.\"C\"", column.expression)
                           : column.expression;
}

/// Versions before 14 have no infinite numeric, whatever the other side has.
bool is_infinite(core::ByteView decimal) {
    const auto kind = static_cast<core::DecimalKind>(decimal.front());
    return kind == core::DecimalKind::kInfinity || kind == core::DecimalKind::kMinusInfinity;
}

/// A canonical value as a literal, or nothing where SQL cannot hold it.
std::optional<std::string> literal(const ConditionColumn& column, core::ByteView canonical) {
    if (is_text(column)) {
        const std::string_view text = core::as_text(canonical);
        if (!is_utf8(text) || text.find('\0') != std::string_view::npos) return std::nullopt;
        return quote_literal(text) + "::pg_catalog.text";
    }
    if (column.form == Form::kDecimal && (!core::fits_numeric(canonical) || is_infinite(canonical)))
        return std::nullopt;
    std::string text = render_canonical(column.form, canonical);
    return fmt::format("{}::pg_catalog.{}", quote_literal(text), native_order(column)->literal);
}

/// The first column's value of a key bound: nothing where the bytes are none, or it is NULL.
std::optional<core::ByteView> first_value(const ConditionColumn& column, std::string_view bound) {
    if (bound.empty() || static_cast<std::uint8_t>(bound.front()) != core::kKeyBound) return std::nullopt;
    const auto value = core::FrameReader(core::as_bytes(bound.substr(1))).next(column.form);
    return value && !value->null ? std::optional(value->bytes) : std::nullopt;
}

/// The first column of a row compared with that of a bound; nothing where the bound has no value that SQL can hold.
std::optional<std::string> comparison(const ConditionColumn& column, std::string_view operation,
                                      std::string_view bound) {
    const std::optional<core::ByteView> value = first_value(column, bound);
    const std::optional<std::string> text = value ? literal(column, *value) : std::nullopt;
    if (!text) return std::nullopt;
    return fmt::format("{} {} {}", left_operand(column), operation, *text);
}

std::string or_null(const ConditionColumn& column, const std::string& condition) {
    return column.not_null ? condition : fmt::format("{} OR {} IS NULL", condition, column.expression);
}

}  // namespace

bool has_conditions(const ConditionColumn& column) { return is_text(column) || native_order(column); }

/// The cast of a bpchar is a call of a function.
bool is_served_by_index(const ConditionColumn& column, bool in_c) {
    return has_conditions(column) && (!is_text(column) || (in_c && column.type != "bpchar"));
}

/// NULLs come after every value: a range without an upper bound that is a value may hold some.
std::optional<std::string> range_condition(const ConditionColumn& column, std::string_view lower,
                                           std::string_view upper) {
    if (!has_conditions(column)) return std::nullopt;
    const std::optional<std::string> above = comparison(column, ">=", lower), below = comparison(column, "<=", upper);
    if (above && below) return fmt::format("{} AND {}", *above, *below);
    if (below) return below;
    return above ? std::optional(or_null(column, *above)) : std::nullopt;
}

std::vector<std::string> share_conditions(const ConditionColumn& column, const std::vector<std::string>& bounds,
                                          std::size_t shares) {
    if (!has_conditions(column)) return {};
    std::vector<std::string> cuts;
    for (std::size_t share = 1; share < shares && !bounds.empty(); ++share) {
        const std::string& bound = bounds[share * bounds.size() / shares];
        const bool rises = cuts.empty() || are_apart(column, cuts.back(), bound);
        if (rises && comparison(column, "<", bound)) cuts.push_back(bound);
    }
    std::vector<std::string> conditions;
    for (std::size_t i = 0; i < cuts.size(); ++i) {
        const std::string below = *comparison(column, "<", cuts[i]);
        conditions.push_back(i == 0 ? below : fmt::format("{} AND {}", *comparison(column, ">=", cuts[i - 1]), below));
    }
    if (!cuts.empty()) conditions.push_back(or_null(column, *comparison(column, ">=", cuts.back())));
    return conditions;
}

bool are_apart(const ConditionColumn& column, std::string_view upper, std::string_view lower) {
    if (!has_conditions(column)) return false;
    const std::optional<core::ByteView> below = first_value(column, upper), from = first_value(column, lower);
    return below && from && literal(column, *below) && literal(column, *from) &&
           core::compare_values(column.form, *below, *from) < 0;
}

}  // namespace parity::driver
