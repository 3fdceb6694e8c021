import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Folder extends AsyncDisposable {
  readonly path: string;
  /** Writes a file; a value that is neither a string nor bytes becomes JSON. */
  write(name: string, content: unknown): Promise<void>;
  remove(name: string): Promise<void>;
}

/** A data directory that is removed when it goes out of scope (`await using`). */
export const temporaryFolder = async (): Promise<Folder> => {
  const path = await mkdtemp(join(tmpdir(), 'vitrina-coordinator-'));
  await mkdir(join(path, 'pictures'));
  return {
    path,
    write: async (name, content) => {
      const ready = typeof content === 'string' || content instanceof Uint8Array;
      await writeFile(join(path, name), ready ? content : JSON.stringify(content));
    },
    remove: (name) => rm(join(path, name), { recursive: true }),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
};
