/** Asks once of each version, and gives the same answer from then on. */
export function oncePerVersion<Answer>(
  ask: (version: number) => Promise<Answer>,
): (version: number) => Promise<Answer> {
  const known = new Map<number, Promise<Answer>>();
  return (version) => {
    const answer = known.get(version) ?? ask(version);
    known.set(version, answer);
    return answer;
  };
}
