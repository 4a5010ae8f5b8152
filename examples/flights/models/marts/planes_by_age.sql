/* xde
kind: table
description: Whether older planes are later, by age in the year of the flight
tags: [marts]
*/
WITH aged AS (
    SELECT
        f.tailnum,
        f.status,
        f.departure_delay,
        f.distance_miles,
        p.seats,
        CASE
            WHEN p.tailnum IS NULL THEN 'plane not described'
            WHEN p.built_year IS NULL THEN 'year not known'
            WHEN year(f.flight_date) - p.built_year < 5 THEN '00 to 04 years'
            WHEN year(f.flight_date) - p.built_year < 10 THEN '05 to 09 years'
            WHEN year(f.flight_date) - p.built_year < 15 THEN '10 to 14 years'
            WHEN year(f.flight_date) - p.built_year < 20 THEN '15 to 19 years'
            WHEN year(f.flight_date) - p.built_year < 25 THEN '20 to 24 years'
            ELSE '25 years and more'
        END AS age
    FROM staging.flights AS f
    LEFT JOIN staging.planes AS p ON p.tailnum = f.tailnum
    WHERE f.tailnum IS NOT NULL
)

SELECT
    age,
    count(DISTINCT tailnum) AS planes,
    count(*) AS flights,
    round(count(*) / count(DISTINCT tailnum), 1) AS flights_per_plane,
    round(avg(seats), 1) AS mean_seats,
    round(avg(distance_miles), 1) AS mean_distance_miles,
    round(avg(departure_delay), 2) AS mean_delay,
    round(100.0 * count(*) FILTER (WHERE departure_delay >= $late_minutes) / nullif(count(departure_delay), 0), 2) AS late_percent,
    round(100.0 * count(*) FILTER (WHERE status = 'cancelled') / count(*), 2) AS cancelled_percent
FROM aged
GROUP BY age
ORDER BY age
