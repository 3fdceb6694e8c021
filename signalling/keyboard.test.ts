import { expect, test } from 'bun:test';
import { systemClock } from '../shared/clock.ts';
import { createLog } from '../shared/log.ts';
import { loadConfig } from './config.ts';
import { keyboardCommand } from './keyboard.ts';
import { createSignalling } from './server.ts';

const typed = async (...commands: string[]) => {
  const written: Record<string, unknown>[] = [];
  const log = createLog('signalling', 'info', { write: (line) => void written.push(JSON.parse(line)) });
  const loaded = await loadConfig(['--player_token', 't0ken'], {});
  if (!('config' in loaded)) throw new Error('no config');
  const signalling = createSignalling(loaded.config, systemClock, log);
  const answers = commands.map((command) => keyboardCommand(command, loaded.config, signalling, log));
  return { written, answers };
};

test('keyboardCommand() answers each command in the log', async () => {
  const { written, answers } = await typed('c', 'i', ' s ', 'p', 'h', '', 'toString');
  expect(written).toMatchObject([
    { config: { player_port: 80, player_token: '[secret]' } },
    { streamers: 0, players: 0 },
    { streamers: [] },
    { players: [] },
    { commands: { h: 'this list' } },
    { commands: { q: 'stop' } },
  ]);
  expect(new Set(answers)).toEqual(new Set(['go on']));
});

test('keyboardCommand() stops on q', async () => {
  expect((await typed('q')).answers).toEqual(['stop']);
});
