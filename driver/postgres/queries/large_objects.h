#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver/postgres/queries/query.h"

/// The part of all SQL (query.h) that is about large objects.
namespace parity::driver {

/// The oids of the catalogs that hold them, the same in every database.
inline constexpr std::uint32_t kLargeObjectMetadataOid = 2995;
inline constexpr std::uint32_t kLargeObjectPagesOid = 2613;

/// Whether the role may read pg_largeobject_metadata, and pg_largeobject.
Query large_object_privileges_query();

/// Of the large objects: their number, the bytes of a page, the bytes of pg_largeobject, about how many pages it has
/// (-1: unknown), the columns of pg_largeobject_metadata and of pg_largeobject as relation_sizes_query gives them.
Query large_objects_query();

/// Pages of these objects, in the order of object and page: loid oid, pageno integer, data bytea.
Query large_object_pages_query(const std::vector<std::uint32_t>& objects);
/// The same of all objects after `after`, up to `last`.
Query large_object_pages_query(std::uint32_t after, std::uint32_t last);

/// How many pages there are: one bigint.
Query large_object_page_count_query();

/// Which of these objects exist: oid, in no order.
Query existing_large_objects_query(const std::vector<std::uint32_t>& objects);

/// The oid of the `count`-th object after `after`, in the order of oids; no row: there are not so many.
Query large_object_after_query(std::uint32_t after, std::uint64_t count);

}  // namespace parity::driver
