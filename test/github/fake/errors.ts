/** An answer of GitHub other than what was asked for. */
export class HttpError extends Error {
  readonly status: number;
  readonly errors: readonly unknown[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    status: number,
    message: string,
    extra: { errors?: readonly unknown[]; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.errors = extra.errors;
    this.headers = extra.headers ?? {};
  }
}

export const notFound = () => new HttpError(404, 'Not Found');
export const invalid = (message: string, errors?: readonly unknown[]) =>
  new HttpError(422, message, errors === undefined ? {} : { errors });
