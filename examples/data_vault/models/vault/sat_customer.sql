/* xde
kind: table
description: What is told of a customer; the digest is another one when any of it changes
tags: [satellite]
*/
WITH keyed AS (
    SELECT customer_key, first_name, last_name
    FROM surrogate_key(raw.customers, key := id, name := customer_key)
)

SELECT customer_key, row_digest, first_name, last_name, 'customers' AS record_source
FROM surrogate_key(keyed, key := (first_name, last_name), name := row_digest)
