/* xde
kind: incremental
time: event_date
description: What each waiter sold on a day
*/
SELECT
    o.waiter_id,
    CAST(sum(l.amount) AS DECIMAL(12, 2)) AS revenue,
    o.event_date
FROM raw.orders AS o
LEFT JOIN staging.order_lines AS l ON l.order_id = o.id AND l.event_date = o.event_date
GROUP BY o.waiter_id, o.event_date
