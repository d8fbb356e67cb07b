#pragma once

#include <optional>

#include "driver/model/error.h"
#include "driver/salvage/damage.h"

namespace parity::driver {

/// How the survey of a table goes: one that finds nothing to read fails as the first attempt to read it did, because
/// then the matter is none of places.
class SurveyLog {
  public:
    /// Requires: `damage` outlives this.
    explicit SurveyLog(const Damage& damage) : damage_(damage) {}

    /// Takes a failure at a part of the table.
    /// Requires: it is called where `error` is caught.
    /// Throws: the same failure where it is not about something that cannot be read.
    void failed(const Error& error) {
        if (!damage_.explains(error)) throw;
        if (!first_failure_) first_failure_ = error;
    }

    /// Something could be read.
    void succeeded() { read_any_ = true; }

    /// Throws: the first failure where nothing could be read.
    void require_success() const {
        if (!read_any_ && first_failure_) throw *first_failure_;
    }

  private:
    const Damage& damage_;
    bool read_any_ = false;
    std::optional<Error> first_failure_;
};

}  // namespace parity::driver
