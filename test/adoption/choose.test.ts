import { describe, expect, it } from 'vitest';
import { choose } from '../../src/adoption/choose.ts';
import { looksPersonal } from '../../src/adoption/personal-names.ts';
import { column, flag, noWishes, number, table, timestamp } from './world.ts';

const id = column('order_id', { distinct: 1000 });

describe('what the columns are for', () => {
  it('takes a usual name for the label before the last column', () => {
    const chosen = choose(table(id, flag('churned'), number('amount'), flag('vip')), noWishes);
    expect(chosen).toMatchObject({
      task: 'classification',
      label: { column: { name: 'churned' }, guessed: true },
    });
    expect(chosen.features).toEqual(['amount', 'vip']);
  });

  it('takes the last column that can be predicted, and numbers for a regression', () => {
    expect(choose(table(id, number('size'), number('amount')), noWishes)).toMatchObject({
      task: 'regression',
      label: { column: { name: 'amount' } },
      key: 'order_id',
      time: null,
      features: ['size'],
    });
  });

  it('never takes a personal column for key, label, time or feature', () => {
    const email = column('email', { distinct: 1000, personal: true });
    const born = { ...timestamp('birth_time'), personal: true };
    const secret = { ...flag('outcome'), personal: true };
    const chosen = choose(table(email, born, number('size'), secret, flag('late')), noWishes);
    expect(chosen).toMatchObject({
      key: null,
      time: null,
      label: { column: { name: 'late' } },
      features: ['size'],
    });
    expect(chosen.left.map(({ column: name }) => name)).toEqual(['email', 'birth_time', 'outcome']);
  });

  it('takes the text that says yes for true, else the rarer one', () => {
    const texts = (values: [string, number][]) => column('result', { distinct: 2, values });
    const positive = (values: [string, number][]) =>
      choose(table(number('size'), texts(values)), noWishes).label.positive;
    expect(
      positive([
        ['Yes', 700],
        ['No', 300],
      ]),
    ).toBe('Yes');
    expect(
      positive([
        ['blue', 700],
        ['red', 300],
      ]),
    ).toBe('red');
  });

  it('takes the larger of two numbers for true, and 0 and 1 as they are', () => {
    const two = (min: number, max: number) =>
      choose(table(number('size'), number('y', { distinct: 2, min, max })), noWishes).label.positive;
    expect(two(1, 2)).toBe(2);
    expect(two(0, 1)).toBe(null);
  });

  it('leaves out what a model cannot learn from, and says why', () => {
    const { features, left } = choose(
      table(
        number('size'),
        column('note', { distinct: 900 }),
        column('same', { distinct: 1 }),
        column('gone', { distinct: 0, nulls: 1000 }),
        column('list', { type: 'other', physicalType: 'INTEGER[]' }),
        number('odd', { nonfinite: 1 }),
        timestamp('at'),
        timestamp('later'),
        flag('late'),
      ),
      noWishes,
    );
    expect(features).toEqual(['size']);
    expect(Object.fromEntries(left.map(({ column: name, why }) => [name, why]))).toEqual({
      note: expect.stringMatching(/900 values/),
      same: expect.stringMatching(/same value/),
      gone: expect.stringMatching(/empty/),
      list: expect.stringMatching(/INTEGER\[\]/),
      odd: expect.stringMatching(/NaN/),
      later: expect.stringMatching(/a time/),
    });
  });

  it('names what it adds as no column is named, in any case', () => {
    const { made } = choose(table(number('Row_ID'), number('row_group'), flag('late')), noWishes);
    expect(made).toEqual({ key: 'row_id_2', group: 'row_group_2', day: 'event_day' });
  });

  it.each([
    [{ label: 'lat' }, /no column "lat"/],
    [{ label: 'order_id' }, /cannot be predicted/],
    [{ key: 'size' }, /does not name a row/],
    [{ time: 'size' }, /no time/],
    [{ task: 'classification' as const, label: 'size' }, /900 values/],
  ])('refuses the wish %j', (wish, message) => {
    expect(() => choose(table(id, number('size'), flag('late')), { ...noWishes, ...wish })).toThrow(message);
  });

  it('refuses data in which nothing can be predicted, or nothing learned from', () => {
    expect(() => choose(table(id, column('a'), column('b')), noWishes)).toThrow(/No column looks like/);
    expect(() => choose(table(id, flag('late')), noWishes)).toThrow(/No column is left/);
  });

  it('divides by time only where every row has one, over at least ten days', () => {
    const short = timestamp('at');
    short.time = { ...short.time!, days: 9 };
    expect(choose(table(short, number('size'), flag('late')), noWishes).time).toBe(null);
    const holes = { ...timestamp('at'), nulls: 1 };
    expect(choose(table(holes, number('size'), flag('late')), noWishes).time).toBe(null);
    expect(choose(table(timestamp('at'), number('size'), flag('late')), noWishes).time?.column).toBe('at');
  });
});

describe('names that look personal', () => {
  it.each([
    'email',
    'customer_email',
    'PhoneNumber',
    'first_name',
    'lastName',
    'Name',
    'birth_date',
    'IP',
    'iban',
  ])('%s', (name) => expect(looksPersonal(name)).toBe(true));
  it.each([
    'product_name',
    'trip',
    'zip_ratio',
    'species',
    'emails_sent_ratio',
    'price',
    'state_name',
    'shipping',
  ])('not %s', (name) => expect(looksPersonal(name)).toBe(false));
});
