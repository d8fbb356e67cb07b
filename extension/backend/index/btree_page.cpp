#include "backend/index/btree_page.h"

#include "backend/pg_compat.h"

namespace parity::backend {

void check_btree_page(Relation index, Page page, BlockNumber block, uint32 level) {
    if (!PageIsNew(page) && PageGetSpecialSize(page) == MAXALIGN(sizeof(BTPageOpaqueData))) {
        BTPageOpaque opaque = BTPageGetOpaque(page);
        if (P_ISDELETED(opaque) || page_level(opaque) == level) return;
    }
    ereport(ERROR,
            (errcode(ERRCODE_INDEX_CORRUPTED),
             errmsg("index \"%s\" contains an unexpected page at block %u", RelationGetRelationName(index), block),
             errhint("REINDEX it if the error stays.")));
}

}  // namespace parity::backend
