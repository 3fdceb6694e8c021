import { describe, expect, test } from 'bun:test';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLog } from '../../shared/log.ts';
import { Unavailable } from '../store/database.ts';
import { faultyDisk } from '../testing/faulty-disk.ts';
import { temporaryFolder } from '../testing/folder.ts';
import { openPictures } from './pictures.ts';

const bytes = Uint8Array.from({ length: 5_000 }, (_, at) => at % 251);

describe('openPictures()', () => {
  test('openPictures() stores a picture under its name, over one that was there, and removes it', async () => {
    await using folder = await temporaryFolder();
    await folder.remove('pictures');
    const pictures = openPictures(folder.path, faultyDisk(), silentLog);
    await pictures.save('a.png', bytes.subarray(0, 10));
    await pictures.save('a.png', bytes);
    expect(await readdir(join(folder.path, 'pictures'))).toEqual(['a.png']);
    expect(new Uint8Array(await readFile(join(folder.path, 'pictures', 'a.png')))).toEqual(bytes);
    await pictures.remove('a.png');
    await pictures.remove('a.png');
    expect(await readdir(join(folder.path, 'pictures'))).toEqual([]);
  });

  for (const [operation, code] of [
    ['open', 'ENOSPC'],
    ['write', 'EIO'],
    ['short write', 'ENOSPC'],
    ['sync', 'EIO'],
    ['rename', 'ENOSPC'],
  ] as const) {
    test(`openPictures() leaves the picture before as it was when ${operation} fails with ${code}`, async () => {
      await using folder = await temporaryFolder();
      const disk = faultyDisk();
      const pictures = openPictures(folder.path, disk, silentLog);
      await pictures.save('a.png', bytes);
      disk.fail(operation, code);
      const failure: unknown = await pictures
        .save('a.png', bytes.subarray(1))
        .catch((error: unknown) => error);
      expect(failure instanceof Unavailable ? failure.refusal.refused : 'rejected').toBe(
        code === 'ENOSPC' ? 'storage_full' : 'rejected',
      );
      expect(failure).toBeInstanceOf(Error);
      expect(await readdir(join(folder.path, 'pictures'))).toEqual(['a.png']);
      expect(new Uint8Array(await readFile(join(folder.path, 'pictures', 'a.png')))).toEqual(bytes);
    });
  }
});
