import { describe, expect, test } from 'bun:test';
import { closeSync, openSync } from 'node:fs';
import { createLog, type LogLevel, logDestination, logLevels, silentLog } from './log.ts';

const recordingLog = (level?: LogLevel) => {
  const lines: string[] = [];
  const log = createLog('agent', level, { write: (line) => void lines.push(line) });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') };
};

const secretFields = [
  'key',
  'token',
  'participant_token',
  'ticket',
  'signalling_url',
  'code',
  'secret',
  'password',
  'credential',
  'authorization',
  'cookie',
];

describe('createLog()', () => {
  test('createLog() writes one JSON object a line: time, level, program, message and fields', () => {
    const { log, lines, last } = recordingLog();
    log.info({ session: 'id-1' }, 'one\ntwo');
    log.warn('three');
    expect(lines.map((line) => line.endsWith('\n') && !line.slice(0, -1).includes('\n'))).toEqual([
      true,
      true,
    ]);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'info',
      program: 'agent',
      session: 'id-1',
      msg: 'one\ntwo',
    });
    expect(new Date(last().time).toISOString()).toBe(last().time);
  });

  for (const field of secretFields) {
    test(`createLog() hides ${field} at both levels, in children too`, () => {
      const { log, lines } = recordingLog();
      const child = log.child({ session: 'id-1', [field]: 'hunter2' });
      child.info({ [field]: 'hunter2' }, 'top');
      child.info({ message: { [field]: 'hunter2', other: 'kept' } }, 'below');
      expect(lines.join('')).not.toContain('hunter2');
      expect(lines.join('')).toContain('kept');
      expect(lines).toHaveLength(2);
    });
  }

  test('createLog() writes an error with its type, message, code and stack', () => {
    const { log, last } = recordingLog();
    log.error({ error: Object.assign(new TypeError('taken'), { code: 'EADDRINUSE' }) }, 'failed');
    expect(last().error).toMatchObject({ type: 'TypeError', message: 'taken', error_code: 'EADDRINUSE' });
    expect(last().error.stack).toContain('log.test.ts');
    log.error({ error: 'thrown as a string' }, 'failed');
    expect(last().error).toBe('thrown as a string');
  });

  test('createLog() writes nothing below its level', () => {
    for (const [index, level] of logLevels.entries()) {
      const { log, lines } = recordingLog(level);
      log.debug('');
      log.info('');
      log.warn('');
      log.error('');
      expect(lines).toHaveLength(4 - index);
    }
  });
});

test('silentLog() writes nothing', () => {
  expect(silentLog.isLevelEnabled('fatal')).toBeFalse();
});

test('logDestination() outlives a full disk, and keeps no more than a bounded rest of the lines', () => {
  const fd = openSync('/dev/full', 'w');
  const log = createLog('coordinator', 'info', logDestination(fd));
  const write = () => log.info({ ballast: 'x'.repeat(20_000) }, 'nobody reads this');
  for (let line = 0; line < 100; line++) expect(write).not.toThrow();
  closeSync(fd);
});
