/** The names of all events, for who listens to all or to those that others name; without the emitter. */
export const eventNames = {
  'run:start': true,
  'run:return': true,
  'run:retry': true,
  'run:yield': true,
  'run:success': true,
  'run:error': true,
  'run:cancel': true,
  'dependency:open': true,
  'dependency:close': true,
  'dependency:error': true,
  'state:change': true,
  'worker:start': true,
  'worker:lost': true,
  error: true,
} as const;
