import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Program, startProgram } from '../../scripts/program.ts';
import { type DemoApp, writeHostConfig } from '../../scripts/system.ts';
import { type PrivateMariadb, startMariadb } from '../../shared/testing/mariadb.ts';
import { isGenuine } from '../../shared/testing/webhook-verifier.ts';
import { ensureBuilt, executable, patient, portRange } from './harness.ts';

// biome-ignore lint/suspicious/noExplicitAny: an answer is looked at field by field in assertions
export type Json = any;

export interface Answer {
  status: number;
  body: Json;
  headers: Headers;
}

/** What goes with a request besides its body. */
export interface Extra {
  token?: string;
  headers?: Record<string, string>;
}

const bodyOf = (type: string, text: string): unknown =>
  text === '' || !type.includes('json') ? text : JSON.parse(text);

/** REST as a program would speak it. */
export const ask = async (
  url: string,
  method: string,
  path: string,
  body?: unknown,
  { token, headers = {} }: Extra = {},
): Promise<Answer> => {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: bodyOf(response.headers.get('content-type') ?? '', text),
    headers: response.headers,
  };
};

export interface Ended {
  exit: number | null;
  out: string;
  err: string;
}

/** A folder with a database server of its own, in which the compiled programs run. */
export interface Deployment {
  folder: string;
  mariadb: PrivateMariadb;
  /** Runs a command of the coordinator to its end. */
  command(args: string[], environment?: Record<string, string>, stdin?: string): Promise<Ended>;
  /** A data directory without apps and hosts. */
  dataFolder(name: string, configuration?: Record<string, unknown>): string;
  /** A coordinator that listens; `port` stays the same when it is started again. */
  serve(data: string, port: number, database: string | undefined): Promise<{ url: string; program: Program }>;
  /** An agent that is connected. */
  agent(name: string, key: string, url: string, seats: number, apps: DemoApp[]): Promise<Program>;
  stop(): Promise<void>;
}

/** Starts the database server; the programs are started by who uses them, and stopped by `stop`, the last one first. */
export const startDeployment = async (): Promise<Deployment> => {
  const [mariadb] = await Promise.all([startMariadb(), ensureBuilt()]);
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-e2e-'));
  const programs: Program[] = [];
  const coordinator = executable('coordinator-linux-x64');
  const without: Record<string, string | undefined> = { ...process.env, DATABASE_URL: undefined };
  let logs = 0;

  const start = (command: string[], environment: Record<string, string>) => {
    logs += 1;
    const program = startProgram(command, {
      log: createWriteStream(join(folder, `${logs}.log`)),
      environment: { ...without, ...environment },
    });
    programs.unshift(program);
    return program;
  };

  return {
    folder,
    mariadb,
    async command(args, environment = {}, stdin = '') {
      const child = Bun.spawn([coordinator, ...args], {
        stdin: new Blob([stdin]),
        stdout: 'pipe',
        stderr: 'pipe',
        env: { ...without, ...environment },
      });
      const [out, err] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      return { exit: await child.exited, out, err };
    },
    dataFolder(name, configuration = {}) {
      const data = join(folder, name);
      mkdirSync(data);
      writeFileSync(join(data, 'servers.json'), '[]\n');
      const basics = { ip: '127.0.0.1', port: '0', time_between_updates_seconds: '5', ...patient };
      writeFileSync(join(data, 'configuration.json'), JSON.stringify({ ...basics, ...configuration }));
      return data;
    },
    async serve(data, port, database) {
      const environment = database === undefined ? {} : { DATABASE_URL: database };
      const program = start([coordinator, 'serve', '--data', data, '--port', String(port)], environment);
      const { url } = await program.line(({ msg }) => msg === 'listening');
      return { url: String(url), program };
    },
    async agent(name, key, url, seats, apps) {
      const resolution = { width: 320, height: 180 };
      const host = { server_name: name, seats, ports: portRange(), resolution, apps };
      const file = writeHostConfig({ folder }, host, url, key);
      const program = start([executable('session-agent-linux-x64'), 'run', '--config', file], {});
      await program.line(({ msg }) => msg === 'connected to the coordinator');
      return program;
    },
    async stop() {
      for (const program of programs) await program.stop();
      await mariadb[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** What a webhook was sent. */
export interface Delivery {
  body: Json;
  /** Whether it is signed by who knows the secret. */
  genuine(secret: string): boolean;
}

/** A server that takes a webhook's events. */
export const startReceiver = () => {
  const received: Delivery[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const [text, now] = [await request.text(), Date.now()];
      received.push({
        body: JSON.parse(text),
        genuine: (secret) => isGenuine(request.headers, text, secret, now),
      });
      return new Response();
    },
  });
  return { url: `http://127.0.0.1:${server.port}/hook`, received, stop: () => server.stop(true) };
};

/** A connection to `/ws`: what came, and a way to say something and wait for what fits. */
export const openVerbs = async (url: string) => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  const came: Json[] = [];
  socket.onmessage = ({ data }) => came.push(JSON.parse(String(data)));
  await new Promise<void>((opened, failed) => {
    socket.onopen = () => opened();
    socket.onerror = () => failed(new Error('the socket does not open'));
  });
  return {
    came,
    say: (message: object) => socket.send(JSON.stringify(message)),
    close: () => socket.close(),
  };
};
