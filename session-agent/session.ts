import { signAdmission } from '../shared/admission.ts';
import type { Cancel } from '../shared/clock.ts';
import { isRefusal } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { IceServer } from '../shared/protocol/ice.ts';
import { type AppConfig, launchProblem, ports_per_session } from './config.ts';
import {
  begin,
  type Effect,
  type Ending,
  type Phase,
  type Session,
  type SessionEvent,
  step,
} from './domain/session.ts';
import {
  type CreateSession,
  type LocalPorts,
  launchApp,
  launchSignalling,
  type SessionHost,
} from './launch.ts';
import { type Observer, observe } from './observer.ts';
import type { Exit, Program } from './processes/program.ts';
import { sleep } from './wait.ts';

const SIGNALLING_GRACE_MS = 2_000;
/** An admission token opens one connection at once; it need not live longer. */
const ADMISSION_MS = 30_000;
/** How long the old streamer may stay in signalling's list before its successor is started anyway. */
const FORGET_STREAMER_MS = 2_000;
const TAIL_LINES = 12;
const DETAIL_CHARACTERS = 1_000;

/** One session's processes, ports and observer, driven by the pure machine in `domain/session.ts`. */
export class RunningSession {
  readonly order: CreateSession;
  /** Resolves when every process is gone and the end has been reported. */
  readonly over: Promise<void>;
  readonly #host: SessionHost;
  readonly #app: AppConfig;
  readonly #log: Log;
  readonly #secret: string;
  readonly #streamer_id: string;
  #state: Session;
  #ports: LocalPorts | undefined;
  #signalling: Program | undefined;
  #program: Program | undefined;
  #observer: Observer | undefined;
  #disarm: Cancel = () => {};
  /** Starts run one after another; stopping waits for the one under way. */
  #starts: Promise<void> = Promise.resolve();
  #resolveOver = () => {};

  constructor(order: CreateSession, app: AppConfig, host: SessionHost) {
    this.order = order;
    this.#app = app;
    this.#host = host;
    this.#log = host.log.child({ session: order.session_id, app: app.rc_name });
    this.#secret = host.ids.secret();
    this.#streamer_id = `vitrina-${order.session_id}`;
    this.over = new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
    const first = begin({
      start_timeout_ms: app.start_timeout_seconds * 1_000,
      restart: { times: app.restart.times, window_ms: app.restart.window_seconds * 1_000 },
    });
    this.#state = first.session;
    for (const effect of first.effects) this.#run(effect);
  }

  get phase(): Phase {
    return this.#state.phase;
  }

  /** Ends the session in whatever state it is; the first reason counts. */
  end(ending: Ending): void {
    this.#dispatch({ type: 'end', ending });
  }

  /** Kills whatever is left, without grace. Only after `end`. */
  force(): void {
    for (const program of [this.#program, this.#signalling]) void program?.stop(0);
  }

  /** The local player URL with an admission for this participant, or undefined while there is no signalling server. */
  playerUrl(participant: string, ice_servers: IceServer[], view_only: boolean): string | undefined {
    if (this.#ports === undefined || !['app', 'ready', 'restarting'].includes(this.phase)) return undefined;
    return this.#admittedUrl(this.#ports.player, participant, ice_servers, view_only);
  }

  /** The local address that the user's protocol wants to see; nobody outside the host can use it. */
  get playerPort(): string {
    return String(this.#ports?.player ?? '');
  }

  #admittedUrl(port: number, participant: string, ice_servers: IceServer[], view_only: boolean): string {
    const expires = this.#host.clock.now() + ADMISSION_MS;
    const admission = { participant, ice_servers, view_only, expires };
    return `ws://127.0.0.1:${port}/?token=${signAdmission(admission, this.#secret)}`;
  }

  #dispatch(event: SessionEvent): void {
    const { session, effects } = step(this.#state, event, this.#host.clock.monotonic());
    this.#state = session;
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: Effect) {
    switch (effect.type) {
      case 'start_signalling':
        return this.#start(() => this.#startSignalling(effect.ports));
      case 'start_app':
        return this.#start(() => this.#startApp());
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
    const program = this.phase === 'signalling' ? this.#signalling : this.#program;
    const what = this.phase === 'signalling' ? 'signalling was not up' : 'no streamer had registered';
    this.#dispatch({ type: 'late', detail: detailOf(`${what} after ${ms / 1_000} s`, program) });
  }

  #start(run: () => Promise<void>): void {
    this.#starts = this.#starts.then(run).catch((error: unknown) => {
      this.#log.error({ error }, 'a start failed');
      this.#dispatch({ type: 'end', ending: { reason: 'host_refused', detail: String(error) } });
    });
  }

  #stopped(): boolean {
    return this.phase === 'stopping' || this.phase === 'ended';
  }

