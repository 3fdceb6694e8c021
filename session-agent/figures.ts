import { cpus, freemem, totalmem } from 'node:os';
import type { Cancel, Clock } from '../shared/clock.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import type { HostFigures } from '../shared/protocol/agent-link.ts';
import { cpuPercent, cpuTimes } from './domain/cpu.ts';
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
}

/** Measures how busy this machine is, once in the time of a heartbeat; waits for nothing and nobody. */
export class Figures {
  readonly #options: FiguresOptions;
  #last: HostFigures | undefined;
  #times = cpuTimes([]);
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
    const times = cpuTimes(cpus());
    const percent = this.#times.all === 0 ? null : cpuPercent(this.#times, times);
    this.#times = times;
    const total = totalmem();
    this.#last = {
      cpu_percent: percent,
      memory_used_mb: Math.round((total - freemem()) / MEGABYTE),
      memory_total_mb: Math.round(total / MEGABYTE),
      cards: this.#cards,
    };
    this.#askCards();
  }

  #askCards(): void {
    const { clock, environment } = this.#options;
    // One at a time, also when a driver keeps the last one from ending.
    if (this.#question !== undefined || clock.monotonic() < this.#due) return;
    const smi = Bun.which('nvidia-smi', { PATH: environment.PATH ?? '' });
    this.#due = clock.monotonic() + (smi === null ? LOOK_AGAIN_MS : CARDS_EVERY_MS);
    if (smi === null) {
      this.#tell([]);
      return;
    }
    try {
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
