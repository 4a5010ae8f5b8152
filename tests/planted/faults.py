"""Faults that people really make, planted into copies of the example models: each is a piece of SQL and what somebody wrote instead."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """`right` stands in the model exactly once; `kind` is the family that its trade knows it by."""

    kind: str
    says: str
    example: str
    model: str
    right: str
    wrong: str


JAFFLE, FLIGHTS, AUSTIN = "jaffle_shop", "flights", "austin_traffic"

FAULTS = (
    Fault("lost rows", "orders that nobody paid are lost", JAFFLE, "marts.orders", "LEFT JOIN paid AS p", "JOIN paid AS p"),
    Fault(
        "lost rows",
        "only orders that are worth something are kept",
        JAFFLE,
        "marts.orders",
        "USING (order_id)",
        "USING (order_id) WHERE p.amount > 0",
    ),
    Fault("lost rows", "customers who never paid are lost", JAFFLE, "marts.customers", "LEFT JOIN paid AS p", "JOIN paid AS p"),
    Fault(
        "lost rows",
        "flights to airports that nobody describes are lost",
        FLIGHTS,
        "staging.flights",
        "LEFT JOIN nyc.airports",
        "JOIN nyc.airports",
    ),
    Fault("lost rows", "days without weather are lost", FLIGHTS, "marts.daily_delay", "LEFT JOIN staging.weather", "JOIN staging.weather"),
    Fault(
        "lost rows",
        "equal flights are counted once",
        FLIGHTS,
        "marts.delay_by_weather",
        "FROM flown_weather\n    UNION ALL\n    SELECT 'rain'",
        "FROM flown_weather\n    UNION\n    SELECT 'rain'",
    ),
    Fault(
        "fan-out join",
        "an order counts once for each of its payments",
        JAFFLE,
        "marts.customers",
        "    FROM staging.orders\n",
        "    FROM staging.orders JOIN staging.payments USING (order_id)\n",
    ),
    Fault(
        "fan-out join",
        "a customer comes once for each day with an order",
        JAFFLE,
        "marts.customers",
        "    FROM staging.orders\n    GROUP BY customer_id",
        "    FROM staging.orders\n    GROUP BY customer_id, order_date",
    ),
    Fault(
        "fan-out join",
        "every flight meets every airline",
        FLIGHTS,
        "marts.carrier_delay",
        "JOIN nyc.airlines AS a USING (carrier)",
        "JOIN nyc.airlines AS a ON true",
    ),
    Fault(
        "fan-out join",
        "a flight meets the weather of every hour",
        FLIGHTS,
        "marts.daily_delay",
        " AND w.observed_hour = f.scheduled_hour",
        "",
    ),
    Fault(
        "fan-out join",
        "payments are not added up before they are joined",
        JAFFLE,
        "marts.orders",
        "    GROUP BY order_id\n",
        "    GROUP BY order_id, payment_method\n",
    ),
    Fault(
        "null keys",
        "planes without a tail number become one plane",
        FLIGHTS,
        "marts.planes_by_age",
        "    WHERE f.tailnum IS NOT NULL\n",
        "",
    ),
    Fault("null keys", "what was not paid is NULL and not 0", JAFFLE, "marts.orders", "coalesce(p.amount, 0)", "p.amount"),
    Fault(
        "null keys",
        "who never ordered has ordered NULL times",
        JAFFLE,
        "marts.customers",
        "coalesce(o.number_of_orders, 0)",
        "o.number_of_orders",
    ),
    Fault(
        "null keys",
        "cancelled flights take part in the percentage",
        FLIGHTS,
        "marts.carrier_delay",
        "nullif(count(f.arrival_delay), 0)",
        "count(*)",
    ),
    Fault("off by one", "late from 16 minutes on", FLIGHTS, "marts.carrier_delay", ">= $late_minutes", "> $late_minutes"),
    Fault("off by one", "a wind of 8 mph is below 8 mph", FLIGHTS, "marts.delay_by_weather", "w.wind_mph < 8 ", "w.wind_mph <= 8 "),
    Fault("off by one", "a plane of five years is one of four", FLIGHTS, "marts.planes_by_age", "p.built_year < 5 ", "p.built_year <= 5 "),
    Fault(
        "off by one",
        "who is due on the next day arrives before leaving",
        FLIGHTS,
        "staging.flights",
        "(dest_day + INTERVAL 1 DAY + scheduled_clock)",
        "(dest_day + scheduled_clock)",
    ),
    Fault(
        "time zones",
        "clocks of New York are read as UTC",
        FLIGHTS,
        "staging.flights",
        "AT TIME ZONE 'America/New_York'",
        "AT TIME ZONE 'UTC'",
    ),
    Fault(
        "time zones",
        "the arrival is read by the clock of New York",
        FLIGHTS,
        "staging.flights",
        "THEN (dest_day_of_departure + landing_clock) AT TIME ZONE dest_zone",
        "THEN (dest_day_of_departure + landing_clock) AT TIME ZONE 'America/New_York'",
    ),
    Fault(
        "time zones",
        "the offset is passed over, and the session's zone decides",
        AUSTIN,
        "staging.incidents",
        "strptime(status_date, '%m/%d/%Y %I:%M:%S %p %z')",
        "strptime(status_date, '%m/%d/%Y %I:%M:%S %p +0000')",
    ),
    Fault("integer division", "cents are lost", JAFFLE, "staging.payments", "amount / 100", "amount // 100"),
    Fault(
        "integer division",
        "half flights are lost in an average",
        FLIGHTS,
        "marts.planes_by_age",
        "count(*) / count(DISTINCT tailnum)",
        "count(*) // count(DISTINCT tailnum)",
    ),
    Fault(
        "duplicates",
        "a report comes once for each of its deliveries",
        AUSTIN,
        "staging.incidents",
        "QUALIFY row_number() OVER (\n    PARTITION BY report_id\n    ORDER BY status_at DESC, published_at DESC, status DESC, issue, latitude, longitude, address\n) = 1\n",
        "",
    ),
    Fault(
        "duplicates",
        "the first delivery wins and not the last",
        AUSTIN,
        "staging.incidents",
        "ORDER BY status_at DESC",
        "ORDER BY status_at ASC",
    ),
    Fault(
        "duplicates",
        "of two deliveries of a second any one wins",
        AUSTIN,
        "staging.incidents",
        "ORDER BY status_at DESC, published_at DESC, status DESC, issue, latitude, longitude, address",
        "ORDER BY status_at DESC",
    ),
    Fault(
        "duplicates",
        "one number names the flights of all airports",
        FLIGHTS,
        "staging.flights",
        " || '-' || origin || '-' || ",
        " || '-' || ",
    ),
    Fault(
        "duplicates",
        "planes are counted once a flight",
        FLIGHTS,
        "marts.planes_by_age",
        "    count(DISTINCT tailnum) AS planes",
        "    count(tailnum) AS planes",
    ),
    Fault(
        "wrong figure",
        "coupons are counted as cards",
        JAFFLE,
        "marts.orders",
        "payment_method = 'credit_card'",
        "payment_method = 'coupon'",
    ),
    Fault("wrong figure", "the largest payment is taken for the sum", JAFFLE, "marts.customers", "sum(p.amount)", "max(p.amount)"),
    Fault(
        "wrong figure",
        "diverted flights count as cancelled",
        FLIGHTS,
        "marts.carrier_delay",
        "f.status = 'cancelled'",
        "f.status <> 'arrived'",
    ),
    Fault(
        "wrong figure",
        "any of the carriers is the main one",
        FLIGHTS,
        "marts.routes",
        "mode(f.carrier ORDER BY f.carrier)",
        "any_value(f.carrier)",
    ),
)
