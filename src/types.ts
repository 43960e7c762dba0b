/** Types that several layers share and that carry a unit or come from a published standard. */

/** A duration in milliseconds. */
export type Milliseconds = number;

/** An instant in milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;

/**
 * A schema of any library that implements Standard Schema, version 1.
 * @see https://standardschema.dev
 */
export interface StandardSchema<out Input = unknown, out Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a Standard Schema answers: the value, perhaps changed, or what is wrong with it. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that is wrong with a value, as `data.issues` tells it. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly PropertyKey[] | undefined;
}

/** One thing that is wrong with a value, as a schema tells it. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
