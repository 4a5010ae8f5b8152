/* xde
kind: incremental
time: scheduled_hour
description: Flights with a key, and with moments in UTC in place of local clock readings
tags: [staging]
*/
-- By the scheduled hour, because it is a copy of a column of the source: a delivery then touches the days that it holds and no
-- others, however late it comes.
WITH scheduled AS (
    SELECT
        f.*,
        a.tzone AS dest_zone,
        make_timestamp(f.year, f.month, f.day, f.hour, f.minute, 0) AT TIME ZONE 'America/New_York' AS scheduled_departure_at
    FROM nyc.flights AS f
    LEFT JOIN nyc.airports AS a ON a.faa = f.dest
),

-- What was recorded is a clock at the airport of landing. A flight lands when that clock first shows the reading after the
-- departure; `2400` is the midnight that ends the day.
landing_clocks AS (
    SELECT
        *,
        scheduled_departure_at + to_minutes(dep_delay) AS departed_at,
        date_trunc('day', scheduled_departure_at AT TIME ZONE dest_zone) AS dest_day,
        date_trunc('day', (scheduled_departure_at + to_minutes(dep_delay)) AT TIME ZONE dest_zone) AS dest_day_of_departure,
        to_minutes(sched_arr_time // 100 * 60 + sched_arr_time % 100) AS scheduled_clock,
        to_minutes(arr_time // 100 * 60 + arr_time % 100) AS landing_clock
    FROM scheduled
),

landings AS (
    SELECT
        *,
        CASE
            WHEN (dest_day + scheduled_clock) AT TIME ZONE dest_zone > scheduled_departure_at
                THEN (dest_day + scheduled_clock) AT TIME ZONE dest_zone
            ELSE (dest_day + INTERVAL 1 DAY + scheduled_clock) AT TIME ZONE dest_zone
        END AS scheduled_arrival_at,
        CASE
            WHEN (dest_day_of_departure + landing_clock) AT TIME ZONE dest_zone > departed_at
                THEN (dest_day_of_departure + landing_clock) AT TIME ZONE dest_zone
            ELSE (dest_day_of_departure + INTERVAL 1 DAY + landing_clock) AT TIME ZONE dest_zone
        END AS first_landing_at
    FROM landing_clocks
)

SELECT
    carrier || flight || '-' || origin || '-' || make_date(year, month, day) AS flight_id,
    make_date(year, month, day) AS flight_date,
    carrier,
    flight AS flight_number,
    tailnum,
    origin,
    dest,
    CASE WHEN dep_time IS NULL THEN 'cancelled' WHEN arr_delay IS NULL THEN 'diverted' ELSE 'arrived' END AS status,
    scheduled_departure_at,
    departed_at,
    scheduled_arrival_at,
    -- The delay tells which of the two hours it was that show the same clock when clocks go back.
    coalesce(scheduled_arrival_at + to_minutes(arr_delay), first_landing_at) AS arrived_at,
    dep_delay AS departure_delay,
    arr_delay AS arrival_delay,
    air_time AS air_minutes,
    distance AS distance_miles,
    dep_time AS departure_clock,
    arr_time AS arrival_clock,
    dest_zone,
    time_hour AS scheduled_hour
FROM landings
