import { createHash } from 'node:crypto';
import { mustReadDocument, parseDocumentText, readDocument, type ReadDocument, type Workflow } from '@lattice/flow';
import { LatticeError, type WorkflowDocument } from '@lattice/contracts';
import { BoundedCache } from '../cache/bounded-cache';
import { parseJsonBody } from '../submit/parse-json';

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

  /** Parses and checks a document given as YAML; throws `unparsable` with line and column. A key that comes twice is a fault. */
  readYaml(text: string): ReadDocument {
    const read = (): ReadDocument => readDocument(parseDocumentText(text, 'yaml'));
    return this.recall(keyOf('yaml', text), text.length, () => withDuplicates(read));
  }

  /** {@link readYaml} for JSON. */
  readJson(text: string): ReadDocument {
    return withDuplicates(() => this.read(parseJsonBody(text)));
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

function withDuplicates(read: () => ReadDocument): ReadDocument {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof LatticeError) || error.faults === undefined) throw error;
    return { ok: false, faults: [...error.faults] };
  }
}

function keyOf(format: string, text: string): string {
  return `${format}:${createHash('sha256').update(text).digest('base64')}`;
}
