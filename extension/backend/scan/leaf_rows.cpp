#include "backend/scan/leaf_rows.h"

#include "backend/memory.h"

namespace parity::backend {

AttrNumber number_in(Relation leaf, const TaskColumn& column) {
    AttrNumber number = get_attnum(RelationGetRelid(leaf), NameStr(column.name));
    if (number <= 0 || TupleDescAttr(RelationGetDescr(leaf), number - 1)->atttypid != column.type)
        elog(ERROR, "column \"%s\" is missing or of another type in \"%s\"", NameStr(column.name),
             RelationGetRelationName(leaf));
    return number;
}

LeafRows::LeafRows(const DigestTask& task, Relation leaf)
    : key_columns_(task.key.size()),
      columns_(task.key.size() + task.columns.size()),
      descriptor_(RelationGetDescr(leaf)),
      numbers_(allocate_array<AttrNumber>(CurrentMemoryContext, columns_ + 1)),
      stored_(allocate_array<Datum>(CurrentMemoryContext, static_cast<std::size_t>(descriptor_->natts) + 1)),
      stored_nulls_(allocate_array<bool>(CurrentMemoryContext, static_cast<std::size_t>(descriptor_->natts) + 1)),
      values_(allocate_array<Datum>(CurrentMemoryContext, columns_ + 1)),
      nulls_(allocate_array<bool>(CurrentMemoryContext, columns_ + 1)) {
    AttrNumber* number = numbers_;
    for (std::span<const TaskColumn> columns : {task.key, task.columns})
        for (const TaskColumn& column : columns) *number++ = number_in(leaf, column);
}

void LeafRows::hand_over(HeapTuple tuple, const RowConsumer& consumer) {
    if (consumer.admits && !consumer.admits(consumer.state, tuple->t_data)) return;
    for (std::size_t i = 0; i < key_columns_; ++i)
        values_[i] = heap_getattr(tuple, numbers_[i], descriptor_, &nulls_[i]);
    if (key_columns_ > 0 && !consumer.wants(consumer.state, values_, nulls_)) return;
    heap_deform_tuple(tuple, descriptor_, stored_, stored_nulls_);
    for (std::size_t i = key_columns_; i < columns_; ++i) {
        values_[i] = stored_[numbers_[i] - 1];
        nulls_[i] = stored_nulls_[numbers_[i] - 1];
    }
    consumer.consume(consumer.state, values_, nulls_);
}

}  // namespace parity::backend
