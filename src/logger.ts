/** Where an app writes lines, and how a logger that throws is kept from changing a run. */

import { callGuarded } from './promises.js';

/** Where an app writes lines: `console` fits. */
export interface Logger {
  /** The start and the completion of runs. */
  info(line: string): void;
  /** What is odd, but harmed nothing. */
  warn(line: string): void;
  /**
   * What nobody else is told of.
   * @param error what the line tells of, as it was thrown
   */
  error(line: string, error?: unknown): void;
}

/** The logger of an app that was given none. */
export const silent: Logger = { info() {}, warn() {}, error() {} };

/** Passes lines on; what the logger throws has nowhere to go, as it is the place errors go to. */
export function guard(logger: Logger): Logger {
  const pass =
    (level: keyof Logger) =>
    (line: string, ...rest: [error?: unknown]): void => {
      // See above: a run goes on without its log.
      callGuarded(
        () => logger[level](line, ...rest),
        undefined,
        () => {},
      );
    };
  return { info: pass('info'), warn: pass('warn'), error: pass('error') };
}
