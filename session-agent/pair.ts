import { isRefusal } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { type Admitted, admittedUrl, observer } from './admitted.ts';
import type { Birth, Remains } from './birth.ts';
import { launchProblem, ports_per_session } from './config.ts';
import type { InstanceEvent } from './domain/instance.ts';
import type { LocalPorts, Role } from './domain/journal.ts';
import { type CreateSession, type InstanceHost, launchApp, launchSignalling, streamerId } from './launch.ts';
import { type Observer, observe } from './observer.ts';
import { bornOf } from './processes/identity.ts';
import type { Program } from './processes/program.ts';
import { wordsOf } from './reports.ts';
import { tellSignalling } from './tell-signalling.ts';
import { sleep } from './wait.ts';

const SIGNALLING_GRACE_MS = 2_000;
/** How long the old streamer may stay in signalling's list before its successor is started anyway. */
const FORGET_STREAMER_MS = 2_000;

/** Tries to send a player away: signalling that does not answer for so long is started again, without any player. */
const DISMISSALS = 5;

/** How a pair asks and tells the instance that it belongs to. */
export interface Owner {
  order(): CreateSession | undefined;
  /** The instance is being stopped, or let go: nothing is started any more. */
  stopped(): boolean;
  event(event: InstanceEvent): void;
}

/** An instance's app and signalling processes, their ports, and the observer that looks at both from outside. */
export class Pair {
  readonly #birth: Birth;
  readonly #host: InstanceHost;
  readonly #owner: Owner;
  readonly #log: Log;
  #ports: LocalPorts | undefined;
  #signalling: Program | undefined;
  #app: Program | undefined;
  #observer: Observer | undefined;
  /** Whether the streamer is told the ICE servers of the session by the signalling process that runs. */
  #knows_ice = false;
  #recorded: Promise<void> = Promise.resolve();

  constructor(birth: Birth, host: InstanceHost, owner: Owner, log: Log) {
    this.#birth = birth;
    this.#host = host;
    this.#owner = owner;
    this.#log = log;
  }

  /** Takes what an agent before this one has left; of a program that has ended the event follows. */
  adopt({ ports, app, signalling }: Remains): void {
    this.#ports = ports;
    if (ports !== undefined) this.#host.ports.hold(Object.values(ports));
    this.#app = app;
    this.#signalling = signalling;
    if (app !== undefined) void this.#ended(app, (detail) => ({ type: 'app_down', detail }));
    if (signalling === undefined) return;
    void this.#ended(signalling, (detail) => ({ type: 'signalling_down', detail }));
    this.#observe();
  }

  pid(role: Role): number | undefined {
    return this.#program(role)?.pid;
  }

