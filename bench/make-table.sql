-- One table of nine mixed columns with a primary key and a unique index over a random uuid, vacuumed and prewarmed:
-- psql -v table=bench -v rows=5000000 -f bench/make-table.sql
DROP TABLE IF EXISTS :"table";
CREATE UNLOGGED TABLE :"table" (
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

INSERT INTO :"table"
SELECT n, (n * 7919) % 1000003, 'customer ' || n % 100000, (n % 1000000) / 100.0,
       timestamptz '2020-01-01 00:00+00' + n * interval '1 second',
       timestamptz '2024-01-01 00:00+00' + (n * 31 % 1000000) * interval '1 second',
       rpad(md5(n::text), 60, 'note '),
       jsonb_build_object('sku', 'S' || n % 10000, 'tags', jsonb_build_array('a', 'bb', 'ccc'), 'qty', n % 50, 'gift', n % 2 = 0, 'text', left(md5((n + 1)::text), 20)),
       md5(n::text || 'token')::uuid
FROM generate_series(1, :rows::bigint) n;

ALTER TABLE :"table" ADD UNIQUE (token);
VACUUM (FREEZE, ANALYZE) :"table";
CREATE EXTENSION IF NOT EXISTS pg_prewarm;
SELECT sum(pg_prewarm(c)) AS pages_prewarmed
FROM (SELECT :'table'::regclass AS c UNION ALL SELECT indexrelid FROM pg_index WHERE indrelid = :'table'::regclass) relations;
