import type { Cancel } from '../shared/clock.ts';
import type { HostCard } from '../shared/protocol/agent-link.ts';
import type { EndReason } from '../shared/protocol/session.ts';
import { adopt, planOf } from './adopt.ts';
import { cardsOf } from './cards.ts';
import type { AgentConfig, AppConfig } from './config.ts';
import { roomIn } from './disk.ts';
import { begin, type Ending } from './domain/instance.ts';
import { sessionPlaceholder } from './domain/launch.ts';
import { chooseCard, clear, type Held, pick, plan, type Target, type WarmWish } from './domain/pool.ts';
import { Instance } from './instance.ts';
import { noteInstance } from './instance-note.ts';
import { describeInstance, isLeaving } from './instance-status.ts';
import type { CreateSession, InstanceHost } from './launch.ts';
import { wordsFor } from './reports.ts';
import type { InstanceStatus, WarmStatus } from './status.ts';
import { WarmStarts } from './warm-starts.ts';

/** Backoffs end and warm instances age without any event. */
const TICK_MS = 1_000;

/** The instances of this machine: those of sessions and those kept warm, and which card has room for another. */
export class Instances {
  readonly #host: InstanceHost;
  readonly #all = new Set<Instance>();
  readonly #starts: WarmStarts;
  #wishes: readonly WarmWish[] = [];
  #stopTicking: Cancel = () => {};
  /** Whether the pool may start anything. */
  #open = false;
  /** Nobody wants anything of this host: nothing is kept warm. */
  #idle = false;
  /** Warm instances whose end has been told to `#starts`. */
  readonly #noted = new WeakSet<Instance>();
  /** A change that comes while a decision is being carried out waits for its end. */
  #deciding = false;

  constructor(host: InstanceHost) {
    this.#host = host;
    this.#starts = new WarmStarts(host.clock, host.log);
  }

