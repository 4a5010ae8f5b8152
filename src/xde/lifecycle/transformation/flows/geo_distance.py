"""How far two places on the earth are from each other."""

from __future__ import annotations

from xde.kernel.graph.flows.kinds import Expression, Name, Relation
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow

RADIUS_KM = 6371.0088
"""The mean radius of the earth (IUGG 1980, R1)."""

PICTURE = Picture(
    "geo_distance(air.legs, latitude := a_lat, longitude := a_lon, other_latitude := b_lat, other_longitude := b_lon)",
    {
        "air.legs": table("""
            leg VARCHAR | a_lat DOUBLE | a_lon DOUBLE | b_lat DOUBLE | b_lon DOUBLE
            pole        | 0            | 0            | 90           | 0
            none        | 52.0         | 4.4          | 52.0         | 4.4
            half        | 10           |              | 0            | 0
        """)
    },
    table("""
        leg VARCHAR | a_lat DOUBLE | a_lon DOUBLE | b_lat DOUBLE | b_lon DOUBLE | distance_km DOUBLE
        pole        | 0            | 0            | 90           | 0            | 10007.55722101796
        none        | 52.0         | 4.4          | 52.0         | 4.4          | 0
        half        | 10           |              | 0            | 0            |
    """),
)


@flow(picture=PICTURE)
def geo_distance(
    rows: Relation,
    *,
    latitude: Expression,
    longitude: Expression,
    other_latitude: Expression,
    other_longitude: Expression,
    name: Name | None = None,
) -> str:
    """Add the distance in kilometres between two places, along a great circle.

    The haversine formula on a ball of the earth's mean radius: up to 0.5 % beside the true distance on the flattened earth. Places are
    in degrees, north and east positive. NULL where a coordinate is NULL.

    latitude: of the one place
    longitude: of the one place
    other_latitude: of the other
    other_longitude: of the other
    name: what the new column is called; `distance_km` if not given
    """
    rise = f"power(sin(radians({other_latitude} - {latitude}) / 2), 2)"
    run = f"power(sin(radians({other_longitude} - {longitude}) / 2), 2)"
    chord = f"{rise} + cos(radians({latitude})) * cos(radians({other_latitude})) * {run}"
    # rounding may give a little more than 1, which has no arc; `least` would do, but takes NULL for nothing
    return f"""
        SELECT * EXCLUDE (__flow_chord),
            2 * {RADIUS_KM} * asin(sqrt(CASE WHEN __flow_chord > 1 THEN 1 ELSE __flow_chord END)) AS {name or "distance_km"}
        FROM (SELECT *, {chord} AS __flow_chord FROM {rows} AS __flow_input) AS __flow_measured
    """
