#pragma once

#include "backend/pg.h"

#include <span>

#include "core/bytes.h"

/// SQL arguments as spans in the current context.
namespace parity::backend {

/// The elements of a one-dimensional text[] as C strings. `what` names the argument.
/// Errors: 22004 for a NULL element.
std::span<char* const> text_array(ArrayType* array, const char* what);

/// The elements of a bytea[].
std::span<const core::ByteView> bytea_array(ArrayType* array, const char* what);

/// The same in the order of their bytes, and whether one is among those.
std::span<const core::ByteView> sorted_bytea_array(ArrayType* array, const char* what);
bool is_among(std::span<const core::ByteView> sorted, core::ByteView bytes);

/// The elements of an integer[].
std::span<const int32> int_array(ArrayType* array, const char* what);

/// An argument that may be NULL or left out.
inline ArrayType* optional_array(FunctionCallInfo fcinfo, int argument) {
    return PG_ARGISNULL(argument) ? nullptr : PG_GETARG_ARRAYTYPE_P(argument);
}

/// A number of parallel workers.
/// Returns: a number below 0 where the argument is NULL.
/// Errors: 22023 where it is no such number.
int workers_argument(FunctionCallInfo fcinfo, int argument);

/// Opens the relation that an argument names, under AccessShareLock.
/// Errors: 42P01 where it is gone.
Relation open_argument(Oid relation);

/// What the library's code takes a function of the SQL script to be.
struct FunctionShape {
    int arguments;
    int columns;
};

/// The descriptor of a function's result.
/// Errors: 55000 where the function that was created in SQL has another shape: the extension's objects are then of
/// another version than the library, whose code would read and write past their ends.
TupleDesc result_descriptor(FunctionCallInfo fcinfo, FunctionShape shape);

/// Starts a result that is handed over whole, and sets `*store`. `bytes` is what its rows take, about, where that is
/// known.
/// Returns: its result_descriptor().
TupleDesc begin_result(FunctionCallInfo fcinfo, FunctionShape shape, Tuplestorestate** store, std::size_t bytes = 0);

}  // namespace parity::backend
