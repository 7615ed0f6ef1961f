import type { WorkflowDocument } from '@lattice/contracts';

const MOST = 500;
/** Characters of JSON that those kept may have together. */
const MOST_CHARACTERS = 32 * 1_048_576;

interface Kept {
  readonly document: WorkflowDocument;
  readonly characters: number;
}

/** Parsed documents by their sha, which says all of them: they never change. Those used longest ago go when there are too many. */
export class KeptDocuments {
  private readonly kept = new Map<string, Kept>();
  private characters = 0;

  get(sha: string): WorkflowDocument | undefined {
    const known = this.kept.get(sha);
    if (known === undefined) return undefined;
    // A Map keeps the order of insertion: what is used moves to the young end.
    this.kept.delete(sha);
    this.kept.set(sha, known);
    return known.document;
  }

  /** `characters`: of the document as JSON. */
  set(sha: string, document: WorkflowDocument, characters: number): void {
    this.delete(sha);
    this.kept.set(sha, { document, characters });
    this.characters += characters;
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= MOST && this.characters <= MOST_CHARACTERS) break;
      this.delete(oldest);
    }
  }

  get size(): number {
    return this.kept.size;
  }

  private delete(sha: string): void {
    this.characters -= this.kept.get(sha)?.characters ?? 0;
    this.kept.delete(sha);
  }
}
