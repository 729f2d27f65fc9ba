-- base.sql and the weather at the origin: the newest observation at the moment of prediction. All times are UTC.
--
-- A flight makes three events: it is asked about (will it be late?), it departs, it lands. A question looks back
-- over the departures and landings that came before it, so no feature can hold a delay that was not known yet.
WITH schedule AS (
  SELECT *, make_date(year, month, day) AS date, CAST(time_hour AS TIMESTAMP) + to_minutes(minute) AS scheduled_at
  FROM flights
),
events AS (
  SELECT *, scheduled_at - INTERVAL 1 HOUR AS moment, true AS asked, NULL AS departure, NULL AS arrival
  FROM schedule
  UNION ALL
  SELECT *, scheduled_at + to_minutes(CAST(dep_delay AS BIGINT)), false, dep_delay, NULL
  FROM schedule
  WHERE dep_delay IS NOT NULL
  UNION ALL
  -- The table does not say when a flight landed in UTC: four hours beside air_time are more than taxiing ever took.
  SELECT *, scheduled_at + to_minutes(CAST(dep_delay + air_time AS BIGINT)) + INTERVAL 4 HOUR, false, NULL, arr_delay
  FROM schedule
  WHERE arr_delay IS NOT NULL
),
seen AS (
  SELECT *,
         avg(departure) OVER origin_hours AS origin_departure_delay_3h,
         avg(departure) OVER carrier_hours AS carrier_departure_delay_3h,
         avg(arrival) OVER carrier_week AS carrier_delay_7d,
         avg(CAST(arrival > 15 AS DOUBLE)) OVER carrier_week AS carrier_late_7d,
         avg(arrival) OVER origin_week AS origin_delay_7d,
         avg(CAST(arrival > 15 AS DOUBLE)) OVER origin_week AS origin_late_7d
  FROM events
  WINDOW origin_hours AS (PARTITION BY origin ORDER BY moment RANGE BETWEEN INTERVAL 3 HOUR PRECEDING AND CURRENT ROW),
         carrier_hours AS (PARTITION BY carrier ORDER BY moment RANGE BETWEEN INTERVAL 3 HOUR PRECEDING AND CURRENT ROW),
         origin_week AS (PARTITION BY origin ORDER BY moment RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND CURRENT ROW),
         carrier_week AS (PARTITION BY carrier ORDER BY moment RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND CURRENT ROW)
),
observed AS (
  SELECT *, CAST(time_hour AS TIMESTAMP) AS observed_at
  FROM weather
)
SELECT concat_ws('-', date, carrier, flight, seen.origin, sched_dep_time) AS flight_id,
       moment AS predict_at,
       arr_delay > 15 AS late,
       CAST(date AS VARCHAR) AS day,
       carrier, seen.origin, dest, distance,
       isodow(date) AS weekday,
       seen.hour * 60 + minute AS scheduled_minute, -- of the local day
       origin_departure_delay_3h, carrier_departure_delay_3h,
       carrier_delay_7d, carrier_late_7d, origin_delay_7d, origin_late_7d,
       temp, humid, wind_dir, wind_speed, wind_gust, precip, pressure, visib
FROM seen
ASOF LEFT JOIN observed ON seen.origin = observed.origin AND seen.moment >= observed.observed_at
WHERE asked
