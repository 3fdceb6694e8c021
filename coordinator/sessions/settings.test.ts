import { expect, test } from 'bun:test';
import { memoryStore } from '../testing/store.ts';
import { sessionSettings } from './settings.ts';

test('sessionSettings() counts in milliseconds', () => {
  expect(sessionSettings({ store: memoryStore([], { leave_grace_seconds: '3' }) })).toMatchObject({
    leave_grace_ms: 3_000,
    first_join_ms: 60_000,
    code_digits: 4,
  });
});
