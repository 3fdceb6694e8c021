import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeClock } from '../../shared/testing/clock.ts';
import type { Terminal } from '../operator/surroundings.ts';

/** A terminal that records what is said, on a clock that moves only when told to, and a folder of its own. */
export const testTerminal = (changes: Partial<Terminal> = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-operator-'));
  const clock = fakeClock();
  const said: string[] = [];
  const complaints: string[] = [];
  const written: string[] = [];
  const interrupts = new Set<() => void>();
  const listeners = new Set<(key: string) => void>();
  const terminal: Terminal = {
    version: '1.2.3',
    platform: 'linux',
    environment: {},
    itself: [join(folder, 'session-agent')],
    clock,
    say: (text) => void said.push(text),
    complain: (text) => void complaints.push(text),
    interrupted: (end) => {
      interrupts.add(end);
      return () => void interrupts.delete(end);
    },
    write: (text) => void written.push(text),
    size: () => ({ columns: 80, rows: 24 }),
    keys: (pressed) => {
      listeners.add(pressed);
      return () => void listeners.delete(pressed);
    },
    ...changes,
  };
  return {
    folder,
    clock,
    terminal,
    said,
    complaints,
    written,
    press: (key: string) => {
      for (const pressed of [...listeners]) pressed(key);
    },
    interrupt: () => {
      for (const end of [...interrupts]) end();
    },
    listening: () => listeners.size,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
};
