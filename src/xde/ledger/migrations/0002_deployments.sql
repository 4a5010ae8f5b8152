-- What was deployed to an environment, and which versions it showed from then on. Pointers and facts are JSON text.
CREATE TABLE xde_deployment (
    environment text NOT NULL,
    number bigint NOT NULL,
    at text NOT NULL,
    author text NOT NULL,
    plan text NOT NULL,
    definitions text NOT NULL,
    pointers text NOT NULL,
    note text NOT NULL,
    facts text NOT NULL,
    PRIMARY KEY (environment, number)
);
