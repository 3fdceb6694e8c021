import { describe, expect, test } from 'bun:test';
import type { AgentStatus } from '../status.ts';
import { age, isWell, screen, statusLines } from './view.ts';

const now = 1_000_000_000;
const status: AgentStatus = {
  version: '1.2.3',
  pid: 42,
  started_at: now - 3_600_000,
  executable: '/opt/session-agent',
  service: 'systemd',
  server_name: 'studio-1',
  coordinator: 'wss://coordinator.example/agent',
  link: { state: 'connected', since: now - 5_000 },
  seats: 2,
  instances: [
    {
      instance_id: 'i-1',
      rc_name: 'Loft',
      card: 1,
      phase: 'ready',
      session_id: 's-1',
      since: now - 60_000,
      restarts: 2,
    },
    { instance_id: 'i-2', rc_name: 'Loft', card: 0, phase: 'warm', since: now - 60_000, restarts: 0 },
  ],
  warm: [],
  apps: [{ rc_name: 'Loft' }, { rc_name: 'Villa', problem: '/opt/villa does not exist' }],
  figures: {
    cpu_percent: 12.4,
    memory_used_mb: 4_096,
    memory_total_mb: null,
    cards: [
      {
        index: 0,
        name: 'RTX',
        busy_percent: 50,
        encoder_percent: null,
        vram_used_mb: 1_000,
        vram_total_mb: 8_000,
        temperature_c: 61.2,
      },
    ],
  },
  config: { file: '/etc/vitrina/config.json', problems: ['config.json:3 seats: wrong'] },
  errors: [
    { at: '2026-11-21T14:00:00Z', level: 'error', text: 'an \u001b[31mapp\u001b[0m crashed', times: 3 },
  ],
};

describe('statusLines()', () => {
  test('statusLines() tells host, link, sessions, cards, apps and errors, and steers no terminal', () => {
    const text = statusLines(status, now).join('\n');
    for (const part of [
      'studio-1, agent 1.2.3, process 42, up 1 h, kept by systemd',
      'connected for 5 s',
      '1 of 2 taken',
      'Loft: ready, card 1, for 1 min, session s-1, restarted 2 times',
      'Loft: warm, card 0, for 1 min, no session',
      'CPU 12 %, memory 4096 MB',
      'RTX: busy 50 %, encoder unknown, 1000 of 8000 MB, 61 °C',
      'Villa cannot be launched: /opt/villa does not exist',
      'config.json:3 seats: wrong',
      'an ?[31mapp?[0m crashed, 3 times',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('\u001b');
  });

  test('statusLines() says what drains, and by whose word', () => {
    const lines = (by: string | null, cards: number[] = []) =>
      statusLines({ ...status, draining: { by, cards } }, now).filter((line) => line.startsWith('draining'));
    expect(lines('host')).toEqual([expect.stringContaining('session-agent undrain lifts that')]);
    expect(lines('operator')).toEqual([expect.stringContaining('an operator of the coordinator')]);
    expect(lines(null, [0, 2])).toEqual([expect.stringContaining('card 0, 2')]);
    expect(lines(null)).toEqual([]);
    expect(statusLines(status, now).join()).not.toContain('draining');
  });

  test('statusLines() has one of one', () => {
    const [one] = status.instances;
    if (one === undefined) throw new Error('the test is wrong');
    const once = { ...status, seats: 1, instances: [{ ...one, restarts: 1 }] };
    const warm = [{ rc_name: 'Loft', wanted: 1, ready: 0, starting: 0, failures: 1, last_error: 'x' }];
    const text = statusLines({ ...once, warm, started_at: now - 49 * 3_600_000 }, now).join('\n');
    for (const part of ['restarted 1 time', 'failed 1 time: x', 'up 2 days']) expect(text).toContain(part);
    expect(screen(['a', 'b', 'c'], 80, 3)[1]).toBe('... 2 more lines');
  });

  test('statusLines() says of what could not be measured that it is unknown', () => {
    const figures = { cpu_percent: null, memory_used_mb: null, memory_total_mb: null, cards: [] };
    expect(statusLines({ ...status, figures }, now)).toContain('machine      CPU unknown, memory unknown');
    const text = statusLines({ ...status, figures: { ...figures, memory_total_mb: 8 } }, now).join('\n');
    expect(text).toContain('memory unknown of 8 MB');
  });

  test('statusLines() says why there is no link, and that nothing is measured yet', () => {
    const away: AgentStatus = {
      ...status,
      figures: null,
      link: { state: 'waiting', since: now, detail: 'locked' },
    };
    const text = statusLines(away, now).join('\n');
    expect(text).toContain('NOT CONNECTED for 0 s');
    expect(text).toContain('locked');
    expect(text).toContain('not measured yet');
  });
});

test('isWell() needs a link, a good file and apps that can be launched', () => {
  const well: AgentStatus = { ...status, apps: [{ rc_name: 'Loft' }], config: { file: '', problems: [] } };
  expect(isWell(well)).toBeTrue();
  expect(isWell(status)).toBeFalse();
  expect(isWell({ ...well, link: { state: 'dialling', since: 0 } })).toBeFalse();
  expect(isWell({ ...well, config: { file: '', problems: ['x'] } })).toBeFalse();
});

describe('screen()', () => {
  const lines = statusLines(status, now);
  test('screen() fits any terminal, its footer included', () => {
    for (const [columns, rows] of [
      [200, 60],
      [80, 24],
      [20, 5],
      [3, 2],
      [1, 1],
    ] as const) {
      const shown = screen(lines, columns, rows);
      expect(shown).toHaveLength(rows);
      expect(shown.every((line) => [...line].length <= columns)).toBeTrue();
    }
    expect(screen(lines, 80, 60).at(-1)).toContain('Ctrl-C');
    expect(screen(lines, 80, 6)[4]).toContain('more lines');
  });
});

test('age() is as exact as people need it', () => {
  const rows: [number, string][] = [
    [-1, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 min'],
    [4 * 86_400_000, '4 days'],
  ];
  for (const [ms, text] of rows) expect(age(ms)).toBe(text);
});
