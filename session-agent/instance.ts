import type { Cancel } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import type { Birth, Remains } from './birth.ts';
import {
  type Effect,
  type Ending,
  type InstanceEvent,
  type Phase,
  type Step,
  step,
} from './domain/instance.ts';
import type { Entry, Role } from './domain/journal.ts';
import type { CreateSession, InstanceHost } from './launch.ts';
import { Pair } from './pair.ts';
import { messageOf, type Report, wordsFor } from './reports.ts';
import { watchLimits } from './watch.ts';

export interface InstanceOptions {
  birth: Birth;
  /** The session that has it from its birth on, or from an earlier agent's time. */
  order?: CreateSession;
  /** Monotonic: when that session got it. */
  bound_at?: number;
  /** The machine's first step: `begin` or `resume`. */
  first: Step;
  remains: Remains;
  /** Resolves when its card has room for it: nothing is started before. */
  room: Promise<unknown>;
  /** Its phase is another, or its session. */
  changed(instance: Instance): void;
}

/**
 * One app process and one signalling process with their ports, secret, card and observer, driven by the pure machine in
 * `domain/instance.ts`. It is given to one session at most, at its birth or later.
 */
export class Instance {
  readonly birth: Birth;
  /** Resolves when every process is gone and the end has been reported. */
  readonly over: Promise<void>;
  readonly #host: InstanceHost;
  readonly #changed: () => void;
  readonly #log: Log;
  readonly #pair: Pair;
  readonly #unwatch: Cancel;
  #order: CreateSession | undefined;
  #bound_at: number | undefined;
  /** Whether the coordinator may hear of it: not before the journal has which session has it. */
  #announced: boolean;
  #state: Step['instance'];
  #disarm: Cancel = () => {};
  /** Starts run one after another; stopping waits for the one under way. */
  #starts: Promise<void>;
  #released = false;
  #resolveOver = () => {};

