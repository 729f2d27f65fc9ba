import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/json.ts';
import { ProtocolError, parseBody, parseInference } from '../../src/serving/protocol.ts';
import { body, signature } from './helpers.ts';

const limits = { depth: 8, rows: 100 };
const parse = (value: unknown) => parseInference(value as Json, signature, limits);
const refused = (value: unknown) => {
  try {
    parse(value);
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.status} ${error.message}`;
    throw error;
  }
  return 'accepted';
};
/** A valid request with one tensor changed. */
const changed = (name: string, change: object) => {
  const request = body(2);
  return {
    ...request,
    inputs: request.inputs.map((one) => (one.name === name ? { ...one, ...change } : one)),
  };
};

describe('infer request', () => {
  it('gives columns as the signature wants them, nulls as missing values', () => {
    const { rows, features, id, eventTimes, rowKeys, correlationId } = parse(
      body(
        4,
        { correlation_id: 'abc', event_time: '2013-06-01T10:00:00Z', row_keys: ['a', 'b', 'c', 4] },
        'r-1',
      ),
    );
    expect({ rows, id, correlationId, rowKeys }).toEqual({
      rows: 4,
      id: 'r-1',
      correlationId: 'abc',
      rowKeys: ['a', 'b', 'c', '4'],
    });
    expect(eventTimes).toEqual(Array(4).fill(Date.UTC(2013, 5, 1, 10)));
    expect({ ...features }).toEqual({
      distance: [0, 1, 2, 3],
      hour: [0, 1, 2, 3],
      carrier: [null, 'UA', 'UA', null],
      holiday: [true, false, true, false],
    });
  });

  it('takes nested data, the shape [rows], and other number types', () => {
    expect(parse(changed('distance', { data: [[1], [2]] })).features.distance).toEqual([1, 2]);
    expect(parse(changed('distance', { shape: [2], datatype: 'INT32' })).features.distance).toEqual([0, 1]);
  });

  it.each([
    ['no inputs', { inputs: [] }, /inputs/],
    ['another type', changed('distance', { datatype: 'BYTES' }), /distance is FP32/],
    ['a fraction for a whole number', changed('hour', { datatype: 'FP32' }), /hour is INT64/],
    ['a text in a number', changed('distance', { data: [1, '2'] }), /row 1/],
    ['more than float32', changed('distance', { data: [1, 1e39] }), /row 1/],
    ['null where nothing can be missing', changed('hour', { data: [1, null] }), /row 1/],
    ['NUL in a text', changed('carrier', { data: ['a', 'b\0'] }), /row 1/],
    ['too few values', changed('distance', { data: [1] }), /1 values for 2 rows/],
    ['another shape', changed('distance', { shape: [1, 2] }), /shape/],
    ['another name', changed('distance', { name: 'speed' }), /no input "speed"/],
    ['one too few', { inputs: body(2).inputs.slice(1) }, /distance/],
    ['one twice', { inputs: [...body(2).inputs, ...body(2).inputs] }, /twice/],
    ['no rows', body(0), /at least one row/],
    ['too many rows', body(101), /at most 100 rows/],
    ['an unknown output', { ...body(1), outputs: [{ name: 'x' }] }, /no output/],
    ['a time without zone', body(1, { event_time: '2013-06-01T10:00:00' }), /event_time/],
    ['times for other rows', body(2, { event_time: ['2013-06-01T10:00:00Z'] }), /1 values for 2 rows/],
    ['a correlation id that could forge a log line', body(1, { correlation_id: 'a\nb' }), /correlation_id/],
  ])('refuses %s', (_, request, message) => {
    expect(refused(request)).toMatch(message);
    expect(refused(request)).toMatch(/^400 /);
  });

  it('any JSON is either accepted or refused with 400', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => /^(400 |accepted)/.test(refused(value))));
  });
});

describe('body', () => {
  it('counts nesting outside of strings alone', () => {
    expect(parseBody('{"a": "[[[[[[[[[[\\"["}', 8)).toEqual({ a: '[[[[[[[[[["[' });
    expect(() => parseBody('['.repeat(9), 8)).toThrow(/nested deeper/);
    expect(() => parseBody('['.repeat(500_000), 8)).toThrow(/nested deeper/);
  });

  it.each(['', '{', 'null x', '{"__proto__": {"a": 1}}', '{"constructor": 1}'])('refuses %j', (text) => {
    expect(() => parseBody(text, 8)).toThrow(ProtocolError);
  });
});
