-- Every query of the ledger, by name, with what it is for. SQLite and PostgreSQL both understand each of them
-- (but for the two that ask the catalogue); `:name` is a value.

-- name: tables_sqlite
-- Which tables the database has: none in a new one, strangers in a file that is not ours.
SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%';

-- name: tables_postgres
-- The same for PostgreSQL: ours only, for a database may well be shared.
SELECT relname FROM pg_catalog.pg_class WHERE relname = 'xde_migration' AND pg_catalog.pg_table_is_visible(oid);

-- name: lock_migrations_sqlite
-- Nothing to do: the transaction that migrates has locked the whole file.
SELECT 1;

-- name: lock_migrations_postgres
-- One process migrates at a time; the lock goes with the transaction. The number is the text `xde` in ASCII.
SELECT pg_advisory_xact_lock(7890021);

-- name: migrations
-- The numbers of the migrations that are done.
SELECT number FROM xde_migration ORDER BY number;

-- name: create_migrations
-- Where the numbers are kept.
CREATE TABLE IF NOT EXISTS xde_migration (number bigint NOT NULL PRIMARY KEY, name text NOT NULL);

-- name: add_migration
-- Said in the transaction of the migration itself.
INSERT INTO xde_migration (number, name) VALUES (:number, :name);

-- name: environments
-- Those that point at anything, are claimed or were deployed to.
SELECT environment FROM xde_pointer UNION SELECT environment FROM xde_claim WHERE owner <> ''
UNION SELECT environment FROM xde_deployment;

-- name: pointers
-- Dataset and version, for an environment.
SELECT dataset, version FROM xde_pointer WHERE environment = :environment ORDER BY dataset;

-- name: put_pointer
-- Point a dataset at a version.
INSERT INTO xde_pointer (environment, dataset, version, at) VALUES (:environment, :dataset, :version, :at)
ON CONFLICT (environment, dataset) DO UPDATE SET version = excluded.version, at = excluded.at;

-- name: drop_pointer
-- Take a dataset out of an environment.
DELETE FROM xde_pointer WHERE environment = :environment AND dataset = :dataset;

-- name: drop_pointers
-- Before all are read anew from the lake.
DELETE FROM xde_pointer;

-- name: drop_environment
-- Every pointer of an environment.
DELETE FROM xde_pointer WHERE environment = :environment;

-- name: put_deployment
-- Put down a deployment; one that has the number already is an error, for a number is given under the claim.
INSERT INTO xde_deployment (environment, number, at, author, plan, definitions, pointers, note, facts)
VALUES (:environment, :number, :at, :author, :plan, :definitions, :pointers, :note, :facts);

-- name: deployments
-- The newest deployments of an environment, newest first.
SELECT environment, number, at, author, plan, definitions, note, pointers, facts FROM xde_deployment
WHERE environment = :environment ORDER BY number DESC LIMIT :most;

-- name: drop_deployments
-- All that were made to an environment.
DELETE FROM xde_deployment WHERE environment = :environment;

-- name: drop_all_deployments
-- Before all are read anew from the lake.
DELETE FROM xde_deployment;

-- name: states
-- The mirrors of all tables.
SELECT dataset, version, number, rows, bytes, at, facts FROM xde_state ORDER BY dataset, version;

-- name: state
-- The mirror of one table.
SELECT dataset, version, number, rows, bytes, at, facts FROM xde_state WHERE dataset = :dataset AND version = :version;

-- name: put_state
-- Mirror a table, unless a newer snapshot is mirrored already: two processes may tell of their commits in the wrong order.
INSERT INTO xde_state (dataset, version, number, rows, bytes, at, facts)
VALUES (:dataset, :version, :number, :rows, :bytes, :at, :facts)
ON CONFLICT (dataset, version) DO UPDATE
SET number = excluded.number, rows = excluded.rows, bytes = excluded.bytes, at = excluded.at, facts = excluded.facts
WHERE excluded.number >= xde_state.number;

