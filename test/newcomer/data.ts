import { seededRandom } from '../../src/stats/random.ts';

/** Deliveries of 120 days, 40 a day: late more often with distance, weight, rain and on Fridays. */
export function deliveriesCsv(seed = 8): string {
  const random = seededRandom(seed);
  const lines = ['delivery_id,placed_at,distance_km,weight_kg,vehicle,region,rain_mm,customer_email,late'];
  for (let i = 0; i < 4800; i++) {
    const at = new Date(Date.UTC(2025, 0, 1) + i * 36 * 60_000);
    const distance = Math.round(random.uniform() * 400) / 10;
    const weight = Math.round(-Math.log(1 - random.uniform()) * 60) / 10;
    const vehicle = ['van', 'bike', 'truck'][Math.floor(random.uniform() * 3)]!;
    const region = ['north', 'south', 'east', 'west'][Math.floor(random.uniform() * 4)]!;
    const rain = random.uniform() < 0.3 ? Math.round(random.uniform() * 200) / 10 : 0;
    const score =
      -3 +
      distance / 12 +
      weight / 8 +
      rain / 6 +
      (vehicle === 'bike' ? distance / 15 : 0) +
      (region === 'west' ? 0.8 : 0) +
      (at.getUTCDay() === 5 ? 0.7 : 0);
    const late = random.uniform() < 1 / (1 + Math.exp(-score));
    const rainText = random.uniform() < 0.02 ? '' : String(rain);
    lines.push(
      [
        `D${String(i).padStart(6, '0')}`,
        at.toISOString().replace('.000Z', 'Z'),
        distance,
        weight,
        vehicle,
        region,
        rainText,
        `person${i % 700}@example.com`,
        late,
      ].join(','),
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Readings without a key, a time or a text: a balance that may be negative, in thousands. */
export function balancesCsv(seed = 9): string {
  const random = seededRandom(seed);
  const lines = ['income,spending,age,accounts,balance'];
  for (let i = 0; i < 3000; i++) {
    const income = Math.round(1500 + random.uniform() * 6000);
    const spending = Math.round(1000 + random.uniform() * 6000);
    const age = 18 + Math.floor(random.uniform() * 60);
    const accounts = 1 + Math.floor(random.uniform() * 4);
    const noise = (random.uniform() + random.uniform() - 1) * 1500;
    lines.push(
      [income, spending, age, accounts, Math.round((income - spending + age * 10 + noise) * 100) / 100].join(
        ',',
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}

/** What the newcomer has trained with until now: it knows nothing of ModelGate. */
export const trainingScript = `import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

rows = pd.read_csv("data/deliveries.csv")
X = pd.get_dummies(rows[["distance_km", "weight_kg", "vehicle", "region", "rain_mm"]])
model = HistGradientBoostingClassifier(max_iter=100).fit(X, rows["late"])
pd.to_pickle(model, "model.pkl")
`;
