import { expect, test } from 'bun:test';
import { bounds } from '../kit/limits.ts';
import { host, settings } from '../testing/domain.ts';
import { capacityOf } from './rules-capacity.ts';
import {
  believed,
  doubtedAnew,
  hostAway,
  hostConnected,
  isConnected,
  isLost,
  stopped,
} from './rules-hosts.ts';

test('hostAway() gives the host host_lost_ms to come back', () => {
  const away = hostAway(host('a'), 1_000, settings.host_lost_ms);
  expect(isConnected(away)).toBeFalse();
  expect(isLost(away, 1_000 + settings.host_lost_ms - 1)).toBeFalse();
  expect(isLost(away, 1_000 + settings.host_lost_ms)).toBeTrue();
  expect(isLost(host('a'), Number.MAX_SAFE_INTEGER)).toBeFalse();
});

test('hostConnected() remembers for a while what the host has to stop', () => {
  const said = {
    ...{ name: 'a', seats: 3, apps: [], capacity: capacityOf(3), warm: [], version: '1.2.3' },
    ...{ placed: new Map([['x', 0]]), doubted: new Map([['y', 9_000]]) },
  };
  const back = hostConnected(said, 2, ['x'], 500);
  expect(back).toEqual({
    ...said,
    epoch: 2,
    lost_at: null,
    stopping: new Map([['x', 500 + bounds.host_stopping_ms]]),
    figures: null,
    heard_at: 500,
  });
  expect(stopped(back, 'x').stopping.size).toBe(0);
  expect(stopped(back, 'y')).toBe(back);
});

test('believed() ends a doubt in its time, unless the newcomer has gone meanwhile', () => {
  const doubting = {
    ...host('a'),
    doubted: new Map([
      ['x', 1_000],
      ['y', 2_000],
    ]),
  };
  expect(believed(doubting, 999)).toEqual({ host: doubting, gone: [] });
  const { host: later, gone } = believed(doubting, 1_000);
  expect(gone).toEqual(['x']);
  expect([...later.doubted]).toEqual([['y', 2_000]]);
  expect(believed(later, 1_999).host).toBe(later);
  const away = hostAway(doubting, 500, settings.host_lost_ms);
  expect(believed(away, 9_000)).toEqual({ host: away, gone: [] });
});

test('doubtedAnew() lets each doubt begin again, and makes none', () => {
  const doubting = { ...host('a'), doubted: new Map([['x', 1_000]]) };
  expect([...doubtedAnew(doubting, 900).doubted]).toEqual([['x', 900 + bounds.host_doubt_ms]]);
  expect(doubtedAnew(host('a'), 900).doubted.size).toBe(0);
});