-- name: drop_state
-- Drop the mirror of a table.
DELETE FROM xde_state WHERE dataset = :dataset AND version = :version;

-- name: drop_states
-- Before all are read anew from the lake.
DELETE FROM xde_state;

-- name: take_claim
-- Take a claim that is free or has run out, or take one's own again, with the next fence. It changes one row or none, and
-- on PostgreSQL holds the row's lock while it looks: of many who race, one wins.
INSERT INTO xde_claim (environment, owner, run, fence, until) VALUES (:environment, :owner, :run, 1, :until)
ON CONFLICT (environment) DO UPDATE
SET owner = excluded.owner, run = excluded.run, fence = xde_claim.fence + 1, until = excluded.until
WHERE xde_claim.owner = '' OR xde_claim.until <= :now
    OR (xde_claim.owner = excluded.owner AND xde_claim.run = excluded.run);

-- name: claim
-- Who holds the claim of an environment, run out or not.
SELECT environment, owner, run, fence, until FROM xde_claim WHERE environment = :environment AND owner <> '';

-- name: renew_claim
-- Hold a claim for longer, if it is still the same one.
UPDATE xde_claim SET until = :until WHERE environment = :environment AND owner = :owner AND run = :run AND fence = :fence;

-- name: release_claim
-- Give a claim back, if it is still the same one. The row stays, with its fence.
UPDATE xde_claim SET owner = '', run = '', until = '' WHERE environment = :environment AND owner = :owner AND run = :run AND fence = :fence;

-- name: put_run
-- Write or overwrite a run.
INSERT INTO xde_run (run, environment, plan, status, started_at, ended_at, fence)
VALUES (:run, :environment, :plan, :status, :started_at, :ended_at, :fence)
ON CONFLICT (run) DO UPDATE
SET environment = excluded.environment, plan = excluded.plan, status = excluded.status, started_at = excluded.started_at,
    ended_at = excluded.ended_at, fence = excluded.fence;

-- name: runs
-- The newest runs of an environment, newest first.
SELECT run, environment, plan, status, started_at, ended_at, fence FROM xde_run
WHERE environment = :environment ORDER BY started_at DESC, run DESC LIMIT :most;

-- name: put_step
-- Write or overwrite a step of a run.
INSERT INTO xde_step (run, step, kind, dataset, version, status, started_at, ended_at, attempt, rows, bytes, letters, seconds, reason, facts)
VALUES (:run, :step, :kind, :dataset, :version, :status, :started_at, :ended_at, :attempt, :rows, :bytes, :letters, :seconds, :reason, :facts)
ON CONFLICT (run, step) DO UPDATE
SET kind = excluded.kind, dataset = excluded.dataset, version = excluded.version, status = excluded.status,
    started_at = excluded.started_at, ended_at = excluded.ended_at, attempt = excluded.attempt, rows = excluded.rows,
    bytes = excluded.bytes, letters = excluded.letters, seconds = excluded.seconds, reason = excluded.reason, facts = excluded.facts;

-- name: put_last_done
-- Keep a done step that did work for estimates, unless a later one is kept already.
INSERT INTO xde_last_done (run, step, kind, dataset, version, status, started_at, ended_at, attempt, rows, bytes, letters, seconds, reason, facts)
VALUES (:run, :step, :kind, :dataset, :version, :status, :started_at, :ended_at, :attempt, :rows, :bytes, :letters, :seconds, :reason, :facts)
ON CONFLICT (dataset) DO UPDATE
SET run = excluded.run, step = excluded.step, kind = excluded.kind, version = excluded.version, status = excluded.status,
    started_at = excluded.started_at, ended_at = excluded.ended_at, attempt = excluded.attempt, rows = excluded.rows,
    bytes = excluded.bytes, letters = excluded.letters, seconds = excluded.seconds, reason = excluded.reason, facts = excluded.facts
WHERE excluded.ended_at >= xde_last_done.ended_at;

