-- base.sql without anything that tells the time of day: neither the scheduled time nor the delays of the last
-- hours. A worse model by design, to see that the gate stops it. All times are UTC.
WITH schedule AS (
  SELECT *, make_date(year, month, day) AS date, CAST(time_hour AS TIMESTAMP) + to_minutes(minute) AS scheduled_at
  FROM flights
),
events AS (
  SELECT *, scheduled_at - INTERVAL 1 HOUR AS moment, true AS asked, NULL AS arrival
  FROM schedule
  UNION ALL
  -- The table does not say when a flight landed in UTC: four hours beside air_time are more than taxiing ever took.
  SELECT *, scheduled_at + to_minutes(CAST(dep_delay + air_time AS BIGINT)) + INTERVAL 4 HOUR, false, arr_delay
  FROM schedule
  WHERE arr_delay IS NOT NULL
),
seen AS (
  SELECT *,
         avg(arrival) OVER carrier_week AS carrier_delay_7d,
         avg(CAST(arrival > 15 AS DOUBLE)) OVER carrier_week AS carrier_late_7d,
         avg(arrival) OVER origin_week AS origin_delay_7d,
         avg(CAST(arrival > 15 AS DOUBLE)) OVER origin_week AS origin_late_7d
  FROM events
  WINDOW origin_week AS (PARTITION BY origin ORDER BY moment RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND CURRENT ROW),
         carrier_week AS (PARTITION BY carrier ORDER BY moment RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND CURRENT ROW)
)
SELECT concat_ws('-', date, carrier, flight, origin, sched_dep_time) AS flight_id,
       moment AS predict_at,
       arr_delay > 15 AS late,
       CAST(date AS VARCHAR) AS day,
       carrier, origin, dest, distance,
       isodow(date) AS weekday,
       carrier_delay_7d, carrier_late_7d, origin_delay_7d, origin_late_7d
FROM seen
WHERE asked
