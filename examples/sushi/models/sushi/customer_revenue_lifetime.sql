/* xde
kind: table
description: What each customer has spent up to a day, for every day since the first visit
*/
-- A table, not by intervals: what comes late for one day changes all days after it.
WITH opening AS (
    SELECT min(event_date) AS first_day, max(event_date) AS last_day
    FROM sushi.customer_revenue_by_day
),

midnights AS (
    SELECT unnest(generate_series(first_day, last_day, INTERVAL 1 DAY)) AS midnight
    FROM opening
),

days AS (
    SELECT CAST(midnight AS DATE) AS event_date
    FROM midnights
),

guests AS (
    SELECT customer_id, min(event_date) AS first_visit
    FROM sushi.customer_revenue_by_day
    GROUP BY customer_id
)

SELECT
    g.customer_id,
    CAST(sum(coalesce(r.revenue, 0)) OVER (PARTITION BY g.customer_id ORDER BY d.event_date) AS DECIMAL(12, 2)) AS revenue,
    d.event_date
FROM guests AS g
CROSS JOIN days AS d
LEFT JOIN sushi.customer_revenue_by_day AS r ON r.customer_id = g.customer_id AND r.event_date = d.event_date
WHERE d.event_date >= g.first_visit
