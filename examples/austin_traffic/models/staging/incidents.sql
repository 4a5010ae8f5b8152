/* xde
kind: table
description: Each incident as it stands, its times as moments of UTC
*/
WITH read AS (
    SELECT
        report_id,
        CAST(strptime(published_date, '%m/%d/%Y %I:%M:%S %p %z') AS TIMESTAMPTZ) AS published_at,
        CAST(strptime(status_date, '%m/%d/%Y %I:%M:%S %p %z') AS TIMESTAMPTZ) AS status_at,
        issue,
        status,
        latitude,
        longitude,
        address
    FROM austin.incidents
)

SELECT *
FROM read
QUALIFY row_number() OVER (
    PARTITION BY report_id
    ORDER BY status_at DESC, published_at DESC, status DESC, issue, latitude, longitude, address
) = 1
