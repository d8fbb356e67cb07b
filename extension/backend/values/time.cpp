#include "backend/values/time.h"

namespace parity::backend {
namespace {

[[noreturn]] void raise_out_of_range(const char* what) {
    ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("%s out of range", what)));
    pg_unreachable();
}

}  // namespace

pg_tz* find_zone(const char* name) {
    bool full = strchr(name, '/') || strcmp(name, "UTC") == 0;
    pg_tz* zone = full ? pg_tzset(name) : nullptr;
    if (!zone || !pg_tz_acceptable(zone))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("time zone \"%s\" not recognized", name),
                        errhint("Use UTC or a full name of pg_timezone_names that has a slash, like Europe/Berlin.")));
    return zone;
}

Timestamp midnight_of(DateADT date) {
    if (DATE_IS_NOBEGIN(date)) return DT_NOBEGIN;
    if (DATE_IS_NOEND(date)) return DT_NOEND;
    Timestamp midnight;
    if (__builtin_mul_overflow(Timestamp{date}, USECS_PER_DAY, &midnight) || !IS_VALID_TIMESTAMP(midnight))
        raise_out_of_range("date as timestamp");
    return midnight;
}

TimestampTz instant_of_reading(Timestamp reading, pg_tz* zone) {
    if (TIMESTAMP_NOT_FINITE(reading)) return reading;
    struct pg_tm parts;
    fsec_t fraction;
    TimestampTz instant;
    if (timestamp2tm(reading, nullptr, &parts, &fraction, nullptr, zone) != 0) raise_out_of_range("timestamp");
    int offset = DetermineTimeZoneOffset(&parts, zone);
    if (tm2timestamp(&parts, fraction, &offset, &instant) != 0 || !IS_VALID_TIMESTAMP(instant))
        raise_out_of_range("timestamp");
    return instant;
}

Timestamp reading_of_instant(TimestampTz instant, pg_tz* zone) {
    if (TIMESTAMP_NOT_FINITE(instant)) return instant;
    struct pg_tm parts;
    fsec_t fraction;
    int offset;
    Timestamp reading;
    if (timestamp2tm(instant, &offset, &parts, &fraction, nullptr, zone) != 0 ||
        tm2timestamp(&parts, fraction, nullptr, &reading) != 0 || !IS_VALID_TIMESTAMP(reading))
        raise_out_of_range("timestamp");
    return reading;
}

}  // namespace parity::backend
