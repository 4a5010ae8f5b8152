-- The first tables. Written in the words that SQLite and PostgreSQL share.

-- Which version of a dataset an environment shows.
CREATE TABLE xde_pointer (
    environment text NOT NULL,
    dataset text NOT NULL,
    version text NOT NULL,
    at text NOT NULL,
    PRIMARY KEY (environment, dataset)
);

-- The mirror of the lake: what the newest commit of each version of a dataset said. Facts are JSON text.
CREATE TABLE xde_state (
    dataset text NOT NULL,
    version text NOT NULL,
    number bigint NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    at text NOT NULL,
    facts text NOT NULL,
    PRIMARY KEY (dataset, version)
);

-- Who may change an environment. A row is never deleted, for its fence must only grow; an empty owner means free.
CREATE TABLE xde_claim (
    environment text NOT NULL PRIMARY KEY,
    owner text NOT NULL,
    run text NOT NULL,
    fence bigint NOT NULL,
    until text NOT NULL
);

CREATE TABLE xde_run (
    run text NOT NULL PRIMARY KEY,
    environment text NOT NULL,
    plan text NOT NULL,
    status text NOT NULL,
    started_at text NOT NULL,
    ended_at text,
    fence bigint NOT NULL
);

CREATE INDEX xde_run_newest ON xde_run (environment, started_at);

CREATE TABLE xde_step (
    run text NOT NULL,
    step text NOT NULL,
    kind text NOT NULL,
    dataset text NOT NULL,
    version text NOT NULL,
    status text NOT NULL,
    started_at text NOT NULL,
    ended_at text,
    attempt bigint NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    letters bigint NOT NULL,
    seconds double precision NOT NULL,
    reason text NOT NULL,
    facts text NOT NULL,
    PRIMARY KEY (run, step)
);

-- What a crash left is looked for at every start: it must not cost a walk over all history.
CREATE INDEX xde_step_running ON xde_step (run) WHERE status = 'running';

-- The last done step of each dataset, kept apart so that an estimate never walks over history, and outlives it.
CREATE TABLE xde_last_done (
    dataset text NOT NULL PRIMARY KEY,
    run text NOT NULL,
    step text NOT NULL,
    kind text NOT NULL,
    version text NOT NULL,
    status text NOT NULL,
    started_at text NOT NULL,
    ended_at text NOT NULL,
    attempt bigint NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    letters bigint NOT NULL,
    seconds double precision NOT NULL,
    reason text NOT NULL,
    facts text NOT NULL
);