-- name: steps
-- The steps of a run, in order of start.
SELECT run, step, kind, dataset, version, status, started_at, ended_at, attempt, rows, bytes, letters, seconds, reason, facts
FROM xde_step WHERE run = :run ORDER BY started_at, step;

-- name: unfinished
-- Steps that were started and never ended.
SELECT run, step, kind, dataset, version, status, started_at, ended_at, attempt, rows, bytes, letters, seconds, reason, facts
FROM xde_step WHERE status = 'running' ORDER BY started_at, run, step;

-- name: last_done
-- The last done step of every dataset.
SELECT run, step, kind, dataset, version, status, started_at, ended_at, attempt, rows, bytes, letters, seconds, reason, facts
FROM xde_last_done;

-- name: put_cost
-- Keep what a step took. The environment is that of its run.
INSERT INTO xde_cost (run, step, environment, dataset, version, kind, status, ended_at, seconds, rows, bytes, rows_in, bytes_in, bytes_read,
    memory, spilled, alone)
VALUES (:run, :step, coalesce((SELECT environment FROM xde_run WHERE run = :run), :environment), :dataset, :version, :kind, :status, :ended_at,
    :seconds, :rows, :bytes, :rows_in, :bytes_in, :bytes_read, :memory, :spilled, :alone)
ON CONFLICT (run, step) DO UPDATE
SET environment = excluded.environment, dataset = excluded.dataset, version = excluded.version, kind = excluded.kind,
    status = excluded.status, ended_at = excluded.ended_at, seconds = excluded.seconds, rows = excluded.rows, bytes = excluded.bytes,
    rows_in = excluded.rows_in, bytes_in = excluded.bytes_in, bytes_read = excluded.bytes_read, memory = excluded.memory,
    spilled = excluded.spilled, alone = excluded.alone;

-- name: add_cost
-- What the lake says that a step took, unless we know it ourselves, and better: a commit cannot tell of its own last moments.
INSERT INTO xde_cost (run, step, environment, dataset, version, kind, status, ended_at, seconds, rows, bytes, rows_in, bytes_in, bytes_read,
    memory, spilled, alone)
VALUES (:run, :step, :environment, :dataset, :version, :kind, :status, :ended_at, :seconds, :rows, :bytes, :rows_in, :bytes_in, :bytes_read,
    :memory, :spilled, :alone)
ON CONFLICT (run, step) DO NOTHING;

-- name: costs
-- What the steps of some environments took since a moment, in order of time.
SELECT run, step, environment, dataset, version, kind, status, ended_at, seconds, rows, bytes, rows_in, bytes_in, bytes_read, memory, spilled, alone
FROM xde_cost WHERE environment = :environment AND ended_at >= :since ORDER BY ended_at, run, step;

-- name: count_journal
-- Say that a journal is counted up to a byte, if it is counted up to where we began: of two who count the same piece, one wins.
INSERT INTO xde_reads_journal (journal, counted) VALUES (:journal, :end)
ON CONFLICT (journal) DO UPDATE SET counted = excluded.counted WHERE xde_reads_journal.counted = :start;

-- name: journals
-- Up to which byte each journal is counted.
SELECT journal, counted FROM xde_reads_journal;

-- name: drop_journal
-- Of a journal whose file is gone.
DELETE FROM xde_reads_journal WHERE journal = :journal;

-- name: add_reads
-- Add to the reads of a day.
INSERT INTO xde_reads (environment, dataset, how, day, times, last) VALUES (:environment, :dataset, :how, :day, :times, :last)
ON CONFLICT (environment, dataset, how, day) DO UPDATE
SET times = xde_reads.times + excluded.times, last = CASE WHEN excluded.last > xde_reads.last THEN excluded.last ELSE xde_reads.last END;

-- name: reads
-- Who read the datasets of an environment, by day.
SELECT environment, dataset, how, day, times, last FROM xde_reads WHERE environment = :environment ORDER BY dataset, day, how;
