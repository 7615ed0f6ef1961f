import { LatticeError, type WorkflowDocument } from '@lattice/contracts';
import { PLAN_VERSION, compile, mustReadDocument, type FlowPlan, type PlanJob, type Workflow } from '@lattice/flow';
import { getDocument, type Database } from '@lattice/persistence';
import type { GateCount, QueuedTask } from '@lattice/queue';
import { BoundedCache } from '../cache/bounded-cache';
import { gateCounts, queuedAtOnce } from './queued';

/** A workflow with its plan, and what is looked up in it for every task. */
export interface Compiled {
  readonly workflow: Workflow;
  readonly plan: FlowPlan;
  /** Jobs by the key of their first task, with the class of the job that waits for them. */
  readonly jobs: ReadonlyMap<string, { readonly job: PlanJob; readonly parentClass: string | undefined }>;
  /** What `record` has to know of each gate, by its number. */
  readonly gates: readonly GateCount[];
  /** The tasks that wait once a run has begun, where that can be told before. */
  readonly first: readonly QueuedTask[] | undefined;
}

/** What makes plans of workflows. Every plan carries its version. */
export interface Compiler {
  readonly version: number;
  readonly compile: (workflow: Workflow) => FlowPlan;
}

const PLANS = 200;
/** Bytes that the compiled workflows kept may take together, by estimate: one of 10,000 tasks; more while they are in use. */
const PLAN_BYTES = 25_000_000;
const IN_USE_MS = 1_000;
/** What a task takes beside its text, with what is looked up for it: `bench/documents.mjs` prints 1,829 bytes of heap without the latter. */
const TASK_BYTES = 2_000;

/** The compiler of this build. */
export const COMPILER: Compiler = { version: PLAN_VERSION, compile };

/** Plans by the fingerprint of their document, compiled once per process. Those used longest ago go when there are too many. */
export class PlanCache {
  private readonly known = new BoundedCache<string, Compiled>({
    entries: PLANS,
    weight: PLAN_BYTES,
    spared: IN_USE_MS,
  });
  /** Jobs of one run come together: its document is read and compiled once for all of them. */
  private readonly loading = new Map<string, Promise<Compiled>>();

  constructor(
    private readonly db: Database,
    private readonly compiler: Compiler = COMPILER,
  ) {}

  /** The plan of a document that is stored in Postgres. Throws LatticeError `workflow_not_found` if it is not. */
  async get(sha: string): Promise<Compiled> {
    const known = this.known.get(sha) ?? this.loading.get(sha);
    if (known !== undefined) return known;
    const loading = this.load(sha).finally(() => this.loading.delete(sha));
    this.loading.set(sha, loading);
    return loading;
  }

  /** The plan of a document at hand. */
  of(sha: string, document: WorkflowDocument): Compiled {
    return this.known.get(sha) ?? this.add(sha, document);
  }

  private async load(sha: string): Promise<Compiled> {
    const document = await getDocument(this.db, sha);
    if (document === undefined) throw new LatticeError('workflow_not_found', `document ${sha} is not stored`);
    return this.of(sha, document);
  }

  private add(sha: string, document: WorkflowDocument): Compiled {
    const workflow = mustReadDocument(document);
    const plan = this.compiler.compile(workflow);
    const roots = plan.segments.filter(({ gate }) => gate === null);
    const first = queuedAtOnce(workflow, roots);
    const compiled = { workflow, plan, jobs: jobsOf(plan), gates: gateCounts(workflow, plan), first };
    this.known.set(sha, compiled, TASK_BYTES * workflow.tasks.size + JSON.stringify(document).length);
    return compiled;
  }
}

function jobsOf(plan: FlowPlan): Compiled['jobs'] {
  const jobs = new Map<string, { job: PlanJob; parentClass: string | undefined }>();
  const visit = (job: PlanJob, parentClass: string | undefined): void => {
    jobs.set(job.id, { job, parentClass });
    for (const child of job.children) visit(child, job.class);
  };
  for (const segment of plan.segments) visit(segment.job, undefined);
  return jobs;
}
