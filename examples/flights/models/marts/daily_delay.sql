/* xde
kind: incremental
time: flight_date
lookback: 3 days
description: How each airport did, day by day
tags: [marts]
*/
SELECT
    f.flight_date,
    f.origin,
    count(*) AS flights,
    count(*) FILTER (WHERE f.status = 'cancelled') AS cancelled,
    round(avg(f.departure_delay), 2) AS mean_departure_delay,
    round(avg(f.arrival_delay), 2) AS mean_delay,
    max(f.arrival_delay) AS worst_delay,
    round(100.0 * count(*) FILTER (WHERE f.arrival_delay >= $late_minutes) / nullif(count(f.arrival_delay), 0), 2) AS late_percent,
    round(max(w.wind_mph), 1) AS strongest_wind_mph,
    max(w.rain_inches) AS heaviest_rain_inches
FROM staging.flights AS f
LEFT JOIN staging.weather AS w ON w.airport = f.origin AND w.observed_hour = f.scheduled_hour
GROUP BY f.flight_date, f.origin