  async #startSignalling(which: 'new' | 'same'): Promise<void> {
    const ports = which === 'new' ? await this.#newPorts() : this.#ports;
    if (this.#stopped()) return;
    if (ports === undefined) {
      const { from, to } = this.#host.config.ports;
      return this.#dispatch({ type: 'no_port', detail: `no free ports left in ${from}-${to}` });
    }
    const program = launchSignalling(this.#host, this.order, ports, this.#secret);
    this.#signalling = program;
    void this.#ended(program, (detail) => ({ type: 'signalling_down', detail }));
    if (which === 'new') this.#observe(ports.player);
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

  #observe(port: number): void {
    this.#observer?.close();
    this.#observer = observe({
      url: () => this.#admittedUrl(port, 'observer', [], true),
      streamer_id: this.#streamer_id,
      clock: this.#host.clock,
      log: this.#log,
      up: () => this.#dispatch({ type: 'signalling_up' }),
      registered: () => {
        this.#log.info('the streamer registered');
        this.#dispatch({ type: 'registered' });
      },
      unregistered: () => {
        if (this.phase === 'ready')
          this.#log.warn('the streamer has gone from signalling while its app runs');
      },
    });
  }

  async #startApp(): Promise<void> {
    const problem = await launchProblem(this.#app, this.#host.config.apps_folders);
    if (problem !== undefined) return this.#dispatch({ type: 'app_missing', detail: problem });
    await this.#retireApp();
    await this.#streamerForgotten();
    if (this.#stopped() || this.#ports === undefined) return;
    const program = this.#launchApp(this.#ports);
    if (program === undefined) return;
    this.#program = program;
    void this.#ended(program, (detail) => ({ type: 'app_down', detail }));
    this.#dispatch({ type: 'app_up' });
  }

  /**
   * Signalling gives a second streamer of the same name another one, and a page waits for the name that it knows: so the
   * dead one must be off the list before its successor comes.
   */
  async #streamerForgotten(): Promise<void> {
    const deadline = this.#host.clock.monotonic() + FORGET_STREAMER_MS;
    this.#observer?.expect();
    while (this.#observer?.registered() === true && !this.#stopped()) {
      if (this.#host.clock.monotonic() >= deadline) return;
      await sleep(this.#host.clock, 10);
    }
  }

  /** An app that knows ports of a signalling server that never came up makes room, and its end is nobody's news. */
  async #retireApp(): Promise<void> {
    const old = this.#program;
    this.#program = undefined;
    await old?.stop(0);
  }

  #launchApp(ports: LocalPorts): Program | undefined {
    try {
      const program = launchApp(this.#host, this.order, this.#app, ports, this.#streamer_id);
      if (!isRefusal(program)) return program;
      const detail = `the arguments of ${this.#app.rc_name}: ${program.detail}`;
      this.#dispatch({ type: 'end', ending: { reason: 'host_refused', detail } });
    } catch (error) {
      const detail = `${this.#app.path} cannot be started: ${String(error)}`;
      this.#dispatch({ type: 'app_missing', detail });
    }
    return undefined;
  }

  /** Waits for a program's end, clears away what it left behind, and only then tells the machine. */
  async #ended(program: Program, event: (detail: string) => SessionEvent): Promise<void> {
    const exit: Exit = await program.exited;
    const detail = detailOf(exit.text, program);
    const retired = program !== this.#program && program !== this.#signalling;
    if (!this.#stopped() && !retired)
      this.#log.warn({ pid: program.pid, detail }, 'a program of the session ended');
    await program.stop(0);
    if (!retired) this.#dispatch(event(detail));
  }

  async #stopAll(): Promise<void> {
    this.#host.closeChannels(this.order.session_id);
    this.#observer?.close();
    await this.#starts;
    await Promise.all([
      this.#program?.stop(this.#app.stop_grace_seconds * 1_000),
      this.#signalling?.stop(SIGNALLING_GRACE_MS),
    ]);
    this.#givePorts();
    this.#dispatch({ type: 'all_gone' });
  }

  #report(what: Extract<Effect, { type: 'report' }>['what']) {
    const { session_id, generation, code } = this.order;
    const ref = { session_id, generation };
    const { send } = this.#host;
    if (what === 'ended') {
      const ending: Ending = this.#state.ending ?? { reason: 'host_forgot' };
      this.#log.info(ending, 'session ended');
      send({ msg: 'SESSION_ENDED', ...ref, ...ending });
      return this.#resolveOver();
    }
    this.#log.info(`session ${what.replace('_', ' ')}`);
    if (what === 'ready') {
      return send({ verb: 'CONNECT_TO_SESSION', ...ref, ip: '127.0.0.1', port: this.playerPort, code });
    }
    if (what === 'restarting') return send({ msg: 'SESSION_RESTARTING', ...ref });
    send({ msg: 'SESSION_STARTING', ...ref, phase: what });
  }
}

/** The fact and the program's last words, within what SESSION_ENDED takes. */
const detailOf = (fact: string, program: Program | undefined): string => {
  const lines = program?.tail(TAIL_LINES) ?? [];
  if (lines.length === 0) return fact;
  const head = `${fact}; last output: `;
  return head + lines.join('\n').slice(-(DETAIL_CHARACTERS - head.length));
};
