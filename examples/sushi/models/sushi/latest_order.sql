/* xde
kind: table
description: An order of the last day, the one with the lowest number
*/
SELECT id, customer_id, start_ts, end_ts, event_date
FROM raw.orders
ORDER BY event_date DESC, id
LIMIT 1
