/* xde
kind: table
description: What is told of an order; the digest is another one when any of it changes
tags: [satellite]
*/
WITH keyed AS (
    SELECT order_key, order_date, status
    FROM surrogate_key(raw.orders, key := id, name := order_key)
)

SELECT order_key, row_digest, order_date, status, 'orders' AS record_source
FROM surrogate_key(keyed, key := (order_date, status), name := row_digest)