  /** The fact and that program's last words. */
  words(fact: string, role: Role): string {
    return wordsOf(fact, this.#program(role));
  }

  /** Bytes that the app takes; undefined while none runs. */
  async memory(): Promise<number | undefined> {
    return this.#app?.memory();
  }

  /** Whether signalling has said if the streamer is there. */
  get observed(): boolean {
    return this.#observer?.heard() === true;
  }

  get playerPort(): string {
    return String(this.#ports?.player ?? '');
  }

  /** Whether signalling keeps the players that it admitted under a name. */
  get keepsPlayers(): boolean {
    return this.#birth.keyed && this.#birth.app.signalling === undefined;
  }

  /** The local player URL with this admission, or undefined while there are no ports. */
  playerUrl(admission: Admitted): string | undefined {
    if (this.#ports === undefined) return undefined;
    const { participant, view_only } = admission;
    if (view_only === true && this.#birth.app.signalling !== undefined)
      this.#log.warn(
        { participant },
        'who may only watch can steer: the signalling server of this app is not ours',
      );
    return this.#admittedUrl(admission);
  }

  /** Ends the players of who was sent away, also those whose page is not connected now. */
  async dismiss(participant: string): Promise<void> {
    if (this.#ports === undefined || !this.keepsPlayers) return;
    for (let attempt = 0; attempt < DISMISSALS && !this.#owner.stopped(); attempt++)
      if (await this.#tell({ dismissed: participant }))
        return this.#log.info({ participant }, 'a player was sent away');
    if (!this.#owner.stopped()) this.#log.error({ participant }, 'a player could not be sent away');
  }

  #admittedUrl(admission: Admitted): string {
    return admittedUrl(this.#birth, this.playerPort, admission, this.#host.clock.now());
  }

  async startSignalling(which: 'new' | 'same'): Promise<void> {
    const { event, order, stopped } = this.#owner;
    const ports = which === 'new' || this.#ports === undefined ? await this.#newPorts() : this.#ports;
    if (stopped()) return;
    if (ports === undefined) {
      const { from, to } = this.#host.config.ports;
      return event({ type: 'no_port', detail: `no free ports left in ${from}-${to}` });
    }
    if (!(await this.#intend('signalling', ports))) return;
    this.#knows_ice = order() !== undefined;
    const program = launchSignalling(this.#host, { ...this.#birth, order: order(), ports });
    this.#signalling = program;
    void this.#ended(program, (detail) => ({ type: 'signalling_down', detail }));
    if (which === 'new' || this.#observer === undefined) this.#observe();
    this.#record('signalling', program);
  }

  async startApp(): Promise<void> {
    const { event, stopped } = this.#owner;
    const problem = await launchProblem(this.#birth.app, this.#host.config.apps_folders);
    if (problem !== undefined) return event({ type: 'app_missing', detail: problem });
    await this.#retireApp();
    await this.#streamerForgotten();
    if (stopped() || this.#ports === undefined) return;
    if (!(await this.#intend('app', this.#ports))) return;
    const program = this.#launchApp(this.#ports);
    if (program === undefined) return;
    this.#app = program;
    void this.#ended(program, (detail) => ({ type: 'app_down', detail }));
    event({ type: 'app_up' });
    this.#record('app', program);
  }

  /** Gives the streamer the ICE servers of the session, where signalling was started without them. */
  async tellIce(): Promise<void> {
    const ice_servers = this.#owner.order()?.ice_servers;
    if (ice_servers === undefined || this.#knows_ice || this.#birth.app.signalling !== undefined) return;
    this.#knows_ice = await this.#tell({ streamer_ice_servers: ice_servers });
    if (!this.#knows_ice) this.#log.warn('the app could not be told its ICE servers');
  }

  /** Says something to signalling itself; whether it was taken. */
  #tell(word: Pick<Admitted, 'dismissed' | 'streamer_ice_servers'>): Promise<boolean> {
    const url = this.#admittedUrl({ ...observer, ...word });
    return tellSignalling(url, this.#host.clock, this.#log);
  }

  /** Ends both and gives the ports back. */
  async stop(app_grace_ms: number): Promise<void> {
    this.#observer?.close();
    await Promise.all([this.#app?.stop(app_grace_ms), this.#signalling?.stop(SIGNALLING_GRACE_MS)]);
    this.#givePorts();
  }

  /** Kills whatever is left, without grace. */
  force(): void {
    for (const program of [this.#app, this.#signalling]) void program?.stop(0);
  }

  /** Lets go of what runs, for a later agent to adopt. Resolves when the journal has all of it. */
  async release(): Promise<void> {
    this.#observer?.close();
    await this.#recorded;
    await Promise.all([this.#app?.release(), this.#signalling?.release()]);
  }

  #program(role: Role): Program | undefined {
    return role === 'app' ? this.#app : this.#signalling;
  }

  /** The intent, on the disk before the program is started; whether it is still to be started then. */
  async #intend(role: Role, ports: LocalPorts): Promise<boolean> {
    const { instance_id } = this.#birth;
    const at = this.#host.clock.now();
    await this.#host.journal.append({ is: 'intent', instance_id, role, ports, at });
    return !this.#owner.stopped();
  }

  /** Which process it is, for the journal. Nothing waits for it. */
  #record(role: Role, { pid }: Program): void {
    const { journal } = this.#host;
    const { instance_id } = this.#birth;
    const record = async () => {
      const born = await bornOf(pid);
      // One that has ended already needs no record: nothing of it could be taken for another.
      if (born !== undefined)
        await journal.append({ is: 'started', instance_id, role, process: { pid, born } });
    };
    const before = this.#recorded;
    this.#recorded = record()
      .catch((error: unknown) => this.#log.error({ error }, 'the journal cannot be written'))
      .then(() => before);
  }

  async #newPorts(): Promise<LocalPorts | undefined> {
    this.#givePorts();
    const [player, streamer, sfu] = (await this.#host.ports.take(ports_per_session)) ?? [];
    if (player === undefined || streamer === undefined || sfu === undefined) return undefined;
    this.#ports = { player, streamer, sfu };
    return this.#ports;
  }

  #givePorts(): void {
    if (this.#ports !== undefined) this.#host.ports.give(Object.values(this.#ports));
    this.#ports = undefined;
  }

  #observe(): void {
    const { event, order, stopped } = this.#owner;
    if (stopped()) return;
    this.#observer?.close();
    this.#observer = observe({
      url: () => this.#admittedUrl(observer),
      streamer_id: streamerId(this.#birth.instance_id),
      clock: this.#host.clock,
      log: this.#log,
      up: () => {
        if (order() !== undefined) void this.tellIce();
        event({ type: 'signalling_up' });
      },
      registered: () => {
        this.#log.info('the streamer registered');
        event({ type: 'registered' });
      },
      unregistered: () => event({ type: 'unregistered' }),
      silent: () => {
        this.#log.error('signalling does not answer; it is started again');
        void this.#signalling?.stop(0);
      },
    });
  }

  /**
   * Signalling gives a second streamer of the same name another one, and a page waits for the name that it knows: so the
   * dead one must be off the list before its successor comes.
   */
  async #streamerForgotten(): Promise<void> {
    const { clock } = this.#host;
    const deadline = clock.monotonic() + FORGET_STREAMER_MS;
    this.#observer?.expect();
    while (this.#observer?.registered() === true && !this.#owner.stopped()) {
      if (clock.monotonic() >= deadline) return;
      await sleep(clock, 10);
    }
  }

  /** An app that hangs, or knows ports of a signalling server that never came up, makes room; its end is nobody's news. */
  async #retireApp(): Promise<void> {
    const old = this.#app;
    this.#app = undefined;
    await old?.stop(0);
  }

  #launchApp(ports: LocalPorts): Program | undefined {
    const { app } = this.#birth;
    const { event, order } = this.#owner;
    try {
      const program = launchApp(this.#host, { ...this.#birth, order: order(), ports });
      if (!isRefusal(program)) return program;
      const detail = `the arguments of ${app.rc_name}: ${program.detail}`;
      event({ type: 'end', ending: { reason: 'host_refused', detail } });
    } catch (error) {
      event({ type: 'app_missing', detail: `${app.path} cannot be started: ${String(error)}` });
    }
    return undefined;
  }

  /** Waits for a program's end, clears away what it left behind, and only then tells. */
  async #ended(program: Program, event: (detail: string) => InstanceEvent): Promise<void> {
    const exit = await program.exited;
    const detail = wordsOf(exit.text, program);
    const retired = () => program !== this.#app && program !== this.#signalling;
    if (!this.#owner.stopped() && !retired())
      this.#log.warn({ pid: program.pid, detail }, 'a program has ended by itself');
    await program.stop(0);
    if (!retired()) this.#owner.event(event(detail));
  }
}
