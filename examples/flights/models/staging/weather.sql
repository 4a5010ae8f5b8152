/* xde
kind: view
description: Hourly weather at the airports, by its moment in UTC
tags: [staging]
*/
SELECT
    origin AS airport,
    time_hour AS observed_hour,
    temp AS temperature_f,
    dewp AS dew_point_f,
    humid AS humidity_percent,
    wind_dir AS wind_from_degrees,
    wind_speed AS wind_mph,
    wind_gust AS gust_mph,
    precip AS rain_inches,
    pressure AS pressure_mb,
    visib AS visibility_miles
FROM nyc.weather
