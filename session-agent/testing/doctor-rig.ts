import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import type { AgentCheck } from '../../shared/protocol/agent-check.ts';
import { AGENT_LINK_OLDEST, AGENT_LINK_VERSION } from '../../shared/protocol/agent-link.ts';
import { attributes, decodeStun, encodeStun, mixAddress } from '../../shared/stun.ts';
import { runDoctor } from '../doctor/command.ts';
import { type Line, reportSchema } from '../doctor/line.ts';
import { key, portRange } from './rig.ts';

export interface DoctorRigOptions {
  /** Changes what the coordinator says about a host that is all right. */
  check?: Partial<AgentCheck>;
  /** Answers in the coordinator's place. */
  answer?: (request: Request) => Response | Promise<Response>;
  tls?: { cert: string; key: string };
  /** Changes config.json. */
  settings?: object;
  /** The name by which config.json calls the coordinator. */
  host?: string;
  /** What nvidia-smi prints; without it there is none. */
  cards?: string;
}

/** A doctor with a coordinator that says what the test wants. */
export interface DoctorRig extends AsyncDisposable {
  readonly folder: string;
  readonly config_file: string;
  readonly port: number;
  /** Requests that came to the coordinator. */
  readonly asked: { url: URL; authorization: string | null }[];
  /** Runs `doctor --json`; its lines by their names, and the exit code. */
  examine(more?: {
    clock?: Clock;
    environment?: Record<string, string>;
  }): Promise<{ exit: number; lines: Record<string, Line>; names: string[]; text: string }>;
}

const good: AgentCheck = {
  version: '1.0.0',
  protocols: { oldest: AGENT_LINK_OLDEST, newest: AGENT_LINK_VERSION },
  time: 0,
  ice_servers: [],
  connected: false,
  draining: false,
};

const answerAs =
  ({ check = {}, answer }: DoctorRigOptions, asked: DoctorRig['asked']) =>
  (request: Request): Response | Promise<Response> => {
    const authorization = request.headers.get('authorization');
    asked.push({ url: new URL(request.url), authorization });
    if (answer !== undefined) return answer(request);
    if (authorization !== `Bearer ${key}`) {
      return Response.json({ code: 'agent_key_wrong' }, { status: 401 });
    }
    return Response.json({ ...good, time: Date.now(), ...check });
  };

export const startDoctorRig = (options: DoctorRigOptions = {}): DoctorRig => {
  const { tls, settings = {}, host = '127.0.0.1', cards } = options;
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-doctor-'));
  const asked: DoctorRig['asked'] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: answerAs(options, asked),
    ...(tls === undefined ? {} : { tls: { cert: Bun.file(tls.cert), key: Bun.file(tls.key) } }),
  });
  const config_file = join(folder, 'config.json');
  const config = {
    coordinator: `${tls === undefined ? 'http' : 'https'}://${host}:${server.port}`,
    server_name: 'host 1',
    key,
    seats: 2,
    ports: portRange(),
    apps: [{ rc_name: 'Flat', path: process.execPath }],
    ...settings,
  };
  writeFileSync(config_file, JSON.stringify(config), { mode: 0o600 });
  if (cards !== undefined) {
    writeFileSync(join(folder, 'nvidia-smi'), `#!/bin/sh\nprintf '${cards}'\n`, { mode: 0o755 });
  }
  return {
    folder,
    config_file,
    port: server.port ?? 0,
    asked,
    async examine({ clock = systemClock, environment = {} } = {}) {
      const said: string[] = [];
      const exit = await runDoctor(
        {
          environment: { PATH: folder, ...environment },
          config_file,
          platform: process.platform,
          clock,
          ids: systemIds,
        },
        true,
        (text) => said.push(text),
      );
      const text = said.join('\n');
      const { lines } = reportSchema.parse(JSON.parse(text));
      return {
        exit,
        text,
        lines: Object.fromEntries(lines.map((line) => [line.name, line])),
        names: lines.map(({ name }) => name),
      };
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** A STUN server on `hostname` that tells everybody the address that `mapped` makes of the asker's. */
export const startFakeStun = async (
  hostname: string,
  mapped: (port: number) => { address: string; port: number },
): Promise<AsyncDisposable & { port: number }> => {
  const socket = await Bun.udpSocket({
    hostname,
    port: 0,
    socket: {
      data(own, bytes, port, address) {
        const request = decodeStun(bytes);
        if (request === undefined) return;
        const { transaction } = request;
        const value = mixAddress(mapped(port), transaction);
        own.send(encodeStun(0x0101, transaction, [[attributes.xor_mapped_address, value]]), port, address);
      },
    },
  });
  return { port: socket.port, [Symbol.asyncDispose]: async () => socket.close() };
};
