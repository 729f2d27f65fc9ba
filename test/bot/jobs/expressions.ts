export type Value = string | number | boolean | null;

/** What an expression may look at: `steps.train.outputs.model` asks `steps` for `train`, `outputs`, `model`. */
export interface Scope {
  contexts: Readonly<Record<string, (path: readonly string[]) => Value>>;
  /** Functions without arguments: `always()`. */
  functions: Readonly<Record<string, () => boolean>>;
}

/** A text with its `${{ }}` filled in. */
export function interpolate(text: string, scope: Scope): string {
  return text.replaceAll(/\$\{\{(.*?)\}\}/gs, (_, expression: string) => asText(evaluate(expression, scope)));
}

/**
 * The `if:` of a job or step, with or without `${{ }}` around it. One that does not ask how things went holds only
 * where all went well, as on GitHub.
 */
export function condition(text: string | undefined, scope: Scope): boolean {
  const { success } = scope.functions;
  if (success === undefined) throw new Error('a condition needs success()');
  if (text === undefined) return success();
  const expression = /^\s*\$\{\{(.*)\}\}\s*$/s.exec(text)?.[1] ?? text;
  const asks = /\b(always|success|failure|cancelled)\(\)/.test(expression);
  return (asks || success()) && truthy(evaluate(expression, scope));
}

/**
 * The part of GitHub's expressions that our templates use: names, strings, numbers, `!`, `==`, `!=`, `&&`, `||`,
 * parentheses, and calls without arguments. Anything else, and any name that is not known, throws.
 */
export function evaluate(expression: string, scope: Scope): Value {
  return new Evaluation(expression, scope).whole();
}

const token =
  /\s*(?:('(?:[^']|'')*')|(\d+(?:\.\d+)?)|([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)|(&&|\|\||==|!=|[!()]))/y;

class Evaluation {
  private readonly expression: string;
  private readonly scope: Scope;
  private readonly tokens: string[] = [];
  private at = 0;

  constructor(expression: string, scope: Scope) {
    this.expression = expression.trim();
    this.scope = scope;
    token.lastIndex = 0;
    while (token.lastIndex < this.expression.length) {
      const from = token.lastIndex;
      const [found] = token.exec(this.expression) ?? [];
      if (found === undefined) throw this.unknown(this.expression.slice(from));
      this.tokens.push(found.trim());
    }
  }

  whole(): Value {
    const value = this.either();
    if (this.at < this.tokens.length) throw this.unknown(this.tokens[this.at] ?? '');
    return value;
  }

  /** Both sides are read always, and one of the two is the result, as in JavaScript. */
  private either(): Value {
    let value = this.both();
    while (this.take('||')) {
      const other = this.both();
      if (!truthy(value)) value = other;
    }
    return value;
  }

  private both(): Value {
    let value = this.compared();
    while (this.take('&&')) {
      const other = this.compared();
      if (truthy(value)) value = other;
    }
    return value;
  }

  private compared(): Value {
    const value = this.single();
    if (this.take('==')) return same(value, this.single());
    if (this.take('!=')) return !same(value, this.single());
    return value;
  }

  private single(): Value {
    if (this.take('!')) return !truthy(this.single());
    if (this.take('(')) {
      const value = this.either();
      if (!this.take(')')) throw this.unknown('a parenthesis that is not closed');
      return value;
    }
    const word = this.tokens[this.at++] ?? '';
    if (word.startsWith("'")) return word.slice(1, -1).replaceAll("''", "'");
    if (/^\d/.test(word)) return Number(word);
    if (word === 'true' || word === 'false') return word === 'true';
    if (word === 'null') return null;
    if (!/^[A-Za-z_]/.test(word)) throw this.unknown(word || 'its end');
    return this.take('(') ? this.call(word) : this.lookUp(word);
  }

  private call(name: string): Value {
    const known = this.scope.functions[name];
    if (known === undefined || !this.take(')')) throw this.unknown(`${name}(`);
    return known();
  }

  private lookUp(name: string): Value {
    const [root = '', ...path] = name.split('.');
    const context = this.scope.contexts[root];
    if (context === undefined || path.length === 0) throw this.unknown(name);
    return context(path);
  }

  private take(wanted: string): boolean {
    if (this.tokens[this.at] !== wanted) return false;
    this.at += 1;
    return true;
  }

  private unknown(what: string): Error {
    return new Error(`this runner does not know ${what} in the expression ${this.expression}`);
  }
}

export const asText = (value: Value): string => (value === null ? '' : String(value));

const truthy = (value: Value): boolean => value !== null && value !== '' && value !== 0 && value !== false;

/** Texts are compared without regard to case; of values of different kinds nothing is known here. */
function same(one: Value, other: Value): boolean {
  if (typeof one === 'string' && typeof other === 'string') return one.toLowerCase() === other.toLowerCase();
  if (typeof one !== typeof other) throw new Error(`this runner does not compare ${one} with ${other}`);
  return one === other;
}
