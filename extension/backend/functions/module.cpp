#include "backend/pg.h"

#include "backend/settings.h"
#include "core/digest.h"

extern "C" {
PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);
PG_FUNCTION_INFO_V1(parity_format_version);
}

void _PG_init(void) { parity::backend::define_settings(); }

Datum parity_format_version(PG_FUNCTION_ARGS) { PG_RETURN_INT32(parity::core::kFormatVersion); }
