import type { Behaviour } from './behaviour.ts';
import { flipTitles } from './view.ts';

/** A table's column in both forms of the report. The titles are ours: they need no escape. */
interface Column {
  title: string;
  number?: boolean;
}

const slice = { title: 'slice' };
const metric = { title: 'metric' };
const rows = { title: 'rows', number: true };
const sight = { title: 'sees drops from', number: true };

export const testedColumns: Column[] = [
  slice,
  metric,
  rows,
  { title: 'champion', number: true },
  { title: 'candidate', number: true },
  { title: 'difference', number: true },
  { title: 'p (Holm)', number: true },
  sight,
  { title: '' },
];

export const blindColumns: Column[] = [slice, metric, rows, sight, { title: 'margin', number: true }];

export const untestedColumns: Column[] = [slice, metric, rows, { title: 'why' }];

/** Of the slices with rows that changed. */
export function flipColumns(behaviour: Behaviour): Column[] {
  const { lost, gained } = flipTitles(behaviour);
  return [
    slice,
    rows,
    { title: lost, number: true },
    { title: gained, number: true },
    { title: 'net', number: true },
  ];
}
