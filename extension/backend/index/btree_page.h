#pragma once

#include "backend/pg.h"

/// Pages of B-trees, as they are read without the access method.
namespace parity::backend {

/// Checks that this is a B-tree page of a level (0: leaves), or one that was deleted: the items of others are no keys,
/// or no downlinks. May be called under the page's lock.
/// Errors: XX002 if it is not.
void check_btree_page(Relation index, Page page, BlockNumber block, uint32 level);

inline IndexTuple index_tuple_at(Page page, OffsetNumber at) {
    return reinterpret_cast<IndexTuple>(PageGetItem(page, PageGetItemId(page, at)));
}

}  // namespace parity::backend
