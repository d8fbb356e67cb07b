#include "backend/task/column_choice.h"

#include <algorithm>

#include "backend/memory.h"
#include "backend/task/arguments.h"
#include "backend/task/key_choice.h"
#include "backend/values/text.h"

namespace parity::backend {
namespace {

[[noreturn]] void raise_no_column(Relation relation, const char* name) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("column \"%s\" of relation \"%s\" does not exist", name,
                                                              RelationGetRelationName(relation))));
    pg_unreachable();
}

AttrNumber find_column(Relation relation, const char* name) {
    AttrNumber number = get_attnum(RelationGetRelid(relation), name);
    if (number <= 0) raise_no_column(relation, name);
    return number;
}

/// The reader of the form asked for (null: the type's default form).
ColumnReader choose_reader(Relation relation, Form_pg_attribute attribute, const char* wanted) {
    const char* name = NameStr(attribute->attname);
    std::optional<ColumnReader> reader = default_reader(attribute->atttypid);
    if (!reader)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("column \"%s\" of relation \"%s\" is not comparable: type %s has no form", name,
                               RelationGetRelationName(relation), format_type_be(attribute->atttypid)),
                        errhint("Name the columns to digest; parity.forms() shows which are comparable.")));
    if (wanted) reader = find_reader(attribute->atttypid, wanted);
    if (!reader)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("column \"%s\" of type %s cannot be digested as \"%s\"", name,
                               format_type_be(attribute->atttypid), wanted),
                        errhint("parity.forms() shows the forms that each column has.")));
    guard_reader(*reader, attribute->atttypid, column_label(name));
    return *reader;
}

TaskColumn make_column(Relation relation, AttrNumber number, Jsonb* forms) {
    Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), number - 1);
    const char* wanted = requested_form(forms, NameStr(attribute->attname));
    return {number, attribute->attname, attribute->atttypid, attribute->attcollation,
            choose_reader(relation, attribute, wanted)};
}

/// Collects columns and refuses repetitions.
class ColumnList {
  public:
    ColumnList(Relation relation, Jsonb* forms)
        : relation_(relation),
          forms_(forms),
          columns_(allocate_array<TaskColumn>(CurrentMemoryContext,
                                              static_cast<std::size_t>(RelationGetDescr(relation)->natts) + 1)) {}

    bool has(AttrNumber number) const {
        return std::any_of(columns_, columns_ + count_, [number](const TaskColumn& c) { return c.number == number; });
    }
    void add(AttrNumber number) {
        if (has(number))
            ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN),
                            errmsg("column \"%s\" is named more than once",
                                   NameStr(TupleDescAttr(RelationGetDescr(relation_), number - 1)->attname))));
        columns_[count_++] = make_column(relation_, number, forms_);
    }
    std::span<const TaskColumn> from(std::size_t first) const { return {columns_ + first, count_ - first}; }
    std::size_t count() const { return count_; }
    void sort_by_name(std::size_t first) {
        std::sort(columns_ + first, columns_ + count_, [](const TaskColumn& a, const TaskColumn& b) {
            core::ByteView x = server_text_to_utf8(core::as_bytes(NameStr(a.name)));
            core::ByteView y = server_text_to_utf8(core::as_bytes(NameStr(b.name)));
            return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
        });
    }

  private:
    Relation relation_;
    Jsonb* forms_;
    TaskColumn* columns_;
    std::size_t count_ = 0;
};

/// Every name in `forms` must be a column; an overlooked misspelling would change what is compared.
void check_form_names(Relation relation, Jsonb* forms) {
    if (!forms) return;
    if (!JB_ROOT_IS_OBJECT(forms))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("forms must be an object from column names to form names")));
    JsonbIterator* iterator = JsonbIteratorInit(&forms->root);
    JsonbValue value;
    JsonbIteratorToken token;
    while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
        if (token == WJB_KEY)
            (void)find_column(relation, pnstrdup(value.val.string.val, static_cast<Size>(value.val.string.len)));
}

void add_key(Relation relation, ArrayType* key_columns, ColumnList& list) {
    if (!key_columns) {
        for (AttrNumber number : find_key(relation).columns) list.add(number);
        return;
    }
    std::span<char* const> names = text_array(key_columns, "key_columns");
    for (char* name : names) list.add(find_column(relation, name));
}

void add_columns(Relation relation, ArrayType* columns, ColumnList& list) {
    if (columns) {
        for (char* name : text_array(columns, "columns")) list.add(find_column(relation, name));
        return;
    }
    std::size_t first = list.count();
    TupleDesc descriptor = RelationGetDescr(relation);
    for (int i = 0; i < descriptor->natts; ++i)
        if (!TupleDescAttr(descriptor, i)->attisdropped && !list.has(static_cast<AttrNumber>(i + 1)))
            list.add(static_cast<AttrNumber>(i + 1));
    list.sort_by_name(first);
}

}  // namespace

const char* requested_form(Jsonb* forms, const char* column) {
    if (!forms) return nullptr;
    JsonbValue key;
    key.type = jbvString;
    key.val.string.val = const_cast<char*>(column);
    key.val.string.len = static_cast<int>(strlen(column));
    JsonbValue* value = findJsonbValueFromContainer(&forms->root, JB_FOBJECT, &key);
    if (!value) return nullptr;
    if (value->type != jbvString)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the form of column \"%s\" must be a name", column),
                 errhint("parity.forms() shows the forms that each column has.")));
    return utf8_string(value->val.string.val, static_cast<std::size_t>(value->val.string.len));
}

ChosenColumns choose_columns(Relation relation, ArrayType* key_columns, ArrayType* columns, Jsonb* forms) {
    check_form_names(relation, forms);
    ColumnList list(relation, forms);
    add_key(relation, key_columns, list);
    std::size_t key_count = list.count();
    add_columns(relation, columns, list);
    return {list.from(0).first(key_count), list.from(key_count)};
}

}  // namespace parity::backend
