/** The names that a document may refer to. */
export interface KnownNames {
  readonly tasks: ReadonlySet<string>;
  readonly inputs: ReadonlySet<string>;
}
