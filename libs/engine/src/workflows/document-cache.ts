import { createHash } from 'node:crypto';
import { mustReadDocument, parseDocumentText, readDocument, type ReadDocument, type Workflow } from '@lattice/flow';
import type { WorkflowDocument } from '@lattice/contracts';
import { BoundedCache } from '../cache/bounded-cache';

const DOCUMENTS = 1_000;
/** Characters of JSON or YAML that the documents kept may have together. */
const CHARACTERS = 32 * 1_048_576;

/**
 * Documents that were read and found valid, by their text: whoever submits the same document a thousand times has it
 * checked once. The workflows are shared: don't change them.
 */
export class DocumentCache {
  private readonly valid = new BoundedCache<string, Workflow>({ entries: DOCUMENTS, weight: CHARACTERS });

  /** Checks a document given as a value. The value may nest only as deep as recursion bears. */
  read(value: unknown): ReadDocument {
    const text = JSON.stringify(value) ?? 'undefined';
    return this.recall(keyOf('json', text), text.length, () => readDocument(value));
  }

  /** Parses and checks a document given as YAML; throws `unparsable` with line and column. */
  readYaml(text: string): ReadDocument {
    return this.recall(keyOf('yaml', text), text.length, () => readDocument(parseDocumentText(text, 'yaml')));
  }

  /** A document that was valid when it was stored under its sha. */
  readStored(sha: string, document: WorkflowDocument): Workflow {
    const key = `sha:${sha}`;
    const known = this.valid.get(key);
    if (known !== undefined) return known;
    const workflow = mustReadDocument(document);
    this.valid.set(key, workflow, JSON.stringify(document).length);
    return workflow;
  }

  private recall(key: string, weight: number, read: () => ReadDocument): ReadDocument {
    const known = this.valid.get(key);
    if (known !== undefined) return { ok: true, workflow: known };
    const result = read();
    if (result.ok) this.valid.set(key, result.workflow, weight);
    return result;
  }
}

function keyOf(format: string, text: string): string {
  return `${format}:${createHash('sha256').update(text).digest('base64')}`;
}
