/* xde
kind: table
description: Every customer that any source knows by number, with the first of the sources by name
tags: [hub]
*/
WITH known AS (
    SELECT id AS customer_id, 'customers' AS record_source FROM raw.customers
    UNION ALL
    SELECT user_id AS customer_id, 'orders' AS record_source FROM raw.orders
)

SELECT customer_key, customer_id, record_source
FROM normalise(known, key := customer_id, columns := record_source, name := customer_key)
