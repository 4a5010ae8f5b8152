/* xde
kind: table
description: Every order that any source knows by number, with the first of the sources by name
tags: [hub]
*/
WITH known AS (
    SELECT id AS order_id, 'orders' AS record_source FROM raw.orders
    UNION ALL
    SELECT order_id, 'payments' AS record_source FROM raw.payments
)

SELECT order_key, order_id, record_source
FROM normalise(known, key := order_id, columns := record_source, name := order_key)
