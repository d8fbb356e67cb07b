#pragma once

#include "backend/pg.h"

#include "core/bytes.h"

/// OIDs that stand for something with a name: docs/digest-format.md, section 2.8.
namespace parity::backend {

/// The label of an enum value.
/// Errors: 22P03 for an OID that is no enum value.
void append_enum_label(Oid value, core::ByteSink& sink);

/// The name, qualified with its schema where it has one, of what a value of a reg* type stands for. A number for what
/// does not exist, "-" for 0.
void append_object_name(Oid type, Oid value, core::ByteSink& sink);

}  // namespace parity::backend
