/* xde
kind: view
description: Who sold most on the last day
*/
SELECT waiter_id, revenue
FROM sushi.waiter_revenue_by_day
WHERE event_date IN (SELECT max(event_date) FROM sushi.waiter_revenue_by_day)
ORDER BY revenue DESC, waiter_id
LIMIT $best_waiters
