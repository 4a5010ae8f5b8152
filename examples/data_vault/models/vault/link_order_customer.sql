/* xde
kind: table
description: Who made which order
tags: [link]
*/
WITH keyed AS (
    SELECT user_id, id, customer_key, order_key
    FROM surrogate_key(surrogate_key(raw.orders, key := user_id, name := customer_key), key := id, name := order_key)
)

SELECT order_customer_key, order_key, customer_key, 'orders' AS record_source
FROM surrogate_key(keyed, key := (id, user_id), name := order_customer_key)
