
--
-- records: removing them
--

CREATE FUNCTION parity_internal.record_trim() RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    days integer;
    removed integer;
BEGIN
    -- The module defines this setting, its default and who may change it. Calling one of its functions loads it.
    PERFORM parity.format_version();
    days := current_setting('parity.history_days')::integer;
    -- The last result of a table stays, however old it is, and so does the last identical one: parity.status needs
    -- both. Results of parts do not stay, because each part that somebody once looked at would leave a line for ever.
    -- The label of a baseline tells what it is about.
    WITH ended AS (
        SELECT t.relation, r.kind, r.target, parity_internal.record_about(r.kind, t.scope) AS about, t.run_id,
            t.status, t.finished
        FROM parity.run_table t JOIN parity.run r ON r.id = t.run_id
        WHERE t.finished IS NOT NULL AND (t.scope - 'target_relation' = '{}' OR r.kind = 'baseline')
          AND NOT t.details ?| '{dropped,left_out}'
    ), kept AS (
        (SELECT DISTINCT ON (relation, kind, target, about) run_id FROM ended WHERE status <> 'skipped'
         ORDER BY relation, kind, target, about, finished DESC, run_id DESC)
        UNION
        (SELECT DISTINCT ON (relation, kind, target, about) run_id FROM ended WHERE status = 'identical'
         ORDER BY relation, kind, target, about, finished DESC, run_id DESC)
    )
    DELETE FROM parity.run r
    WHERE days > 0 AND r.finished < clock_timestamp() - make_interval(days => days)
      AND r.id NOT IN (SELECT run_id FROM kept);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
COMMENT ON FUNCTION parity_internal.record_trim() IS
    'removes the runs that ended more than parity.history_days ago, but for each table''s last and last identical one '
    '(of the whole table); gives their number';

-- Removes the results about a table that is not verified any more, or about a name that was mistyped. A role that could
-- not have recorded a result about rows cannot remove it either. Runs that go on stay.
CREATE FUNCTION parity.forget(relation text, kind text, target text) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    runs bigint[];
    tables bigint;
    removed bigint;
BEGIN
    PERFORM parity_internal.record_require_values(jsonb_build_object('kind', kind, 'target', target), '{kind,target}');
    PERFORM parity_internal.record_dead_runs();
    PERFORM parity_internal.record_require_read(t.relation, t.scope)
    FROM parity.run_table t JOIN parity.run r ON r.id = t.run_id
    WHERE r.kind = kind AND r.target = target AND r.finished IS NOT NULL AND (relation IS NULL OR t.relation = relation)
      AND t.status IN ('identical', 'divergent', 'in_flight');
    WITH gone AS (
        DELETE FROM parity.run_table t USING parity.run r
        WHERE r.id = t.run_id AND r.kind = kind AND r.target = target AND r.finished IS NOT NULL
            AND (relation IS NULL OR t.relation = relation)
        RETURNING t.run_id
    )
    SELECT count(*), coalesce(array_agg(run_id), '{}') INTO tables, runs FROM gone;
    -- A run without tables would get a line of its own.
    WITH gone AS (
        DELETE FROM parity.run r
        WHERE r.kind = kind AND r.target = target AND r.finished IS NOT NULL AND (relation IS NULL OR r.id = ANY (runs))
          AND NOT EXISTS (SELECT FROM parity.run_table t WHERE t.run_id = r.id)
        RETURNING r.id
    )
    SELECT tables + count(*) INTO removed FROM gone WHERE id <> ALL (runs);
    RAISE LOG USING MESSAGE = format('%s results of %s against %s (%s) were removed', removed,
        coalesce(relation, 'all tables'), target, kind);
    RETURN removed;
END
$$;
COMMENT ON FUNCTION parity.forget(text, text, text) IS
    'removes what parity.status says of a table (NULL: of all) of this kind and target, with the results behind it, '
    'and gives the number of results';
