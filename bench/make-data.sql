-- The tables that bench/run measures: psql -v rows=5000000 -f bench/make-data.sql
-- `stale` holds the same rows as `bench` and is never vacuumed, so that no page is all-visible.
\set table bench
\ir make-table.sql

DROP TABLE IF EXISTS stale;
CREATE UNLOGGED TABLE stale (LIKE bench) WITH (autovacuum_enabled = off);
INSERT INTO stale SELECT * FROM bench;
ALTER TABLE stale ADD PRIMARY KEY (id);
SELECT count(*) AS rows_in_stale FROM stale;  -- sets the hint bits, and no page's all-visible flag
ANALYZE stale;
SELECT sum(pg_prewarm(c)) AS pages_prewarmed FROM unnest(ARRAY['stale', 'stale_pkey']::regclass[]) c;
