import fc from 'fast-check';

/** A small reader of W3C's EBNF, as docs/chatops.md publishes it. */
type Node =
  | { kind: 'text'; text: string }
  | { kind: 'rule'; name: string }
  | { kind: 'class'; characters: string[] }
  | { kind: 'sequence' | 'choice'; nodes: Node[] }
  | { kind: 'repeat'; node: Node; from: number; to: number };

/** What a sentence was made of: the text of each rule that it went through, in order. */
export interface Sentence {
  text: string;
  rules: { name: string; text: string }[];
}

/** How terminals are written: as they stand, or as keyboards and browsers change them. */
export type Spelling = (text: string) => fc.Arbitrary<string>;
export const asItStands: Spelling = (text) => fc.constant(text);

// what a class that excludes characters is filled from
const sample = [...'abcXYZ019 .,;:!?@#<>()[]{}*_|\\/`~$%&=+-"\'éßжア漢😀'];

/** Sentences of a grammar, from one of its rules. `taken`: words that may not be names. */
export function sentences(
  grammar: string,
  { start, taken, spelling }: { start: string; taken: readonly string[]; spelling: Spelling },
): fc.Arbitrary<Sentence> {
  const rules = readGrammar(grammar);
  const made = new Map<string, fc.Arbitrary<Sentence>>();

  const ofRule = (name: string): fc.Arbitrary<Sentence> => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const node = rules.get(name);
    if (node === undefined) throw new Error(`no rule ${name}`);
    const arbitrary = of(node)
      .filter(({ text }) => name !== 'name' || !taken.includes(text))
      .map((one) => ({ text: one.text, rules: [{ name, text: one.text }, ...one.rules] }));
    made.set(name, arbitrary);
    return arbitrary;
  };
  const of = (node: Node): fc.Arbitrary<Sentence> => {
    switch (node.kind) {
      case 'text':
        return spelling(node.text).map((text) => ({ text, rules: [] }));
      case 'rule':
        return ofRule(node.name);
      case 'class':
        return fc.constantFrom(...node.characters).map((text) => ({ text, rules: [] }));
      case 'sequence':
        return fc.tuple(...node.nodes.map(of)).map(joined);
      case 'choice':
        return fc.oneof(...node.nodes.map(of));
      case 'repeat':
        return fc.array(of(node.node), { minLength: node.from, maxLength: node.to }).map(joined);
    }
  };
  return ofRule(start);
}

const joined = (parts: readonly Sentence[]): Sentence => ({
  text: parts.map(({ text }) => text).join(''),
  rules: parts.flatMap(({ rules }) => rules),
});

function readGrammar(grammar: string): Map<string, Node> {
  const rules = new Map<string, Node>();
  for (const rule of grammar.trim().split(/\n(?=\S)/)) {
    const [, name = '', right = ''] = /^(\S+)\s*::=([\s\S]*)$/.exec(rule) ?? [];
    rules.set(name, readRight(right));
  }
  return rules;
}

function readRight(text: string): Node {
  const tokens =
    text.match(/"[^"]*"|'[^']*'|\[(?:\\.|[^\]\\])+\]|\{\d+\}|[A-Za-z][A-Za-z0-9-]*|[()|?*+]/g) ?? [];
  let at = 0;
  const choice = (): Node => {
    const nodes = [sequence()];
    while (tokens[at] === '|') {
      at += 1;
      nodes.push(sequence());
    }
    return nodes.length === 1 ? nodes[0]! : { kind: 'choice', nodes };
  };
  const sequence = (): Node => {
    const nodes: Node[] = [];
    while (at < tokens.length && tokens[at] !== '|' && tokens[at] !== ')') nodes.push(repeated());
    return { kind: 'sequence', nodes };
  };
  const repeated = (): Node => {
    let node = single();
    for (;;) {
      const token = tokens[at] ?? '';
      const times = /^\{(\d+)\}$/.exec(token)?.[1];
      if (times !== undefined) node = { kind: 'repeat', node, from: Number(times), to: Number(times) };
      else if (token === '?') node = { kind: 'repeat', node, from: 0, to: 1 };
      else if (token === '*') node = { kind: 'repeat', node, from: 0, to: 5 };
      else if (token === '+') node = { kind: 'repeat', node, from: 1, to: 3 };
      else return node;
      at += 1;
    }
  };
  const single = (): Node => {
    const token = tokens[at]!;
    at += 1;
    if (token === '(') {
      const inner = choice();
      at += 1;
      return inner;
    }
    if (/^["']/.test(token)) return { kind: 'text', text: token.slice(1, -1) };
    if (token.startsWith('[')) return { kind: 'class', characters: charactersOf(token) };
    return { kind: 'rule', name: token };
  };
  return choice();
}

function charactersOf(token: string): string[] {
  const fits = new RegExp(`^${token}$`, 'u');
  const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
  return (token.startsWith('[^') ? sample : ascii).filter((character) => fits.test(character));
}
