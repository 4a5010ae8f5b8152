/* xde
kind: table
description: How late each airline was, month by month
tags: [marts]
*/
SELECT
    f.carrier,
    a.name AS airline,
    CAST(date_trunc('month', f.flight_date) AS DATE) AS month,
    count(*) AS flights,
    count(*) FILTER (WHERE f.status = 'cancelled') AS cancelled,
    count(*) FILTER (WHERE f.status = 'diverted') AS diverted,
    round(avg(f.arrival_delay), 2) AS mean_delay,
    median(f.arrival_delay) AS median_delay,
    round(quantile_cont(f.arrival_delay, 0.9), 1) AS delay_of_worst_tenth,
    round(100.0 * count(*) FILTER (WHERE f.arrival_delay >= $late_minutes) / nullif(count(f.arrival_delay), 0), 2) AS late_percent
FROM staging.flights AS f
JOIN nyc.airlines AS a USING (carrier)
GROUP BY f.carrier, a.name, date_trunc('month', f.flight_date)
ORDER BY month, mean_delay DESC NULLS LAST, carrier
