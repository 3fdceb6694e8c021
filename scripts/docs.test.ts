import { expect, test } from 'bun:test';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { protocolPage } from './docs.ts';

const page = await protocolPage();

test('protocolPage() is what docs/protocol.md says: run "bun run docs" after a change', async () => {
  const committed = await readFile(join(import.meta.dir, '..', 'docs', 'protocol.md'), 'utf8');
  expect(committed).toBe(page);
});

test('protocolPage() has every field with its path, type, need and meaning', () => {
  expect(page).toContain(
    "| `ip` | string | yes | The coordinator's public address: every client is relayed through it. |",
  );
  expect(page).toContain('| `servers[].rc_info.info.picture` | string |  |  |');
  expect(page).toContain('| `reason` | one of the [end reasons](#end-reasons) | yes |  |');
  expect(page).toContain('| `seats` | integer, 1 to 1000 | yes |  |');
});
