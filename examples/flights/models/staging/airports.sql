/* xde
kind: view
description: Airports of the United States with their zones
tags: [staging]
*/
SELECT
    faa AS airport,
    name AS airport_name,
    lat AS latitude,
    lon AS longitude,
    alt AS altitude_feet,
    tzone AS zone
FROM nyc.airports
