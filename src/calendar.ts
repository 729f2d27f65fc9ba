/** Whether the day that an ISO date or time begins with is in the calendar: `Date` takes 30 February for 2 March. */
export function startsWithDay(text: string): boolean {
  const day = text.slice(0, 10);
  const moment = new Date(`${day}T00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(day);
}
