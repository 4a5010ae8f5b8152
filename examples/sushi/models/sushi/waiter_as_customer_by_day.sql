/* xde
kind: incremental
time: event_date
description: On which days did those serve who are customers too
*/
SELECT
    w.waiter_id,
    n.name AS waiter_name,
    1 AS flag,
    w.event_date
FROM sushi.waiters AS w
JOIN sushi.customers AS c ON c.customer_id = w.waiter_id
JOIN sushi.waiter_names AS n ON n.id = w.waiter_id