  /** Takes over what an earlier agent left, then fills the pool. */
  async open(): Promise<void> {
    const changed = (instance: Instance) => this.#changed(instance);
    for (const instance of await adopt(this.#host, changed)) this.#hold(instance);
    this.#open = true;
    this.#stopTicking = this.#host.clock.every(TICK_MS, () => this.#tick());
    this.#tick();
  }

  /** Those that a session has. */
  sessions(): Instance[] {
    return [...this.#all].filter(({ order }) => order !== undefined);
  }

  /**
   * The instance for a session: a warm one, or a fresh one that waits for warm ones to make room if need be; or why there is
   * none.
   */
  take(order: CreateSession, app: AppConfig): Instance | { detail: string } {
    const held = this.#held();
    const warm = this.#find(pick(held, order.rc_name, order.card));
    if (warm !== undefined) {
      void warm.bind(order);
      noteInstance(this.#host, order.session_id, warm.birth.instance_id);
      return warm;
    }
    const cards = cardsOf(this.#host.config);
    const index = order.card ?? this.#choose(held, app);
    const card = cards.find((one) => one.index === index);
    const clearing = card === undefined ? undefined : clear(card, held, app);
    if (card === undefined || clearing === undefined) return { detail: this.#whyNot(order, cards, app) };
    this.#deciding = true;
    for (const id of clearing.stop) this.#yield(id, order);
    this.#deciding = false;
    const room = Promise.all(clearing.wait_for.map((id) => this.#find(id)?.over));
    return this.#launch(app, card.index, room, order);
  }

  /** How many instances of each app the coordinator wants to be started ahead. Replaces the last wish. */
  wish(wishes: readonly WarmWish[]): void {
    this.#wishes = wishes;
    this.#tick();
  }

  /** Another configuration for what is launched from now on. */
  reconfigure(config: AgentConfig): void {
    this.#starts.reconfigured(this.#host.config.apps, config.apps);
    this.#host.config = config;
    this.#host.ports.move(config.ports);
    this.#tick();
  }

  /** Warm instances that a session could have at once. */
  warm(): { rc_name: string; card: number; ready: number }[] {
    const counts = new Map<string, { rc_name: string; card: number; ready: number }>();
    for (const { rc_name, card, use, state, stale } of this.#held()) {
      if (use !== 'warm' || state !== 'ready' || stale) continue;
      const key = `${card} ${rc_name}`;
      const before = counts.get(key) ?? { rc_name, card, ready: 0 };
      counts.set(key, { ...before, ready: before.ready + 1 });
    }
    return [...counts.values()];
  }

  describe(): InstanceStatus[] {
    return [...this.#all].map(describeInstance);
  }

  /** What the pool wants and has, app by app, and what its last failure was. */
  describeWarm(): WarmStatus[] {
    const held = this.#held().filter(({ use }) => use === 'warm');
    return this.#host.config.apps.flatMap((app) => {
      const own = held.filter(({ rc_name }) => rc_name === app.rc_name);
      const { instances, on } = this.#wanted(app);
      const wanted = Math.max(
        instances,
        [...on.values()].reduce((sum, count) => sum + count, 0),
      );
      const failure = this.#starts.failure(app.rc_name);
      if (wanted === 0 && own.length === 0 && failure === undefined) return [];
      const count = (what: Held['state']) => own.filter(({ state }) => state === what).length;
      return [
        { rc_name: app.rc_name, wanted, ready: count('ready'), starting: count('starting'), ...failure },
      ];
    });
  }

  /** Ends every session like this, and what is warm; starts nothing ahead until `wake`. */
  sleep({ reason, detail }: Ending): void {
    this.#idle = true;
    for (const instance of this.#all) {
      // A warm instance that the host stops has not failed.
      instance.end({ reason: instance.order === undefined ? 'host_stopped' : reason, detail });
    }
  }

  /** There is a coordinator: instances are kept warm again. */
  wake(): void {
    this.#idle = false;
    this.#tick();
  }

  /** Ends everything; resolves when no process of any is left. */
  async stop(reason: EndReason): Promise<void> {
    this.#close();
    for (const instance of this.#all) instance.end({ reason });
    await Promise.all([...this.#all].map(({ over }) => over));
  }

  /** Kills what is left of those that are being stopped. */
  force(): void {
    for (const instance of this.#all) instance.force();
  }

  /** Lets go of everything that runs, for a later agent to adopt. */
  async release(): Promise<void> {
    this.#close();
    await Promise.all([...this.#all].map((instance) => instance.release()));
  }

  #close(): void {
    this.#open = false;
    this.#stopTicking();
  }

  #find(id: string | undefined): Instance | undefined {
    return [...this.#all].find(({ birth }) => birth.instance_id === id);
  }

  #choose(held: readonly Held[], app: AppConfig): number | undefined {
    const { config } = this.#host;
    const room = { cards: cardsOf(config), placing: config.placing, held };
    const sessions = held.filter(({ use }) => use === 'session');
    return chooseCard(room, app) ?? chooseCard({ ...room, held: sessions }, app);
  }

  #whyNot({ card }: CreateSession, cards: readonly HostCard[], app: AppConfig): string {
    const { seats } = this.#host.config;
    if (this.sessions().length >= seats)
      return seats === 1 ? 'the only seat is in use' : `all ${seats} seats are in use`;
    if (card === undefined) return `no card has room for ${app.rc_name}`;
    const known = cards.some(({ index }) => index === card);
    return known ? `card ${card} has no room for ${app.rc_name}` : `this host has no card ${card}`;
  }

  /** A warm instance serves nobody: it is killed at once for a session that needs its room. */
  #yield(id: string, { session_id }: CreateSession): void {
    const instance = this.#find(id);
    this.#host.log.info({ instance: id, session: session_id }, 'a warm instance makes room');
    instance?.end({ reason: 'host_stopped', detail: 'a session needed its room' });
    instance?.force();
  }

  #launch(app: AppConfig, card: number, room: Promise<unknown>, order?: CreateSession): Instance {
    const { ids, clock, journal, log } = this.#host;
    const instance_id = order?.session_id ?? ids.id();
    const birth = { instance_id, app, card, secret: ids.secret(), created_at: clock.now(), keyed: true };
    const { secret, created_at: at, keyed } = birth;
    const bound = order === undefined ? {} : { order };
    const noted = journal.append({ is: 'launch', instance_id, app, card, secret, keyed, ...bound, at });
    const changed = (instance: Instance) => this.#changed(instance);
    const first = begin(planOf(birth));
    const { state_folder, log_folder } = this.#host.config;
    const ready = Promise.all([room, roomIn([state_folder, log_folder])]);
    const options = { birth, ...bound, first, remains: {}, room: ready, changed };
    const instance = new Instance(options, this.#host);
    // What the journal does not have a later agent would end.
    noted.catch((error: unknown) => {
      log.error({ error }, 'the journal cannot be written');
      instance.end({ reason: 'host_refused', detail: wordsFor(error) });
    });
    this.#hold(instance);
    return instance;
  }

  #hold(instance: Instance): void {
    this.#all.add(instance);
    instance.over
      .then(() => {
        this.#all.delete(instance);
        this.#note(instance);
        this.#tick();
      })
      .catch((error: unknown) => this.#host.log.error({ error }, 'an instance could not be closed'));
  }

  #changed(instance: Instance): void {
    if (instance.order === undefined && instance.phase === 'ready')
      this.#starts.forget(instance.birth.app.rc_name);
    if (isLeaving(instance)) this.#note(instance);
    this.#tick();
  }

  /** What became of a warm instance, once, and before its last process has gone: the next start waits from now on. */
  #note(instance: Instance): void {
    if (instance.order !== undefined || this.#noted.has(instance)) return;
    this.#noted.add(instance);
    this.#starts.ended(instance.birth.app.rc_name, instance.ending);
  }

  #held(): Held[] {
    return [...this.#all].map((instance) => {
      const { birth, order, phase } = instance;
      const { rc_name, vram_mb, encoders } = birth.app;
      const state = isLeaving(instance) ? 'stopping' : phase === 'ready' ? 'ready' : 'starting';
      const use = order === undefined ? 'warm' : 'session';
      const stale = use === 'warm' && this.#isStale(instance);
      return { id: birth.instance_id, rc_name, vram_mb, encoders, card: birth.card, use, state, stale };
    });
  }

  /** Of another configuration, or so old that a session could not have it for its whole time. */
  #isStale({ birth }: Instance): boolean {
    const { config, clock } = this.#host;
    const app = config.apps.find(({ rc_name }) => rc_name === birth.app.rc_name);
    const { longest_minutes = Number.POSITIVE_INFINITY } = birth.app;
    const old = clock.now() - birth.created_at > longest_minutes * 60_000;
    return old || JSON.stringify(app) !== JSON.stringify(birth.app);
  }

  #wanted({ rc_name, warm, arguments: templates }: AppConfig): Pick<Target, 'instances' | 'on'> {
    // Whoever wishes it: such a command line cannot be written before there is a session.
    if (sessionPlaceholder(templates) !== undefined) return { instances: 0, on: new Map() };
    const wishes = this.#wishes.filter((wish) => wish.rc_name === rc_name);
    return { instances: warm, on: new Map(wishes.map(({ card, instances }) => [card, instances])) };
  }

  /** Does what the pool wants now; what changes meanwhile is looked at in the next tick. */
  #tick(): void {
    if (!this.#open || this.#idle || this.#deciding) return;
    this.#deciding = true;
    this.#decide();
    this.#deciding = false;
  }

  #decide(): void {
    const { config } = this.#host;
    const { apps, placing } = config;
    const rank = (rc_name: string) => {
      const at = this.#wishes.findIndex((wish) => wish.rc_name === rc_name);
      return at === -1 ? this.#wishes.length : at;
    };
    const wished = apps.toSorted((a, b) => rank(a.rc_name) - rank(b.rc_name));
    const targets = wished.map((app) => ({
      rc_name: app.rc_name,
      vram_mb: app.vram_mb,
      encoders: app.encoders,
      ...this.#wanted(app),
      waiting: this.#starts.waiting(app.rc_name),
    }));
    const { start, stop } = plan({ cards: cardsOf(config), placing, held: this.#held() }, targets);
    for (const id of stop) this.#find(id)?.end({ reason: 'host_stopped', detail: 'not wanted any more' });
    for (const { rc_name, card } of start) {
      const app = apps.find((one) => one.rc_name === rc_name);
      if (app !== undefined) this.#launch(app, card, Promise.resolve());
    }
  }
}
