/* xde
kind: table
description: Delay of departures against the weather at the airport in the hour they were due
tags: [marts]
*/
WITH flown_weather AS (
    SELECT
        f.status,
        f.departure_delay,
        CASE
            WHEN w.wind_mph IS NULL THEN 'not measured'
            WHEN w.wind_mph < 8 THEN '1: below 8 mph'
            WHEN w.wind_mph < 19 THEN '2: 8 to 19 mph'
            WHEN w.wind_mph < 32 THEN '3: 19 to 32 mph'
            ELSE '4: 32 mph and more'
        END AS wind,
        CASE
            WHEN w.rain_inches IS NULL THEN 'not measured'
            WHEN w.rain_inches = 0 THEN '1: dry'
            WHEN w.rain_inches < 0.1 THEN '2: below 0.1 inch an hour'
            WHEN w.rain_inches < 0.3 THEN '3: 0.1 to 0.3 inch an hour'
            ELSE '4: 0.3 inch an hour and more'
        END AS rain,
        CASE
            WHEN w.visibility_miles IS NULL THEN 'not measured'
            WHEN w.visibility_miles < 1 THEN '4: below 1 mile'
            WHEN w.visibility_miles < 3 THEN '3: 1 to 3 miles'
            WHEN w.visibility_miles < 10 THEN '2: 3 to 10 miles'
            ELSE '1: 10 miles and more'
        END AS visibility,
        CASE
            WHEN w.temperature_f IS NULL THEN 'not measured'
            WHEN w.temperature_f < 32 THEN '1: below 32 °F'
            WHEN w.temperature_f < 59 THEN '2: 32 to 59 °F'
            WHEN w.temperature_f < 86 THEN '3: 59 to 86 °F'
            ELSE '4: 86 °F and more'
        END AS temperature
    FROM staging.flights AS f
    LEFT JOIN staging.weather AS w ON w.airport = f.origin AND w.observed_hour = f.scheduled_hour
),

by_measure AS (
    SELECT 'wind' AS measure, wind AS band, status, departure_delay FROM flown_weather
    UNION ALL
    SELECT 'rain' AS measure, rain AS band, status, departure_delay FROM flown_weather
    UNION ALL
    SELECT 'visibility' AS measure, visibility AS band, status, departure_delay FROM flown_weather
    UNION ALL
    SELECT 'temperature' AS measure, temperature AS band, status, departure_delay FROM flown_weather
)

SELECT
    measure,
    band,
    count(*) AS flights,
    round(avg(departure_delay), 2) AS mean_delay,
    median(departure_delay) AS median_delay,
    round(100.0 * count(*) FILTER (WHERE departure_delay >= $late_minutes) / nullif(count(departure_delay), 0), 2) AS late_percent,
    round(100.0 * count(*) FILTER (WHERE status = 'cancelled') / count(*), 2) AS cancelled_percent
FROM by_measure
GROUP BY measure, band
ORDER BY measure, band
