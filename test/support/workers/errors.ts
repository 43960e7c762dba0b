/** Classes of errors that pages and workers of the tests both know. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;

  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }

  isServerError(): boolean {
    return this.status >= 500;
  }
}

export const errors = { HttpError };
