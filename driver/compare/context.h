#pragma once

#include "driver/engine/server.h"
#include "driver/model/options.h"
#include "driver/monitor/observer.h"
#include "driver/salvage/dead_letter_count.h"
#include "driver/state/findings.h"

namespace parity::driver {

/// What all tables of a run share. Everything pointed to is thread-safe.
struct RunContext {
    const Options* options = nullptr;
    TableReaderSettings settings;
    FindingStore* findings = nullptr;
    Observer* observer = nullptr;
    DeadLetterCount* dead_letters = nullptr;
};

}  // namespace parity::driver
