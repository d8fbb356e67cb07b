#pragma once

#include "backend/pg.h"

/// Dates and times under another type's form: docs/digest-format.md, section 2.9. Infinity stays infinity.
/// Errors: 22008 from each of them for a result that the form does not hold.
namespace parity::backend {

/// The zone of a full name ("Europe/Berlin", "UTC"); lives as long as the process.
/// Errors: 22023 for any other name: abbreviations mean what the settings of a server say.
pg_tz* find_zone(const char* name);

/// Midnight of a date.
Timestamp midnight_of(DateADT date);

/// The instant at which clocks in a zone show a reading, as AT TIME ZONE has it: of two instants the later one; a
/// reading that clocks skip is read with the offset in force before the change.
TimestampTz instant_of_reading(Timestamp reading, pg_tz* zone);

/// What clocks in a zone show at an instant.
Timestamp reading_of_instant(TimestampTz instant, pg_tz* zone);

}  // namespace parity::backend
