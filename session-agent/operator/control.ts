import { timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { type AgentStatus, agentStatusSchema } from '../status.ts';
import { writePrivateFile } from './private-file.ts';
import { Failed } from './surroundings.ts';

/**
 * How the commands reach the agent that runs: HTTP on 127.0.0.1 at a port of the system's choice, with a token. Both stand
 * in this file of the state folder, which only the agent's own account can read. Loose: the agent may be of a later release.
 */
const doorSchema = z.object({
  pid: z.number().int(),
  port: z.number().int().min(1).max(65_535),
  token: z.string().regex(/^[\x21-\x7e]{20,}$/),
});
type Door = z.infer<typeof doorSchema>;

const answer_ms = 5_000;
const answer_chars = 8 * 1024 * 1024;
export const control_name = 'control.json';
const doorFile = (state_folder: string): string => join(state_folder, control_name);

/** What the running agent does at a command's word. */
export interface Controlled {
  status(): Promise<AgentStatus>;
  /** Lets go of the sessions and ends the program, for the one that is started in its place. */
  handOver(): void;
}

/** Answers the commands. Whoever does not have the token learns nothing. */
export const controlHandler = (token: string, { status, handOver }: Controlled) => {
  const right = Buffer.from(`Bearer ${token}`);
  return async (asked: Request): Promise<Response> => {
    const given = Buffer.from(asked.headers.get('authorization') ?? '');
    if (given.length !== right.length || !timingSafeEqual(given, right))
      return new Response(null, { status: 401 });
    const { pathname } = new URL(asked.url);
    if (asked.method === 'GET' && pathname === '/status') return Response.json(await status());
    if (asked.method === 'POST' && pathname === '/hand-over') {
      handOver();
      return new Response(null, { status: 202 });
    }
    return new Response(null, { status: 404 });
  };
};

/** Shows the commands the way in; the function returned takes that away again, unless another agent has put its own there. */
export const openDoor = (state_folder: string, door: Door): (() => void) => {
  mkdirSync(state_folder, { recursive: true });
  const file = doorFile(state_folder);
  writePrivateFile(file, `${JSON.stringify(door)}\n`);
  return () => {
    if (readDoor(state_folder)?.token === door.token) rmSync(file, { force: true });
  };
};

/**
 * The way in; undefined when no agent has left one, or something that leads nowhere: a full disk or a crash leaves such files.
 * Throws Failed when this account may not read it.
 */
const readDoor = (state_folder: string): Door | undefined => {
  const file = doorFile(state_folder);
  try {
    return doorSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EACCES' && code !== 'EPERM') return undefined;
    throw new Failed(`${file} cannot be read: run this as the agent's own account, or as administrator.`);
  }
};

/**
 * One request to the running agent, by Node's client: fetch would go by way of HTTPS_PROXY and its like, to this machine
 * too. Undefined when nobody answers, or somebody who does not know the token: another program has the port by now.
 */
const ask = ({ port, token }: Door, method: string, path: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const headers = { Authorization: `Bearer ${token}` };
    const asked = request(
      { host: '127.0.0.1', port, method, path, headers, timeout: answer_ms },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          text += part;
          if (text.length > answer_chars) asked.destroy();
        });
        answer.on('end', () => resolve((answer.statusCode ?? 0) < 300 ? text : undefined));
        answer.on('error', () => resolve(undefined));
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(undefined));
    asked.on('close', () => resolve(undefined));
    asked.end();
  });

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** What the running agent says of itself; undefined when none runs. Throws Failed when it cannot be asked. */
export const askStatus = async (state_folder: string): Promise<AgentStatus | undefined> => {
  const door = readDoor(state_folder);
  const answer = door === undefined ? undefined : await ask(door, 'GET', '/status');
  return answer === undefined ? undefined : agentStatusSchema.safeParse(parsed(answer)).data;
};

/** Asks the running agent to make room for another one; whether it said yes. */
export const askHandOver = async (state_folder: string): Promise<boolean> => {
  const door = readDoor(state_folder);
  return door !== undefined && (await ask(door, 'POST', '/hand-over')) !== undefined;
};