  constructor(options: InstanceOptions, host: InstanceHost) {
    const { birth, order, first, remains, room } = options;
    const { app, instance_id } = birth;
    this.birth = birth;
    this.#host = host;
    this.#changed = () => options.changed(this);
    this.#order = order;
    this.#bound_at = order === undefined ? undefined : (options.bound_at ?? host.clock.monotonic());
    this.#announced = order !== undefined;
    this.#log = host.log.child({ instance: instance_id, app: app.rc_name });
    this.over = new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
    this.#starts = room.then(() => {});
    this.#state = first.instance;
    const owner = {
      order: () => this.#order,
      stopped: () => this.#stopped(),
      event: (event: InstanceEvent) => this.#dispatch(event),
    };
    this.#pair = new Pair(birth, host, owner, this.#log);
    this.#unwatch = watchLimits({
      app,
      clock: host.clock,
      log: this.#log,
      memory: () => this.#pair.memory(),
      since: () => this.#bound_at,
      too_big: (fact) => this.#dispatch({ type: 'app_too_big', detail: this.#pair.words(fact, 'app') }),
      too_long: (detail) => this.end({ reason: 'time_limit', detail }),
    });
    this.#pair.adopt(remains);
    for (const effect of first.effects) this.#run(effect);
  }

  get phase(): Phase {
    return this.#state.phase;
  }

  get order(): CreateSession | undefined {
    return this.#order;
  }

  get ending(): Ending | undefined {
    return this.#state.ending;
  }

  /** Restarts of its app that its policy still counts. */
  get restarts(): number {
    return this.#state.app_restarts.length;
  }

  pid(role: Role): number | undefined {
    return this.#pair.pid(role);
  }

  /** Gives it to a session, once. The coordinator hears how far it is when the journal has it and the app its ICE servers. */
  async bind(order: CreateSession): Promise<void> {
    this.#order = order;
    this.#bound_at = this.#host.clock.monotonic();
    this.#changed();
    const { instance_id } = this.birth;
    const at = this.#host.clock.now();
    try {
      await Promise.all([
        this.#host.journal.append({ is: 'bound', instance_id, order, at }),
        this.phase === 'signalling' ? undefined : this.#pair.tellIce(),
      ]);
    } catch (error) {
      this.end({ reason: 'host_refused', detail: wordsFor(error) });
    }
    if (this.#released) return;
    this.#announced = true;
    this.tell();
  }

  /** Says anew how far its session is: what was said while no coordinator listened is lost. */
  tell(): void {
    if (this.#announced) for (const report of this.#progress()) this.#send(report);
  }

  /** What the coordinator would have heard last, had it been told all along. */
  #progress(): Report[] {
    switch (this.phase) {
      case 'ready':
      case 'missing':
        return ['ready'];
      case 'restarting':
      case 'reconnecting':
        return ['restarting'];
      case 'ended':
        return ['ended'];
      case 'stopping':
        return [];
      default:
        return this.pid('app') === undefined ? ['launching'] : ['launching', 'app_started'];
    }
  }

  /** Ends it in whatever state it is; the first reason counts. */
  end(ending: Ending): void {
    this.#dispatch({ type: 'end', ending });
  }

  /** Kills whatever is left, without grace. Only after `end`. */
  force(): void {
    this.#pair.force();
  }

  /** Lets go of everything that runs, for a later agent to adopt. Resolves when no start is under way any more. */
  async release(): Promise<void> {
    this.#released = true;
    this.#disarm();
    this.#unwatch();
    await this.#starts;
    await this.#pair.release();
  }

  /** The local player URL with this admission, or undefined while there is no signalling server. */
  playerUrl(admission: Parameters<Pair['playerUrl']>[0]): string | undefined {
    if (this.phase === 'signalling' || this.#stopped()) return undefined;
    return this.#pair.playerUrl(admission);
  }

  /** Whether signalling has said if the streamer is there. */
  get observed(): boolean {
    return this.#pair.observed;
  }

  /** Whether signalling keeps the players that it admitted under a name. */
  get keepsPlayers(): boolean {
    return this.#pair.keepsPlayers;
  }

  /** Ends the players of who was sent away, also those whose page is not connected now. */
  async dismiss(participant: string): Promise<void> {
    if (this.phase !== 'signalling' && !this.#stopped()) await this.#pair.dismiss(participant);
  }

  /** The local address that the user's protocol wants to see; nobody outside the host can use it. */
  get playerPort(): string {
    return this.#pair.playerPort;
  }

  #dispatch(event: InstanceEvent): void {
    if (this.#released) return;
    const before = this.phase;
    const { instance, effects } = step(this.#state, event, this.#host.clock.monotonic());
    this.#state = instance;
    for (const effect of effects) this.#run(effect);
    if (before === this.phase) return;
    if (before === 'missing' && this.phase === 'ready') this.#log.info('the streamer is back');
    if (this.phase === 'missing') this.#log.warn('the streamer has gone from signalling while its app runs');
    this.#changed();
  }

  #run(effect: Effect) {
    switch (effect.type) {
      case 'start_signalling':
        return this.#start(() => this.#pair.startSignalling(effect.ports));
      case 'start_app':
        return this.#start(() => this.#pair.startApp());
      case 'arm':
        this.#disarm();
        this.#disarm = this.#host.clock.after(effect.ms, () => this.#late(effect.ms));
        return;
      case 'disarm':
        return this.#disarm();
      case 'stop_all':
        void this.#stopAll();
        return;
      case 'report':
        return this.#report(effect.what);
    }
  }

  #late(ms: number): void {
    const [what, role] =
      this.phase === 'signalling'
        ? (['signalling was not up', 'signalling'] as const)
        : this.phase === 'missing'
          ? (['the streamer did not come back', 'app'] as const)
          : (['no streamer had registered', 'app'] as const);
    this.#dispatch({ type: 'late', detail: this.#pair.words(`${what} after ${ms / 1_000} s`, role) });
  }

  /** One that fails for a reason that nobody foresaw, a full disk for one, ends the instance. */
  #start(run: () => Promise<void>): void {
    this.#starts = this.#starts
      .then(() => (this.#stopped() ? undefined : run()))
      .catch((error: unknown) => {
        this.#log.error({ error }, 'a start failed');
        this.end({ reason: 'host_refused', detail: wordsFor(error) });
      });
  }

  #stopped(): boolean {
    return this.#released || this.phase === 'stopping' || this.phase === 'ended';
  }

  /** A line of the journal; the instance goes on without it. */
  #note(entry: Entry): Promise<void> {
    return this.#host.journal.append(entry).catch((error: unknown) => {
      this.#log.error({ error, entry: entry.is }, 'the journal cannot be written');
    });
  }

  async #stopAll(): Promise<void> {
    const { instance_id, app } = this.birth;
    this.#disarm();
    this.#unwatch();
    if (this.#order !== undefined) this.#host.closeChannels(this.#order.session_id);
    await this.#note({ is: 'stopping', instance_id, ending: this.#lastWord() });
    await this.#starts;
    await this.#pair.stop(app.stop_grace_seconds * 1_000);
    if (this.#released) return;
    await this.#note({ is: 'ended', instance_id });
    this.#dispatch({ type: 'all_gone' });
  }

  #lastWord(): Ending {
    return this.#state.ending ?? { reason: 'host_forgot' };
  }

  #report(what: Report): void {
    const session = this.#order?.session_id;
    if (what === 'ended') this.#log.info({ session, ...this.#lastWord() }, 'instance ended');
    else this.#log.info({ session }, `instance ${what.replace('_', ' ')}`);
    if (what === 'ready') void this.#note({ is: 'ready', instance_id: this.birth.instance_id });
    if (this.#announced) this.#send(what);
    if (what === 'ended') this.#resolveOver();
  }

  #send(what: Report): void {
    if (this.#order === undefined) return;
    this.#host.send(messageOf(this.#order, what, this.playerPort, this.#lastWord()));
  }
}
