/**
 * Results of an asynchronous function in the order of the items, for so many items at the same time at most. Rejects
 * with the first failure; what is under way then goes on, and nothing else is begun.
 */
export async function mapAtMost<T, R>(
  items: readonly T[],
  atOnce: number,
  make: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      const at = next++;
      try {
        results[at] = await make(items[at] as T);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  return results;
}
