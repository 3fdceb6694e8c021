import { expect } from 'bun:test';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Program, startProgram } from '../../scripts/program.ts';
import { ensureBuilt, executable, patient, portRange, until } from '../e2e/harness.ts';
import { startWine } from './wine.ts';

// biome-ignore lint/suspicious/noExplicitAny: an answer is looked at field by field in assertions
type Json = any;

/** Where a Windows of Wine calls its host's files: with blanks and letters that are not ours. */
const place = ['Витрина хосты'];
const flags = ['-PixelStreamingURL={streamer_url}', '-PixelStreamingID={streamer_id}'];

/** A real coordinator on this machine, and a Windows on Wine for its hosts. */
export const startRig = async () => {
  await ensureBuilt();
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-windows-'));
  const wine = await startWine(folder);
  const data = join(folder, 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'servers.json'), '[]');
  const configuration = { ip: '127.0.0.1', port: '0', time_between_updates_seconds: 5, ...patient };
  writeFileSync(join(data, 'configuration.json'), JSON.stringify(configuration));
  const coordinator = startProgram(
    [executable('coordinator-linux-x64'), 'serve', '--data', data, '--port', '0'],
    { log: createWriteStream(join(folder, 'coordinator.log')), environment: process.env },
  );
  const base = String((await coordinator.line((line) => line.msg === 'listening')).url);

  /** The token by which a machine becomes this host. */
  const tokenFor = async (name: string, app: string): Promise<string> => {
    const words = ['enrol', name, '--app', app, '--url', base, '--data', data];
    const child = Bun.spawn([executable('coordinator-linux-x64'), ...words], {
      stdout: 'pipe',
      stderr: 'ignore',
    });
    return /--token=(\S+)/.exec(await new Response(child.stdout).text())?.[1] ?? '';
  };

  const ask = async (method: string, path: string, body?: object, token = ''): Promise<Json> => {
    const response = await fetch(`${base}/api/v1${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };

  return {
    wine,
    base,
    folder,
    tokenFor,

    /** A host of its own with one app, enrolled and set up by the agent's own commands. */
    async newHost(name: string, app: string, ...more: string[]) {
      const here = join(wine.drive, ...place, name);
      mkdirSync(here, { recursive: true });
      const config = ['C:', ...place, name, 'config.json'].join('\\');
      const token = await tokenFor(name, app);
      const enrolled = await wine.run(wine.agent, 'enroll', base, `--token=${token}`, '--config', config);
      const added = await wine.run(
        wine.agent,
        'apps',
        'add',
        '--config',
        config,
        app,
        wine.app,
        ...more,
        ...flags,
      );
      expect([enrolled.code, added.code, enrolled.err, added.err]).toEqual([0, 0, '', '']);
      const { from, to } = portRange();
      const file = join(here, 'config.json');
      const text = readFileSync(file, 'utf8');
      const moved = text.replace(/"from": \d+/, `"from": ${from}`).replace(/"to": \d+/, `"to": ${to}`);
      writeFileSync(file, moved);
      /** The processes of its agent, not those of its sessions. */
      const agents = () => wine.pids(' run ', config);
      /** The processes of its sessions, of any of them; `from` is the first of its ports alone. */
      const programs = () =>
        wine.pids().filter((pid) => {
          const port = /--player_port (\d+)|-PixelStreamingURL=ws:\/\/127\.0\.0\.1:(\d+)/.exec(
            wine.commandLine(pid),
          );
          const used = Number(port?.[1] ?? port?.[2] ?? 0);
          return used >= from && used <= to;
        });
      return {
        here,
        file,
        config,
        programs,
        run: async (program = wine.agent): Promise<Program> => {
          const agent = wine.start(program, config);
          await agent.line((line) => line.msg === 'connected to the coordinator');
          return agent;
        },
        status: async (): Promise<Json> => {
          const { out } = await wine.run(wine.agent, 'status', '--json', '--config', config);
          return out === '' ? undefined : JSON.parse(out);
        },
        /** Ends the agent as a crash would. */
        crash: async (agent: Program): Promise<void> => {
          for (const pid of agents()) process.kill(pid, 'SIGKILL');
          agent.kill('SIGKILL');
          await agent.exited;
        },
        gone: () => until('nothing of its sessions is left', programs, (pids) => pids.length === 0, 30_000),
      };
    },

    /** A session that is asked for. */
    async begin(app: string) {
      await until(
        `${app} can be started`,
        () => ask('GET', '/apps'),
        ({ apps }: Json) => apps.some((one: Json) => one.name === app && one.seats_free > 0),
        60_000,
      );
      const { session, participant_token } = await ask('POST', '/sessions', { app });
      const address = `/sessions/${session.id}`;
      const look = () => ask('GET', address, undefined, participant_token);
      return {
        id: String(session.id),
        look,
        ready: () => until('the session is ready', look, ({ phase }: Json) => phase === 'ready', 60_000),
        /** Why it has ended, once it has. */
        ended: async (): Promise<string> =>
          (await until('the session has ended', look, ({ end }: Json) => end !== null, 60_000)).end.reason,
        end: () => ask('DELETE', address, undefined, participant_token),
      };
    },

    async stop(): Promise<void> {
      await wine.end();
      await coordinator.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
export type Rig = Awaited<ReturnType<typeof startRig>>;
export type Host = Awaited<ReturnType<Rig['newHost']>>;
