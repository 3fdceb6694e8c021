import { expect, test } from 'bun:test';
import { zoneNamed, zoneSchema } from './zone.ts';

test('zoneNamed() gives the name as the zone database writes it, aliases too', () => {
  const rows = [
    ['Europe/Moscow', 'Europe/Moscow'],
    ['europe/moscow', 'Europe/Moscow'],
    ['utc', 'UTC'],
    ['Asia/Calcutta', 'Asia/Calcutta'],
    ['Europe/Kiev', 'Europe/Kiev'],
    ['US/Pacific', 'US/Pacific'],
    ['etc/gmt+3', 'Etc/GMT+3'],
  ] as const;
  for (const [text, name] of rows) expect(zoneNamed(text)).toBe(name);
});

test.each([
  ...['', 'Moscow', 'MSK', 'Local', 'Z', '../etc', 'Europe/Moscow\n', ' Europe/Moscow', 'Europe/Moscow '],
  ...['+03:00', '-03', '+0530', '05:30', 'UTC+3', 'GMT+3', 'UTC+03:00'],
  ...['2026-01-01T00:00+05:30', '2026-01-01T00:00Z', '2026-01-01T00:00[Europe/Berlin]'],
])('zoneNamed() knows no zone %j', (text) => {
  expect(zoneNamed(text)).toBeUndefined();
});

test('zoneSchema() gives the name as it is written, or says what is missing', () => {
  expect(zoneSchema.parse('EUROPE/BERLIN')).toBe('Europe/Berlin');
  expect(zoneSchema.safeParse('+05:30').error?.issues[0]?.message).toContain('no time zone has this name');
});
