import { expect, test } from 'bun:test';
import { type Link, type LinkEvent, nextLink, stable_ms, stepPatience, waits_ms } from './link.ts';

const after = (events: LinkEvent[], from: Link = { state: 'idle' }, now = 0): Link =>
  events.reduce((link, event) => nextLink(link, event, now, 0.5), from);

const ready: LinkEvent = { type: 'phase', ready: true };
const lost: LinkEvent = { type: 'lost' };
const due: LinkEvent = { type: 'due' };

test('nextLink() connects when the session is ready, and not before', () => {
  expect(after([{ type: 'phase', ready: false }])).toEqual({ state: 'idle' });
  expect(after([ready])).toEqual({ state: 'connecting', attempt: 0 });
});

test('nextLink() ignores a phase that says the same again', () => {
  const connecting = after([ready]);
  expect(nextLink(connecting, ready, 0, 0)).toBe(connecting);
});

test('nextLink() lets go when the app restarts, and starts counting anew when it is back', () => {
  expect(after([ready, lost, due, { type: 'phase', ready: false }])).toEqual({ state: 'idle' });
  expect(after([ready, lost, due, { type: 'phase', ready: false }, ready])).toEqual({
    state: 'connecting',
    attempt: 0,
  });
});

test('nextLink() waits longer after each failure and gives up in the end', () => {
  let link = after([ready]);
  const waits: number[] = [];
  for (let n = 0; n < 100 && link.state !== 'gave_up'; n++) {
    link = nextLink(link, link.state === 'waiting' ? due : lost, 0, 0.5);
    if (link.state === 'waiting') waits.push(link.wait_ms);
  }
  expect(waits).toEqual([...waits_ms]);
  expect(link).toEqual({ state: 'gave_up' });
});

test('stepPatience() grows with the attempts, up to a minute', () => {
  expect([0, 1, 2, 3, 8].map(stepPatience)).toEqual([15_000, 30_000, 60_000, 60_000, 60_000]);
});

test('nextLink() spreads the waits by a quarter either way', () => {
  expect(nextLink(after([ready]), lost, 0, 0)).toMatchObject({ wait_ms: Math.round(waits_ms[0] * 0.75) });
  expect(nextLink(after([ready]), lost, 0, 1)).toMatchObject({ wait_ms: Math.round(waits_ms[0] * 1.25) });
});

test('nextLink() counts on when a connection played only for a moment, anew when it was good', () => {
  const playing: Link = { state: 'playing', attempt: 3, since: 0 };
  expect(nextLink(playing, lost, stable_ms - 1, 0.5)).toMatchObject({ state: 'waiting', attempt: 4 });
  expect(nextLink(playing, lost, stable_ms, 0.5)).toMatchObject({ state: 'waiting', attempt: 1 });
});

test('nextLink() tries again when a person asks for it after giving up', () => {
  expect(after([{ type: 'again' }], { state: 'gave_up' })).toEqual({ state: 'connecting', attempt: 0 });
  expect(after([{ type: 'again' }], { state: 'idle' })).toEqual({ state: 'idle' });
});

test('nextLink() ignores what comes too late', () => {
  expect(after([{ type: 'first_frame' }])).toEqual({ state: 'idle' });
  expect(after([lost, due])).toEqual({ state: 'idle' });
});
