-- What each step took, and who reads what it made. A number that nobody could tell is null; `alone` is 0 or 1.

CREATE TABLE xde_cost (
    run text NOT NULL,
    step text NOT NULL,
    environment text NOT NULL,
    dataset text NOT NULL,
    version text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    ended_at text NOT NULL,
    seconds double precision NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    rows_in bigint,
    bytes_in bigint,
    bytes_read bigint,
    memory bigint,
    spilled bigint,
    alone bigint NOT NULL,
    PRIMARY KEY (run, step)
);

-- A report walks over some days of one environment.
CREATE INDEX xde_cost_ended ON xde_cost (environment, ended_at);

-- How often each dataset was read, a row a day and way of reading.
CREATE TABLE xde_reads (
    environment text NOT NULL,
    dataset text NOT NULL,
    how text NOT NULL,
    day text NOT NULL,
    times bigint NOT NULL,
    last text NOT NULL,
    PRIMARY KEY (environment, dataset, how, day)
);

-- Up to which byte each journal of reads is counted already.
CREATE TABLE xde_reads_journal (
    journal text NOT NULL PRIMARY KEY,
    counted bigint NOT NULL
);
