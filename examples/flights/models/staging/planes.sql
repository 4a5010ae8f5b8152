/* xde
kind: view
description: Planes of the registry
tags: [staging]
*/
SELECT
    tailnum,
    year AS built_year,
    type AS plane_type,
    manufacturer,
    model,
    engines,
    engine AS engine_type,
    seats
FROM nyc.planes
