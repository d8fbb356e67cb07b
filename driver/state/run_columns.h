#pragma once

#include <string>

#include "driver/state/run_store.h"

/// What every store of runs reads in the same way: columns by their positions from 0. `number(i)` gives an integer, and
/// `bytes(i)` a view of a text or a blob.
namespace parity::driver {

/// From the columns program, began_us, saved_us, request and head.
template <typename Number, typename Bytes>
RunRow run_from_columns(Number number, Bytes bytes) {
    RunRow run;
    run.program = bytes(0);
    run.began_us = number(1);
    run.saved_us = number(2);
    run.request = bytes(3);
    run.head = bytes(4);
    return run;
}

/// From the columns job, unit, attempt, state, source_lsn, target_lsn, plan, position, result, lower and upper.
template <typename Number, typename Bytes>
UnitRow unit_from_columns(Number number, Bytes bytes) {
    UnitRow unit;
    unit.job = number(0);
    unit.unit = number(1);
    unit.attempt = number(2);
    unit.state = static_cast<UnitState>(number(3));
    unit.lsn = {std::string(bytes(4)), std::string(bytes(5))};
    unit.plan = bytes(6);
    unit.position = bytes(7);
    unit.result = bytes(8);
    unit.span = {std::string(bytes(9)), std::string(bytes(10))};
    return unit;
}

}  // namespace parity::driver
