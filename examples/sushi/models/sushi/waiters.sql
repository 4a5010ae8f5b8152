/* xde
kind: ephemeral
description: Who served on which day
*/
SELECT DISTINCT waiter_id, event_date
FROM raw.orders
