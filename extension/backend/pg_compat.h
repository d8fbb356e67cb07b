#pragma once

#include "backend/pg.h"

#include <algorithm>

/// Everything that depends on the server's version. The rest of the backend is written for the newest one; what older
/// ones lack is supplied here.

#if PG_VERSION_NUM >= 140000
extern "C" {
#include "utils/multirangetypes.h"
}
#else
#define MONEYOID CASHOID
#define PG_LSNOID LSNOID
#endif

#if PG_VERSION_NUM < 150000
#define BTPageGetOpaque(page) ((BTPageOpaque)PageGetSpecialPointer(page))
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

namespace parity::backend {

/// The level of a B-tree page, 0 for leaves.
inline uint32 page_level(BTPageOpaque opaque) {
#if PG_VERSION_NUM >= 140000
    return opaque->btpo_level;
#else
    return opaque->btpo.level;
#endif
}

/// The raw parse trees of an SQL text.
inline List* parse_sql(const char* text) {
#if PG_VERSION_NUM >= 140000
    return raw_parser(text, RAW_PARSE_DEFAULT);
#else
    return raw_parser(text);
#endif
}

/// Whether a column is computed when it is read, so that the heap does not hold it (PostgreSQL 18).
inline bool is_virtual_generated(Form_pg_attribute attribute) {
#if PG_VERSION_NUM >= 180000
    return attribute->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL;
#else
    return attribute != nullptr && false;
#endif
}

/// Whether no row has NULL in a column. Since PostgreSQL 18 attnotnull is also set where NOT NULL was never checked.
inline bool is_never_null(TupleDesc descriptor, int number) {
#if PG_VERSION_NUM >= 180000
    return TupleDescCompactAttr(descriptor, number)->attnullability == ATTNULLABLE_VALID;
#else
    return TupleDescAttr(descriptor, number)->attnotnull;
#endif
}

/// Whether numeric has infinities (PostgreSQL 14).
inline constexpr bool kNumericHasInfinity = PG_VERSION_NUM >= 140000;

/// Calls `walker` for the parts of a raw parse tree. Before PostgreSQL 16 the walker's type has no arguments.
inline bool walk_parse_tree(Node* node, bool (*walker)(Node*, void*), void* context) {
#if PG_VERSION_NUM >= 160000
    return raw_expression_tree_walker(node, walker, context);
#else
    auto* untyped = reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(walker));
    return raw_expression_tree_walker(node, untyped, context);
#endif
}

/// Valid UTF-8 in another encoding, in the current context; null where that cannot hold it.
inline char* convert_from_utf8(const char* text, int length, int encoding) {
    Oid conversion = FindDefaultConversionProc(PG_UTF8, encoding);
    if (!OidIsValid(conversion)) return nullptr;
#if PG_VERSION_NUM >= 140000
    Size room = static_cast<Size>(length) * MAX_CONVERSION_GROWTH + 1;
    char* converted = static_cast<char*>(palloc_extended(room, MCXT_ALLOC_HUGE));
    int done = pg_do_encoding_conversion_buf(
        conversion, PG_UTF8, encoding, reinterpret_cast<unsigned char*>(const_cast<char*>(text)), length,
        reinterpret_cast<unsigned char*>(converted), static_cast<int>(std::min<Size>(room, PG_INT32_MAX)), true);
    return done == length ? converted : nullptr;
#else
    return pg_any_to_server(text, length, PG_UTF8);
#endif
}

/// pg_type.typtype of a multirange type (PostgreSQL 14).
inline constexpr char kMultirangeTypeKind = 'm';

/// The range type that a multirange type is made of.
inline TypeCacheEntry* multirange_range_type(Oid multirange) {
#if PG_VERSION_NUM >= 140000
    return lookup_type_cache(get_multirange_range(multirange), TYPECACHE_RANGE_INFO);
#else
    elog(ERROR, "type %u is no multirange type", multirange);
#endif
}

/// The ranges of a multirange, in the current context; gives how many.
inline int32 split_multirange(TypeCacheEntry* range, Datum value, RangeType*** ranges) {
#if PG_VERSION_NUM >= 140000
    int32 count;
    multirange_deserialize(range, DatumGetMultirangeTypeP(value), &count, ranges);
    return count;
#else
    elog(ERROR, "type %u has no multirange type", range->type_id);
#endif
}

/// The number that names a relation's file, as pg_class has it.
inline Oid file_number(Form_pg_class relation) { return relation->relfilenode; }

/// Whether a partition is on its way out (DETACH CONCURRENTLY, PostgreSQL 14).
inline bool is_being_detached(Form_pg_inherits row) {
#if PG_VERSION_NUM >= 140000
    return row->inhdetachpending;
#else
    return row == nullptr;
#endif
}

/// Whether the role may read the whole relation.
inline bool may_select(Oid relation, Oid role) { return pg_class_aclcheck(relation, role, ACL_SELECT) == ACLCHECK_OK; }

}  // namespace parity::backend
