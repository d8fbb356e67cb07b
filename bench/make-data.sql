-- The tables that bench/run measures: psql -v rows=5000000 -f bench/make-data.sql
-- Nine mixed columns; `stale` holds the same rows and is never vacuumed, so that no page is all-visible.
DROP TABLE IF EXISTS bench, stale;
CREATE UNLOGGED TABLE bench (
    id bigint PRIMARY KEY,
    quantity int,
    name text,
    price numeric(12,2),
    created timestamptz,
    updated timestamptz,
    note text,       -- 60 bytes
    doc jsonb,       -- 120 bytes
    token uuid NOT NULL
) WITH (autovacuum_enabled = off);

INSERT INTO bench
SELECT n, (n * 7919) % 1000003, 'customer ' || n % 100000, (n % 1000000) / 100.0,
       timestamptz '2020-01-01 00:00+00' + n * interval '1 second',
       timestamptz '2024-01-01 00:00+00' + (n * 31 % 1000000) * interval '1 second',
       rpad(md5(n::text), 60, 'note '),
       jsonb_build_object('sku', 'S' || n % 10000, 'tags', jsonb_build_array('a', 'bb', 'ccc'), 'qty', n % 50, 'gift', n % 2 = 0, 'text', left(md5((n + 1)::text), 20)),
       md5(n::text || 'token')::uuid
FROM generate_series(1, :rows::bigint) n;
CREATE UNIQUE INDEX bench_token ON bench (token);

CREATE UNLOGGED TABLE stale (LIKE bench) WITH (autovacuum_enabled = off);
INSERT INTO stale SELECT * FROM bench;
ALTER TABLE stale ADD PRIMARY KEY (id);
SELECT count(*) AS rows_in_stale FROM stale;  -- sets the hint bits, and no page's all-visible flag

VACUUM (FREEZE, ANALYZE) bench;
ANALYZE stale;
CREATE EXTENSION IF NOT EXISTS pg_prewarm;
SELECT sum(pg_prewarm(c)) AS pages_prewarmed
FROM unnest(ARRAY['bench', 'bench_pkey', 'bench_token', 'stale', 'stale_pkey']::regclass[]) c;
