/** What is to become of a job after its work. */
export type Disposal =
  /**
   * `wakes`: classes in which the acknowledgement may release a job. `behind`: the record that was sent right before, and what
   * follows from its reply; it is done when both are.
   */
  | { readonly do: 'acknowledge'; readonly wakes?: readonly string[]; readonly behind?: Promise<void> }
  | { readonly do: 'delay'; readonly ms: number }
  /**
   * Aside, until somebody puts it back. `stays` is asked when it is there: what it waits for may have come just before, when nobody could
   * put it back yet.
   */
  | { readonly do: 'park'; readonly stays: () => Promise<boolean> }
  /** The slice is over: others get their turn. */
  | { readonly do: 'requeue' }
  /** Nothing: the job belongs to somebody else by now. */
  | { readonly do: 'leave' };
