import os from 'node:os';
import type { Cancel, Clock } from '../shared/clock.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import type { HostFigures } from '../shared/protocol/agent-link.ts';
import { type CpuTimes, cpuPercent, cpuTimes } from './domain/cpu.ts';
import { lacksEncoder, readCards, smiArguments } from './domain/nvidia.ts';
import { type Answer, ask, type Question } from './processes/question.ts';

/** nvidia-smi costs far more than reading counters, and is given up when it takes longer than this. */
const CARDS_EVERY_MS = 15_000;
const CARDS_PATIENCE_MS = 5_000;
/** Where there is no nvidia-smi it is looked for again: somebody may install the driver. */
const LOOK_AGAIN_MS = 600_000;
const MEGABYTE = 1_048_576;

interface FiguresOptions {
  /** The variables with which nvidia-smi is found and run. */
  environment: Record<string, string>;
  clock: Clock;
  log: Log;
  /** Where the machine tells of its processors and memory, in bytes. */
  machine?: Pick<typeof os, 'cpus' | 'freemem' | 'totalmem'>;
}

/** Megabytes; null for what is no size. */
const megabytesOf = (bytes: number | null): number | null =>
  bytes !== null && bytes >= 0 && Number.isFinite(bytes) ? Math.round(bytes / MEGABYTE) : null;

/** Measures how busy this machine is, once in the time of a heartbeat; waits for nothing and nobody. What cannot be read is null, and ends nothing. */
export class Figures {
  readonly #options: FiguresOptions;
  #last: HostFigures | undefined;
  #times: CpuTimes | null = null;
  readonly #unread = new Set<string>();
  #cards: HostFigures['cards'] = [];
  #due = 0;
  #with_encoder = true;
  #problem: string | undefined;
  #question: Question | undefined;
  #cancel: Cancel | undefined;
  #stopped = false;

  constructor(options: FiguresOptions) {
    this.#options = options;
  }

  /** What was measured last; undefined before the start. */
  last(): HostFigures | undefined {
    return this.#last;
  }

  /** Measures from now on, until `stop`. Idempotent. */
  start(): void {
    if (this.#cancel !== undefined || this.#stopped) return;
    this.#cancel = this.#options.clock.every(limits.heartbeat_ms, () => this.#measure());
    this.#measure();
  }

  /** Ends for good what `start` began, and nvidia-smi if it runs. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#question?.kill();
  }

  #measure(): void {
    const { cpus, totalmem, freemem } = this.#options.machine ?? os;
    // What cpus() gives may throw only when it is looked into.
    const times = this.#read('processors', () => cpuTimes(cpus()));
    const before = this.#times;
    this.#times = times;
    const total = this.#read('memory', totalmem);
    const free = this.#read('free memory', freemem);
    this.#last = {
      cpu_percent: before === null || times === null ? null : cpuPercent(before, times),
      memory_used_mb: total === null || free === null ? null : megabytesOf(total - free),
      memory_total_mb: megabytesOf(total),
      cards: this.#cards,
    };
    this.#askCards();
  }

  /** What the machine says; null, and once a word in the log, when it says nothing. */
  #read<T>(what: string, look: () => T): T | null {
    try {
      const value = look();
      this.#unread.delete(what);
      return value;
    } catch (error) {
      if (!this.#unread.has(what)) this.#options.log.warn({ what, error }, 'a figure cannot be read');
      this.#unread.add(what);
      return null;
    }
  }

  #askCards(): void {
    const { clock, environment } = this.#options;
    // One at a time, also when a driver keeps the last one from ending.
    if (this.#question !== undefined || clock.monotonic() < this.#due) return;
    this.#due = clock.monotonic() + CARDS_EVERY_MS;
    try {
      const smi = Bun.which('nvidia-smi', { PATH: environment.PATH ?? '' });
      if (smi === null) {
        this.#due = clock.monotonic() + LOOK_AGAIN_MS;
        this.#tell([]);
        return;
      }
      const command: [string, ...string[]] = [smi, ...smiArguments(this.#with_encoder)];
      const question = ask(command, environment, CARDS_PATIENCE_MS, clock);
      this.#question = question;
      void question.answer.then((answer) => this.#answered(answer));
      void question.gone.then(() => {
        this.#question = undefined;
      });
    } catch (error) {
      this.#noCards(String(error));
    }
  }

  #answered(answer: Answer): void {
    if (this.#stopped) return;
    if ('problem' in answer) this.#noCards(answer.problem);
    else if (answer.ok) this.#tell(readCards(answer.text));
    else if (this.#with_encoder && lacksEncoder(answer.text)) {
      this.#with_encoder = false;
      this.#due = 0;
    } else this.#noCards(answer.text.trim().slice(0, 300));
  }

  #tell(cards: HostFigures['cards']): void {
    this.#problem = undefined;
    const names = (all: HostFigures['cards']) => all.map(({ index, name }) => `${index}: ${name}`);
    if (cards.length > 0 && !Bun.deepEquals(names(cards), names(this.#cards))) {
      this.#options.log.info({ cards: names(cards) }, 'graphics cards');
    }
    this.#cards = cards;
    if (this.#last !== undefined) this.#last = { ...this.#last, cards };
  }

  #noCards(problem: string): void {
    if (this.#problem === undefined) {
      this.#options.log.warn({ problem }, 'nvidia-smi does not tell of the graphics cards');
    }
    this.#tell([]);
    this.#problem = problem;
  }
}
