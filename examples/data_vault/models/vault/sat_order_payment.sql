/* xde
kind: table
description: The payments of an order, in dollars; a satellite with several rows for each order
tags: [satellite]
*/
SELECT
    order_key,
    id AS payment_id,
    payment_method,
    CAST(amount / 100 AS DECIMAL(12, 2)) AS amount,
    'payments' AS record_source
FROM surrogate_key(raw.payments, key := order_id, name := order_key)
