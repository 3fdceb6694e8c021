import { describe, expect, test } from 'bun:test';
import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { testTerminal } from '../testing/terminal.ts';
import { logFiles, showLogs } from './logs.ts';

describe('showLogs()', () => {
  test("showLogs() prints the end of the agent's log", () => {
    using under = testTerminal();
    writeFileSync(
      join(under.folder, 'agent.log'),
      Array.from({ length: 1_000 }, (_, number) => `line ${number}\n`).join(''),
    );
    showLogs(under.folder, [], { follow: false, json: false }, under.terminal);
    const lines = under.written.join('').trim().split('\n');
    expect([lines.length, lines.at(-1)]).toEqual([200, 'line 999']);
  });

  test('showLogs() goes on into what was rolled a moment ago, and no further back than a tail', () => {
    using under = testTerminal();
    const lines = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, number) => `line ${from + number}\n`).join('');
    const shown = (names: string[]) => {
      showLogs(under.folder, names, { follow: false, json: false }, under.terminal);
      return under.written.splice(0).join('').trim().split('\n');
    };
    for (const [name, names] of [
      ['agent.log', []],
      ['s-1-app.log', ['s-1']],
    ] as const) {
      const file = join(under.folder, name);
      writeFileSync(`${file}.1`, lines(0, 1_000));
      expect(shown([...names]).slice(-1)).toEqual(['line 999']);
      writeFileSync(file, lines(1_000, 1_050));
      const both = shown([...names]);
      expect([both.length, both[0], both.at(-1)]).toEqual([200, 'line 850', 'line 1049']);
      writeFileSync(file, lines(1_000, 20_000));
      expect(shown([...names])[0]).toBe('line 19800');
    }
  });

  test('showLogs() follows over the moment in which a file is rolled away', () => {
    using under = testTerminal();
    const file = join(under.folder, 'agent.log');
    writeFileSync(file, 'old\n');
    const stop = showLogs(under.folder, [], { follow: true, json: false }, under.terminal);
    renameSync(file, `${file}.1`);
    under.clock.advance(500);
    writeFileSync(file, 'new\n');
    under.clock.advance(500);
    stop();
    expect(under.written.join('')).toBe('old\nnew\n');
  });

  test("showLogs() follows what is added to a session's files, over their being emptied", () => {
    using under = testTerminal();
    const app = join(under.folder, 's-1-app.log');
    writeFileSync(app, 'started\n');
    writeFileSync(join(under.folder, 's-1-signalling.log'), 'listening\n');
    writeFileSync(join(under.folder, 's-10-app.log'), 'another session\n');
    const stop = showLogs(under.folder, ['s-1'], { follow: true, json: false }, under.terminal);
    appendFileSync(app, 'a frame\n');
    under.clock.advance(500);
    truncateSync(app);
    appendFileSync(app, 'new\n');
    under.clock.advance(500);
    stop();
    appendFileSync(app, 'unseen\n');
    under.clock.advance(5_000);
    const text = under.written.join('');
    for (const part of ['s-1-app.log <==', 'started\n', 'listening\n', 'a frame\n', 'new\n'])
      expect(text).toContain(part);
    expect(text).not.toContain('another session');
    expect(text).not.toContain('unseen');
  });

  test('showLogs() has lines for people, and an object a line for programs, over lines that come in parts', () => {
    using under = testTerminal();
    const file = join(under.folder, 'agent.log');
    writeFileSync(file, '{"time":"t","level":"info","msg":"started","seats":1}\n{"time":"t","le');
    const people = showLogs(under.folder, [], { follow: true, json: false }, under.terminal);
    expect(under.written.splice(0)).toEqual(['t info  started  seats=1\n']);
    appendFileSync(file, 'vel":"warn","msg":"lost"}\nplain');
    under.clock.advance(500);
    people();
    expect(under.written.splice(0)).toEqual(['t warn  lost\n', 'plain\n']);
    showLogs(under.folder, [], { follow: false, json: true }, under.terminal);
    const objects = under.written.splice(0).join('').trim().split('\n');
    expect(objects.map((line) => JSON.parse(line).msg ?? JSON.parse(line).text)).toEqual([
      'started',
      'lost',
      'plain',
    ]);
    for (const part of ['app', 'signalling']) writeFileSync(join(under.folder, `s-1-${part}.log`), 'x\n');
    showLogs(under.folder, ['s-1'], { follow: false, json: true }, under.terminal);
    const files = under.written
      .join('')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).file);
    expect(files.sort()).toEqual(['s-1-app.log', 's-1-signalling.log']);
  });

  test('showLogs() says what to do when there is nothing', () => {
    using under = testTerminal();
    expect(() => showLogs(under.folder, [], { follow: false, json: false }, under.terminal)).toThrow(
      'There is no agent.log',
    );
    expect(() => showLogs(under.folder, ['s-1'], { follow: false, json: false }, under.terminal)).toThrow(
      'There is no output of s-1',
    );
  });
});

test('logFiles() takes names for what they are', () => {
  using under = testTerminal();
  for (const name of ['agent.log', 'agent.log.1', 's-1-app.log', 's-1-app.log.1', 'x']) {
    writeFileSync(join(under.folder, name), '');
  }
  expect(logFiles(under.folder, []).map((file) => basename(file))).toEqual(['agent.log']);
  expect(logFiles(under.folder, ['s-1']).map((file) => basename(file))).toEqual(['s-1-app.log']);
  expect(logFiles(under.folder, ['agent', '..', 's'])).toEqual([]);
});
