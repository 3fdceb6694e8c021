import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import type { CreateSession } from '../launch.ts';
import { markedProcesses } from '../processes/marked.ts';
import type { InstanceStatus } from '../status.ts';
import { sleep } from '../wait.ts';
import { type FakeCoordinator, startFakeCoordinator } from './fake-coordinator.ts';
import { fakeAppConfig, key, order, portRange } from './rig.ts';

const program = join(import.meta.dir, 'crashing-agent.ts');
const signalling = resolve(import.meta.dir, '..', '..', 'signalling', 'main.ts');
const POLL_MS = 10;
const PATIENCE_MS = 60_000;
/** Long enough for an agent to start and take over, on a machine that does little else. */
const STUMBLE_MS = 250;

/** Where an agent can be killed between an intent and its record (reliability 3.3). */
export const crash_points = [
  'before_intent',
  'after_intent',
  'after_spawn',
  'after_signalling_pid',
  'after_app_pid',
  'before_report',
  'during_stop',
  'before_ended',
] as const;
export type CrashPoint = (typeof crash_points)[number];

/** The processes of one instance, by role. */
export interface Running {
  instance: string;
  app: number[];
  signalling: number[];
}

/** A host whose agent is killed again and again, and the coordinator that wants sessions of it. */
export class ChaosHost {
  readonly coordinator: FakeCoordinator;
  /** What is wanted: it is what must run, neither more nor less. */
  readonly wanted = new Map<string, CreateSession>();
  readonly warm: number;
  /** Agent lives that never reached the point at which they were to die. */
  missed = 0;
  readonly #file: string;
  readonly #mark: string;
  #agent: ReturnType<ChaosHost['launch']> | undefined;

  constructor(folder: string, warm: number) {
    this.warm = warm;
    this.coordinator = startFakeCoordinator({
      key,
      hello: ({ sessions }) => ({
        sessions: sessions.map(({ session_id, generation }) => ({
          session_id,
          generation,
          action: this.wanted.has(session_id) ? 'keep' : 'stop',
        })),
      }),
    });
    mkdirSync(folder, { recursive: true });
    this.#file = join(folder, 'config.json');
    this.#mark = join(folder, 'state');
    const restart = { times: 1_000, window_seconds: 1 };
    const config = {
      coordinator: this.coordinator.url,
      server_name: 'host-1',
      key,
      seats: 3,
      ports: portRange(),
      apps: [fakeAppConfig('Flat', [], { restart, warm, stop_grace_seconds: 2 })],
    };
    writeFileSync(this.#file, JSON.stringify(config));
  }

  /** A new agent on the same folders, up to its HELLO; then it is told again what is wanted. */
  async start(): Promise<void> {
    this.#agent = this.launch();
    await this.coordinator.message('HELLO', PATIENCE_MS);
    for (const session of this.wanted.values()) this.coordinator.send(session);
  }

  launch(...armed: string[]) {
    return Bun.spawn([process.execPath, program, this.#file, signalling, ...armed], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'ignore',
    });
  }

  /** An agent that dies while it takes over, or soon after. */
  async stumble(point: CrashPoint): Promise<void> {
    const agent = this.launch(point, '1');
    const timer = systemClock.after(STUMBLE_MS, () => agent.kill('SIGKILL'));
    await agent.exited;
    timer();
    this.coordinator.seen.length = 0;
  }

  /** Stops the agent's process in its tracks, or has it go on. */
  pause(paused: boolean): void {
    this.#running().kill(paused ? 'SIGSTOP' : 'SIGCONT');
  }

  /** A session is wanted from now on. */
  create(): CreateSession {
    const session = order();
    this.wanted.set(session.session_id, session);
    this.coordinator.send(session);
    return session;
  }

  end(session_id: string): void {
    this.wanted.delete(session_id);
    this.coordinator.send({ verb: 'END_SESSION', session_id, generation: 1, reason: 'owner_ended' });
  }

  /** Has the agent die at the point, and something happen that leads there; resolves when it is dead. */
  async crash(point: CrashPoint, times: number): Promise<void> {
    const agent = this.#running();
    agent.stdin.write(`arm ${point} ${times}\n`);
    await agent.stdin.flush();
    await this.inventory();
    const ending = point === 'during_stop' || point === 'before_ended';
    const [oldest] = this.wanted.keys();
    if (oldest !== undefined && (ending || this.wanted.size > 1)) this.end(oldest);
    if (!ending) this.create();
    const timer = systemClock.after(PATIENCE_MS, () => {
      this.missed++;
      agent.kill('SIGKILL');
    });
    await agent.exited;
    timer();
    this.coordinator.seen.length = 0;
  }

  /** Ends the agent in good order, and the coordinator. */
  async stop(): Promise<void> {
    // One that was killed leaves its work to another.
    if (this.#running().exitCode !== null || this.#running().signalCode !== null) this.#agent = this.launch();
    const agent = this.#running();
    await this.inventory();
    agent.kill('SIGTERM');
    await agent.exited;
    await this.coordinator.stop();
  }

  /** The sessions that the agent says it has. */
  async inventory(): Promise<{
    sessions: { session_id: string; state: string }[];
    instances: InstanceStatus[];
  }> {
    const agent = this.#running();
    agent.stdin.write('inventory\n');
    await agent.stdin.flush();
    const reader = agent.stdout.getReader();
    try {
      for (let text = ''; ; ) {
        const { value, done } = await reader.read();
        if (done) return { sessions: [], instances: [] };
        text += new TextDecoder().decode(value);
        if (text.endsWith('\n')) return JSON.parse(text);
      }
    } finally {
      reader.releaseLock();
    }
  }

  /** What runs, by instance. */
  running(): Running[] {
    const instances = new Map<string, Running>();
    for (const { pid, instance, role } of markedProcesses(this.#mark)) {
      const one = instances.get(instance) ?? { instance, app: [], signalling: [] };
      one[role === 'app' ? 'app' : 'signalling'].push(pid);
      instances.set(instance, one);
    }
    return [...instances.values()];
  }

  /** Why what runs is not exactly what is wanted, or undefined when it is. */
  difference(): string | undefined {
    const running = this.running();
    const wanted = this.wanted.size + this.warm;
    const odd = running.find(({ app, signalling }) => app.length !== 1 || signalling.length !== 1);
    if (odd !== undefined) return `not one app and one signalling process: ${JSON.stringify(odd)}`;
    return running.length === wanted ? undefined : `${running.length} instances run, ${wanted} are wanted`;
  }

  /** Resolves with how long it took, in ms, until what runs is what is wanted and the agent says so too. Rejects when it takes too long. */
  async settled(): Promise<number> {
    const from = systemClock.monotonic();
    for (;;) {
      const problem = this.difference() ?? (await this.#untold());
      const ms = systemClock.monotonic() - from;
      if (problem === undefined) return ms;
      if (ms > PATIENCE_MS) throw new Error(`${problem} (${this.#file})`);
      await sleep(systemClock, POLL_MS);
    }
  }

  async #untold(): Promise<string | undefined> {
    const { sessions } = await this.inventory();
    const right =
      sessions.length === this.wanted.size &&
      sessions.every(({ session_id, state }) => this.wanted.has(session_id) && state === 'ready');
    return right ? undefined : `the agent has ${JSON.stringify(sessions)}`;
  }

  #running() {
    if (this.#agent === undefined) throw new Error('no agent runs');
    return this.#agent;
  }
}
