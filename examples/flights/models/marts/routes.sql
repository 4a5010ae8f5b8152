/* xde
kind: table
description: Every pair of airports that was flown, who flies it and how long it takes
tags: [marts]
*/
SELECT
    f.origin,
    f.dest,
    a.airport_name AS dest_name,
    min(f.distance_miles) AS distance_miles,
    count(*) AS flights,
    count(DISTINCT f.carrier) AS airlines,
    mode(f.carrier ORDER BY f.carrier) AS main_carrier,
    round(100.0 * count(*) FILTER (WHERE f.status = 'cancelled') / count(*), 2) AS cancelled_percent,
    round(avg(f.air_minutes), 1) AS mean_air_minutes,
    round(avg(date_diff('minute', f.departed_at, f.arrived_at)) FILTER (WHERE f.status = 'arrived'), 1) AS mean_gate_to_gate_minutes,
    round(60.0 * sum(f.distance_miles) FILTER (WHERE f.air_minutes IS NOT NULL) / sum(f.air_minutes), 1) AS mean_speed_mph,
    round(avg(f.arrival_delay), 2) AS mean_delay,
    round(100.0 * count(*) FILTER (WHERE f.arrival_delay >= $late_minutes) / nullif(count(f.arrival_delay), 0), 2) AS late_percent
FROM staging.flights AS f
LEFT JOIN staging.airports AS a ON a.airport = f.dest
GROUP BY f.origin, f.dest, a.airport_name
ORDER BY flights DESC, origin, dest
