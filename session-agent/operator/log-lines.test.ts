import { expect, test } from 'bun:test';
import { lineForPeople, lineForPrograms } from './log-lines.ts';

const line = JSON.stringify({
  level: 'warn',
  time: '2026-11-21T14:00:00.000Z',
  program: 'session-agent',
  close_code: 1006,
  reason: 'cut off',
  apps: ['Loft'],
  error: { type: 'Error', message: 'no "way"', stack: 'Error: ...' },
  msg: 'the link was \u001b[31mlost',
});

test.each([
  [
    line,
    '2026-11-21T14:00:00.000Z warn  the link was ?[31mlost  close_code=1006 reason="cut off" apps=["Loft"] error="no \\"way\\""',
  ],
  ['{"level":"info","time":"t","msg":"starting"}', 't info  starting'],
  ['LogInit: Display: Running engine', 'LogInit: Display: Running engine'],
  ['{"an app":"logs JSON"}', '{"an app":"logs JSON"}'],
  ['{"msg":"cut of', '{"msg":"cut of'],
  ['', ''],
])('lineForPeople() of %p', (given, people) => {
  expect(lineForPeople(given)).toBe(people);
});

test('lineForPrograms() is an object for every line', () => {
  expect(JSON.parse(lineForPrograms(line, undefined))).toEqual(JSON.parse(line));
  expect(JSON.parse(lineForPrograms('LogInit: x', 's-1-app.log'))).toEqual({
    file: 's-1-app.log',
    text: 'LogInit: x',
  });
  expect(JSON.parse(lineForPrograms('[1]', undefined))).toEqual({ text: '[1]' });
});
